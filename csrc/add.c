/* add, SPEC clause 5.9. */
#include "op.h"
#include "requantize.h"

/* One input brought to the shared scale. */
static int32_t shared(int8_t x, int32_t zero_point, int32_t left_shift, const intgold_scale *by) {
    return (int32_t)intgold_scale_acc((x - zero_point) * ((int32_t)1 << left_shift), by);
}

void intgold_add_s8(const intgold_add *op, const int8_t *x1, const int8_t *x2, int8_t *y,
                    int32_t *acc) {
    const intgold_scale by1 = intgold_entry(&op->requantize1, 0);
    const intgold_scale by2 = intgold_entry(&op->requantize2, 0);
    const intgold_scale by = intgold_entry(&op->requantize, 0);
    int32_t i;
    for (i = 0; i < op->count; i++) {
        const int32_t sum = shared(x1[i], op->x1_zero_point, op->left_shift, &by1) +
                            shared(x2[i], op->x2_zero_point, op->left_shift, &by2);
        y[i] = intgold_requantize_acc(sum, &by, op->y_zero_point, op->act_min, op->act_max);
        if (acc) acc[i] = sum;
    }
}

static void run(const intgold_call *call) {
    intgold_add_s8(call->fields, call->inputs[0], call->inputs[1], call->output, call->acc);
}

const intgold_op_table intgold_add_table = {2, 1, NULL, NULL, NULL, run};
