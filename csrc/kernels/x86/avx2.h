/* What the variants with vectors of 256 bits share: their sums are alike, and so is all that is
 * made of them.  How a word is multiplied is in kernels_avx2.c and kernels_avxvnni.c. */
#ifndef INTGOLD_AVX2_H
#define INTGOLD_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/weights.h"

#define INLINE static inline __attribute__((always_inline))
/* Loops over registers must be unrolled before the compiler places arrays; clang does it itself,
 * and does worse when told to. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Of sixteen registers twelve hold sums: two vectors for each of six pixels. */
enum { LANES = 8, VECTOR = 32, COLUMNS = 6 };

size_t intgold_avx2_epilogue_packed_size(int32_t channels);
void intgold_avx2_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels, void *packed);
void intgold_avx2_epilogue(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                         const intgold_pixels *at);
void intgold_avx2_window_sum(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                         uint32_t *sums);
void intgold_avx2_window_max(const intgold_window *window, int32_t min, int32_t channels,
                           int8_t *y);
void intgold_avx2_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y);

#endif
