/* Depthwise sums with AVX2: sixteen channels, two taps at a time.
 *
 *     tap a: a0 a1 ... a15   ->  a0 b0 a1 b1 a2 b2 a3 b3 | a8 b8 ... a11 b11    vpmaddwd with the
 *     tap b: b0 b1 ... b15       a4 b4 a5 b5 a6 b6 a7 b7 | a12 b12 ... a15 b15  weights likewise
 *
 * Bytes become int16 on their way from memory, so that rows need no pass that interleaves them; the
 * sums are put in order once, after the last tap. */
#include "kernels/x86/kernels_avx2_depthwise.h"

#if defined(INTGOLD_HAS_AVX2)
#define NAME(name) avx2_##name
#define TARGET __attribute__((target("avx2")))

#include "kernels/x86/avx2.h"

#define PIXELS_AT_ONCE 4

const uint8_t intgold_avx2_places[16] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};

void intgold_avx2_load_rows(const int8_t *const *rows, int32_t zero_point, size_t count,
                            void *words) {
    if (rows[0])
        memcpy(words, rows[0], count);
    else
        memset(words, zero_point, count);
}

INLINE TARGET __m256i avx2_tap(const int8_t *x) {
    const __m128i bytes = LOAD_HALF(x);
    return _mm256_cvtepi8_epi16(bytes);
}

/* The last tap of an odd number is its own partner, and meets weights of 0. */
INLINE TARGET void avx2_multiply_tile(const intgold_strip *strip, const int8_t *x, int32_t *result,
                                      const int pixels) {
    const size_t step = strip->column_step;
    const char *w = (const char *)strip->weights0;
    __m256i low[PIXELS_AT_ONCE], high[PIXELS_AT_ONCE];
    int32_t s;
    int i;
    UNROLL
    for (i = 0; i < pixels; i++) low[i] = high[i] = _mm256_setzero_si256();
    for (s = 0; s < strip->n_segments; s += 2, w += 2 * VECTOR) {
        const int8_t *a = x + strip->segments[s];
        const int8_t *b = s + 1 < strip->n_segments ? x + strip->segments[s + 1] : a;
        const __m256i weights_low = LOAD(w), weights_high = LOAD(w + VECTOR);
        UNROLL
        for (i = 0; i < pixels; i++) {
            const __m256i at = avx2_tap(a + (size_t)i * step), bt = avx2_tap(b + (size_t)i * step);
            low[i] = _mm256_add_epi32(
                low[i], _mm256_madd_epi16(_mm256_unpacklo_epi16(at, bt), weights_low));
            high[i] = _mm256_add_epi32(
                high[i], _mm256_madd_epi16(_mm256_unpackhi_epi16(at, bt), weights_high));
        }
    }
    UNROLL
    for (i = 0; i < pixels; i++) {
        const __m256i first = _mm256_permute2x128_si256(low[i], high[i], 0x20);
        const __m256i second = _mm256_permute2x128_si256(low[i], high[i], 0x31);
        STORE(result + 2 * LANES * i, _mm256_add_epi32(first, LOAD(strip->bias0)));
        STORE(result + 2 * LANES * i + LANES, _mm256_add_epi32(second, LOAD(strip->bias0 + LANES)));
    }
}

TARGET void intgold_avx2_multiply(const intgold_strip *strip, int32_t *sums) {
    const intgold_strip by = *strip; /* a copy, which stores to sums cannot change */
    const int8_t *x = (const int8_t *)(const void *)by.x;
    int32_t i;
    for (i = 0; i + PIXELS_AT_ONCE <= by.columns; i += PIXELS_AT_ONCE)
        avx2_multiply_tile(&by, x + (size_t)i * by.column_step, sums + i * 2 * LANES,
                           PIXELS_AT_ONCE);
    for (; i < by.columns; i++)
        avx2_multiply_tile(&by, x + (size_t)i * by.column_step, sums + i * 2 * LANES, 1);
}

#else
typedef int intgold_no_avx2_depthwise; /* C99 wants a declaration in every file */
#endif
