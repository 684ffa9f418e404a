/* max_pool2d, SPEC clause 5.6: one window after another, all channels of it. */
#include "ops/op.h"

/* The cells of the window at oy, ox that are in the image. */
static intgold_window max_pool2d_window_of(const intgold_max_pool2d *op, const int8_t *x,
                                           int32_t oy, int32_t ox) {
    const int32_t top = oy * op->stride_h - op->pad_top, left = ox * op->stride_w - op->pad_left;
    const int32_t first_row = top < 0 ? 0 : top, first_column = left < 0 ? 0 : left;
    intgold_window at;
    at.rows = intgold_min(top + op->kernel_h, op->in_h) - first_row;
    at.columns = intgold_min(left + op->kernel_w, op->in_w) - first_column;
    at.column_step = (size_t)op->in_c;
    at.row_step = (size_t)op->in_w * at.column_step;
    at.x = x;
    if (at.rows > 0 && at.columns > 0)
        at.x += (size_t)first_row * at.row_step + (size_t)first_column * at.column_step;
    return at;
}

static void max_pool2d_pool(const intgold_max_pool2d *op, const intgold_kernels *kernels,
                            const int8_t *x, int8_t *y) {
    int32_t oy, ox, c;
    for (oy = 0; oy < op->out_h; oy++) {
        for (ox = 0; ox < op->out_w; ox++, y += op->in_c) {
            const intgold_window at = max_pool2d_window_of(op, x, oy, ox);
            kernels->window_max(&at, op->act_min, op->in_c, y);
            for (c = 0; c < op->in_c && op->act_max < 127; c++)
                y[c] = (int8_t)intgold_min(y[c], op->act_max);
        }
    }
}

void intgold_max_pool2d_s8(const intgold_max_pool2d *op, const int8_t *x, int8_t *y) {
    max_pool2d_pool(op, &intgold_kernels_portable, x, y);
}

static void max_pool2d_run(const intgold_call *call) {
    max_pool2d_pool((const intgold_max_pool2d *)call->fields, call->kernels,
                    (const int8_t *)call->inputs[0], (int8_t *)call->output);
}

const intgold_op_table intgold_max_pool2d_table = {1, 0, NULL, NULL, NULL, max_pool2d_run};
