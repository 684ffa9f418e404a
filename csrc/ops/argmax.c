/* argmax, SPEC clause 5.12. */
#include "ops/op.h"

void intgold_argmax_s32(const intgold_argmax *op, const int32_t *x, int32_t *y) {
    int32_t r, i;
    for (r = 0; r < op->rows; r++, x += op->depth) {
        int32_t best = 0;
        for (i = 1; i < op->depth; i++)
            if (x[i] > x[best]) best = i;
        y[r] = best;
    }
}

static void argmax_run(const intgold_call *call) {
    intgold_argmax_s32((const intgold_argmax *)call->fields, (const int32_t *)call->inputs[0],
                       (int32_t *)call->output);
}

const intgold_op_table intgold_argmax_table = {1, 0, NULL, NULL, NULL, argmax_run};
