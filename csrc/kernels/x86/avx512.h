/* What the files with vectors of 512 bits share. */
#ifndef INTGOLD_AVX512_H
#define INTGOLD_AVX512_H

#include <immintrin.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/weights.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni")))
#define INLINE static inline __attribute__((always_inline))
/* Loops over registers must be unrolled before the compiler places arrays; clang does it itself,
 * and does worse when told to. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { GROUP = 4, LANES = 16, VECTOR = 64 };

size_t intgold_avx512_epilogue_packed_size(int32_t channels);
void intgold_avx512_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels, void *packed);
void intgold_avx512_epilogue(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                           const intgold_pixels *at);
void intgold_avx512_window_sum(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                           uint32_t *sums);
void intgold_avx512_window_max(const intgold_window *window, int32_t min, int32_t channels,
                             int8_t *y);
void intgold_avx512_affine_sum(const intgold_lines *by, const int8_t *x1, const int8_t *x2,
                          const uint8_t *rest1, const uint8_t *rest2, int32_t count,
                          int32_t *sums);
void intgold_avx512_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y);
void intgold_avx512_lut_vbmi(const int8_t *table, const int8_t *x, int32_t count, int8_t *y);

#endif
