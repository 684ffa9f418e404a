/* fully_connected, SPEC clause 5.3. */
#include <string.h>

#include "op.h"

static intgold_weights weights_of(const intgold_fully_connected *op) {
    intgold_weights weights;
    weights.out_c = op->out_c;
    weights.depth = op->in_c;
    weights.values = op->weights;
    weights.zero_point = op->weight_zero_point;
    weights.zero_point_count = op->weight_zero_point_count;
    return weights;
}

static size_t packed_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_weights weights = weights_of(fields);
    return kernels->matmul_packed_size(&weights);
}

static void pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_weights weights = weights_of(fields);
    kernels->matmul_pack(&weights, packed);
}

static size_t row_size(const intgold_fully_connected *op) {
    return intgold_align(intgold_row_stride(op->in_c) * sizeof(int16_t));
}

static size_t work_size(const void *fields) {
    const intgold_fully_connected *op = fields;
    return row_size(op) + (size_t)op->out_c * sizeof(int32_t);
}

static void run(const intgold_call *call) {
    const intgold_fully_connected *op = call->fields;
    const intgold_weights weights = weights_of(op);
    const int8_t *x = call->inputs[0];
    int16_t *row = call->scratch;
    int32_t *acc = call->acc ? call->acc
                             : (int32_t *)(void *)((char *)call->scratch + row_size(op));
    int32_t i;
    for (i = 0; i < op->in_c; i++) row[i] = (int16_t)(x[i] - op->x_zero_point);
    memset(row + op->in_c, 0,
           (intgold_row_stride(op->in_c) - (size_t)op->in_c) * sizeof(int16_t));
    call->kernels->matmul(&weights, call->packed, op->bias, row, 1, acc);
    if (call->output)
        call->kernels->requantize(&op->requantize, acc, 1, op->out_c, op->y_zero_point,
                                  op->act_min, op->act_max, call->output);
}

const intgold_op_table intgold_fully_connected_table = {1, 1, packed_size, pack, work_size, run};

size_t intgold_fully_connected_scratch_size(const intgold_fully_connected *op) {
    return intgold_alone_size(&intgold_fully_connected_table, op);
}

void intgold_fully_connected_s8(const intgold_fully_connected *op, const int8_t *x, int8_t *y,
                                int32_t *acc, void *scratch) {
    intgold_run_alone(&intgold_fully_connected_table, op, x, y, acc, scratch);
}
