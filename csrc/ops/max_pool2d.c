/* max_pool2d, SPEC clause 5.6: in each row of outputs one window after another, those that are in
 * the image with all columns in one call. */
#include "ops/op.h"

/* The cells that are in the image of the window at oy, ox, and of those after it that are alike. */
static intgold_windows max_pool2d_windows_at(const intgold_max_pool2d *op, const int8_t *x,
                                             int32_t oy, int32_t ox) {
    const int32_t top = oy * op->stride_h - op->pad_top, left = ox * op->stride_w - op->pad_left;
    const int32_t first_row = top < 0 ? 0 : top, first_column = left < 0 ? 0 : left;
    const int32_t right = left + op->kernel_w;
    intgold_windows at;
    at.rows = intgold_min(top + op->kernel_h, op->in_h) - first_row;
    at.columns = intgold_min(right, op->in_w) - first_column;
    at.column_step = (size_t)op->in_c;
    at.row_step = (size_t)op->in_w * at.column_step;
    at.count = 1;
    if (left >= 0 && right <= op->in_w)
        at.count = intgold_min((op->in_w - right) / op->stride_w + 1, op->out_w - ox);
    at.step = (size_t)op->stride_w * at.column_step;
    at.x = x;
    if (at.rows > 0 && at.columns > 0)
        at.x += (size_t)first_row * at.row_step + (size_t)first_column * at.column_step;
    return at;
}

static void max_pool2d_clamp(int8_t *y, size_t count, int32_t act_max) {
    size_t i;
    for (i = 0; i < count; i++) y[i] = (int8_t)intgold_min(y[i], act_max);
}

static void max_pool2d_pool(const intgold_max_pool2d *op, const intgold_kernels *kernels,
                            const int8_t *x, int8_t *y) {
    const size_t row = (size_t)op->out_w * (size_t)op->in_c;
    int32_t oy, ox;
    for (oy = 0; oy < op->out_h; oy++, y += row) {
        int8_t *to = y;
        for (ox = 0; ox < op->out_w;) {
            const intgold_windows at = max_pool2d_windows_at(op, x, oy, ox);
            kernels->window_max(&at, op->act_min, op->in_c, to);
            to += (size_t)at.count * (size_t)op->in_c;
            ox += at.count;
        }
        if (op->act_max < 127) max_pool2d_clamp(y, row, op->act_max);
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
