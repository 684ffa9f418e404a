/* requantize.h and rounding.h for AVX2: the only place with AVX2 that shifts to round, but for the
 * short form of `single` in kernels_avx2_epilogue.c. */
#ifndef INTGOLD_REQUANTIZE_AVX2_H
#define INTGOLD_REQUANTIZE_AVX2_H

#include "kernels/generic/round_nearest_f32.h"
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_AVX2)
#include <immintrin.h>

#define INTGOLD_AVX2 static inline __attribute__((always_inline, target("avx2")))

/* A vector of 32-bit lanes from the 64-bit values of its even and of its odd lanes. */
INTGOLD_AVX2 __m256i intgold_joined_avx2(__m256i even, __m256i odd) {
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

/* Magnitudes p of four products, at most 2^62, t from 1 to 62, negative: 1 or 0.  AVX2 has no
 * arithmetic shift of 64-bit lanes, so that each rounding is floor((p + own bias) / 2^t).
 * Results that int32 does not hold become its largest value. */
INTGOLD_AVX2 __m256i intgold_round_avx2(__m256i p, __m256i t, __m256i negative, int form) {
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi64x(1);
    const __m256i max = _mm256_set1_epi64x(INT32_MAX), unit = _mm256_sllv_epi64(one, t);
    const __m256i half = _mm256_srli_epi64(unit, 1), below = _mm256_sub_epi64(half, one);
    const __m256i odd = _mm256_and_si256(_mm256_srlv_epi64(p, t), one);
    __m256i bias, rounded;
    switch (form) {
    case INTGOLD_FORM_SINGLE: bias = _mm256_sub_epi64(half, negative); break;
    case INTGOLD_FORM_SINGLE_AWAY: bias = half; break;
    case INTGOLD_FORM_SINGLE_EVEN: bias = _mm256_add_epi64(below, odd); break;
    case INTGOLD_FORM_SINGLE_DOWN:
        bias = _mm256_and_si256(_mm256_sub_epi64(unit, one), _mm256_sub_epi64(zero, negative));
        break;
    default: bias = zero; break;
    }
    rounded = _mm256_srlv_epi64(_mm256_add_epi64(p, bias), t);
    return _mm256_blendv_epi8(rounded, max, _mm256_cmpgt_epi64(rounded, max));
}

/* Clause 4.2.1: R(acc) of the single forms, saturated to int32. */
INTGOLD_AVX2 __m256i intgold_scale_single_avx2(__m256i acc, __m256i multiplier, __m256i shift,
                                               int form) {
    const __m256i low = _mm256_set1_epi64x(UINT32_MAX);
    const __m256i magnitude = _mm256_abs_epi32(acc), negative = _mm256_srli_epi32(acc, 31);
    const __m256i even = intgold_round_avx2(_mm256_mul_epu32(magnitude, multiplier),
                                            _mm256_and_si256(shift, low),
                                            _mm256_and_si256(negative, low), form);
    const __m256i odd = intgold_round_avx2(
        _mm256_mul_epu32(_mm256_srli_epi64(magnitude, 32), _mm256_srli_epi64(multiplier, 32)),
        _mm256_srli_epi64(shift, 32), _mm256_srli_epi64(negative, 32), form);
    return _mm256_sign_epi32(intgold_joined_avx2(even, odd), acc);
}

INTGOLD_AVX2 __m256i intgold_odd_lanes_avx2(__m256i x) { return _mm256_shuffle_epi32(x, 0xf5); }

/* What the double and the float forms take of the entries of eight lanes. */
typedef struct intgold_scale_avx2 {
    __m256i multiplier, multiplier_odd, left, right, half, min, max;
} intgold_scale_avx2;

INTGOLD_AVX2 intgold_scale_avx2 intgold_scale_of_double_avx2(__m256i multiplier, __m256i shift) {
    const __m256i zero = _mm256_setzero_si256(), max = _mm256_set1_epi32(31);
    intgold_scale_avx2 by;
    by.multiplier = multiplier;
    by.multiplier_odd = intgold_odd_lanes_avx2(multiplier);
    by.left = _mm256_max_epi32(_mm256_sub_epi32(max, shift), zero);
    by.right = _mm256_max_epi32(_mm256_sub_epi32(shift, max), zero);
    by.half = _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), by.right), 1);
    by.min = by.max = zero;
    return by;
}

