/* How conv2d is laid out for a variant of the kernels, and what its packed weights hold. */
#ifndef INTGOLD_CONV2D_PLAN_H
#define INTGOLD_CONV2D_PLAN_H

#include "kernels/weights.h"
#include "ops/direct.h"

/* The head of an op's packed weights. */
typedef struct intgold_conv2d_plan {
    intgold_weights weights;
    int32_t in_h, in_w, out_h, out_w; /* 1x1: the image may become one row */
    int32_t rows;          /* output rows that belong together: 1, 2 or 4 */
    int32_t row_step;      /* input rows from one row of the strip to the next */
    int32_t shift;         /* runs from one vector's row to that below it; 0: not shared */
    int32_t strip_rows;    /* output rows per strip, a multiple of `rows` */
    int32_t blocks;        /* vectors of lanes per pixel */
    int32_t weights_outweigh; /* 1: the first cache does not hold them */
    int32_t offsets;       /* entries of the table of segments */
    int32_t direct;        /* 1: tap by tap, without any of this */
    size_t value; /* bytes per input in a word */
    size_t row_bytes;      /* from one row of the strip to the next */
    size_t panel_bytes;    /* packed weights of one block */
    size_t strip_bytes;    /* of the strip, and what may be read beyond its end */
} intgold_conv2d_plan;

/* Where in the packed memory lies what follows the plan. */
typedef struct intgold_conv2d_parts {
    size_t segments; /* `offsets` entries */
    size_t bias;     /* where the sums start: blocks * lanes */
    size_t weights, epilogue, size;
} intgold_conv2d_parts;

enum { INTGOLD_VECTOR = 64 }; /* bytes that may be touched beyond a strip */

/* Where outputs go, in values: from a pixel to the one beside it, and to the one below. */
typedef struct intgold_steps {
    size_t pixel, row;
} intgold_steps;

/* Outputs side by side, a row after the other: as conv2d leaves them. */
static inline intgold_steps intgold_dense_steps(int32_t out_w, int32_t out_c) {
    intgold_steps steps;
    steps.pixel = (size_t)out_c;
    steps.row = (size_t)out_w * (size_t)out_c;
    return steps;
}

/* spread: 1 where outputs are not dense. */
intgold_conv2d_plan intgold_conv2d_plan_of(const intgold_conv2d *op,
                                           const intgold_kernels *kernels, int spread);

/* Bytes of scratch and of packed weights, and these weights, of a plan that is not direct. */
size_t intgold_conv2d_strips_size(const intgold_conv2d_plan *by, const intgold_kernels *kernels);
void intgold_conv2d_pack_plan(const intgold_conv2d *op, const intgold_conv2d_plan *by,
                              const intgold_kernels *kernels, char *packed);

/* Run it.  The paddings may be negative: inputs that no window reaches. */
void intgold_conv2d_run_strips(const intgold_call *call, const intgold_conv2d *op,
                               const intgold_steps *steps);
intgold_conv2d_parts intgold_conv2d_parts_of(const intgold_conv2d_plan *by,
                                             const intgold_kernels *kernels);
intgold_epilogue intgold_conv2d_epilogue_of(const intgold_conv2d *op,
                                            const intgold_conv2d_plan *by, const void *packed);

/* Rows of the strip for `out_rows` output rows; a dilated kernel takes one of them at a time. */
static inline size_t intgold_conv2d_in_rows(const intgold_conv2d *op, int32_t out_rows) {
    return intgold_plus(intgold_times((size_t)(out_rows - 1), (size_t)op->stride_h),
                        (size_t)op->kernel_h);
}

#endif
