/* global_avg_pool, SPEC clause 5.8. */
#include "op.h"
#include "requantize.h"

void intgold_global_avg_pool_s8(const intgold_global_avg_pool *op, const int8_t *x, int8_t *y,
                                int32_t *acc) {
    const size_t cells = (size_t)op->in_h * (size_t)op->in_w;
    int32_t c;
    for (c = 0; c < op->in_c; c++) {
        const intgold_scale entry = intgold_entry(&op->requantize, c);
        int32_t sum = 0;
        size_t i;
        for (i = 0; i < cells; i++) sum += x[i * (size_t)op->in_c + (size_t)c] - op->x_zero_point;
        y[c] = intgold_requantize_acc(sum, &entry, op->y_zero_point, op->act_min, op->act_max);
        if (acc) acc[c] = sum;
    }
}

static void run(const intgold_call *call) {
    intgold_global_avg_pool_s8(call->fields, call->inputs[0], call->output, call->acc);
}

const intgold_op_table intgold_global_avg_pool_table = {1, 1, NULL, NULL, NULL, run};
