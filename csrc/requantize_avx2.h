/* requantize.h and rounding.h for AVX2, the float forms apart: the only place with AVX2 that
 * shifts to round, but for the short form of `single` in kernels_avx2_shared.c. */
#ifndef INTGOLD_REQUANTIZE_AVX2_H
#define INTGOLD_REQUANTIZE_AVX2_H

#include <immintrin.h>

#include "intgold.h"

#define INTGOLD_AVX2 static inline __attribute__((always_inline, target("avx2")))

/* A vector of 32-bit lanes from the 64-bit values of its even and of its odd lanes. */
INTGOLD_AVX2 __m256i intgold_joined_avx2(__m256i even, __m256i odd) {
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

/* Magnitudes p of four products, at most 2^62, t from 1 to 62, negative: 1 or 0.  AVX2 has no
 * arithmetic shift of 64-bit lanes, so that each rounding is floor((p + own bias) / 2^t).
 * Results that int32 does not hold become its greatest value. */
INTGOLD_AVX2 __m256i intgold_round_avx2(__m256i p, __m256i t, __m256i negative, int form) {
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi64x(1);
    const __m256i most = _mm256_set1_epi64x(INT32_MAX), unit = _mm256_sllv_epi64(one, t);
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
    return _mm256_blendv_epi8(rounded, most, _mm256_cmpgt_epi64(rounded, most));
}

/* Clauses 4.2.1 and 4.2.3: R(acc) of the single forms, saturated to int32. */
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

/* Clause 4.2.2: R(acc) of the double forms.  The first rounding's result fits int32, and is not
 * its least value; the second is made of its magnitude, as above. */
INTGOLD_AVX2 __m256i intgold_scale_double_avx2(__m256i acc, __m256i multiplier, __m256i shift,
                                               int form) {
    const __m256i zero = _mm256_setzero_si256(), most = _mm256_set1_epi32(31);
    const __m256i left = _mm256_max_epi32(_mm256_sub_epi32(most, shift), zero);
    const __m256i right = _mm256_max_epi32(_mm256_sub_epi32(shift, most), zero);
    const __m256i half = _mm256_set1_epi64x((int64_t)1 << 30);
    const __m256i shifted = _mm256_sllv_epi32(acc, left);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(shifted, multiplier), half);
    const __m256i odd = _mm256_add_epi64(
        _mm256_mul_epi32(_mm256_srli_epi64(shifted, 32), _mm256_srli_epi64(multiplier, 32)), half);
    const __m256i high =
        intgold_joined_avx2(_mm256_srli_epi64(even, 31), _mm256_srli_epi64(odd, 31));
    __m256i unit = _mm256_sllv_epi32(_mm256_set1_epi32(1), right);
    /* Half of unit, less one for negative values where ties go up; nothing where unit is 1. */
    if (form == INTGOLD_FORM_DOUBLE_UP)
        unit = _mm256_sub_epi32(unit, _mm256_srli_epi32(high, 31));
    return _mm256_sign_epi32(
        _mm256_srlv_epi32(_mm256_add_epi32(_mm256_abs_epi32(high), _mm256_srli_epi32(unit, 1)),
                          right),
        high);
}

/* Clause 4.2: R(acc), saturated to int32; multipliers and right shifts per lane. */
INTGOLD_AVX2 __m256i intgold_scale_acc_avx2(__m256i acc, __m256i multiplier, __m256i shift,
                                            int form) {
    return form == INTGOLD_FORM_DOUBLE || form == INTGOLD_FORM_DOUBLE_UP
               ? intgold_scale_double_avx2(acc, multiplier, shift, form)
               : intgold_scale_single_avx2(acc, multiplier, shift, form);
}

#endif
