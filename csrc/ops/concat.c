/* concat, SPEC clause 5.14. */
#include "ops/copy.h"
#include "ops/op.h"

void intgold_concat_s8(const intgold_concat *op, const int8_t *x1, const int8_t *x2, int8_t *y) {
    const size_t depth1 = (size_t)op->depth1, depth2 = (size_t)op->depth2;
    const int32_t rows = op->rows;
    int32_t row;
    for (row = 0; row < rows; row++, x1 += depth1, x2 += depth2, y += depth1 + depth2) {
        intgold_copy(y, x1, depth1);
        intgold_copy(y + depth1, x2, depth2);
    }
}

static void concat_run(const intgold_call *call) {
    intgold_concat_s8((const intgold_concat *)call->fields, (const int8_t *)call->inputs[0],
                      (const int8_t *)call->inputs[1], (int8_t *)call->output);
}

const intgold_op_table intgold_concat_table = {2, 0, NULL, NULL, NULL, concat_run};
