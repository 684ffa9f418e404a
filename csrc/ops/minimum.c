/* minimum, SPEC clause 5.23. */
#include "ops/op.h"

void intgold_minimum_s8(const intgold_minimum *op, const int8_t *x1, const int8_t *x2, int8_t *y) {
    const int32_t count = op->count; /* a copy, which stores to y cannot change */
    int32_t i;
    for (i = 0; i < count; i++) y[i] = x1[i] < x2[i] ? x1[i] : x2[i];
}

static void minimum_run(const intgold_call *call) {
    intgold_minimum_s8((const intgold_minimum *)call->fields, (const int8_t *)call->inputs[0],
                       (const int8_t *)call->inputs[1], (int8_t *)call->output);
}

const intgold_op_table intgold_minimum_table = {2, 0, NULL, NULL, NULL, minimum_run};
