/* softmax_float32, SPEC clause 5.17: what float32 hardware does with a table, in integers. */
#include "arithmetic/float32_value.h"
#include "ops/op.h"

/* Entries with 29 fraction bits, rounded down. */
typedef struct softmax_float32_packed {
    uint32_t fixed[256];
} softmax_float32_packed;

enum { MAX_FIXED_DEPTH = 1 << 14 }; /* longer rows are rare, and the error grows with the depth */

/* The row in fixed point: 1, or 0 where float32 might round one of its values to another integer.
 *
 * Off by 2^-24 of the quotient at most: each addition, the division, the product, the half of
 * `half_added`, all of float32: less than depth + 4.  Here depth / 8 is more than what the entries of
 * `total`, cut to 29 bits, and `inverse` lose, and 2^-20 more than what the one entry loses: the
 * float32 result lies between those of `low` and `high`. */
static int32_t fixed_row(const uint32_t *fixed, int32_t depth, int32_t max, const int8_t *x,
                         int8_t *y) {
    const uint64_t half = (uint64_t)1 << 51, lost = (uint64_t)1 << 32;
    const int32_t last = 255 - max;
    uint64_t total = 0, inverse, margin, unsure = 0;
    int32_t i;
    for (i = 0; i < depth; i++) total += fixed[last + x[i]];
    inverse = ((uint64_t)1 << 60) / total;
    margin = ((inverse * (uint64_t)(depth + depth / 8 + 8)) >> 24) + 1;
    for (i = 0; i < depth; i++) {
        const uint64_t entry = fixed[last + x[i]];
        const uint64_t low = (entry * (inverse - margin) + (half - lost)) >> 52;
        const uint64_t high = (entry * (inverse + margin) + (half + lost)) >> 52;
        unsure |= low ^ high;
        y[i] = (int8_t)intgold_min((int32_t)high - 128, 127);
    }
    return unsure == 0;
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

static void float32_row(const intgold_softmax_float32 *op, int32_t max, const int8_t *x,
                        int8_t *y) {
    const intgold_float32_value total = intgold_float32_exp_sum(op->table, x, op->depth, max);
    const int64_t inverse = intgold_divide_up_64((int64_t)1 << 47, total.significand);
    int32_t i;
    for (i = 0; i < op->depth; i++) {
        const intgold_float32_value e = intgold_float32_of(op->table[255 + x[i] - max]);
        y[i] = (int8_t)intgold_min((int32_t)quotient(op, e, total, inverse) - 128, 127);
    }
}

static int32_t row_max(const int8_t *x, int32_t depth) {
    int32_t i, max = x[0];
    for (i = 1; i < depth; i++) max = x[i] > max ? x[i] : max;
    return max;
}

void intgold_softmax_float32_s8(const intgold_softmax_float32 *op, const int8_t *x, int8_t *y) {
    int32_t r;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth)
        float32_row(op, row_max(x, op->depth), x, y);
}

static size_t softmax_float32_packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields, (void)kernels;
    return sizeof(softmax_float32_packed);
}

static void softmax_float32_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_softmax_float32 *op = (const intgold_softmax_float32 *)fields;
    softmax_float32_packed *to = (softmax_float32_packed *)packed;
    int32_t i;
    (void)kernels;
    for (i = 0; i < 256; i++) {
        const intgold_float32_value e = intgold_float32_of(op->table[i]);
        to->fixed[i] = (uint32_t)(e.significand << 6 >> intgold_min(126 - e.exponent, 31));
    }
}

static void softmax_float32_run(const intgold_call *call) {
    const intgold_softmax_float32 *op = (const intgold_softmax_float32 *)call->fields;
    const softmax_float32_packed *packed = (const softmax_float32_packed *)call->packed;
    const int8_t *x = (const int8_t *)call->inputs[0];
    int8_t *y = (int8_t *)call->output;
    int32_t r;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth) {
        const int32_t max = row_max(x, op->depth);
        if (op->depth > MAX_FIXED_DEPTH || !fixed_row(packed->fixed, op->depth, max, x, y))
            float32_row(op, max, x, y);
    }
}

const intgold_op_table intgold_softmax_float32_table = {
    1, 0, softmax_float32_packed_size, softmax_float32_pack, NULL, softmax_float32_run};
