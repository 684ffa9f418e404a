/* Which functions an op of each kind has. */
#include "engine/op_tables.h"

/* In the order of enum intgold_kind. */
static const intgold_op_table *const tables[] = {
    &intgold_conv2d_table,
    &intgold_depthwise_conv2d_table,
    &intgold_fully_connected_table,
    &intgold_lut_table,
    &intgold_pwl_table,
    &intgold_max_pool2d_table,
    &intgold_avg_pool2d_table,
    &intgold_global_avg_pool_table,
    &intgold_add_table,
    &intgold_softmax_table,
    &intgold_rescale_table,
    &intgold_argmax_table,
    &intgold_mul_table,
    &intgold_concat_table,
    &intgold_pad_table,
    &intgold_reshape_table,
    &intgold_softmax_float32_table,
    &intgold_strided_copy_table,
    &intgold_gather_table,
    &intgold_transpose_conv2d_table,
    &intgold_resize_bilinear_table,
    &intgold_maximum_table,
    &intgold_minimum_table,
    &intgold_lut2d_table,
    &intgold_matmul_table,
    &intgold_log_softmax_table,
    &intgold_log_softmax_float32_table,
};

const intgold_op_table *intgold_op_table_of(int32_t kind) {
    return (size_t)kind < sizeof tables / sizeof tables[0] ? tables[kind] : NULL;
}

int32_t intgold_inputs_of(const intgold_op *op) {
    return intgold_op_table_of(op->kind)->n_inputs;
}

int intgold_has_accumulator(intgold_kind kind) {
    const intgold_op_table *table = intgold_op_table_of(kind);
    return table && table->has_accumulator;
}