/* Clauses 4.2.2 and 4.2.3: R(acc) of the double forms.  The first rounding's result fits int32, and
 * is not its smallest value.  Ties up: the floor, one more where the highest bit lost is set. */
INTGOLD_AVX2 __m256i intgold_scale_double_avx2(__m256i acc, const intgold_scale_avx2 *by,
                                               int form) {
    const __m256i zero = _mm256_setzero_si256(), half = _mm256_set1_epi64x((int64_t)1 << 30);
    const __m256i shifted = _mm256_sllv_epi32(acc, by->left);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(shifted, by->multiplier), half);
    const __m256i odd = _mm256_add_epi64(
        _mm256_mul_epi32(intgold_odd_lanes_avx2(shifted), by->multiplier_odd), half);
    const __m256i high =
        _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_add_epi64(odd, odd), 0xaa);
    if (form == INTGOLD_FORM_DOUBLE_UP)
        return _mm256_sub_epi32(_mm256_srav_epi32(high, by->right),
                                _mm256_cmpgt_epi32(_mm256_and_si256(high, by->half), zero));
    return _mm256_sign_epi32(
        _mm256_srlv_epi32(_mm256_add_epi32(_mm256_abs_epi32(high), by->half), by->right), high);
}

/* The float forms by round_nearest_f32.h. */
INTGOLD_AVX2 intgold_scale_avx2 intgold_scale_of_nearest_avx2(__m256i multiplier, __m256i shift) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i all = _mm256_set1_epi32(32 + INTGOLD_NEAREST_PLACES);
    const __m256i whole = _mm256_set1_epi32(INT32_MAX), room = _mm256_set1_epi32(1 << 30);
    intgold_scale_avx2 by;
    by.left = _mm256_max_epi32(_mm256_sub_epi32(all, shift), zero);
    by.right = _mm256_max_epi32(_mm256_sub_epi32(shift, all), zero);
    by.multiplier = _mm256_srlv_epi32(multiplier, by.right);
    by.multiplier_odd = intgold_odd_lanes_avx2(by.multiplier);
    by.half = zero;
    by.max = _mm256_blendv_epi8(_mm256_srlv_epi32(room, by.left), whole,
                                _mm256_cmpeq_epi32(by.left, zero));
    by.min = _mm256_sub_epi32(zero, by.max);
    return by;
}

INTGOLD_AVX2 __m256i intgold_scale_nearest_avx2(__m256i acc, const intgold_scale_avx2 *by,
                                                __m256i *frac) {
    const __m256i kept = _mm256_min_epi32(_mm256_max_epi32(acc, by->min), by->max);
    const __m256i shifted = _mm256_sllv_epi32(kept, by->left);
    const __m256i even = _mm256_mul_epi32(shifted, by->multiplier);
    const __m256i odd = _mm256_mul_epi32(intgold_odd_lanes_avx2(shifted), by->multiplier_odd);
    const __m256i v = _mm256_blend_epi32(intgold_odd_lanes_avx2(even), odd, 0xaa);
    const __m256i above =
        _mm256_add_epi32(v, _mm256_set1_epi32(INTGOLD_NEAREST_ONE / 2 + INTGOLD_NEAREST_MARGIN));
    *frac = _mm256_and_si256(above, _mm256_set1_epi32(INTGOLD_NEAREST_ONE - 1));
    return _mm256_srai_epi32(above, INTGOLD_NEAREST_PLACES);
}

/* A bit for every lane that is in doubt. */
INTGOLD_AVX2 uint32_t intgold_doubts_avx2(__m256i frac) {
    const __m256i doubtful = _mm256_set1_epi32(INTGOLD_NEAREST_DOUBTFUL + 1);
    return (uint32_t)_mm256_movemask_ps(
        _mm256_castsi256_ps(_mm256_cmpgt_epi32(doubtful, frac)));
}

#endif
#endif
