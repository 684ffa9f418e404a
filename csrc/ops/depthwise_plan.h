/* How depthwise_conv2d is laid out for a variant of the kernels, and its packed weights. */
#ifndef INTGOLD_DEPTHWISE_PLAN_H
#define INTGOLD_DEPTHWISE_PLAN_H

#include "kernels/weights.h"
#include "ops/direct.h"

/* The head of an op's packed weights. */
typedef struct intgold_depthwise_plan {
    int32_t groups;   /* of kernel rows */
    int32_t parts;    /* bytes that a weight less its zero point is split into */
    int32_t segments; /* words that a sum takes */
    int32_t weight_words; /* of 32 bits, that they meet */
    int32_t blocks;   /* of depthwise.lanes channels */
    int32_t unit;     /* kernel rows from one row of words to the next */
    int32_t rows;     /* output rows at once */
    int32_t direct;   /* 1: tap by tap, without any of this */
    size_t row_words; /* of a row of words */
    size_t repeated, sums, work; /* where parts of the scratch lie, and its size */
    size_t offsets, bias, weights, epilogue, size; /* of the parts of the packed memory */
} intgold_depthwise_plan;

enum { INTGOLD_DEPTHWISE_CHUNK = 56 }; /* pixels before they become outputs */

intgold_depthwise_plan intgold_depthwise_plan_of(const intgold_depthwise_conv2d *op,
                                                 const intgold_kernels *kernels);
size_t intgold_depthwise_packed_size(const void *fields, const intgold_kernels *kernels);
void intgold_depthwise_pack(const void *fields, const intgold_kernels *kernels, void *packed);

/* Rows of words under `rows` output rows.  A dilated kernel takes one output row at a time, and
 * shares nothing. */
static inline size_t intgold_word_rows(const intgold_depthwise_conv2d *op,
                                       const intgold_depthwise_plan *by, int32_t group,
                                       int32_t rows) {
    const size_t first = intgold_times((size_t)(rows - 1), (size_t)op->stride_h);
    return intgold_plus(first, (size_t)(by->groups - 1) * (size_t)(group / by->unit) + 1);
}

#endif
