/* pwl, SPEC clause 5.5. */
#include "op.h"
#include "requantize.h"

void intgold_pwl_s8(const intgold_pwl *op, const int8_t *x, int8_t *y, int32_t *acc) {
    int32_t i;
    for (i = 0; i < op->count; i++) {
        int32_t k = op->segments - 1, sum;
        while (op->breakpoints[k] > x[i]) k--; /* the first breakpoint is -128 */
        sum = op->slope[k] * x[i] + op->offset[k];
        y[i] = (int8_t)intgold_clamp(intgold_round_up(sum, op->frac_bits), op->act_min,
                                     op->act_max);
        if (acc) acc[i] = sum;
    }
}

static void run(const intgold_call *call) {
    intgold_pwl_s8(call->fields, call->inputs[0], call->output, call->acc);
}

const intgold_op_table intgold_pwl_table = {1, 1, NULL, NULL, NULL, run};
