/* softmax_float32, SPEC clause 5.17: what float32 hardware does with a table, in integers. */
#include "arithmetic/float32_value.h"
#include "ops/op.h"

/* Longer rows would seldom be sure. */
enum { MAX_FIXED_DEPTH = 1 << 14 };

/* A table entry with 30 fraction bits, rounded down. */
static uint64_t fixed_entry(int32_t bits) {
    const uint32_t significand = ((uint32_t)bits & 0x7fffff) | 0x800000;
    return (significand << 7) >> intgold_min(127 - (bits >> 23), 31);
}

/* The row in fixed point: 1, or 0 where float32 might round one of its values to the other integer.
 *
 * An addition, the division, the product and the half of `half_added` are each off by 2^-24 at most,
 * so that float32 and the quotients here, of 55 fraction bits, are at most depth + 4 times 2^-24 of
 * the quotient from each other, and 2^-21, for what entries lose here and for the smallest ones. */
static int32_t fixed_row(const intgold_softmax_float32 *op, int32_t max, const int8_t *x,
                         int8_t *y) {
    const uint64_t one = (uint64_t)1 << 55, off = (uint64_t)(op->depth + op->depth / 8 + 8);
    uint64_t total = 0, inverse;
    int32_t i, is_unsure = 0;
    for (i = 0; i < op->depth; i++) total += fixed_entry(op->table[255 + x[i] - max]);
    inverse = ((uint64_t)1 << 63) / total;
    for (i = 0; i < op->depth; i++) {
        const uint64_t quotient = fixed_entry(op->table[255 + x[i] - max]) * inverse;
        const uint64_t margin = (quotient >> 24) * off + ((uint64_t)1 << 34);
        const uint64_t rounded = quotient + one / 2;
        is_unsure |= ((rounded + margin) & (one - 1)) < 2 * margin;
        y[i] = (int8_t)intgold_min((int32_t)(rounded >> 55) - 128, 127);
    }
    return !is_unsure;
}

/* 256 times the quotient of one value: an integer.  The product, rounded to 24 bits, is compared with
 * k + 1/2: these are even among values of 24 bits, so that half of a last bit is added instead.
 * half_added takes the value before 1/2, which is odd, as well.  At 62 the product vanishes, and so
 * do entries of fewer than 24 bits. */
static int64_t quotient(const intgold_softmax_float32 *op, intgold_float32_value e,
                        intgold_float32_value total, int64_t inverse) {
    const int64_t exact = e.significand * inverse, half_last = (int64_t)1 << (22 + (exact >> 47));
    const int shift = intgold_min(39 + total.exponent - e.exponent, 62);
    const int64_t half = (int64_t)1 << (shift - 1);
    if (op->form != INTGOLD_SOFTMAX_FLOAT32_ROUNDED && exact + half_last < half)
        return exact + half_last > half - ((int64_t)1 << (shift - 25));
    return intgold_round_up(exact + half_last, shift);
}

static void float32_row(const intgold_softmax_float32 *op, int32_t max, const int8_t *x, int8_t *y) {
    const intgold_float32_value total = intgold_float32_exp_sum(op->table, x, op->depth, max);
    const int64_t inverse = intgold_divide_up_64((int64_t)1 << 47, total.significand);
    int32_t i;
    for (i = 0; i < op->depth; i++) {
        const intgold_float32_value e = intgold_float32_of(op->table[255 + x[i] - max]);
        y[i] = (int8_t)intgold_min((int32_t)quotient(op, e, total, inverse) - 128, 127);
    }
}

void intgold_softmax_float32_s8(const intgold_softmax_float32 *op, const int8_t *x, int8_t *y) {
    int32_t r, i;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth) {
        int32_t max = x[0];
        for (i = 1; i < op->depth; i++) max = x[i] > max ? x[i] : max;
        if (op->depth > MAX_FIXED_DEPTH || (fixed_row(op, max, x, y),0)) float32_row(op, max, x, y);
    }
}

static void softmax_float32_run(const intgold_call *call) {
    intgold_softmax_float32_s8((const intgold_softmax_float32 *)call->fields,
                               (const int8_t *)call->inputs[0], (int8_t *)call->output);
}

const intgold_op_table intgold_softmax_float32_table = {1,    0,    NULL,
                                                        NULL, NULL, softmax_float32_run};
