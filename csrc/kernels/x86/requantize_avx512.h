/* requantize.h and rounding.h for AVX-512: the only place with AVX-512 that shifts to
 * round, but for the short form of `single` in kernels_avx512_epilogue.c. */
#ifndef INTGOLD_REQUANTIZE_AVX512_H
#define INTGOLD_REQUANTIZE_AVX512_H

#include "kernels/generic/round_nearest_f32.h"
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_AVX512VNNI)
#include <immintrin.h>

#define INTGOLD_AVX512 \
    static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512cd,avx512dq")))

/* One entry of an intgold_requantize per lane, as 64-bit values. */
typedef struct intgold_scale_avx512 {
    __m512i multiplier, multiplier_low, right_shift;
} intgold_scale_avx512;

/* 2^(t-1), and 0 for t = 0: a count of -1 shifts everything out. */
INTGOLD_AVX512 __m512i intgold_half_avx512(__m512i t) {
    const __m512i one = _mm512_set1_epi64(1);
    return _mm512_sllv_epi64(one, _mm512_sub_epi64(t, one));
}

INTGOLD_AVX512 __m512i intgold_negate_where_avx512(__mmask8 negative, __m512i magnitude) {
    return _mm512_mask_sub_epi64(magnitude, negative, _mm512_setzero_si512(), magnitude);
}

INTGOLD_AVX512 __m512i intgold_round_up_avx512(__m512i p, __m512i t) {
    return _mm512_srav_epi64(_mm512_add_epi64(p, intgold_half_avx512(t)), t);
}

/* Of magnitudes, below 2^63: ties up is ties away from zero. */
INTGOLD_AVX512 __m512i intgold_magnitude_away_avx512(__m512i p, __m512i t) {
    return _mm512_srlv_epi64(_mm512_add_epi64(p, intgold_half_avx512(t)), t);
}

/* floor, one more where what was lost is above half, or is half and floor is odd. */
INTGOLD_AVX512 __m512i intgold_nearest_even_avx512(__m512i floor, __m512i lost, __m512i half) {
    const __mmask8 odd = _mm512_test_epi64_mask(floor, _mm512_set1_epi64(1));
    const __mmask8 more = _mm512_cmpgt_epu64_mask(lost, half) |
                          (_mm512_cmpeq_epi64_mask(lost, half) & odd &
                           _mm512_test_epi64_mask(half, half));
    return _mm512_mask_add_epi64(floor, more, floor, _mm512_set1_epi64(1));
}

INTGOLD_AVX512 __m512i intgold_magnitude_even_avx512(__m512i p, __m512i t) {
    const __m512i floor = _mm512_srlv_epi64(p, t);
    const __m512i lost = _mm512_sub_epi64(p, _mm512_sllv_epi64(floor, t));
    return intgold_nearest_even_avx512(floor, lost, intgold_half_avx512(t));
}

/* Bits of a magnitude beyond the first `kept`. */
INTGOLD_AVX512 __m512i intgold_excess_avx512(__m512i p, int kept) {
    const __m512i over =
        _mm512_sub_epi64(_mm512_set1_epi64(64 - kept), _mm512_lzcnt_epi64(p));
    return _mm512_max_epi64(over, _mm512_setzero_si512());
}

INTGOLD_AVX512 __m512i intgold_to_24_bits_avx512(__m512i p) {
    const __m512i excess = intgold_excess_avx512(p, 24);
    return _mm512_sllv_epi64(intgold_magnitude_even_avx512(p, excess), excess);
}

/* Clause 4.2.4, of a magnitude. */
INTGOLD_AVX512 __m512i intgold_magnitude_float32_avx512(__m512i acc,
                                                        const intgold_scale_avx512 *by) {
    const __m512i product = _mm512_mul_epu32(intgold_to_24_bits_avx512(acc), by->multiplier);
    return intgold_magnitude_even_avx512(intgold_to_24_bits_avx512(product), by->right_shift);
}

