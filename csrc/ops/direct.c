/* Convolutions tap by tap: only valid taps are visited, weights and inputs are read as they lie. */
#include <string.h>

#include "ops/direct.h"

enum {
    DIRECT_CHUNK = 256, /* channels at once */
    SCRATCH_ALWAYS = 1 << 20, /* bytes that a strip may take whatever the input is */
    SCRATCH_INPUTS = 16, /* and as many times the input, by the channels of either end */
    SCRATCH_MOST = 1 << 30,
    SMALL_WORK = 1 << 26, /* products and words that are not worth a choice */
    SPEEDUP = 128 /* of vectors over this file, about, at most */
};

intgold_direct intgold_direct_of_conv2d(const intgold_conv2d *op) {
    const intgold_direct made = {
        {op->in_h, op->out_h, op->kernel_h, op->stride_h, op->dilation_h, op->pad_top},
        {op->in_w, op->out_w, op->kernel_w, op->stride_w, op->dilation_w, op->pad_left},
        op->in_c, op->out_c, op->x_zero_point, op->weight_zero_point_count, 0,
        op->weights, op->weight_zero_point, op->bias, op->requantize,
        op->y_zero_point, op->act_min, op->act_max};
    return made;
}

intgold_direct intgold_direct_of_depthwise(const intgold_depthwise_conv2d *op) {
    const intgold_direct made = {
        {op->in_h, op->out_h, op->kernel_h, op->stride_h, op->dilation_h, op->pad_top},
        {op->in_w, op->out_w, op->kernel_w, op->stride_w, op->dilation_w, op->pad_left},
        op->in_c, op->out_c, op->x_zero_point, op->weight_zero_point_count, 1,
        op->weights, op->weight_zero_point, op->bias, op->requantize,
        op->y_zero_point, op->act_min, op->act_max};
    return made;
}

/* Valid taps of all outputs along an axis. */
static uint64_t valid_taps(const intgold_axis *axis) {
    uint64_t count = 0;
    int32_t i;
    for (i = 0; i < axis->kernel; i++) {
        const int32_t offset = i * axis->dilation - axis->before, stride = axis->stride;
        const int32_t first = offset < 0 ? (-offset + stride - 1) / stride : 0;
        const int32_t room = axis->in - 1 - offset;
        const int32_t end = room < 0 ? 0 : intgold_min(room / stride + 1, axis->out);
        if (end > first) count += (uint64_t)(end - first);
    }
    return count;
}

static uint64_t all_taps(const intgold_axis *axis) {
    return (uint64_t)axis->kernel * (uint64_t)axis->out;
}

/* Products per tap of one pixel. */
static uint64_t direct_products(const intgold_direct *op) {
    return (uint64_t)op->out_c * (uint64_t)(op->depthwise ? 1 : op->in_c);
}

int intgold_direct_needed(const intgold_direct *op) {
    const uint64_t max = (uint64_t)1 << 28,
                   row = (uint64_t)op->columns.kernel * (uint64_t)(op->depthwise ? 1 : op->in_c);
    return row > max || row * (uint64_t)op->rows.kernel > max;
}

int intgold_direct_suits(const intgold_direct *op, size_t scratch, uint64_t loaded) {
    const uint64_t channels = (uint64_t)(op->in_c > op->out_c ? op->in_c : op->out_c);
    const uint64_t cells = (uint64_t)op->rows.in * (uint64_t)op->columns.in;
    const uint64_t limit = SCRATCH_ALWAYS + SCRATCH_INPUTS * cells * channels;
    uint64_t work, own;
    if (scratch > SCRATCH_MOST || scratch > limit) return 1;
    work = loaded + all_taps(&op->rows) * all_taps(&op->columns) * direct_products(op);
    if (work <= SMALL_WORK) return 0;
    own = valid_taps(&op->rows) * valid_taps(&op->columns) * direct_products(op);
    return work / SPEEDUP > own;
}

/* Taps first .. end-1 of output o are valid; position: of tap 0 in the input. */
typedef struct taps {
    int32_t position, first, end;
} taps;

static taps taps_of(const intgold_axis *axis, int32_t o) {
    taps found;
    found.position = o * axis->stride - axis->before;
    found.first =
        found.position < 0 ? (-found.position + axis->dilation - 1) / axis->dilation : 0;
    found.end =
        found.position < axis->in
            ? intgold_min((axis->in - 1 - found.position) / axis->dilation + 1, axis->kernel)
            : 0;
    return found;
}

/* The cell under tap (ky, kx) of a window, all channels. */
static const int8_t *cell(const intgold_direct *op, const int8_t *x, const taps *rows, int32_t ky,
                          const taps *columns, int32_t kx) {
    const size_t iy = (size_t)(rows->position + ky * op->rows.dilation);
    const size_t ix = (size_t)(columns->position + kx * op->columns.dilation);
    return x + (iy * (size_t)op->columns.in + ix) * (size_t)op->in_c;
}

