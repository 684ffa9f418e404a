/* Functions of fixed-point values, SPEC clause 5.10. */
#include "arithmetic/fixed_point.h"

/* Clause 5.10.3: exp of a Q0.31 value in [-1/4, 0) by a polynomial about -1/8. */
static int64_t exp_quarter(int64_t a) {
    const int64_t exp_minus_eighth = 1895147668, one_third = 715827883;
    const int64_t y = a + ((int64_t)1 << 28), y2 = intgold_fixed_product(y, y);
    const int64_t y3 = intgold_fixed_product(y2, y);
    const int64_t quarter_y4 = intgold_round_away(intgold_fixed_product(y2, y2), 2);
    const int64_t rest =
        intgold_round_away(intgold_fixed_product(quarter_y4 + y3, one_third) + y2, 1);
    return exp_minus_eighth + intgold_fixed_product(exp_minus_eighth, y + rest);
}

/* Clause 5.10.2: exp of a Q5.26 value <= 0 as Q0.31. */
static int64_t exp_negative(int64_t a) {
    /* exp(-2^(bit - 26)) in Q0.31, for bits 24 to 30 */
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
                                       39332535,   720401,     242};
    const int64_t quarter = (int64_t)1 << 24;
    const int64_t remainder = -a & (quarter - 1); /* of the magnitude */
    const int64_t r = remainder ? -remainder : -quarter;
    int64_t result = exp_quarter(r * 32);
    int bit;
    if (a == 0) return INT32_MAX;
    for (bit = 24; bit <= 30; bit++)
        if (((r - a) >> bit) & 1) result = intgold_fixed_product(result, factors[bit - 24]);
    return result;
}

int64_t intgold_fixed_exp(int32_t diff, int32_t multiplier, int32_t left_shift) {
    if (!intgold_fixed_counts(diff, left_shift)) return 0;
    return exp_negative(intgold_fixed_difference(diff, multiplier, left_shift));
}

int64_t intgold_fixed_exp_sum(const int8_t *x, int32_t depth, int32_t max, int32_t multiplier,
                              int32_t left_shift) {
    int64_t total = 0;
    int32_t i;
    for (i = 0; i < depth; i++)
        total += intgold_round_away(intgold_fixed_exp(x[i] - max, multiplier, left_shift), 12);
    return total;
}

static int64_t fixed_saturate(int64_t a) { return intgold_clamp(a, INT32_MIN, INT32_MAX); }

/* Three Newton steps. */
int64_t intgold_fixed_reciprocal(int64_t a) {
    const int64_t half_denominator = (a + ((int64_t)1 << 31)) >> 1;
    int64_t x = 1515870810 + intgold_fixed_product(half_denominator, -1010580540);
    int step;
    for (step = 0; step < 3; step++) {
        const int64_t error = ((int64_t)1 << 29) - intgold_fixed_product(half_denominator, x);
        x += fixed_saturate(intgold_fixed_product(x, error) * 4);
    }
    return fixed_saturate(x * 2);
}
