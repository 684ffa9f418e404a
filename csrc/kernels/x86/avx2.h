/* Vectors of 256 bits, for the files of the variants avx2 and avxvnni: their sums are alike, and so
 * is all that is made of them.  How a word is multiplied is in kernels_avx2.c and
 * kernels_avxvnni.c.  Included once by each file, which defines NAME() and TARGET. */
#include <immintrin.h>

#include "kernels/generic/simd.h"

#define vector __m256i
#define LOAD(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define STORE(to, value) _mm256_storeu_si256((__m256i *)(void *)(to), value)
#define LOAD_HALF(from) _mm_loadu_si128((const __m128i *)(const void *)(from))
#define LOAD_QUARTER(from) _mm_loadl_epi64((const __m128i *)(const void *)(from))
#define STORE_HALF(to, value) _mm_storeu_si128((__m128i *)(void *)(to), value)
#define ALL_LANES(value) _mm256_set1_epi32(value)

/* Of sixteen registers twelve hold sums: two vectors for each of six pixels. */
#define LANES 8
#define VECTOR 32
#define HALF 16
#define COLUMNS 6

INTGOLD_DECLARE_SHARED(avx2);

/* What kernels_avx2_pools.c and kernels_avx2_values.c define. */
void intgold_avx2_lut_lines(const intgold_table_lines *lines, const int8_t *x, int32_t count,
                           int8_t *y);
void intgold_avx2_affine_sum(const intgold_lines *by, const int8_t *x1, const int8_t *x2,
                             const uint8_t *rest1, const uint8_t *rest2, int32_t count,
                             int32_t *sums);
