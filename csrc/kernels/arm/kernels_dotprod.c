/* The waist for NEON with dot products (optional from Armv8.2 on, always there from Armv8.4).
 *
 * A word is four bytes x as they are: sdot multiplies signed by signed bytes.  The zero point is
 * in the sums' start.  Four products are at most 4 * 128 * 128 and the sum wraps, so that the
 * true sum, which fits int32, comes out exactly. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_DOTPROD)
#define NAME(name) dotprod_##name
#if defined(__clang__)
#define TARGET __attribute__((target("dotprod")))
#else
#define TARGET __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

#define GROUP 4
#define STEP_BYTES 32

#include "kernels/arm/neon.h"

#define four_words NAME(four_words)
#define four_words_at NAME(four_words_at)
#define weights NAME(weights)
#define weights_at NAME(weights_at)
#define products NAME(products)
#define add_products NAME(add_products)
#define low_sums NAME(low_sums)
#define high_sums NAME(high_sums)

typedef int8x16_t four_words;

typedef struct weights {
    int8x16_t low, high; /* lanes 0-3 and 4-7 */
} weights;

INLINE int8x16_t dotprod_bytes_at(const char *at) {
    return vld1q_s8((const int8_t *)(const void *)at);
}
INLINE four_words four_words_at(const char *x) { return dotprod_bytes_at(x); }

INLINE weights weights_at(const char *w) {
    weights made;
    made.low = dotprod_bytes_at(w);
    made.high = dotprod_bytes_at(w + 16);
    return made;
}

#define ADD(sums, weights, words, n)                                     \
    ((sums)[0] = vdotq_laneq_s32((sums)[0], (weights).low, words, n),    \
     (sums)[1] = vdotq_laneq_s32((sums)[1], (weights).high, words, n))
#define ALL_STEPS(DO) DO(0) DO(1) DO(2) DO(3)
#define WORD_STEPS(DO) DO(0)

typedef int32x4x2_t products;

INLINE TARGET products add_products(products sums, const char *x, const char *w) {
    sums.val[0] = vdotq_s32(sums.val[0], dotprod_bytes_at(x), dotprod_bytes_at(w));
    sums.val[1] = vdotq_s32(sums.val[1], dotprod_bytes_at(x + 16), dotprod_bytes_at(w + 16));
    return sums;
}

INLINE int32x4_t low_sums(products sums) { return sums.val[0]; }
INLINE int32x4_t high_sums(products sums) { return sums.val[1]; }

#include "kernels/arm/neon_convolve.h"

static size_t dotprod_pack_size(const intgold_weights *by) {
    return intgold_pack_words_size(by, GROUP, LANES);
}

static void dotprod_pack(const intgold_weights *by, void *packed) {
    intgold_pack_bytes(by, LANES, (int8_t *)packed);
}

static void dotprod_load_inputs(const int8_t *x, int32_t zero_point, size_t count, void *words) {
    (void)zero_point;
    memcpy(words, x, count);
}

/* Sixteen values of a row, `count` of which are there: fewer come from a copy. */
INLINE int8x16_t dotprod_row_half(const int8_t *row, int32_t zero_point, size_t count) {
    int8_t copy[HALF] = {0};
    if (!row) return vdupq_n_s8((int8_t)zero_point);
    if (count >= HALF) return vld1q_s8(row);
    memcpy(copy, row, count);
    return vld1q_s8(copy);
}

INLINE void dotprod_interleave_half(const int8_t *const *rows, int32_t zero_point, size_t i,
                                    size_t count, int8_t *to) {
    int8x16x4_t x;
    int r;
    UNROLL for (r = 0; r < GROUP; r++)
        x.val[r] = dotprod_row_half(rows[r] ? rows[r] + i : NULL, zero_point, count);
    vst4q_s8(to, x);
}

/* Writes up to two vectors beyond the last word. */
static void dotprod_load_rows(const int8_t *const *rows, int32_t zero_point, size_t count,
                              void *words) {
    int8_t *to = (int8_t *)words;
    size_t i;
    for (i = 0; i + HALF <= count; i += HALF)
        dotprod_interleave_half(rows, zero_point, i, HALF, to + GROUP * i);
    if (i < count) dotprod_interleave_half(rows, zero_point, i, count - i, to + GROUP * i);
}

const intgold_kernels intgold_kernels_dotprod = {
    .name = "dotprod",
    .group = GROUP,
    .lanes = LANES,
    .columns = COLUMNS,
    .input_encoding = INTGOLD_INPUT_PLAIN,
    .depthwise = {GROUP, 4, LANES, INTGOLD_INPUT_PLAIN, NULL},
    INTGOLD_OWN_KERNELS(dotprod),
    INTGOLD_SHARED_KERNELS(neon),
    .lut = intgold_neon_lut,
    .convolve = dotprod_convolve,
};

#else
typedef int intgold_no_dotprod; /* C99 wants a declaration in every file */
#endif
