/* Requantize, SPEC clause 4: an int32 accumulator times a fixed-point multiplier, in every form.
 * Mirrors python/intgold/golden/requantize.py. */
#ifndef INTGOLD_REQUANTIZE_H
#define INTGOLD_REQUANTIZE_H

#include "arithmetic/rounding.h"
#include "intgold.h"

/* One entry of an intgold_requantize. */
typedef struct intgold_scale {
    int32_t multiplier, multiplier_low;
    int right_shift, form;
} intgold_scale;

static inline intgold_scale intgold_entry(const intgold_requantize *by, int32_t channel) {
    const int32_t c = by->count == 1 ? 0 : channel;
    intgold_scale entry;
    entry.multiplier = by->multiplier[c];
    entry.multiplier_low = by->multiplier_low[c];
    entry.right_shift = by->right_shift[c];
    entry.form = by->form[c];
    return entry;
}

/* Clause 7: R(acc) is defined for int32, also after the left shift of the double forms. */
static inline int intgold_takes(int64_t acc, const intgold_scale *by) {
    const int is_double = by->form == INTGOLD_FORM_DOUBLE || by->form == INTGOLD_FORM_DOUBLE_UP;
    const int left_shift = is_double && by->right_shift < 31 ? 31 - by->right_shift : 0;
    const int64_t end = (int64_t)1 << (31 - left_shift);
    return acc >= -end && acc < end;
}

/* Clause 4.2.2, the first rounding of the double forms. */
static inline int64_t intgold_high(int32_t acc, const intgold_scale *by) {
    const int left_shift = by->right_shift < 31 ? 31 - by->right_shift : 0;
    return intgold_round_up((int64_t)acc * ((int64_t)1 << left_shift) * by->multiplier, 31);
}

/* Clause 4.2.4: three roundings to even, as float32 hardware does them. */
static inline int64_t intgold_scale_float32(int32_t acc, const intgold_scale *by) {
    const int64_t product = intgold_to_significand(acc, 24) * by->multiplier;
    return intgold_round_even(intgold_to_significand(product, 24), by->right_shift);
}

/* Clause 4.2.5.  The product of 31 by 53 bits is high * 2^22 + rest: to 53 significant bits,
 * ties to even, then to an integer, ties away from zero. */
static inline int64_t intgold_scale_float64(int32_t acc, const intgold_scale *by) {
    const int64_t magnitude = intgold_magnitude(acc);
    const int64_t low = magnitude * by->multiplier_low;
    const int64_t high = magnitude * by->multiplier + (low >> 22);
    const int64_t rest = low & 0x3fffff;
    const int length = intgold_bit_length(high);
    const int excess = length > 31 ? length - 31 : 0;
    const int in_rest = excess < 22 ? excess : 22, in_high = excess - in_rest;
    const int64_t floor = in_high ? high >> in_high : (high << (22 - in_rest)) + (rest >> in_rest);
    const int64_t lost = (high & (((int64_t)1 << in_high) - 1)) * ((int64_t)1 << 22) +
                         (rest & (((int64_t)1 << in_rest) - 1));
    const int64_t half = intgold_half(excess);
    const int64_t kept =
        floor + (excess > 0 && (lost > half || (lost == half && (floor & 1))));
    const int right = by->right_shift + 22 - excess;
    const int64_t scaled = right > 62  ? 0
                           : right < 0 ? kept << -right
                                       : intgold_round_away(kept, right);
    return acc < 0 ? -scaled : scaled;
}

/* Clause 4.2: R(acc). */
static inline int64_t intgold_scale_acc(int32_t acc, const intgold_scale *by) {
    const int64_t product = (int64_t)acc * by->multiplier;
    const int shift = by->right_shift;
    switch (by->form) {
    case INTGOLD_FORM_SINGLE: return intgold_round_up(product, shift);
    case INTGOLD_FORM_SINGLE_AWAY: return intgold_round_away(product, shift);
    case INTGOLD_FORM_SINGLE_EVEN: return intgold_round_even(product, shift);
    case INTGOLD_FORM_SINGLE_DOWN: return intgold_round_down(product, shift);
    case INTGOLD_FORM_SINGLE_ZERO: return intgold_round_zero(product, shift);
    case INTGOLD_FORM_DOUBLE:
        return intgold_round_away(intgold_high(acc, by), shift > 31 ? shift - 31 : 0);
    case INTGOLD_FORM_DOUBLE_UP:
        return intgold_round_up(intgold_high(acc, by), shift > 31 ? shift - 31 : 0);
    case INTGOLD_FORM_FLOAT32: return intgold_scale_float32(acc, by);
    default: return intgold_scale_float64(acc, by);
    }
}

static inline int64_t intgold_clamp(int64_t value, int64_t lo, int64_t hi) {
    /* Two conditional moves: a nested choice becomes branches that a ReLU mispredicts. */
    const int64_t raised = value < lo ? lo : value;
    return raised > hi ? hi : raised;
}

/* Clause 4.3: the zero point is added before the clamp. */
static inline int8_t intgold_requantize_acc(int32_t acc, const intgold_scale *by,
                                            int32_t y_zero_point, int32_t act_min,
                                            int32_t act_max) {
    return (int8_t)intgold_clamp(intgold_scale_acc(acc, by) + y_zero_point, act_min, act_max);
}

#endif
