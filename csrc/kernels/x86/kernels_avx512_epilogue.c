/* epilogue(), mul and add with AVX-512, for the variants avx512vnni, avx512vbmi and amx. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_AVX512VNNI)
#include "kernels/x86/avx512.h"

#include "kernels/generic/lane_epilogue.h"
#include "kernels/x86/requantize_avx512.h"

/* ---- epilogue: four vectors of sums make 64 bytes, two blocks of two pixels or one of four.
 *
 * Form single with 33 <= right_shift <= 54: the 64-bit products of even and odd lanes lose their
 * low words, and rounding and zero point, which have none, are added in one constant; what is
 * left is shifted by right_shift - 32.  Two floors one after another are the floor of both.
 * Product and constant are at most 2^30 by then, so that nothing overflows.  Saturating packs only
 * clamp what the clamp to act_min .. act_max inside int8 clamps anyway.
 *
 * The other forms that a block, or two side by side, have in all lanes take requantize_avx512.h:
 * double and float in lanes of 32 bits, the rest in lanes of 64.  What is mixed goes channel by
 * channel. */

size_t intgold_avx512_epilogue_packed_size(int32_t channels) {
    return lane_epilogues_size(channels);
}

void intgold_avx512_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels,
                                  void *packed) {
    static const intgold_lane_rules rules = {33, 54, INTGOLD_NEAREST_SHIFT};
    lane_epilogues_pack(&rules, epilogue, channels, packed);
}

/* Of SHORT: multiplier, multiplier_odd, right and half. */
typedef intgold_lanes_avx512 avx512_scales;

/* Of SHORT, half: 2^(t-1) + zero point * 2^t, without the low word. */
INLINE TARGET avx512_scales avx512_scales_of(const intgold_epilogue *epilogue,
                                             const lane_epilogue *block, const int way) {
    const __m512i multiplier = _mm512_loadu_si512(block->multiplier);
    const __m512i shift = _mm512_loadu_si512(block->right_shift);
    const __m512i odd = _mm512_set1_epi32(1 + 2 * epilogue->y_zero_point);
    avx512_scales by;
    if (way == INTGOLD_WAY_NEAREST) return intgold_lanes_of_nearest_avx512(multiplier, shift);
    if (way != INTGOLD_WAY_SHORT) return intgold_lanes_of_double_avx512(multiplier, shift);
    by.multiplier = multiplier;
    by.multiplier_odd = _mm512_srli_epi64(by.multiplier, 32);
    by.right = _mm512_sub_epi32(shift, _mm512_set1_epi32(32));
    by.half = _mm512_sllv_epi32(odd, _mm512_sub_epi32(by.right, _mm512_set1_epi32(1)));
    by.left = by.min = by.max = _mm512_setzero_si512();
    return by;
}

INLINE TARGET __m512i avx512_requantize(__m512i sums, const avx512_scales *by) {
    const __m512i even = _mm512_mul_epi32(sums, by->multiplier);
    const __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(sums, 32), by->multiplier_odd);
    const __m512i high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5);
    return _mm512_srav_epi32(_mm512_add_epi32(high, by->half), by->right);
}

/* Eight lanes in any form but the double ones: clamped, so that 32 bits hold them. */
INLINE TARGET __m256i avx512_requantize_half(__m256i sums, const lane_epilogue *block, int half) {
    const size_t at = (size_t)half * 8;
    intgold_scale_avx512 by;
    __m512i y;
    by.multiplier = _mm512_cvtepi32_epi64(LOAD_256(block->multiplier + at));
    by.multiplier_low = _mm512_cvtepi32_epi64(LOAD_256(block->multiplier_low + at));
    by.right_shift = _mm512_cvtepi32_epi64(LOAD_256(block->right_shift + at));
    y = intgold_scale_acc_avx512(_mm512_cvtepi32_epi64(sums), &by, block->form);
    return _mm512_cvtsepi64_epi32(y);
}

