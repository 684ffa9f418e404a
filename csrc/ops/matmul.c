/* matmul, SPEC clause 5.25: of each batch a conv2d with a kernel of one pixel.  Rows of x1 are its
 * pixels, rows of x2 its weights: packed for every image, into scratch. */
#include <string.h>

#include "ops/op.h"

/* zero_point: that of x2.  x2 may be NULL where only sizes are asked for. */
static intgold_conv2d matmul_conv2d(const intgold_matmul *op, const int8_t *zero_point,
                                    const int8_t *x2) {
    intgold_conv2d conv;
    memset(&conv, 0, sizeof conv);
    conv.in_h = conv.out_h = conv.kernel_h = conv.kernel_w = 1;
    conv.stride_h = conv.stride_w = conv.dilation_h = conv.dilation_w = 1;
    conv.in_w = conv.out_w = op->rows;
    conv.in_c = op->depth;
    conv.out_c = op->columns;
    conv.x_zero_point = op->x1_zero_point;
    conv.y_zero_point = op->y_zero_point;
    conv.act_min = op->act_min;
    conv.act_max = op->act_max;
    conv.weight_zero_point_count = 1;
    conv.weight_zero_point = zero_point;
    conv.weights = x2;
    conv.bias = op->bias;
    conv.requantize = op->requantize;
    return conv;
}

static size_t matmul_work_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_matmul *op = (const intgold_matmul *)fields;
    const int8_t zero_point = (int8_t)op->x2_zero_point;
    const intgold_conv2d conv = matmul_conv2d(op, &zero_point, NULL);
    return intgold_plus(intgold_align(intgold_conv2d_packed_size(&conv, kernels)),
                        intgold_conv2d_work_size(&conv, kernels));
}

static void matmul_run(const intgold_call *call) {
    const intgold_matmul *op = (const intgold_matmul *)call->fields;
    const int8_t zero_point = (int8_t)op->x2_zero_point;
    const int8_t *x1 = (const int8_t *)call->inputs[0], *x2 = (const int8_t *)call->inputs[1];
    const void *inputs[1];
    char *packed = (char *)call->scratch;
    intgold_call one = *call;
    size_t b;
    one.packed = packed;
    one.inputs = inputs;
    for (b = 0; b < (size_t)op->batch; b++) {
        const size_t row = b * (size_t)op->rows, made = row * (size_t)op->columns;
        const intgold_conv2d conv = matmul_conv2d(
            op, &zero_point, x2 + b * (size_t)op->columns * (size_t)op->depth);
        intgold_conv2d_pack(&conv, call->kernels, packed);
        one.scratch = packed + intgold_align(intgold_conv2d_packed_size(&conv, call->kernels));
        inputs[0] = x1 + row * (size_t)op->depth;
        one.output = call->output ? (int8_t *)call->output + made : NULL;
        one.acc = call->acc ? call->acc + made : NULL;
        intgold_conv2d_run(&one, &conv);
    }
}

const intgold_op_table intgold_matmul_table = {2, 1, NULL, NULL, matmul_work_size, matmul_run};

size_t intgold_matmul_scratch_size(const intgold_matmul *op) {
    return matmul_work_size(op, &intgold_kernels_portable);
}

void intgold_matmul_s8(const intgold_matmul *op, const int8_t *x1, const int8_t *x2, int8_t *y,
                       int32_t *acc, void *scratch) {
    const void *inputs[2];
    intgold_call call;
    inputs[0] = x1;
    inputs[1] = x2;
    memset(&call, 0, sizeof call);
    call.fields = op;
    call.kernels = &intgold_kernels_portable;
    call.inputs = inputs;
    call.output = y;
    call.acc = acc;
    call.scratch = scratch;
    matmul_run(&call);
}
