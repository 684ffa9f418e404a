/* Values of float32 as integers, SPEC clauses 5.17 and 5.27: significand * 2^(exponent - 149), the
 * significand at most 2^24 in magnitude.  Mirrors python/intgold/golden/float32_values.py. */
#ifndef INTGOLD_FLOAT32_VALUE_H
#define INTGOLD_FLOAT32_VALUE_H

#include "arithmetic/requantize.h"

/* What `plus` and `log` make has a significand of at least 2^23 in magnitude, or is 0. */
typedef struct intgold_float32_value {
    int64_t significand;
    int exponent;
} intgold_float32_value;

/* The value with these bits, not negative; subnormal values share the smallest exponent. */
static inline intgold_float32_value intgold_float32_of(int32_t bits) {
    const int32_t fraction = bits & 0x7fffff, field = bits >> 23;
    intgold_float32_value v;
    v.significand = field > 0 ? fraction + 0x800000 : fraction;
    v.exponent = field > 0 ? field - 1 : 0;
    return v;
}

/* The sum to 24 significant bits, ties to even. */
intgold_float32_value intgold_float32_plus(intgold_float32_value a, intgold_float32_value b);

/* The product with an integer of at most 39 bits, to 24 significant bits. */
intgold_float32_value intgold_float32_times(intgold_float32_value a, int32_t n);

/* Clause 5.17: the sum of the entries of x - max over a row, in its order. */
intgold_float32_value intgold_float32_exp_sum(const int32_t *table, const int8_t *x, int32_t depth,
                                              int32_t max);

/* Clause 5.27.1: the logarithm of a value from 1 to 2^24. */
intgold_float32_value intgold_float32_log(intgold_float32_value a);

#endif
