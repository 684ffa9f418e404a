/* A band of output rows of a conv2d: from the words of a strip to outputs. */
#ifndef INTGOLD_CONV2D_BAND_H
#define INTGOLD_CONV2D_BAND_H

#include "ops/conv2d_plan.h"

enum { CHUNK = 56 }; /* most pixels of a row before they become outputs */

/* One image on its way. */
typedef struct intgold_conv2d_job {
    const intgold_conv2d *op;
    const intgold_kernels *kernels;
    const intgold_conv2d_plan *by;
    const size_t *segments;
    const int32_t *bias;
    const char *weights;
    intgold_epilogue epilogue;
    const int8_t *table; /* of the lut that follows, or NULL */
    int32_t pooled;      /* 1: and a 2x2 max_pool2d */
    char *strip;
    char padding[INTGOLD_VECTOR]; /* the input's zero point, as words hold it */
    int32_t *sums;
    intgold_steps steps; /* of the outputs */
    int8_t *y;     /* NULL: only the accumulators */
    int32_t *acc;  /* NULL: not wanted */
    int32_t chunks; /* that a row of pixels is cut into */
    int32_t rows; /* of pixels before they become outputs */
} intgold_conv2d_job;

/* Bytes of a job's sums: a chunk of pixels in two rows. */
size_t intgold_conv2d_sums_bytes(const intgold_kernels *kernels);

/* What a job's `rows` is to be. */
int32_t intgold_conv2d_rows_at_once(const intgold_conv2d_job *at);

/* Called once, before the first band. */
void intgold_conv2d_begin(const intgold_conv2d_job *at);

/* Blocks block .. block+1 of output rows oy .. oy+rows-1, the first of them `row` below the top
 * of the strip. */
void intgold_conv2d_band(const intgold_conv2d_job *at, int32_t oy, int32_t row, int32_t rows,
                         int32_t block);

#endif
