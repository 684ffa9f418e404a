/* max_pool2d, SPEC clause 5.6: channels side by side in the inner loop. */
#include <string.h>

#include "op.h"

static void pixel(const intgold_max_pool2d *op, const intgold_kernels *kernels, const int8_t *x,
                  int32_t oy, int32_t ox, int8_t *y) {
    const size_t in_c = (size_t)op->in_c;
    int32_t ky, kx, c;
    memset(y, op->act_min, in_c);
    for (ky = 0; ky < op->kernel_h; ky++) {
        const int32_t iy = oy * op->stride_h - op->pad_top + ky;
        if (iy < 0 || iy >= op->in_h) continue;
        for (kx = 0; kx < op->kernel_w; kx++) {
            const int32_t ix = ox * op->stride_w - op->pad_left + kx;
            const size_t cell = (size_t)iy * (size_t)op->in_w + (size_t)ix;
            if (ix >= 0 && ix < op->in_w) kernels->raise(x + cell * in_c, op->in_c, y);
        }
    }
    for (c = 0; c < op->in_c && op->act_max < 127; c++)
        y[c] = (int8_t)(y[c] > op->act_max ? op->act_max : y[c]);
}

static void pool(const intgold_max_pool2d *op, const intgold_kernels *kernels, const int8_t *x,
                 int8_t *y) {
    int32_t oy, ox;
    for (oy = 0; oy < op->out_h; oy++)
        for (ox = 0; ox < op->out_w; ox++, y += op->in_c) pixel(op, kernels, x, oy, ox, y);
}

void intgold_max_pool2d_s8(const intgold_max_pool2d *op, const int8_t *x, int8_t *y) {
    pool(op, &intgold_kernels_portable, x, y);
}

static void run(const intgold_call *call) {
    pool(call->fields, call->kernels, call->inputs[0], call->output);
}

const intgold_op_table intgold_max_pool2d_table = {1, 0, NULL, NULL, NULL, run};
