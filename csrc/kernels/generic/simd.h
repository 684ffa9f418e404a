/* What the files of all vector variants share: how their loops are compiled, and the functions
 * that the variants of one register width have in common.
 *
 * Private names and macros of those files begin with the variant's name, or are made of it by
 * NAME(), so that all files can be joined into one. */
#ifndef INTGOLD_SIMD_H
#define INTGOLD_SIMD_H

#include <string.h>

#include "kernels/kernels.h"
#include "kernels/weights.h"

#define INLINE static inline __attribute__((always_inline))
/* Loops over registers must be unrolled before the compiler places arrays; clang does it itself,
 * and does worse when asked to. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* What the files NAME_epilogue and NAME_pools define, for every variant with such vectors. */
#define INTGOLD_DECLARE_SHARED(name)                                                             \
    size_t intgold_##name##_epilogue_packed_size(int32_t channels);                              \
    void intgold_##name##_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels,      \
                                        void *packed);                                           \
    void intgold_##name##_epilogue(const intgold_epilogue *epilogue, int32_t first,              \
                                   int32_t channels, const intgold_pixels *at);                  \
    void intgold_##name##_window_sum(const int8_t *x, int32_t cells, size_t step,                \
                                     int32_t channels, uint32_t *sums);                          \
    void intgold_##name##_window_max(const intgold_windows *windows, int32_t min,                \
                                     int32_t channels, int8_t *y);                               \
    void intgold_##name##_mul_products(const int8_t *x1, int32_t zero_point1, const int8_t *x2,  \
                                       int32_t zero_point2, int32_t count, int32_t *sums);       \
    void intgold_##name##_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y)

/* The same in a table of kernels. */
#define INTGOLD_SHARED_KERNELS(name)                                                             \
    .epilogue_packed_size = intgold_##name##_epilogue_packed_size,                               \
    .epilogue_pack = intgold_##name##_epilogue_pack, .epilogue = intgold_##name##_epilogue,      \
    .window_sum = intgold_##name##_window_sum, .window_max = intgold_##name##_window_max,        \
    .mul_products = intgold_##name##_mul_products

/* What a variant has of its own, but for the sums of a convolution. */
#define INTGOLD_OWN_KERNELS(name)                                                                \
    .pack_size = name##_pack_size, .pack = name##_pack, .load_inputs = name##_load_inputs,       \
    .load_rows = name##_load_rows, .multiply = name##_multiply

#endif
