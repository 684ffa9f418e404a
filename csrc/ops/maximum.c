/* maximum, SPEC clause 5.22. */
#include "ops/op.h"

void intgold_maximum_s8(const intgold_maximum *op, const int8_t *x1, const int8_t *x2, int8_t *y) {
    const int32_t count = op->count; /* a copy, which stores to y cannot change */
    int32_t i;
    for (i = 0; i < count; i++) y[i] = x1[i] > x2[i] ? x1[i] : x2[i];
}

static void maximum_run(const intgold_call *call) {
    intgold_maximum_s8((const intgold_maximum *)call->fields, (const int8_t *)call->inputs[0],
                       (const int8_t *)call->inputs[1], (int8_t *)call->output);
}

const intgold_op_table intgold_maximum_table = {2, 0, NULL, NULL, NULL, maximum_run};
