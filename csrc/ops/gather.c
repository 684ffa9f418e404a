/* gather, SPEC clause 5.19. */
#include <string.h>

#include "ops/op.h"

/* One row: pieces of one value, or of several that lie side by side. */
static void gather_row(const intgold_gather *op, const int8_t *x, int8_t *y) {
    const ptrdiff_t depth = op->depth;
    int32_t i;
    if (depth == 1)
        for (i = 0; i < op->out_extent; i++) y[i] = x[op->indices[i]];
    else
        for (i = 0; i < op->out_extent; i++, y += depth)
            memcpy(y, x + op->indices[i] * depth, (size_t)depth);
}

void intgold_gather_s8(const intgold_gather *op, const int8_t *x, int8_t *y) {
    int32_t row;
    for (row = 0; row < op->rows; row++) {
        gather_row(op, x, y);
        x += op->in_extent * (ptrdiff_t)op->depth;
        y += op->out_extent * (ptrdiff_t)op->depth;
    }
}

static void gather_run(const intgold_call *call) {
    intgold_gather_s8((const intgold_gather *)call->fields, (const int8_t *)call->inputs[0],
                      (int8_t *)call->output);
}

const intgold_op_table intgold_gather_table = {1, 0, NULL, NULL, NULL, gather_run};