static int32_t weight_zero_point(const intgold_direct *op, int32_t oc) {
    return op->weight_zero_point[op->weight_zero_point_count == 1 ? 0 : oc];
}

/* conv2d: channel oc of one pixel.  Taps side by side are one run where nothing lies between. */
static int32_t sum_channel(const intgold_direct *op, const int8_t *x, const taps *rows,
                           const taps *columns, int32_t oc) {
    const size_t in_c = (size_t)op->in_c, kernel_w = (size_t)op->columns.kernel;
    const int32_t step = op->columns.dilation == 1 ? columns->end - columns->first : 1;
    const int32_t zero = weight_zero_point(op, oc);
    int32_t sum = op->bias[oc], ky, kx;
    for (ky = rows->first; ky < rows->end; ky++)
        for (kx = columns->first; kx < columns->end; kx += step) {
            const size_t row = (size_t)oc * (size_t)op->rows.kernel + (size_t)ky;
            const int8_t *w = op->weights + (row * kernel_w + (size_t)kx) * in_c;
            sum += intgold_dot(cell(op, x, rows, ky, columns, kx), op->x_zero_point, w, zero,
                               (size_t)step * in_c);
        }
    return sum;
}

/* depthwise_conv2d: n channels of one pixel. */
static void sum_channels(const intgold_direct *op, const int8_t *x, const taps *rows,
                         const taps *columns, int32_t first, int32_t n, int32_t *sums) {
    const int32_t multiple = op->out_c / op->in_c;
    int32_t ky, kx, c;
    memcpy(sums, op->bias + first, (size_t)n * sizeof *sums);
    for (ky = rows->first; ky < rows->end; ky++)
        for (kx = columns->first; kx < columns->end; kx++) {
            const int8_t *at = cell(op, x, rows, ky, columns, kx);
            const size_t tap = (size_t)ky * (size_t)op->columns.kernel + (size_t)kx;
            const int8_t *w = op->weights + tap * (size_t)op->out_c;
            for (c = first; c < first + n; c++)
                sums[c - first] += (at[multiple == 1 ? c : c / multiple] - op->x_zero_point) *
                                   (w[c] - weight_zero_point(op, c));
        }
}

/* One pixel: all channels, a chunk after the other. */
static void pixel(const intgold_direct *op, const intgold_epilogue *epilogue,
                  const intgold_call *call, const taps *rows, const taps *columns, int8_t *y,
                  int32_t *acc) {
    const int8_t *x = (const int8_t *)call->inputs[0];
    int32_t sums[DIRECT_CHUNK];
    intgold_pixels made = {NULL, NULL, 0, 1, NULL, NULL, 0};
    int32_t first, c;
    made.sums = sums;
    for (first = 0; first < op->out_c; first += DIRECT_CHUNK) {
        const int32_t n = intgold_min(op->out_c - first, DIRECT_CHUNK);
        if (op->depthwise)
            sum_channels(op, x, rows, columns, first, n, sums);
        else
            for (c = 0; c < n; c++) sums[c] = sum_channel(op, x, rows, columns, first + c);
        if (acc) memcpy(acc + first, sums, (size_t)n * sizeof *sums);
        if (!y) continue;
        made.y = y + first;
        intgold_kernels_portable.epilogue(epilogue, first, n, &made);
    }
    if (y && call->table) call->kernels->lut(call->table, y, op->out_c, y);
}

void intgold_direct_run(const intgold_direct *op, const intgold_call *call) {
    /* Portable kernels pack nothing. */
    const intgold_epilogue epilogue =
        intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max, NULL);
    const size_t out_c = (size_t)op->out_c;
    const int8_t *blank = NULL; /* the outputs of a window without a valid tap */
    int8_t *y = (int8_t *)call->output;
    int32_t *acc = call->acc;
    int32_t oy, ox;
    for (oy = 0; oy < op->rows.out; oy++) {
        const taps rows = taps_of(&op->rows, oy);
        for (ox = 0; ox < op->columns.out; ox++) {
            const taps columns = taps_of(&op->columns, ox);
            const int empty = rows.first >= rows.end || columns.first >= columns.end;
            if (empty && (blank || !y)) {
                if (y) memcpy(y, blank, out_c);
                if (acc) memcpy(acc, op->bias, out_c * sizeof *acc);
            } else {
                pixel(op, &epilogue, call, &rows, &columns, y, acc);
                if (empty) blank = y;
            }
            if (y) y += out_c;
            if (acc) acc += out_c;
        }
    }
}
