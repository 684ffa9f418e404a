/* rescale, SPEC clause 5.11. */
#include "arithmetic/requantize.h"
#include "ops/op.h"

void intgold_rescale_s32(const intgold_rescale *op, const int32_t *x, int32_t *y) {
    int32_t r, c;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth) {
        for (c = 0; c < op->depth; c++) {
            const intgold_scale entry = intgold_entry(&op->requantize, c);
            y[c] = (int32_t)intgold_clamp(intgold_scale_acc(x[c], &entry), INT32_MIN, INT32_MAX);
        }
    }
}

static void rescale_run(const intgold_call *call) {
    intgold_rescale_s32((const intgold_rescale *)call->fields, (const int32_t *)call->inputs[0],
                        (int32_t *)call->output);
}

const intgold_op_table intgold_rescale_table = {1, 0, NULL, NULL, NULL, rescale_run};