INLINE TARGET __m512i avx512_requantize_long(__m512i sums, const lane_epilogue *block) {
    const __m256i low = avx512_requantize_half(_mm512_castsi512_si256(sums), block, 0);
    const __m256i high = avx512_requantize_half(_mm512_extracti64x4_epi64(sums, 1), block, 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* NEAREST, lanes in doubt done again: rare, so that it is kept out of the loops. */
__attribute__((noinline)) TARGET static __m512i avx512_settled(__m512i sums,
                                                               const avx512_scales *by,
                                                               const lane_epilogue *block) {
    int32_t acc[LANES], scaled[LANES];
    __m512i frac;
    _mm512_storeu_si512(scaled, intgold_lanes_nearest_avx512(sums, by, &frac));
    _mm512_storeu_si512(acc, sums);
    settle_lanes(block, intgold_doubts_avx512(frac), acc, scaled);
    return _mm512_loadu_si512(scaled);
}

INLINE TARGET __m512i avx512_scaled_by(__m512i sums, const avx512_scales *by,
                                       const lane_epilogue *block, const int way, __m512i *frac) {
    __m512i own = *frac, y;
    switch (way) {
    case INTGOLD_WAY_SHORT: return avx512_requantize(sums, by);
    case INTGOLD_WAY_DOUBLE: return intgold_lanes_double_avx512(sums, by, INTGOLD_FORM_DOUBLE);
    case INTGOLD_WAY_DOUBLE_UP:
        return intgold_lanes_double_avx512(sums, by, INTGOLD_FORM_DOUBLE_UP);
    case INTGOLD_WAY_NEAREST:
        y = intgold_lanes_nearest_avx512(sums, by, &own);
        *frac = _mm512_min_epi32(*frac, own);
        return y;
    default: return avx512_requantize_long(sums, block);
    }
}

/* A vector of output i: the sums of its pixel, or the maximum of four pixels in two rows. */
INLINE TARGET __m512i avx512_sums_of(const intgold_pixels *at, int32_t i, size_t vector,
                                     const int pooled) {
    const size_t left = (size_t)i * (pooled ? 2 : 1) * at->step + vector * LANES;
    const size_t right = left + at->step;
    if (!pooled) return _mm512_loadu_si512(at->sums + left);
    return _mm512_max_epi32(_mm512_max_epi32(_mm512_loadu_si512(at->sums + left),
                                             _mm512_loadu_si512(at->sums + right)),
                            _mm512_max_epi32(_mm512_loadu_si512(at->below + left),
                                             _mm512_loadu_si512(at->below + right)));
}

/* The next four vectors: `vectors` of an output, then of the next; `last` is the last there is. */
INLINE TARGET __m512i avx512_group(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                                   const intgold_pixels *at, const avx512_scales *by,
                                   int32_t last, const int vectors, const int pooled,
                                   const int way) {
    /* Packs leave the four vectors' words side by side; this puts each vector together. */
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i point =
        _mm512_set1_epi16((short)(way == INTGOLD_WAY_SHORT ? 0 : epilogue->y_zero_point));
    __m512i y[4], low, high, bytes, frac = _mm512_set1_epi32(INT32_MAX);
    int j;
    UNROLL
    for (j = 0; j < 4; j++) {
        const int32_t i = j / vectors < last ? j / vectors : last;
        const __m512i sums = avx512_sums_of(at, i, (size_t)(j % vectors), pooled);
        y[j] = avx512_scaled_by(sums, by + j % vectors, blocks + j % vectors, way, &frac);
    }
    if (way == INTGOLD_WAY_NEAREST && intgold_doubts_avx512(frac))
        for (j = 0; j < 4; j++) {
            const int32_t i = j / vectors < last ? j / vectors : last;
            y[j] = avx512_settled(avx512_sums_of(at, i, (size_t)(j % vectors), pooled),
                                  by + j % vectors, blocks + j % vectors);
        }
    low = _mm512_adds_epi16(_mm512_packs_epi32(y[0], y[1]), point);
    high = _mm512_adds_epi16(_mm512_packs_epi32(y[2], y[3]), point);
    bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high));
    if (epilogue->act_min == -128 && epilogue->act_max == 127)
        return bytes; /* packs have clamped */
    return _mm512_min_epi8(_mm512_max_epi8(bytes, _mm512_set1_epi8((char)epilogue->act_min)),
                           _mm512_set1_epi8((char)epilogue->act_max));
}

/* Any number of channels and outputs: `width` bytes of each output lie side by side. */
TARGET static void avx512_store_group(const intgold_epilogue *epilogue, const intgold_pixels *at,
                                      int32_t outputs, int32_t channels, int32_t width,
                                      __m512i bytes) {
    const __mmask32 live = (__mmask32)(~(uint32_t)0 >> (32 - channels));
    int8_t all[VECTOR + 32];
    size_t place = 0;
    int32_t j;
    _mm512_storeu_si512(all, bytes);
    for (j = 0; j < outputs; j++, place += at->y_step) {
        const int8_t *from = all + j * width;
        _mm256_mask_storeu_epi8(at->y + place, live, LOAD_256(from));
        if (epilogue->fold && at->y_below)
            _mm256_mask_storeu_epi8(at->y_below + place, live, LOAD_256(from + epilogue->fold));
    }
}

/* Four outputs of one block of channels each. */
INLINE TARGET void avx512_store_four(const intgold_pixels *at, __m512i bytes) {
    STORE_128(at->y, _mm512_castsi512_si128(bytes));
    STORE_128(at->y + at->y_step, _mm512_extracti32x4_epi32(bytes, 1));
    STORE_128(at->y + 2 * at->y_step, _mm512_extracti32x4_epi32(bytes, 2));
    STORE_128(at->y + 3 * at->y_step, _mm512_extracti32x4_epi32(bytes, 3));
}

/* Two outputs of two blocks of channels each. */
INLINE TARGET void avx512_store_two(const intgold_pixels *at, __m512i bytes) {
    STORE_256(at->y, _mm512_castsi512_si256(bytes));
    STORE_256(at->y + at->y_step, _mm512_extracti64x4_epi64(bytes, 1));
}

