/* Vectors of 512 bits, for the files of the variants avx512vnni, avx512vbmi and amx.  Included once
 * by each file. */
#include <immintrin.h>

#include "kernels/generic/simd.h"

#define NAME(name) avx512_##name
#define TARGET __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni")))

#define vector __m512i
#define LOAD(from) _mm512_loadu_si512(from)
#define STORE(to, value) _mm512_storeu_si512(to, value)
#define LOAD_256(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define STORE_256(to, value) _mm256_storeu_si256((__m256i *)(void *)(to), value)
#define STORE_128(to, value) _mm_storeu_si128((__m128i *)(void *)(to), value)
#define ALL_LANES(value) _mm512_set1_epi32(value)

#define LANES 16
#define VECTOR 64

INTGOLD_DECLARE_SHARED(avx512);
void intgold_avx512_affine_sum(const intgold_lines *by, const int8_t *x1, const int8_t *x2,
                               const uint8_t *rest1, const uint8_t *rest2, int32_t count,
                               int32_t *sums);
void intgold_avx512_lut_vbmi(const int8_t *table, const int8_t *x, int32_t count, int8_t *y);
