/* An op by itself: what the unsuffixed functions with weights do. */
#include "ops/op.h"

size_t intgold_single_op_size(const intgold_op_table *table, const void *fields) {
    return intgold_plus(intgold_align(table->packed_size(fields, &intgold_kernels_portable)),
                        table->work_size(fields, &intgold_kernels_portable));
}

void intgold_run_single_op(const intgold_op_table *table, const void *fields, const void *x,
                           void *y, int32_t *acc, void *scratch) {
    const intgold_kernels *kernels = &intgold_kernels_portable;
    const void *inputs[1];
    intgold_call call;
    inputs[0] = x;
    table->pack(fields, kernels, scratch);
    call.fields = fields;
    call.kernels = kernels;
    call.packed = scratch;
    call.inputs = inputs;
    call.x_dtype = INTGOLD_INT8;
    call.output = y;
    call.acc = acc;
    call.table = NULL;
    call.pooled = 0;
    call.scratch = (char *)scratch + intgold_align(table->packed_size(fields, kernels));
    table->run(&call);
}
