/* What the engine sees of an op: one table of functions per kind, and the call that they take. */
#ifndef INTGOLD_OP_H
#define INTGOLD_OP_H

#include "kernels.h"

/* One op on one image. */
typedef struct intgold_call {
    const void *fields;
    const intgold_kernels *kernels;
    const void *packed;           /* what pack() made, or NULL */
    const void *const *inputs;    /* as many as the kind takes */
    void *output;                 /* NULL when the accumulators are the output */
    int32_t *acc;                 /* NULL when nobody asked */
    void *scratch;
} intgold_call;

enum { INTGOLD_MAX_INPUTS = 2 };

typedef struct intgold_op_table {
    int32_t n_inputs;
    int32_t accumulates; /* 1 when there is an int32 accumulator per output value */
    /* Bytes of packed weights, and how to make them; NULL for ops without. */
    size_t (*packed_size)(const void *fields, const intgold_kernels *kernels);
    void (*pack)(const void *fields, const intgold_kernels *kernels, void *packed);
    /* Bytes of scratch, or NULL for none. */
    size_t (*work_size)(const void *fields);
    void (*run)(const intgold_call *call);
} intgold_op_table;

extern const intgold_op_table intgold_conv2d_table, intgold_depthwise_conv2d_table,
    intgold_fully_connected_table, intgold_lut_table, intgold_pwl_table,
    intgold_max_pool2d_table, intgold_avg_pool2d_table, intgold_global_avg_pool_table,
    intgold_add_table, intgold_softmax_table, intgold_rescale_table, intgold_argmax_table,
    intgold_mul_table, intgold_concat_table;

/* Pieces of memory start on a vector boundary. */
static inline size_t intgold_align(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* Run an op by itself with the portable kernels, packing into the scratch first. */
void intgold_run_alone(const intgold_op_table *table, const void *fields, const void *x,
                       void *y, int32_t *acc, void *scratch);
size_t intgold_alone_size(const intgold_op_table *table, const void *fields);

#endif
