/* softmax_float32, SPEC clause 5.17: what float32 hardware does with a table, in integers. */
#include "arithmetic/float32_value.h"
#include "ops/op.h"

enum { ROWS = 4 }; /* whose sums are made at once */

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

static int32_t row_max(const int8_t *x, int32_t depth) {
    int32_t i, max = x[0];
    for (i = 1; i < depth; i++) max = x[i] > max ? x[i] : max;
    return max;
}

static void softmax_float32_row(const intgold_softmax_float32 *op, int32_t max,
                                intgold_float32_value total, const int8_t *x, int8_t *y) {
    const int64_t inverse = intgold_divide_up_64((int64_t)1 << 47, total.significand);
    int32_t i;
    for (i = 0; i < op->depth; i++) {
        const intgold_float32_value e = intgold_float32_of(op->table[255 + x[i] - max]);
        y[i] = (int8_t)intgold_min((int32_t)quotient(op, e, total, inverse) - 128, 127);
    }
}

void intgold_softmax_float32_s8(const intgold_softmax_float32 *op, const int8_t *x, int8_t *y) {
    const size_t depth = (size_t)op->depth;
    intgold_float32_value totals[ROWS];
    int32_t max[ROWS], r, i;
    for (r = 0; r + ROWS <= op->rows; r += ROWS) {
        for (i = 0; i < ROWS; i++) max[i] = row_max(x + (size_t)i * depth, op->depth);
        intgold_float32_exp_sums_of_4(op->table, x, op->depth, max, totals);
        for (i = 0; i < ROWS; i++, x += depth, y += depth)
            softmax_float32_row(op, max[i], totals[i], x, y);
    }
    for (; r < op->rows; r++, x += depth, y += depth) {
        max[0] = row_max(x, op->depth);
        totals[0] = intgold_float32_exp_sum(op->table, x, op->depth, max[0]);
        softmax_float32_row(op, max[0], totals[0], x, y);
    }
}

static void softmax_float32_run(const intgold_call *call) {
    intgold_softmax_float32_s8((const intgold_softmax_float32 *)call->fields,
                               (const int8_t *)call->inputs[0], (int8_t *)call->output);
}

const intgold_op_table intgold_softmax_float32_table = {1,    0,    NULL,
                                                        NULL, NULL, softmax_float32_run};