/* Clause 4.2.5, of a magnitude; see requantize.h. */
INTGOLD_AVX512 __m512i intgold_magnitude_float64_avx512(__m512i acc,
                                                        const intgold_scale_avx512 *by) {
    const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi64(1);
    const __m512i bits22 = _mm512_set1_epi64(22);
    const __m512i low = _mm512_mul_epu32(acc, by->multiplier_low);
    const __m512i high = _mm512_add_epi64(_mm512_mul_epu32(acc, by->multiplier),
                                          _mm512_srli_epi64(low, 22));
    const __m512i rest = _mm512_and_si512(low, _mm512_set1_epi64(0x3fffff));
    const __m512i excess = intgold_excess_avx512(high, 31);
    const __m512i in_rest = _mm512_min_epi64(excess, bits22);
    const __m512i in_high = _mm512_sub_epi64(excess, in_rest);
    const __m512i joined =
        _mm512_add_epi64(_mm512_sllv_epi64(high, _mm512_sub_epi64(bits22, in_rest)),
                         _mm512_srlv_epi64(rest, in_rest));
    const __m512i floor = _mm512_srlv_epi64(joined, in_high);
    const __m512i lost_high = _mm512_and_si512(
        high, _mm512_sub_epi64(_mm512_sllv_epi64(one, in_high), one));
    const __m512i lost_rest = _mm512_and_si512(
        rest, _mm512_sub_epi64(_mm512_sllv_epi64(one, in_rest), one));
    const __m512i lost = _mm512_add_epi64(_mm512_slli_epi64(lost_high, 22), lost_rest);
    const __m512i kept =
        intgold_nearest_even_avx512(floor, lost, intgold_half_avx512(excess));
    const __m512i right = _mm512_sub_epi64(_mm512_add_epi64(by->right_shift, bits22), excess);
    return _mm512_sllv_epi64(intgold_magnitude_away_avx512(kept, _mm512_max_epi64(right, zero)),
                             _mm512_max_epi64(_mm512_sub_epi64(zero, right), zero));
}

/* Clause 4.2: R(acc); form: enum intgold_form, except the double forms. */
INTGOLD_AVX512 __m512i intgold_scale_acc_avx512(__m512i acc, const intgold_scale_avx512 *by,
                                                int form) {
    const __mmask8 negative = _mm512_movepi64_mask(acc);
    const __m512i product = _mm512_mul_epi32(acc, by->multiplier), shift = by->right_shift;
    const __m512i magnitude = _mm512_abs_epi64(product);
    __m512i scaled;
    switch (form) {
    case INTGOLD_FORM_SINGLE: return intgold_round_up_avx512(product, shift);
    case INTGOLD_FORM_SINGLE_DOWN: return _mm512_srav_epi64(product, shift);
    case INTGOLD_FORM_SINGLE_AWAY: scaled = intgold_magnitude_away_avx512(magnitude, shift); break;
    case INTGOLD_FORM_SINGLE_EVEN: scaled = intgold_magnitude_even_avx512(magnitude, shift); break;
    case INTGOLD_FORM_SINGLE_ZERO: scaled = _mm512_srlv_epi64(magnitude, shift); break;
    case INTGOLD_FORM_FLOAT32:
        scaled = intgold_magnitude_float32_avx512(_mm512_abs_epi64(acc), by);
        break;
    default: scaled = intgold_magnitude_float64_avx512(_mm512_abs_epi64(acc), by); break;
    }
    return intgold_negate_where_avx512(negative, scaled);
}

/* ---- The double forms, and the float forms by round_nearest_f32.h, in sixteen lanes of 32 bits: what
 * they take of the entries. */
typedef struct intgold_lanes_avx512 {
    __m512i multiplier, multiplier_odd, left, right, half, min, max;
} intgold_lanes_avx512;

INTGOLD_AVX512 intgold_lanes_avx512 intgold_lanes_of_double_avx512(__m512i multiplier,
                                                                   __m512i shift) {
    const __m512i zero = _mm512_setzero_si512(), max = _mm512_set1_epi32(31);
    intgold_lanes_avx512 by;
    by.multiplier = multiplier;
    by.multiplier_odd = _mm512_srli_epi64(multiplier, 32);
    by.left = _mm512_max_epi32(_mm512_sub_epi32(max, shift), zero);
    by.right = _mm512_max_epi32(_mm512_sub_epi32(shift, max), zero);
    by.half = _mm512_srli_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), by.right), 1);
    by.min = by.max = zero;
    return by;
}

