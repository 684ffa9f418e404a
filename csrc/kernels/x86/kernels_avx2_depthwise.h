/* Depthwise sums with AVX2, for the variant avx2. */
#ifndef INTGOLD_KERNELS_AVX2_DEPTHWISE_H
#define INTGOLD_KERNELS_AVX2_DEPTHWISE_H

#include "kernels/kernels.h"

extern const uint8_t intgold_avx2_places[16];
void intgold_avx2_load_rows(const int8_t *const *rows, int32_t zero_point, size_t count,
                            void *words);
void intgold_avx2_multiply(const intgold_strip *strip, int32_t *sums);

#define INTGOLD_AVX2_DEPTHWISE_WORDS {1, 1, 16, INTGOLD_INPUT_PLAIN, intgold_avx2_places}

#endif
