/* reshape, SPEC clause 5.16: the values stay as they lie. */
#include <string.h>

#include "ops/op.h"

void intgold_reshape_s8(const intgold_reshape *op, const int8_t *x, int8_t *y) {
    memcpy(y, x, (size_t)op->count);
}

static void run(const intgold_call *call) {
    intgold_reshape_s8(call->fields, call->inputs[0], call->output);
}

const intgold_op_table intgold_reshape_table = {1, 0, NULL, NULL, NULL, run};
