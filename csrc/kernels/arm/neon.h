/* What the variants for AArch64 share: their sums are alike, and so is all that is made of them.
 * How a word is multiplied is in kernels_neon.c and kernels_dotprod.c. */
#ifndef INTGOLD_NEON_H
#define INTGOLD_NEON_H

#include "kernels/kernels.h"

/* Older clangs hide the dot products unless flags bring them; a function's target is enough. */
#if defined(INTGOLD_HAS_DOTPROD) && defined(__clang__) && !defined(__ARM_FEATURE_DOTPROD)
#define __ARM_FEATURE_DOTPROD 1
#endif
#include <arm_neon.h>
#include <string.h>

#include "kernels/weights.h"

#define INLINE static inline __attribute__((always_inline))
/* Loops over registers must be unrolled before the compiler places arrays; clang does it itself,
 * and does worse when told to. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Of 32 registers twenty hold sums: two vectors, of two registers each, for each of five
 * pixels. */
enum { LANES = 8, VECTOR = 32, COLUMNS = 5 };

size_t intgold_neon_epilogue_packed_size(int32_t channels);
void intgold_neon_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels, void *packed);
void intgold_neon_epilogue(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                         const intgold_pixels *at);
void intgold_neon_window_sum(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                         uint32_t *sums);
void intgold_neon_window_max(const intgold_window *window, int32_t min, int32_t channels,
                           int8_t *y);
void intgold_neon_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y);

#endif
