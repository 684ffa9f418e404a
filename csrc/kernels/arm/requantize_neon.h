/* requantize.h and rounding.h for NEON, except the float forms: the only place with NEON that
 * shifts to round.
 *
 * NEON's own rounding shift is SPEC's up(p, t), in lanes of 32 and of 64 bits: its sum does not
 * overflow.  sqdmulh is floor(a * b / 2^31), sqrdmulh up(a * b, 31); they saturate for
 * a = b = -2^31 only, and no multiplier is negative. */
#ifndef INTGOLD_REQUANTIZE_NEON_H
#define INTGOLD_REQUANTIZE_NEON_H

#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_NEON)
#include <arm_neon.h>

#define INTGOLD_NEON static inline __attribute__((always_inline))

/* Form single with right_shift t >= 32: up(p, t) = up(floor(p / 2^31), t - 31), because half of
 * 2^t is a multiple of 2^31, and two floors one after another are the floor of both. */
INTGOLD_NEON int32x4_t intgold_scale_simple_neon(int32x4_t acc, int32x4_t multiplier,
                                                 int32x4_t shift) {
    return vrshlq_s32(vqdmulhq_s32(acc, multiplier), vsubq_s32(vdupq_n_s32(31), shift));
}

/* Clauses 4.2.2 and 4.2.3: R(acc) of the double forms.  Ties go away from zero when a negative value,
 * which is not the smallest, is first made one less. */
INTGOLD_NEON int32x4_t intgold_scale_double_neon(int32x4_t acc, int32x4_t multiplier,
                                                 int32x4_t shift, int form) {
    const int32x4_t left = vsubq_s32(vdupq_n_s32(31), shift), zero = vdupq_n_s32(0);
    const int32x4_t right = vminq_s32(left, zero); /* as a shift to the left */
    int32x4_t high = vqrdmulhq_s32(vshlq_s32(acc, vmaxq_s32(left, zero)), multiplier);
    if (form == INTGOLD_FORM_DOUBLE)
        high = vaddq_s32(high, vandq_s32(vshrq_n_s32(high, 31), vshrq_n_s32(right, 31)));
    return vrshlq_s32(high, right);
}

/* Clauses 2.1 to 2.5, t from 1 to 62.  even: up(p - 1, t), or up(p, t) where the floor is odd. */
INTGOLD_NEON int64x2_t intgold_round_neon(int64x2_t p, int64x2_t t, int form) {
    const int64x2_t right = vnegq_s64(t), floor = vshlq_s64(p, right);
    const int64x2_t one = vdupq_n_s64(1), negative = vshrq_n_s64(p, 63); /* -1 or 0 */
    switch (form) {
    case INTGOLD_FORM_SINGLE: return vrshlq_s64(p, right);
    case INTGOLD_FORM_SINGLE_AWAY: return vrshlq_s64(vaddq_s64(p, negative), right);
    case INTGOLD_FORM_SINGLE_EVEN:
        return vrshlq_s64(vsubq_s64(p, vbicq_s64(one, floor)), right);
    case INTGOLD_FORM_SINGLE_ZERO:
        return vshlq_s64(vaddq_s64(p, vbicq_s64(negative, vshlq_s64(negative, t))), right);
    default: return floor;
    }
}

/* Clause 4.2: R(acc), saturated to int32; multipliers and right shifts per lane. */
INTGOLD_NEON int32x4_t intgold_scale_acc_neon(int32x4_t acc, int32x4_t multiplier,
                                              int32x4_t shift, int form) {
    int64x2_t low, high;
    if (form == INTGOLD_FORM_DOUBLE || form == INTGOLD_FORM_DOUBLE_UP)
        return intgold_scale_double_neon(acc, multiplier, shift, form);
    low = vmull_s32(vget_low_s32(acc), vget_low_s32(multiplier));
    high = vmull_high_s32(acc, multiplier);
    low = intgold_round_neon(low, vmovl_s32(vget_low_s32(shift)), form);
    high = intgold_round_neon(high, vmovl_high_s32(shift), form);
    return vqmovn_high_s64(vqmovn_s64(low), high);
}

#endif
#endif
