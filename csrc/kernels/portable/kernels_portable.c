/* The waist in plain C99.  The loops are written so that a compiler turns them into whatever
 * vectors the target has: int16 products summed in int32, no branch inside. */
#include <string.h>

#include "arithmetic/requantize.h"
#include "kernels/weights.h"

#define GROUP 2
#define LANES 4
#define COLUMNS 64

/* Packed weights: per lane all its runs one after another, as int16. */
static size_t portable_pack_size(const intgold_weights *weights) {
    const int32_t run = intgold_blocks(weights->run_values, GROUP) * GROUP;
    const int32_t lanes = intgold_blocks(intgold_packed_channels(weights), LANES) * LANES;
    const size_t runs = intgold_times((size_t)lanes, (size_t)intgold_packed_runs(weights));
    return intgold_times(runs, (size_t)run * sizeof(int16_t));
}

static void portable_pack(const intgold_weights *weights, void *packed) {
    const int32_t run = intgold_blocks(weights->run_values, GROUP) * GROUP;
    const int32_t lanes = intgold_blocks(intgold_packed_channels(weights), LANES) * LANES;
    int16_t *to = (int16_t *)packed;
    int32_t c, r, k;
    for (c = 0; c < lanes; c++)
        for (r = 0; r < intgold_packed_runs(weights); r++)
            for (k = 0; k < run; k++) *to++ = (int16_t)intgold_packed_weight(weights, c, r, k);
}

static void portable_load_inputs(const int8_t *x, int32_t zero_point, size_t count, void *words) {
    int16_t *to = (int16_t *)words;
    size_t i;
    for (i = 0; i < count; i++) to[i] = (int16_t)(x[i] - zero_point);
}

/* What one vector of sums needs of a strip. */
typedef struct column {
    const size_t *segments;
    const int16_t *weights;
    const int32_t *bias;
    int32_t n_segments;
    size_t run;
} column;

/* Two pixels times four channels: each load is used several times, and the eight sums fit the
 * registers of SSE2 and NEON. */
static void block_2x4(const column *by, const char *x0, const char *x1, int32_t *sums0,
                      int32_t *sums1) {
    const size_t run = by->run, lane = (size_t)by->n_segments * run;
    const int16_t *w0 = by->weights;
    int32_t a0 = by->bias[0], a1 = by->bias[1], a2 = by->bias[2], a3 = by->bias[3];
    int32_t b0 = a0, b1 = a1, b2 = a2, b3 = a3, s;
    for (s = 0; s < by->n_segments; s++, w0 += run) {
        const int16_t *p0 = (const int16_t *)(const void *)(x0 + by->segments[s]);
        const int16_t *p1 = (const int16_t *)(const void *)(x1 + by->segments[s]);
        const int16_t *w1 = w0 + lane, *w2 = w1 + lane, *w3 = w2 + lane;
        size_t k;
        for (k = 0; k < run; k++) {
            a0 += p0[k] * w0[k];
            a1 += p0[k] * w1[k];
            a2 += p0[k] * w2[k];
            a3 += p0[k] * w3[k];
            b0 += p1[k] * w0[k];
            b1 += p1[k] * w1[k];
            b2 += p1[k] * w2[k];
            b3 += p1[k] * w3[k];
        }
    }
    sums0[0] = a0, sums0[1] = a1, sums0[2] = a2, sums0[3] = a3;
    sums1[0] = b0, sums1[1] = b1, sums1[2] = b2, sums1[3] = b3;
}

static void portable_convolve(const intgold_strip *strip, int32_t *sums) {
    column by;
    int32_t vector, i;
    by.n_segments = strip->n_segments;
    by.run = (size_t)strip->run * GROUP;
    for (vector = 0; vector < (strip->weights1 ? 2 : 1); vector++) {
        by.segments = strip->segments + (vector ? strip->shift : 0);
        by.weights = (const int16_t *)(vector ? strip->weights1 : strip->weights0);
        by.bias = vector ? strip->bias1 : strip->bias0;
        for (i = 0; i < strip->columns; i += 2) {
            const int32_t second = i + 1 < strip->columns ? i + 1 : i;
            block_2x4(&by, strip->x + (size_t)i * strip->column_step,
                      strip->x + (size_t)second * strip->column_step,
                      sums + (2 * i + vector) * LANES, sums + (2 * second + vector) * LANES);
        }
    }
}

static size_t portable_epilogue_packed_size(int32_t channels) {
    (void)channels;
    return 0;
}

static void portable_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels,
                                   void *packed) {
    (void)epilogue, (void)channels, (void)packed;
}

static int32_t portable_greater(int32_t a, int32_t b) { return a > b ? a : b; }

/* Form single without a switch inside the loop: what models quantised by intgold use. */
static void channel_single(const intgold_scale *by, const intgold_epilogue *epilogue,
                           const int32_t *sums, const intgold_pixels *at, int8_t *y) {
    const int32_t min = epilogue->act_min, max = epilogue->act_max;
    int32_t i;
    for (i = 0; i < at->count; i++, sums += at->step, y += at->y_step) {
        const int64_t scaled =
            intgold_round_up((int64_t)*sums * by->multiplier, by->right_shift);
        *y = (int8_t)intgold_clamp(scaled + epilogue->y_zero_point, min, max);
    }
}