/* Clauses 4.2.2 and 4.2.3: the first rounding's result fits int32, and is not its smallest. */
INTGOLD_AVX512 __m512i intgold_lanes_double_avx512(__m512i acc, const intgold_lanes_avx512 *by,
                                                   int form) {
    const __m512i half = _mm512_set1_epi64((int64_t)1 << 30);
    const __m512i shifted = _mm512_sllv_epi32(acc, by->left);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(shifted, by->multiplier), half);
    const __m512i odd = _mm512_add_epi64(
        _mm512_mul_epi32(_mm512_srli_epi64(shifted, 32), by->multiplier_odd), half);
    const __m512i high = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31),
                                                 _mm512_add_epi64(odd, odd));
    const __mmask16 negative = _mm512_movepi32_mask(high);
    __m512i scaled;
    if (form == INTGOLD_FORM_DOUBLE_UP) {
        scaled = _mm512_srav_epi32(high, by->right);
        return _mm512_mask_add_epi32(scaled, _mm512_test_epi32_mask(high, by->half), scaled,
                                     _mm512_set1_epi32(1));
    }
    scaled = _mm512_srlv_epi32(_mm512_add_epi32(_mm512_abs_epi32(high), by->half), by->right);
    return _mm512_mask_sub_epi32(scaled, negative, _mm512_setzero_si512(), scaled);
}

INTGOLD_AVX512 intgold_lanes_avx512 intgold_lanes_of_nearest_avx512(__m512i multiplier,
                                                                    __m512i shift) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i all = _mm512_set1_epi32(32 + INTGOLD_NEAREST_PLACES);
    const __m512i room = _mm512_set1_epi32(1 << 30);
    intgold_lanes_avx512 by;
    by.left = _mm512_max_epi32(_mm512_sub_epi32(all, shift), zero);
    by.right = _mm512_max_epi32(_mm512_sub_epi32(shift, all), zero);
    by.multiplier = _mm512_srlv_epi32(multiplier, by.right);
    by.multiplier_odd = _mm512_srli_epi64(by.multiplier, 32);
    by.half = zero;
    by.max =
        _mm512_mask_blend_epi32(_mm512_test_epi32_mask(by.left, by.left),
                                _mm512_set1_epi32(INT32_MAX), _mm512_srlv_epi32(room, by.left));
    by.min = _mm512_sub_epi32(zero, by.max);
    return by;
}

INTGOLD_AVX512 __m512i intgold_lanes_nearest_avx512(__m512i acc, const intgold_lanes_avx512 *by,
                                                    __m512i *frac) {
    const __m512i kept = _mm512_min_epi32(_mm512_max_epi32(acc, by->min), by->max);
    const __m512i shifted = _mm512_sllv_epi32(kept, by->left);
    const __m512i even = _mm512_mul_epi32(shifted, by->multiplier);
    const __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(shifted, 32), by->multiplier_odd);
    const __m512i v = _mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5);
    const __m512i above =
        _mm512_add_epi32(v, _mm512_set1_epi32(INTGOLD_NEAREST_ONE / 2 + INTGOLD_NEAREST_MARGIN));
    *frac = _mm512_and_si512(above, _mm512_set1_epi32(INTGOLD_NEAREST_ONE - 1));
    return _mm512_srai_epi32(above, INTGOLD_NEAREST_PLACES);
}

/* A bit for every lane that is in doubt. */
INTGOLD_AVX512 uint32_t intgold_doubts_avx512(__m512i frac) {
    const __m512i doubtful = _mm512_set1_epi32(INTGOLD_NEAREST_DOUBTFUL + 1);
    return _mm512_cmpgt_epi32_mask(doubtful, frac);
}

#endif
#endif
