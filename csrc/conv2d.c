/* conv2d, SPEC clause 5.1: gather the inputs under a few output pixels, multiply, requantize. */
#include <string.h>

#include "op.h"

enum { TILE = 16 }; /* output pixels at a time: their gathered rows stay in the first cache */

static intgold_weights weights_of(const intgold_conv2d *op) {
    intgold_weights weights;
    weights.out_c = op->out_c;
    weights.depth = op->kernel_h * op->kernel_w * op->in_c;
    weights.values = op->weights;
    weights.zero_point = op->weight_zero_point;
    weights.zero_point_count = op->weight_zero_point_count;
    return weights;
}

static size_t packed_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_weights weights = weights_of(fields);
    return kernels->matmul_packed_size(&weights);
}

static void pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_weights weights = weights_of(fields);
    kernels->matmul_pack(&weights, packed);
}

static size_t rows_size(const intgold_conv2d *op) {
    return intgold_align(TILE * intgold_row_stride(weights_of(op).depth) * sizeof(int16_t));
}

static size_t work_size(const void *fields) {
    const intgold_conv2d *op = fields;
    return rows_size(op) + TILE * (size_t)op->out_c * sizeof(int32_t);
}

/* Centre a run of cells that lie side by side in the input. */
static void centre(const int8_t *x, int32_t zero_point, int32_t count, int16_t *row) {
    int32_t i;
    for (i = 0; i < count; i++) row[i] = (int16_t)(x[i] - zero_point);
}

/* The kernel row ky of the pixel whose window starts at (y0, x0): padded cells are 0. */
static void gather_row(const intgold_conv2d *op, const int8_t *x, int32_t y, int32_t x0,
                       int16_t *row) {
    const int32_t in_c = op->in_c;
    int32_t kx;
    if (y < 0 || y >= op->in_h) {
        memset(row, 0, (size_t)op->kernel_w * (size_t)in_c * sizeof(int16_t));
        return;
    }
    x += (size_t)y * (size_t)op->in_w * (size_t)in_c;
    if (op->dilation_w == 1 && x0 >= 0 && x0 + op->kernel_w <= op->in_w) {
        centre(x + (size_t)x0 * (size_t)in_c, op->x_zero_point, op->kernel_w * in_c, row);
        return;
    }
    for (kx = 0; kx < op->kernel_w; kx++, row += in_c) {
        const int32_t column = x0 + kx * op->dilation_w;
        if (column < 0 || column >= op->in_w)
            memset(row, 0, (size_t)in_c * sizeof(int16_t));
        else
            centre(x + (size_t)column * (size_t)in_c, op->x_zero_point, in_c, row);
    }
}

static void gather(const intgold_conv2d *op, const int8_t *x, int32_t pixel, int16_t *row) {
    const int32_t oy = pixel / op->out_w, ox = pixel % op->out_w;
    const int32_t y0 = oy * op->stride_h - op->pad_top, x0 = ox * op->stride_w - op->pad_left;
    const size_t depth = (size_t)weights_of(op).depth;
    const size_t run = (size_t)op->kernel_w * (size_t)op->in_c;
    int32_t ky;
    for (ky = 0; ky < op->kernel_h; ky++)
        gather_row(op, x, y0 + ky * op->dilation_h, x0, row + (size_t)ky * run);
    memset(row + depth, 0, (intgold_row_stride(op->kernel_h * op->kernel_w * op->in_c) - depth) *
                               sizeof(int16_t));
}

static void run(const intgold_call *call) {
    const intgold_conv2d *op = call->fields;
    const intgold_weights weights = weights_of(op);
    const size_t stride = intgold_row_stride(weights.depth), out_c = (size_t)op->out_c;
    const int32_t pixels = op->out_h * op->out_w;
    int16_t *rows = call->scratch;
    int32_t *tile = (int32_t *)(void *)((char *)call->scratch + rows_size(op));
    int8_t *y = call->output;
    int32_t first, i;
    for (first = 0; first < pixels; first += TILE) {
        const int32_t n = pixels - first < TILE ? pixels - first : TILE;
        int32_t *acc = call->acc ? call->acc + (size_t)first * out_c : tile;
        for (i = 0; i < n; i++) gather(op, call->inputs[0], first + i, rows + (size_t)i * stride);
        call->kernels->matmul(&weights, call->packed, op->bias, rows, n, acc);
        if (y)
            call->kernels->requantize(&op->requantize, acc, n, op->out_c, op->y_zero_point,
                                      op->act_min, op->act_max, y + (size_t)first * out_c);
    }
}

const intgold_op_table intgold_conv2d_table = {1, 1, packed_size, pack, work_size, run};

size_t intgold_conv2d_scratch_size(const intgold_conv2d *op) {
    return intgold_alone_size(&intgold_conv2d_table, op);
}

void intgold_conv2d_s8(const intgold_conv2d *op, const int8_t *x, int8_t *y, int32_t *acc,
                       void *scratch) {
    intgold_run_alone(&intgold_conv2d_table, op, x, y, acc, scratch);
}
