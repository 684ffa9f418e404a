/* The narrow waist: the few inner loops that profit from SIMD, as one table per variant.
 *
 * Everything else (geometry, padding, pools, the graph) is written once and calls these.  A new
 * ISA is one file that fills a table and one row in dispatch.c. */
#ifndef INTGOLD_KERNELS_H
#define INTGOLD_KERNELS_H

#include "intgold.h"

/* Weights as an op holds them: out_c rows of `depth` values. */
typedef struct intgold_weights {
    int32_t out_c, depth;
    const int8_t *values;
    const int8_t *zero_point;
    int32_t zero_point_count; /* 1 or out_c */
} intgold_weights;

typedef struct intgold_kernels {
    const char *name;

    /* acc[r][oc] = bias[oc] + sum over k of rows[r][k] * (w[oc][k] - zero_point_w).
     * rows: centred inputs (x - zero_point), intgold_row_stride(depth) apart, zero behind depth. */
    size_t (*matmul_packed_size)(const intgold_weights *weights);
    void (*matmul_pack)(const intgold_weights *weights, void *packed);
    void (*matmul)(const intgold_weights *weights, const void *packed, const int32_t *bias,
                   const int16_t *rows, int32_t n_rows, int32_t *acc);

    /* y[r][c] = clamp(zero point + R_c(acc[r][c])), clause 4.3. */
    void (*requantize)(const intgold_requantize *by, const int32_t *acc, int32_t n_rows,
                       int32_t channels, int32_t y_zero_point, int32_t act_min, int32_t act_max,
                       int8_t *y);

    /* y[i] = table[x[i] + 128]. */
    void (*lut)(const int8_t *table, const int8_t *x, int32_t count, int8_t *y);
} intgold_kernels;

extern const intgold_kernels intgold_kernels_portable;

/* Rows of centred inputs are padded to whole vectors of 16 values. */
static inline size_t intgold_row_stride(int32_t depth) { return ((size_t)depth + 15) / 16 * 16; }

/* The table for `isa` on this CPU, or NULL. */
const intgold_kernels *intgold_dispatch(intgold_isa isa);

#endif
