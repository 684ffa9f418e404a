/* softmax_float32, SPEC clause 5.17: what float32 hardware does with a table, in integers. */
#include "arithmetic/float32_value.h"
#include "ops/op.h"

/* 256 times the quotient of one value: an integer. */
static int64_t quotient(const intgold_softmax_float32 *op, intgold_float32_value e,
                        intgold_float32_value total, int64_t inverse) {
    const int64_t p = intgold_to_significand(e.significand * inverse, 24);
    const int shift = intgold_min(39 + total.exponent - e.exponent, 62); /* 62: p vanishes */
    if (op->form == INTGOLD_SOFTMAX_FLOAT32_ROUNDED) return intgold_round_up(p, shift);
    return intgold_round_down(intgold_to_significand(p + intgold_half(shift), 24), shift);
}

static void softmax_float32_row(const intgold_softmax_float32 *op, const int8_t *x, int8_t *y) {
    intgold_float32_value total;
    int64_t inverse;
    int32_t i, max = x[0];
    for (i = 1; i < op->depth; i++) max = x[i] > max ? x[i] : max;
    total = intgold_float32_exp_sum(op->table, x, op->depth, max);
    inverse = intgold_divide_up_64((int64_t)1 << 47, total.significand);
    for (i = 0; i < op->depth; i++) {
        const intgold_float32_value e = intgold_float32_of(op->table[255 + x[i] - max]);
        y[i] = (int8_t)intgold_clamp(quotient(op, e, total, inverse) - 128, -128, 127);
    }
}

void intgold_softmax_float32_s8(const intgold_softmax_float32 *op, const int8_t *x, int8_t *y) {
    int32_t r;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth) softmax_float32_row(op, x, y);
}

static void softmax_float32_run(const intgold_call *call) {
    intgold_softmax_float32_s8((const intgold_softmax_float32 *)call->fields,
                               (const int8_t *)call->inputs[0], (int8_t *)call->output);
}

const intgold_op_table intgold_softmax_float32_table = {1,    0,    NULL,
                                                        NULL, NULL, softmax_float32_run};
