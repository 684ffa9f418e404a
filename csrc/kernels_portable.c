/* The waist in plain C99.  The loops are written so that a compiler turns them into whatever
 * vectors the target has: int16 products summed in int32, no branch inside. */
#include "requantize.h"
#include "weights.h"

enum { GROUP = 2, LANES = 4, COLUMNS = 64 };

/* Packed weights: per lane all its runs one after another, as int16. */
static size_t pack_size(const intgold_weights *weights) {
    const int32_t run = intgold_blocks(weights->run_values, GROUP) * GROUP;
    return (size_t)intgold_blocks(intgold_packed_channels(weights), LANES) * LANES *
           (size_t)intgold_packed_runs(weights) * (size_t)run * sizeof(int16_t);
}

static void pack(const intgold_weights *weights, void *packed) {
    const int32_t run = intgold_blocks(weights->run_values, GROUP) * GROUP;
    const int32_t lanes = intgold_blocks(intgold_packed_channels(weights), LANES) * LANES;
    int16_t *to = packed;
    int32_t c, r, k;
    for (c = 0; c < lanes; c++)
        for (r = 0; r < intgold_packed_runs(weights); r++)
            for (k = 0; k < run; k++) *to++ = (int16_t)intgold_packed_weight(weights, c, r, k);
}

static void widen(const int8_t *x, int32_t zero_point, size_t count, void *words) {
    int16_t *to = words;
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

static void convolve(const intgold_strip *strip, int32_t *sums) {
    column by;
    int32_t vector, i;
    by.n_segments = strip->n_segments;
    by.run = (size_t)strip->run * GROUP;
    for (vector = 0; vector < (strip->weights1 ? 2 : 1); vector++) {
        by.segments = strip->segments + (vector ? strip->shift : 0);
        by.weights = vector ? strip->weights1 : strip->weights0;
        by.bias = vector ? strip->bias1 : strip->bias0;
        for (i = 0; i < strip->columns; i += 2) {
            const int32_t second = i + 1 < strip->columns ? i + 1 : i;
            block_2x4(&by, strip->x + (size_t)i * strip->column_step,
                      strip->x + (size_t)second * strip->column_step,
                      sums + (2 * i + vector) * LANES, sums + (2 * second + vector) * LANES);
        }
    }
}

static size_t tail_packed_size(int32_t channels) {
    (void)channels;
    return 0;
}

static void tail_pack(const intgold_tail *tail, int32_t channels, void *packed) {
    (void)tail, (void)channels, (void)packed;
}

static int32_t greater(int32_t a, int32_t b) { return a > b ? a : b; }

/* Form single without a switch inside the loop: what own models use. */
static void channel_single(const intgold_scale *by, const intgold_tail *tail, const int32_t *sums,
                           size_t step, int32_t pixels, int8_t *y, size_t y_step) {
    int32_t i;
    for (i = 0; i < pixels; i++, sums += step, y += y_step) {
        const int64_t scaled =
            intgold_round_up((int64_t)*sums * by->multiplier, by->right_shift);
        *y = (int8_t)intgold_clamp(scaled + tail->y_zero_point, tail->act_min, tail->act_max);
    }
}

void intgold_finish_channel(const intgold_tail *tail, int32_t channel, const int32_t *sums,
                            const int32_t *sums_below, size_t step, int32_t pixels, int8_t *y,
                            size_t y_step) {
    const intgold_scale by = intgold_entry(tail->by, channel);
    int32_t i;
    if (sums_below) {
        for (i = 0; i < pixels / 2; i++) {
            const size_t left = 2 * (size_t)i * step, right = left + step;
            const int32_t most = greater(greater(sums[left], sums[right]),
                                         greater(sums_below[left], sums_below[right]));
            y[(size_t)i * y_step] = intgold_requantize_acc(most, &by, tail->y_zero_point,
                                                           tail->act_min, tail->act_max);
        }
    } else if (by.form == INTGOLD_FORM_SINGLE) {
        channel_single(&by, tail, sums, step, pixels, y, y_step);
    } else {
        for (i = 0; i < pixels; i++)
            y[(size_t)i * y_step] =
                intgold_requantize_acc(sums[(size_t)i * step], &by, tail->y_zero_point,
                                       tail->act_min, tail->act_max);
    }
}

static void finish(const intgold_tail *tail, int32_t first, int32_t channels, const int32_t *sums,
                   const int32_t *sums_below, size_t step, int32_t pixels, int8_t *y,
                   size_t y_step) {
    int32_t c;
    for (c = 0; c < channels; c++)
        intgold_finish_channel(tail, first + c, sums + c, sums_below ? sums_below + c : NULL, step,
                               pixels, y + c, y_step);
}

static void lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    int32_t i;
    for (i = 0; i < count; i++) y[i] = table[x[i] + 128];
}

const intgold_kernels intgold_kernels_portable = {
    "portable", GROUP,    LANES,            COLUMNS,   0,      pack_size, pack,
    widen,      convolve, tail_packed_size, tail_pack, finish, lut,
};
