/* fully_connected, SPEC clause 5.3: a conv2d whose image is one pixel. */
#include <string.h>

#include "ops/op.h"

static intgold_conv2d conv2d_of(const intgold_fully_connected *op) {
    intgold_conv2d conv;
    memset(&conv, 0, sizeof conv);
    conv.in_h = conv.in_w = conv.out_h = conv.out_w = conv.kernel_h = conv.kernel_w = 1;
    conv.stride_h = conv.stride_w = conv.dilation_h = conv.dilation_w = 1;
    conv.in_c = op->in_c;
    conv.out_c = op->out_c;
    conv.x_zero_point = op->x_zero_point;
    conv.y_zero_point = op->y_zero_point;
    conv.act_min = op->act_min;
    conv.act_max = op->act_max;
    conv.weight_zero_point_count = op->weight_zero_point_count;
    conv.weight_zero_point = op->weight_zero_point;
    conv.weights = op->weights;
    conv.bias = op->bias;
    conv.requantize = op->requantize;
    return conv;
}

static size_t fully_connected_packed_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_conv2d conv = conv2d_of((const intgold_fully_connected *)fields);
    return intgold_conv2d_packed_size(&conv, kernels);
}

static void fully_connected_pack(const void *fields, const intgold_kernels *kernels,
                                 void *packed) {
    const intgold_conv2d conv = conv2d_of((const intgold_fully_connected *)fields);
    intgold_conv2d_pack(&conv, kernels, (char *)packed);
}

static size_t fully_connected_work_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_conv2d conv = conv2d_of((const intgold_fully_connected *)fields);
    return intgold_conv2d_work_size(&conv, kernels);
}

static void fully_connected_run(const intgold_call *call) {
    const intgold_conv2d conv = conv2d_of((const intgold_fully_connected *)call->fields);
    intgold_conv2d_run(call, &conv);
}

const intgold_op_table intgold_fully_connected_table = {1,
                                                        1,
                                                        fully_connected_packed_size,
                                                        fully_connected_pack,
                                                        fully_connected_work_size,
                                                        fully_connected_run};

size_t intgold_fully_connected_scratch_size(const intgold_fully_connected *op) {
    return intgold_single_op_size(&intgold_fully_connected_table, op);
}

void intgold_fully_connected_s8(const intgold_fully_connected *op, const int8_t *x, int8_t *y,
                                int32_t *acc, void *scratch) {
    intgold_run_single_op(&intgold_fully_connected_table, op, x, y, acc, scratch);
}
