/* depthwise_conv2d, SPEC clause 5.2: channels side by side in the inner loop. */
#include "op.h"

static size_t taps(const intgold_depthwise_conv2d *op) {
    return (size_t)op->kernel_h * (size_t)op->kernel_w;
}

/* Packed: the centred weights as int16, in their own order (kernel_h, kernel_w, out_c); then
 * what finish() needs. */
static size_t weights_size(const intgold_depthwise_conv2d *op) {
    return intgold_align(taps(op) * (size_t)op->out_c * sizeof(int16_t));
}

static size_t packed_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_depthwise_conv2d *op = fields;
    return weights_size(op) + intgold_align(kernels->tail_packed_size(op->out_c));
}

static intgold_tail tail_of(const intgold_depthwise_conv2d *op, const void *packed) {
    intgold_tail tail;
    tail.by = &op->requantize;
    tail.y_zero_point = op->y_zero_point;
    tail.act_min = op->act_min;
    tail.act_max = op->act_max;
    tail.packed = packed ? (const char *)packed + weights_size(op) : NULL;
    return tail;
}

static void pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_depthwise_conv2d *op = fields;
    const intgold_tail tail = tail_of(op, NULL);
    const int8_t *w = op->weights;
    int16_t *centred = packed;
    size_t tap;
    int32_t oc;
    if (op->requantize.count)
        kernels->tail_pack(&tail, op->out_c, (char *)packed + weights_size(op));
    for (tap = 0; tap < taps(op); tap++)
        for (oc = 0; oc < op->out_c; oc++)
            *centred++ = (int16_t)(*w++ - op->weight_zero_point[op->weight_zero_point_count == 1
                                                                     ? 0
                                                                     : oc]);
}

static size_t work_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_depthwise_conv2d *op = fields;
    (void)kernels;
    return (size_t)op->out_c * sizeof(int32_t);
}

static void accumulate(const intgold_depthwise_conv2d *op, const int8_t *x, const int16_t *w,
                       int32_t *acc) {
    const int32_t multiple = op->out_c / op->in_c;
    int32_t ic, j;
    if (multiple == 1) {
        for (ic = 0; ic < op->in_c; ic++) acc[ic] += (x[ic] - op->x_zero_point) * w[ic];
        return;
    }
    for (ic = 0; ic < op->in_c; ic++)
        for (j = 0; j < multiple; j++) *acc++ += (x[ic] - op->x_zero_point) * *w++;
}

static void pixel(const intgold_depthwise_conv2d *op, const int8_t *x, const int16_t *packed,
                  int32_t oy, int32_t ox, int32_t *acc) {
    int32_t ky, kx, oc;
    for (oc = 0; oc < op->out_c; oc++) acc[oc] = op->bias[oc];
    for (ky = 0; ky < op->kernel_h; ky++) {
        const int32_t iy = oy * op->stride_h - op->pad_top + ky * op->dilation_h;
        if (iy < 0 || iy >= op->in_h) continue;
        for (kx = 0; kx < op->kernel_w; kx++) {
            const int32_t ix = ox * op->stride_w - op->pad_left + kx * op->dilation_w;
            const size_t cell = (size_t)iy * (size_t)op->in_w + (size_t)ix;
            const size_t tap = (size_t)ky * (size_t)op->kernel_w + (size_t)kx;
            if (ix < 0 || ix >= op->in_w) continue;
            accumulate(op, x + cell * (size_t)op->in_c, packed + tap * (size_t)op->out_c, acc);
        }
    }
}

static void run(const intgold_call *call) {
    const intgold_depthwise_conv2d *op = call->fields;
    const size_t out_c = (size_t)op->out_c;
    const intgold_tail tail = tail_of(op, call->packed);
    int8_t *y = call->output;
    int32_t oy, ox;
    for (oy = 0; oy < op->out_h; oy++) {
        for (ox = 0; ox < op->out_w; ox++) {
            const size_t at = ((size_t)oy * (size_t)op->out_w + (size_t)ox) * out_c;
            int32_t *acc = call->acc ? call->acc + at : call->scratch;
            pixel(op, call->inputs[0], call->packed, oy, ox, acc);
            if (y)
                call->kernels->finish(&tail, 0, op->out_c, acc, NULL, out_c, 1, y + at, out_c);
        }
    }
}

const intgold_op_table intgold_depthwise_conv2d_table = {1, 1, packed_size, pack, work_size, run};

size_t intgold_depthwise_conv2d_scratch_size(const intgold_depthwise_conv2d *op) {
    return intgold_alone_size(&intgold_depthwise_conv2d_table, op);
}

void intgold_depthwise_conv2d_s8(const intgold_depthwise_conv2d *op, const int8_t *x, int8_t *y,
                                 int32_t *acc, void *scratch) {
    intgold_run_alone(&intgold_depthwise_conv2d_table, op, x, y, acc, scratch);
}
