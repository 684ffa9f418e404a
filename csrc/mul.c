/* mul, SPEC clause 5.13. */
#include "op.h"
#include "requantize.h"

void intgold_mul_s8(const intgold_mul *op, const int8_t *x1, const int8_t *x2, int8_t *y,
                    int32_t *acc) {
    const intgold_scale by = intgold_entry(&op->requantize, 0);
    int32_t i;
    for (i = 0; i < op->count; i++) {
        const int32_t product = (x1[i] - op->x1_zero_point) * (x2[i] - op->x2_zero_point);
        y[i] = intgold_requantize_acc(product, &by, op->y_zero_point, op->act_min, op->act_max);
        if (acc) acc[i] = product;
    }
}

static void run(const intgold_call *call) {
    intgold_mul_s8(call->fields, call->inputs[0], call->inputs[1], call->output, call->acc);
}

const intgold_op_table intgold_mul_table = {2, 1, NULL, NULL, NULL, run};
