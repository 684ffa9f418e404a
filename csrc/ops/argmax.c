/* argmax, SPEC clause 5.12. */
#include "ops/op.h"

enum { ARGMAX_BLOCK = 256, ARGMAX_SHORT = 16 };

void intgold_argmax_s32(const intgold_argmax *op, const int32_t *x, int32_t *y) {
    int32_t r, i;
    for (r = 0; r < op->rows; r++, x += op->depth) {
        int32_t best = 0;
        for (i = 1; i < op->depth; i++)
            if (x[i] > x[best]) best = i;
        y[r] = best;
    }
}

static int32_t argmax_short_row(const int8_t *x, int32_t depth) {
    int32_t largest = x[0], best = 0, i;
    for (i = 1; i < depth; i++) {
        if (x[i] > largest) {
            largest = x[i];
            best = i;
        }
    }
    return best;
}

/* The largest of x * 256 + 255 - i: of the largest values the one of the lowest index. */
static int32_t argmax_largest_key(const int8_t *x, int32_t count) {
    int16_t largest = INT16_MIN;
    int32_t i; /* no branch, so that compilers make vector code of it */
    for (i = 0; i < count; i++) {
        const int16_t key = (int16_t)(x[i] * ARGMAX_BLOCK + (ARGMAX_BLOCK - 1 - i));
        largest = key > largest ? key : largest;
    }
    return largest;
}

static int32_t argmax_long_row(const int8_t *x, int32_t depth) {
    int32_t best = 0, i;
    for (i = 0; i < depth; i += ARGMAX_BLOCK) {
        const int32_t key = argmax_largest_key(x + i, intgold_min(depth - i, ARGMAX_BLOCK));
        const int32_t at = i + ARGMAX_BLOCK - 1 - (key & (ARGMAX_BLOCK - 1));
        if (x[at] > x[best]) best = at;
    }
    return best;
}

void intgold_argmax_s8(const intgold_argmax *op, const int8_t *x, int32_t *y) {
    int32_t r;
    for (r = 0; r < op->rows; r++, x += op->depth)
        y[r] = op->depth < ARGMAX_SHORT ? argmax_short_row(x, op->depth)
                                        : argmax_long_row(x, op->depth);
}

static void argmax_run(const intgold_call *call) {
    const intgold_argmax *op = (const intgold_argmax *)call->fields;
    int32_t *y = (int32_t *)call->output;
    if (call->x_dtype == INTGOLD_INT8)
        intgold_argmax_s8(op, (const int8_t *)call->inputs[0], y);
    else
        intgold_argmax_s32(op, (const int32_t *)call->inputs[0], y);
}

const intgold_op_table intgold_argmax_table = {1, 0, NULL, NULL, NULL, argmax_run};