/* Rows of eight channels, one below the other: four pixels of each are 32 bytes. */
INLINE TARGET void avx512_store_two_rows(const intgold_pixels *at, __m512i bytes) {
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m512i rows = _mm512_permutexvar_epi64(order, bytes);
    STORE_256(at->y, _mm512_castsi512_si256(rows));
    if (at->y_below) STORE_256(at->y_below, _mm512_extracti64x4_epi64(rows, 1));
}

/* Advance by `outputs` outputs. */
INLINE void avx512_advance(intgold_pixels *at, int32_t outputs, const int pooled) {
    const size_t sums = (size_t)outputs * (pooled ? 2 : 1) * at->step;
    at->sums += sums;
    if (pooled) at->below += sums;
    at->y += (size_t)outputs * at->y_step;
    if (at->y_below) at->y_below += (size_t)outputs * at->y_step;
}

INLINE TARGET void avx512_epilogue_blocks(const intgold_epilogue *epilogue,
                                          const lane_epilogue *blocks, int32_t channels,
                                          const intgold_pixels *pixels, const int vectors,
                                          const int pooled, const int way) {
    const int32_t outputs = 4 / vectors, width = vectors * LANES;
    const int dense = channels == width && pixels->y_step == (size_t)width;
    const int two_rows = epilogue->fold == 8 && pixels->y_step == 8;
    int32_t left = pooled ? pixels->count / 2 : pixels->count;
    intgold_pixels at = *pixels;
    avx512_scales by[2];
    by[0] = avx512_scales_of(epilogue, blocks, way);
    by[1] = vectors == 2 ? avx512_scales_of(epilogue, blocks + 1, way) : by[0];
    for (; left >= outputs; left -= outputs, avx512_advance(&at, outputs, pooled)) {
        const __m512i bytes = avx512_group(epilogue, blocks, &at, by, 3, vectors, pooled, way);
        if (dense)
            _mm512_storeu_si512(at.y, bytes);
        else if (channels == LANES)
            avx512_store_four(&at, bytes);
        else if (channels == 2 * LANES)
            avx512_store_two(&at, bytes);
        else if (two_rows)
            avx512_store_two_rows(&at, bytes);
        else
            avx512_store_group(epilogue, &at, outputs, channels, width, bytes);
    }
    if (left > 0)
        avx512_store_group(
            epilogue, &at, left, channels, width,
            avx512_group(epilogue, blocks, &at, by, left - 1, vectors, pooled, way));
}

#define epilogue_blocks avx512_epilogue_blocks
#include "kernels/x86/epilogue_ways.h"

void intgold_avx512_epilogue(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                             const intgold_pixels *at) {
    epilogue_by_form(epilogue, first, channels, at, epilogue_simple, epilogue_any, 1);
}

/* ---- mul. */

/* As intgold_avx2_mul_products(). */
TARGET void intgold_avx512_mul_products(const int8_t *x1, int32_t zero_point1, const int8_t *x2,
                                        int32_t zero_point2, int32_t count, int32_t *sums) {
    const __m512i zero1 = ALL_LANES(zero_point1), zero2 = ALL_LANES(zero_point2);
    int32_t i;
    for (i = 0; i < count; i += LANES) {
        const __mmask16 live = (__mmask16)(count - i < LANES ? (1u << (count - i)) - 1 : ~0u);
        const __m512i first =
            _mm512_sub_epi32(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(live, x1 + i)), zero1);
        const __m512i second =
            _mm512_sub_epi32(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(live, x2 + i)), zero2);
        _mm512_mask_storeu_epi32(
            sums + i, live,
            _mm512_madd_epi16(_mm512_and_si512(first, ALL_LANES(0xFFFF)), second));
    }
}

/* ---- add. */

INLINE TARGET __m512i avx512_on_line(int32_t slope, const int8_t *x, const uint8_t *rest,
                                     __mmask16 live) {
    const __m512i value = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(live, x));
    return _mm512_add_epi32(_mm512_mullo_epi32(value, _mm512_set1_epi32(slope)),
                            _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(live, rest)));
}

TARGET void intgold_avx512_affine_sum(const intgold_lines *by, const int8_t *x1, const int8_t *x2,
                                      const uint8_t *rest1, const uint8_t *rest2, int32_t count,
                                      int32_t *sums) {
    const __m512i base = _mm512_set1_epi32((int32_t)by->base);
    int32_t i;
    for (i = 0; i < count; i += LANES) {
        const __mmask16 live = (__mmask16)(count - i < LANES ? (1u << (count - i)) - 1 : ~0u);
        const __m512i first = avx512_on_line(by->slope1, x1 + i, rest1 + i, live);
        const __m512i second = avx512_on_line(by->slope2, x2 + i, rest2 + i, live);
        _mm512_storeu_si512(sums + i, _mm512_add_epi32(base, _mm512_add_epi32(first, second)));
    }
}

#else
typedef int intgold_no_avx512_epilogue; /* C99 wants a declaration in every file */
#endif
