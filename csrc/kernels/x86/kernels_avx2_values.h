/* Kernels of AVX2 that variants of AVX-512 take as well; they have none of their own. */
#ifndef INTGOLD_KERNELS_AVX2_VALUES_H
#define INTGOLD_KERNELS_AVX2_VALUES_H

#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_AVX2)
void intgold_avx2_add_lines(const intgold_line_sums *by, const int8_t *x1, const int8_t *x2,
                            int32_t count, int8_t *y);
void intgold_avx2_blend(const intgold_blend *by, const int32_t *row, int8_t *y);
#define INTGOLD_AVX2_VALUES .add_lines = intgold_avx2_add_lines, .blend = intgold_avx2_blend
#else
#define INTGOLD_AVX2_VALUES .add_lines = NULL, .blend = NULL
#endif

#endif
