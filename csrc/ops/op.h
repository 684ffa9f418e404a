/* What the engine sees of an op: one table of functions per kind, and the call that they take. */
#ifndef INTGOLD_OP_H
#define INTGOLD_OP_H

#include "kernels/kernels.h"

/* One op on one image. */
typedef struct intgold_call {
    const void *fields;
    const intgold_kernels *kernels;
    const void *packed;        /* what pack() made, or NULL */
    const void *const *inputs; /* as many as the kind takes */
    int32_t x_dtype;           /* enum intgold_dtype, of all inputs */
    void *output;              /* NULL when the accumulators are the output */
    int32_t *acc;              /* NULL when nobody asked */
    const int8_t *table;       /* conv2d: what follows requantize, or NULL */
    int32_t pooled;            /* conv2d: 1 when the output is the maximum of each 2x2 */
    void *scratch;
} intgold_call;

enum { INTGOLD_MAX_INPUTS = 2 };

typedef struct intgold_op_table {
    int32_t n_inputs;
    int32_t has_accumulator; /* 1 when there is an int32 accumulator per output value */
    /* Bytes of packed weights, and how to make them; NULL for ops without.  SIZE_MAX: more than
     * size_t holds. */
    size_t (*packed_size)(const void *fields, const intgold_kernels *kernels);
    void (*pack)(const void *fields, const intgold_kernels *kernels, void *packed);
    /* Bytes of scratch, or NULL for none. */
    size_t (*work_size)(const void *fields, const intgold_kernels *kernels);
    void (*run)(const intgold_call *call);
} intgold_op_table;

extern const intgold_op_table intgold_conv2d_table, intgold_depthwise_conv2d_table,
    intgold_fully_connected_table, intgold_lut_table, intgold_pwl_table, intgold_max_pool2d_table,
    intgold_avg_pool2d_table, intgold_global_avg_pool_table, intgold_add_table,
    intgold_softmax_table, intgold_rescale_table, intgold_argmax_table, intgold_mul_table,
    intgold_concat_table, intgold_pad_table, intgold_reshape_table, intgold_softmax_float32_table,
    intgold_strided_copy_table, intgold_gather_table, intgold_transpose_conv2d_table,
    intgold_resize_bilinear_table, intgold_maximum_table, intgold_minimum_table,
    intgold_lut2d_table, intgold_matmul_table, intgold_log_softmax_table,
    intgold_log_softmax_float32_table;

static inline int32_t intgold_min(int32_t a, int32_t b) { return a < b ? a : b; }

static inline intgold_epilogue intgold_epilogue_of(const intgold_requantize *by,
                                                   int32_t y_zero_point, int32_t act_min,
                                                   int32_t act_max, const void *packed) {
    intgold_epilogue epilogue;
    epilogue.by = by;
    epilogue.y_zero_point = y_zero_point;
    epilogue.act_min = act_min;
    epilogue.act_max = act_max;
    epilogue.fold = 0;
    epilogue.packed = packed;
    return epilogue;
}

/* A fully_connected op is a conv2d on one pixel. */
size_t intgold_conv2d_packed_size(const intgold_conv2d *op, const intgold_kernels *kernels);
void intgold_conv2d_pack(const intgold_conv2d *op, const intgold_kernels *kernels, char *packed);
size_t intgold_conv2d_work_size(const intgold_conv2d *op, const intgold_kernels *kernels);
int intgold_conv2d_pools(const intgold_conv2d *op, const intgold_kernels *kernels);
void intgold_conv2d_run(const intgold_call *call, const intgold_conv2d *op);

/* Run an op by itself with the portable kernels, packing into the scratch first. */
void intgold_run_single_op(const intgold_op_table *table, const void *fields, const void *x,
                           void *y, int32_t *acc, void *scratch);
size_t intgold_single_op_size(const intgold_op_table *table, const void *fields);

#endif
