/* Functions of fixed-point values, SPEC clause 5.10.  Qa.b: a integer and b fraction bits besides the
 * sign.  Mirrors python/intgold/golden/fixed_point.py. */
#ifndef INTGOLD_FIXED_POINT_H
#define INTGOLD_FIXED_POINT_H

#include "arithmetic/requantize.h"

/* Clause 5.10: P(a, b). */
static inline int64_t intgold_fixed_product(int64_t a, int64_t b) {
    return intgold_round_up(a * b, 31);
}

/* Clause 5.10.1: a difference counts where it stays in Q5.26. */
static inline int intgold_fixed_counts(int32_t diff, int32_t left_shift) {
    return diff >= -(((int64_t)31 << 26) >> left_shift);
}

/* A difference that counts, in Q5.26. */
static inline int64_t intgold_fixed_difference(int32_t diff, int32_t multiplier,
                                               int32_t left_shift) {
    return intgold_fixed_product(diff * ((int64_t)1 << left_shift), multiplier);
}

/* The exp of a difference as Q0.31; 0 where it does not count. */
int64_t intgold_fixed_exp(int32_t diff, int32_t multiplier, int32_t left_shift);

/* Clause 5.10.5: the sum of the exp of x - max over a row, Q12.19. */
int64_t intgold_fixed_exp_sum(const int8_t *x, int32_t depth, int32_t max, int32_t multiplier,
                              int32_t left_shift);

/* Clause 5.10.4: 1 / (1 + a) for a Q0.31 value in [0, 1) as Q0.31. */
int64_t intgold_fixed_reciprocal(int64_t a);

#endif
