/* softmax, SPEC clause 5.10.  Qa.b: a integer and b fraction bits besides the sign. */
#include "arithmetic/requantize.h"
#include "ops/op.h"

static int64_t product(int64_t a, int64_t b) { return intgold_round_up(a * b, 31); }

static int64_t saturate(int64_t a) { return intgold_clamp(a, INT32_MIN, INT32_MAX); }

/* Clause 5.10.3: exp of a Q0.31 value in [-1/4, 0) by a polynomial about -1/8. */
static int64_t exp_quarter(int64_t a) {
    const int64_t exp_minus_eighth = 1895147668, one_third = 715827883;
    const int64_t y = a + ((int64_t)1 << 28), y2 = product(y, y), y3 = product(y2, y);
    const int64_t quarter_y4 = intgold_round_away(product(y2, y2), 2);
    const int64_t rest = intgold_round_away(product(quarter_y4 + y3, one_third) + y2, 1);
    return exp_minus_eighth + product(exp_minus_eighth, y + rest);
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
        if (((r - a) >> bit) & 1) result = product(result, factors[bit - 24]);
    return result;
}

/* Clause 5.10.4: 1 / (1 + a) for a Q0.31 value in [0, 1) as Q0.31, three Newton steps. */
static int64_t reciprocal(int64_t a) {
    const int64_t half_denominator = (a + ((int64_t)1 << 31)) >> 1;
    int64_t x = 1515870810 + product(half_denominator, -1010580540);
    int step;
    for (step = 0; step < 3; step++) {
        const int64_t error = ((int64_t)1 << 29) - product(half_denominator, x);
        x += saturate(product(x, error) * 4);
    }
    return saturate(x * 2);
}

/* Clause 5.10.1: the exponential of one value, or 0 where it would leave Q5.26. */
static int64_t exp_of(const intgold_softmax *op, int32_t diff) {
    const int64_t min = -(((int64_t)31 << 26) >> op->left_shift);
    if (diff < min) return 0;
    return exp_negative(product(diff * ((int64_t)1 << op->left_shift), op->multiplier));
}

static void softmax_row(const intgold_softmax *op, const int8_t *x, int8_t *y) {
    int64_t total = 0, g;
    int32_t i, max = x[0];
    int leading;
    for (i = 1; i < op->depth; i++) max = x[i] > max ? x[i] : max;
    for (i = 0; i < op->depth; i++) total += intgold_round_away(exp_of(op, x[i] - max), 12);
    leading = 32 - intgold_bit_length(total);
    g = reciprocal(total * ((int64_t)1 << leading) - ((int64_t)1 << 31));
    for (i = 0; i < op->depth; i++) {
        const int64_t e = exp_of(op, x[i] - max);
        const int64_t value = intgold_round_away(product(g, e), 12 - leading + 23) - 128;
        y[i] = (int8_t)intgold_clamp(value, -128, 127);
    }
}

void intgold_softmax_s8(const intgold_softmax *op, const int8_t *x, int8_t *y) {
    int32_t r;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth) softmax_row(op, x, y);
}

static void softmax_run(const intgold_call *call) {
    intgold_softmax_s8((const intgold_softmax *)call->fields, (const int8_t *)call->inputs[0],
                       (int8_t *)call->output);
}

const intgold_op_table intgold_softmax_table = {1, 0, NULL, NULL, NULL, softmax_run};