static void channel_any(const intgold_scale *by, const intgold_epilogue *epilogue,
                        const int32_t *sums, const intgold_pixels *at, int8_t *y) {
    int32_t i;
    for (i = 0; i < at->count; i++, sums += at->step, y += at->y_step)
        *y = intgold_requantize_acc(*sums, by, epilogue->y_zero_point, epilogue->act_min,
                                    epilogue->act_max);
}

static void channel_pooled(const intgold_scale *by, const intgold_epilogue *epilogue,
                           int32_t lane, const intgold_pixels *at, int8_t *y) {
    const size_t step = at->step;
    const int32_t *sums = at->sums + lane, *below = at->below + lane;
    int32_t i;
    for (i = 0; i < at->count / 2; i++, sums += 2 * step, below += 2 * step, y += at->y_step) {
        const int32_t max = portable_greater(portable_greater(sums[0], sums[step]),
                                             portable_greater(below[0], below[step]));
        *y = intgold_requantize_acc(max, by, epilogue->y_zero_point, epilogue->act_min,
                                    epilogue->act_max);
    }
}

static void channel_row(const intgold_scale *by, const intgold_epilogue *epilogue,
                        const int32_t *sums, const intgold_pixels *at, int8_t *y) {
    if (by->form == INTGOLD_FORM_SINGLE)
        channel_single(by, epilogue, sums, at, y);
    else
        channel_any(by, epilogue, sums, at, y);
}

void intgold_epilogue_channel(const intgold_epilogue *epilogue, int32_t channel, int32_t lane,
                              const intgold_pixels *at) {
    const intgold_scale by = intgold_entry(epilogue->by, channel);
    const int32_t *sums = at->sums + lane;
    if (at->below) {
        channel_pooled(&by, epilogue, lane, at, at->y + lane);
        return;
    }
    channel_row(&by, epilogue, sums, at, at->y + lane);
    if (epilogue->fold && at->y_below)
        channel_row(&by, epilogue, sums + epilogue->fold, at, at->y_below + lane);
}

static void portable_epilogue(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                              const intgold_pixels *at) {
    int32_t c;
    for (c = 0; c < channels; c++) intgold_epilogue_channel(epilogue, first + c, c, at);
}

static void portable_load_rows(const int8_t *const *rows, int32_t zero_point, size_t count,
                               void *words) {
    int16_t *to = (int16_t *)words;
    int32_t r;
    size_t i;
    for (r = 0; r < GROUP; r++)
        for (i = 0; i < count; i++)
            to[i * GROUP + (size_t)r] = (int16_t)(rows[r] ? rows[r][i] - zero_point : 0);
}

static void portable_multiply(const intgold_strip *strip, int32_t *sums) {
    int32_t i, s, lane;
    for (i = 0; i < strip->columns; i++, sums += LANES) {
        const char *x = strip->x + (size_t)i * strip->column_step;
        const int16_t *w = (const int16_t *)strip->weights0;
        memcpy(sums, strip->bias0, LANES * sizeof *sums);
        for (s = 0; s < strip->n_segments; s++, w += LANES * GROUP) {
            const int16_t *word = (const int16_t *)(const void *)(x + strip->segments[s]);
            for (lane = 0; lane < LANES; lane++)
                sums[lane] += word[2 * lane] * w[2 * lane] + word[2 * lane + 1] * w[2 * lane + 1];
        }
    }
}

static void portable_window_sum(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                                uint32_t *sums) {
    int32_t i, c;
    for (i = 0; i < cells; i++, x += step)
        for (c = 0; c < channels; c++) {
            const int32_t value = x[c];
            sums[c] += (uint32_t)value;
        }
}

static void portable_window_max(const intgold_windows *windows, int32_t min, int32_t channels,
                                int8_t *y) {
    int32_t w, i, j, c;
    for (w = 0; w < windows->count; w++, y += channels) {
        const int8_t *window = windows->x + (size_t)w * windows->step;
        memset(y, min, (size_t)channels);
        for (i = 0; i < windows->rows; i++) {
            const int8_t *x = window + (size_t)i * windows->row_step;
            for (j = 0; j < windows->columns; j++, x += windows->column_step)
                for (c = 0; c < channels; c++) y[c] = x[c] > y[c] ? x[c] : y[c];
        }
    }
}

static void portable_mul_products(const int8_t *x1, int32_t zero_point1, const int8_t *x2,
                                  int32_t zero_point2, int32_t count, int32_t *sums) {
    int32_t i;
    for (i = 0; i < count; i++) sums[i] = (x1[i] - zero_point1) * (x2[i] - zero_point2);
}

static void portable_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    int32_t i;
    for (i = 0; i < count; i++) y[i] = table[x[i] + 128];
}

const intgold_kernels intgold_kernels_portable = {
    .name = "portable",
    .group = GROUP,
    .lanes = LANES,
    .columns = COLUMNS,
    .input_encoding = INTGOLD_INPUT_CENTRED,
    .depthwise = {GROUP, 4, LANES, INTGOLD_INPUT_CENTRED, NULL},
    .pack_size = portable_pack_size,
    .pack = portable_pack,
    .load_inputs = portable_load_inputs,
    .load_rows = portable_load_rows,
    .multiply = portable_multiply,
    .epilogue_packed_size = portable_epilogue_packed_size,
    .epilogue_pack = portable_epilogue_pack,
    .epilogue = portable_epilogue,
    .window_sum = portable_window_sum,
    .window_max = portable_window_max,
    .mul_products = portable_mul_products,
    .lut = portable_lut,
    .convolve = portable_convolve,
};
