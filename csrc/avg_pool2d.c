/* avg_pool2d, SPEC clause 5.7. */
#include "op.h"
#include "requantize.h"

/* Sum of the valid cells of one channel; their number goes to *cells. */
static int32_t window_sum(const intgold_avg_pool2d *op, const int8_t *x, int32_t oy, int32_t ox,
                          int32_t c, int32_t *cells) {
    const int32_t centre =
        op->form == INTGOLD_AVG_POOL2D_CENTRED_AWAY ? op->x_zero_point : 0;
    int32_t ky, kx, sum = 0;
    *cells = 0;
    for (ky = 0; ky < op->kernel_h; ky++) {
        const int32_t iy = oy * op->stride_h - op->pad_top + ky;
        if (iy < 0 || iy >= op->in_h) continue;
        for (kx = 0; kx < op->kernel_w; kx++) {
            const int32_t ix = ox * op->stride_w - op->pad_left + kx;
            const size_t cell = (size_t)iy * (size_t)op->in_w + (size_t)ix;
            if (ix < 0 || ix >= op->in_w) continue;
            sum += x[cell * (size_t)op->in_c + (size_t)c] - centre;
            ++*cells;
        }
    }
    return sum;
}

static int32_t mean(const intgold_avg_pool2d *op, int32_t sum, int32_t cells) {
    switch (op->form) {
    case INTGOLD_AVG_POOL2D_RAW_UP: return intgold_divide_up(sum, cells);
    case INTGOLD_AVG_POOL2D_RAW_AWAY: return intgold_divide_away(sum, cells);
    default: return intgold_divide_away(sum, cells) + op->y_zero_point;
    }
}

void intgold_avg_pool2d_s8(const intgold_avg_pool2d *op, const int8_t *x, int8_t *y,
                           int32_t *acc) {
    int32_t oy, ox, c, cells;
    for (oy = 0; oy < op->out_h; oy++) {
        for (ox = 0; ox < op->out_w; ox++) {
            for (c = 0; c < op->in_c; c++) {
                const int32_t sum = window_sum(op, x, oy, ox, c, &cells);
                *y++ = (int8_t)intgold_clamp(mean(op, sum, cells), op->act_min, op->act_max);
                if (acc) *acc++ = sum;
            }
        }
    }
}

static void run(const intgold_call *call) {
    intgold_avg_pool2d_s8(call->fields, call->inputs[0], call->output, call->acc);
}

const intgold_op_table intgold_avg_pool2d_table = {1, 1, NULL, NULL, NULL, run};
