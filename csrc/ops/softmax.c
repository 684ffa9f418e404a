/* softmax, SPEC clause 5.10. */
#include "arithmetic/fixed_point.h"
#include "ops/op.h"

static void softmax_row(const intgold_softmax *op, const int8_t *x, int8_t *y) {
    int64_t total, g;
    int32_t i, max = x[0];
    int leading;
    for (i = 1; i < op->depth; i++) max = x[i] > max ? x[i] : max;
    total = intgold_fixed_exp_sum(x, op->depth, max, op->multiplier, op->left_shift);
    leading = 32 - intgold_bit_length(total);
    g = intgold_fixed_reciprocal(total * ((int64_t)1 << leading) - ((int64_t)1 << 31));
    for (i = 0; i < op->depth; i++) {
        const int64_t e = intgold_fixed_exp(x[i] - max, op->multiplier, op->left_shift);
        const int64_t value =
            intgold_round_away(intgold_fixed_product(g, e), 12 - leading + 23) - 128;
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
