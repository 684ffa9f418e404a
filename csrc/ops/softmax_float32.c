/* softmax_float32, SPEC clause 5.17: what float32 hardware does with a table, in integers. */
#include "arithmetic/requantize.h"
#include "ops/op.h"

/* A value of float32 that is not negative: significand * 2^(exponent - 149), at most 2^24. */
typedef struct value {
    int64_t significand;
    int exponent;
} value;

/* Subnormal values share the smallest exponent. */
static value value_of(int32_t bits) {
    const int32_t fraction = bits & 0x7fffff, field = bits >> 23;
    value v;
    v.significand = field > 0 ? fraction + 0x800000 : fraction;
    v.exponent = field > 0 ? field - 1 : 0;
    return v;
}

/* 36 bits stay below the greater term; a lesser one that they miss is below half of its last. */
static int64_t softmax_float32_aligned(value v, int top) {
    const int down = intgold_min(top - v.exponent, 62);
    return v.significand * ((int64_t)1 << 36) >> down;
}

static value plus(value a, value b) {
    const int top = a.exponent > b.exponent ? a.exponent : b.exponent;
    const int64_t exact = softmax_float32_aligned(a, top) + softmax_float32_aligned(b, top);
    const int length = intgold_bit_length(exact), excess = length > 24 ? length - 24 : 0;
    value total;
    total.significand = intgold_round_even(exact, excess);
    total.exponent = exact ? top - 36 + excess : 0;
    return total;
}

/* 256 times the quotient of one value: an integer. */
static int64_t quotient(const intgold_softmax_float32 *op, value e, value total, int64_t inverse) {
    const int64_t p = intgold_to_significand(e.significand * inverse, 24);
    const int shift = intgold_min(39 + total.exponent - e.exponent, 62); /* 62: p vanishes */
    if (op->form == INTGOLD_SOFTMAX_FLOAT32_ROUNDED) return intgold_round_up(p, shift);
    return intgold_round_down(intgold_to_significand(p + intgold_half(shift), 24), shift);
}

static void softmax_float32_row(const intgold_softmax_float32 *op, const int8_t *x, int8_t *y) {
    value total = {0, 0};
    int64_t inverse;
    int32_t i, max = x[0];
    for (i = 1; i < op->depth; i++) max = x[i] > max ? x[i] : max;
    for (i = 0; i < op->depth; i++) total = plus(total, value_of(op->table[255 + x[i] - max]));
    inverse = intgold_divide_up_64((int64_t)1 << 47, total.significand);
    for (i = 0; i < op->depth; i++) {
        const value e = value_of(op->table[255 + x[i] - max]);
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
