/* The waist for NEON, which every AArch64 has.
 *
 * A word is two int16, x - zero point and weights likewise: smlal multiplies four of them by one
 * lane and adds to int32, exactly.  Packed weights hold, per value of a word, those of a block:
 *
 *     word 0: [c0: w0][c1: w0] ... [c7: w0] [c0: w1][c1: w1] ... [c7: w1] */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_NEON)
#define NAME(name) neon_##name
#define TARGET
#define GROUP 2
#define STEP_BYTES 16

#include "kernels/arm/neon.h"

#define four_words NAME(four_words)
#define four_words_at NAME(four_words_at)
#define weights NAME(weights)
#define weights_at NAME(weights_at)
#define products NAME(products)
#define add_products NAME(add_products)
#define low_sums NAME(low_sums)
#define high_sums NAME(high_sums)

typedef int16x8_t four_words, weights;

INLINE int16x8_t neon_int16_at(const char *at) {
    return vreinterpretq_s16_s8(vld1q_s8((const int8_t *)(const void *)at));
}

INLINE four_words four_words_at(const char *x) { return neon_int16_at(x); }
INLINE weights weights_at(const char *w) { return neon_int16_at(w); }

#define ADD(sums, weights, words, n)                                                     \
    ((sums)[0] = vmlal_laneq_s16((sums)[0], vget_low_s16(weights), words, n),            \
     (sums)[1] = vmlal_high_laneq_s16((sums)[1], weights, words, n))
#define ALL_STEPS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define WORD_STEPS(DO) DO(0) DO(1)

/* Lanes 2c and 2c + 1 of all four registers: products of channel c. */
typedef int32x4x4_t products;

INLINE products add_products(products sums, const char *x, const char *w) {
    const int16x8_t x0 = neon_int16_at(x), x1 = neon_int16_at(x + 16);
    const int16x8_t w0 = neon_int16_at(w), w1 = neon_int16_at(w + 16);
    sums.val[0] = vmlal_s16(sums.val[0], vget_low_s16(x0), vget_low_s16(w0));
    sums.val[1] = vmlal_high_s16(sums.val[1], x0, w0);
    sums.val[2] = vmlal_s16(sums.val[2], vget_low_s16(x1), vget_low_s16(w1));
    sums.val[3] = vmlal_high_s16(sums.val[3], x1, w1);
    return sums;
}

INLINE int32x4_t low_sums(products sums) { return vpaddq_s32(sums.val[0], sums.val[1]); }
INLINE int32x4_t high_sums(products sums) { return vpaddq_s32(sums.val[2], sums.val[3]); }

#include "kernels/arm/neon_convolve.h"

static size_t neon_pack_size(const intgold_weights *by) {
    return intgold_pack_words_size(by, GROUP, LANES);
}

static void neon_pack(const intgold_weights *by, void *packed) {
    const int32_t channels = intgold_packed_channels(by), runs = intgold_packed_runs(by);
    const int32_t run = intgold_blocks(by->run_values, GROUP) * GROUP;
    int16_t *to = (int16_t *)packed;
    int32_t first, r, k, lane;
    for (first = 0; first < channels; first += LANES)
        for (r = 0; r < runs; r++)
            for (k = 0; k < run; k++)
                for (lane = 0; lane < LANES; lane++)
                    *to++ = (int16_t)intgold_packed_weight(by, first + lane, r, k);
}

/* Sixteen inputs less the zero point. */
INLINE int16x8x2_t neon_centred(int8x16_t x, int32_t zero_point) {
    const int8x16_t zero = vdupq_n_s8((int8_t)zero_point);
    int16x8x2_t made;
    made.val[0] = vsubl_s8(vget_low_s8(x), vget_low_s8(zero));
    made.val[1] = vsubl_high_s8(x, zero);
    return made;
}

INLINE void neon_load_half(const int8_t *x, int32_t zero_point, int16_t *to) {
    const int16x8x2_t made = neon_centred(vld1q_s8(x), zero_point);
    vst1q_s16(to, made.val[0]);
    vst1q_s16(to + 8, made.val[1]);
}

/* The last vector may do some again. */
static void neon_load_inputs(const int8_t *x, int32_t zero_point, size_t count, void *words) {
    int16_t *to = (int16_t *)words;
    size_t i;
    for (i = 0; i + HALF <= count; i += HALF) neon_load_half(x + i, zero_point, to + i);
    if (i == count) return;
    if (count >= HALF)
        neon_load_half(x + count - HALF, zero_point, to + count - HALF);
    else
        for (; i < count; i++) to[i] = (int16_t)(x[i] - zero_point);
}

/* Sixteen values of a row, `count` of which are there: fewer come from a copy. */
INLINE int16x8x2_t neon_row_half(const int8_t *row, int32_t zero_point, size_t count) {
    int8_t copy[HALF] = {0};
    if (!row) return neon_centred(vdupq_n_s8((int8_t)zero_point), zero_point);
    if (count >= HALF) return neon_centred(vld1q_s8(row), zero_point);
    memcpy(copy, row, count);
    return neon_centred(vld1q_s8(copy), zero_point);
}

INLINE void neon_interleave_half(const int8_t *const *rows, int32_t zero_point, size_t i,
                                 size_t count, int16_t *to) {
    const int16x8x2_t x0 = neon_row_half(rows[0] ? rows[0] + i : NULL, zero_point, count);
    const int16x8x2_t x1 = neon_row_half(rows[1] ? rows[1] + i : NULL, zero_point, count);
    int16x8x2_t both;
    both.val[0] = x0.val[0];
    both.val[1] = x1.val[0];
    vst2q_s16(to, both);
    both.val[0] = x0.val[1];
    both.val[1] = x1.val[1];
    vst2q_s16(to + HALF, both);
}

/* Writes up to two vectors beyond the last word. */
static void neon_load_rows(const int8_t *const *rows, int32_t zero_point, size_t count,
                           void *words) {
    int16_t *to = (int16_t *)words;
    size_t i;
    for (i = 0; i + HALF <= count; i += HALF)
        neon_interleave_half(rows, zero_point, i, HALF, to + GROUP * i);
    if (i < count) neon_interleave_half(rows, zero_point, i, count - i, to + GROUP * i);
}

const intgold_kernels intgold_kernels_neon = {
    .name = "neon",
    .group = GROUP,
    .lanes = LANES,
    .columns = COLUMNS,
    .input_encoding = INTGOLD_INPUT_CENTRED,
    .depthwise = {GROUP, 4, LANES, INTGOLD_INPUT_CENTRED, NULL},
    INTGOLD_OWN_KERNELS(neon),
    INTGOLD_SHARED_KERNELS(neon),
    .lut = intgold_neon_lut,
    .convolve = neon_convolve,
};

#else
typedef int intgold_no_neon; /* C99 wants a declaration in every file */
#endif
