/* avg_pool2d, SPEC clause 5.7. */
#include <string.h>

#include "arithmetic/requantize.h"
#include "ops/op.h"

enum { AVG_POOL2D_CHUNK = 256 }; /* channels at once */

/* The cells of the window at oy, ox that are in the image. */
typedef struct avg_pool2d_window {
    int32_t top, bottom, left, right, cells; /* bottom, right: exclusive */
} avg_pool2d_window;

static avg_pool2d_window avg_pool2d_window_of(const intgold_avg_pool2d *op, int32_t oy,
                                              int32_t ox) {
    const int32_t y = oy * op->stride_h - op->pad_top, x = ox * op->stride_w - op->pad_left;
    avg_pool2d_window found;
    found.top = y < 0 ? 0 : y;
    found.left = x < 0 ? 0 : x;
    found.bottom = intgold_min(y + op->kernel_h, op->in_h);
    found.right = intgold_min(x + op->kernel_w, op->in_w);
    found.cells = (found.bottom - found.top) * (found.right - found.left);
    return found;
}

/* Sums of `channels` channels over a window, less the zero point where the form says so.  They
 * may wrap on the way: the true sums fit. */
static void add_window(const intgold_avg_pool2d *op, const intgold_kernels *kernels,
                       const avg_pool2d_window *at, const int8_t *x, int32_t channels,
                       int32_t *sums) {
    const int32_t centre =
        op->form == INTGOLD_AVG_POOL2D_CENTRED_AWAY ? op->x_zero_point : 0;
    const uint32_t start = 0 - (uint32_t)at->cells * (uint32_t)centre;
    uint32_t *raw = (uint32_t *)sums; /* an alias that C allows */
    int32_t iy, c;
    for (c = 0; c < channels; c++) raw[c] = start;
    for (iy = at->top; iy < at->bottom; iy++) {
        const size_t cell = (size_t)iy * (size_t)op->in_w + (size_t)at->left;
        kernels->window_sum(x + cell * (size_t)op->in_c, at->right - at->left, (size_t)op->in_c,
                            channels, raw);
    }
}

static int32_t mean(const intgold_avg_pool2d *op, int32_t sum, int32_t cells) {
    switch (op->form) {
    case INTGOLD_AVG_POOL2D_RAW_UP: return intgold_divide_up(sum, cells);
    case INTGOLD_AVG_POOL2D_RAW_AWAY: return intgold_divide_away(sum, cells);
    default: return intgold_divide_away(sum, cells) + op->y_zero_point;
    }
}

static void avg_pool2d_pool(const intgold_avg_pool2d *op, const intgold_kernels *kernels,
                            const int8_t *x, int8_t *y, int32_t *acc) {
    int32_t sums[AVG_POOL2D_CHUNK];
    int32_t oy, ox, first, c;
    for (oy = 0; oy < op->out_h; oy++) {
        for (ox = 0; ox < op->out_w; ox++) {
            const avg_pool2d_window at = avg_pool2d_window_of(op, oy, ox);
            for (first = 0; first < op->in_c; first += AVG_POOL2D_CHUNK) {
                const int32_t n = intgold_min(op->in_c - first, AVG_POOL2D_CHUNK);
                add_window(op, kernels, &at, x + first, n, sums);
                for (c = 0; c < n; c++)
                    *y++ = (int8_t)intgold_clamp(mean(op, sums[c], at.cells), op->act_min,
                                                 op->act_max);
                if (acc) memcpy(acc, sums, (size_t)n * sizeof *sums), acc += n;
            }
        }
    }
}

void intgold_avg_pool2d_s8(const intgold_avg_pool2d *op, const int8_t *x, int8_t *y,
                           int32_t *acc) {
    avg_pool2d_pool(op, &intgold_kernels_portable, x, y, acc);
}

static void avg_pool2d_run(const intgold_call *call) {
    avg_pool2d_pool((const intgold_avg_pool2d *)call->fields, call->kernels,
                    (const int8_t *)call->inputs[0], (int8_t *)call->output, call->acc);
}

const intgold_op_table intgold_avg_pool2d_table = {1, 1, NULL, NULL, NULL, avg_pool2d_run};
