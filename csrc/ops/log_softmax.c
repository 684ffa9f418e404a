/* log_softmax, SPEC clause 5.26. */
#include "arithmetic/fixed_point.h"
#include "ops/op.h"

/* Near the logarithm of r * 2^(1/4), a rational function of the distance of r, a Q0.31 value in
 * [sqrt(1/2), 1), from 2^(-1/4); as Q6.25. */
static int64_t log_of_significand(int64_t r) {
    const int64_t centre = 1805811301;
    const int64_t p = (r + centre + 1) >> 1, q = (r - centre) * 2;
    const int64_t q2 = intgold_fixed_product(q, q);
    const int64_t numerator = intgold_fixed_product(q, r) +
                              intgold_fixed_product(intgold_fixed_product(q, q2), 117049297);
    const int64_t factor = 1057819769 + q + intgold_fixed_product(q2, 127690142);
    const int64_t denominator =
        intgold_fixed_product(p, factor) + intgold_fixed_product(q, 638450708);
    return intgold_fixed_product(intgold_round_away(numerator, 6),
                                 intgold_fixed_reciprocal(denominator));
}

/* Clause 5.26.1: the logarithm of a Q12.19 value >= 1 as Q5.26. */
static int64_t log_of_sum(int64_t sum) {
    const int64_t sqrt_half = 1518500250, ln_2 = 1488522236, quarter = (int64_t)1 << 23;
    const int bits = intgold_bit_length(sum);
    const int64_t top = sum * ((int64_t)1 << (31 - bits));
    const int is_upper = intgold_bit_length(intgold_fixed_product(sum, sqrt_half)) == bits;
    const int64_t r = is_upper ? top : 2 * intgold_fixed_product(top, sqrt_half);
    const int64_t exponent = (bits - 20) * 4 * quarter + (is_upper ? 3 : 1) * quarter; /* Q6.25 */
    return 2 * (intgold_fixed_product(exponent, ln_2) + log_of_significand(r));
}

/* A value of the row whose difference to the largest is `diff`. */
static int8_t log_probability(const intgold_log_softmax *op, int32_t diff, int64_t log_sum) {
    int64_t a;
    if (!intgold_fixed_counts(diff, op->left_shift)) return -128;
    a = intgold_fixed_difference(diff, op->multiplier, op->left_shift);
    return (int8_t)intgold_clamp(intgold_round_away(a - log_sum, 22) + 127, -128, 127);
}

static void log_softmax_row(const intgold_log_softmax *op, const int8_t *x, int8_t *y) {
    int64_t log_sum;
    int32_t i, max = x[0];
    for (i = 1; i < op->depth; i++) max = x[i] > max ? x[i] : max;
    log_sum = log_of_sum(intgold_fixed_exp_sum(x, op->depth, max, op->multiplier, op->left_shift));
    for (i = 0; i < op->depth; i++) y[i] = log_probability(op, x[i] - max, log_sum);
}

void intgold_log_softmax_s8(const intgold_log_softmax *op, const int8_t *x, int8_t *y) {
    int32_t r;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth) log_softmax_row(op, x, y);
}

static void log_softmax_run(const intgold_call *call) {
    intgold_log_softmax_s8((const intgold_log_softmax *)call->fields,
                           (const int8_t *)call->inputs[0], (int8_t *)call->output);
}

const intgold_op_table intgold_log_softmax_table = {1, 0, NULL, NULL, NULL, log_softmax_run};
