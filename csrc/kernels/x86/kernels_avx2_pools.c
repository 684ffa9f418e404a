/* Pools and tables with AVX2, for the variants avx2 and avxvnni. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_AVX2)
#define NAME(name) avx2_##name
#define TARGET __attribute__((target("avx2")))

#include "kernels/x86/avx2.h"

#define widened NAME(widened)
#define window_sum_vector NAME(window_sum_vector)
#define window_max_whole NAME(window_max_whole)
#define window_max_of_half NAME(window_max_of_half)

/* ---- pools. */

INLINE TARGET __m256i widened(const int8_t *x) {
    return _mm256_cvtepi8_epi32(LOAD_QUARTER(x));
}

/* Eight channels of all cells. */
INLINE TARGET void window_sum_vector(const int8_t *x, int32_t cells, size_t step,
                                     uint32_t *sums) {
    __m256i even = LOAD(sums), odd = _mm256_setzero_si256();
    int32_t i;
    for (i = 0; i + 2 <= cells; i += 2, x += 2 * step) {
        even = _mm256_add_epi32(even, widened(x));
        odd = _mm256_add_epi32(odd, widened(x + step));
    }
    if (i < cells) even = _mm256_add_epi32(even, widened(x));
    STORE(sums, _mm256_add_epi32(even, odd));
}

INLINE TARGET void window_max_whole(const intgold_windows *windows, const int8_t *x, int32_t min,
                                    int8_t *y) {
    __m256i max = _mm256_set1_epi8((char)min);
    int32_t i, j;
    for (i = 0; i < windows->rows; i++) {
        const int8_t *at = x + (size_t)i * windows->row_step;
        for (j = 0; j < windows->columns; j++, at += windows->column_step)
            max = _mm256_max_epi8(max, LOAD(at));
    }
    STORE(y, max);
}

/* Sixteen channels, or eight. */
INLINE TARGET void window_max_of_half(const intgold_windows *windows, const int8_t *x, int32_t min,
                                      int8_t *y, const int eight) {
    __m128i max = _mm_set1_epi8((char)min);
    int32_t i, j;
    for (i = 0; i < windows->rows; i++) {
        const int8_t *at = x + (size_t)i * windows->row_step;
        for (j = 0; j < windows->columns; j++, at += windows->column_step)
            max = _mm_max_epi8(max, eight ? LOAD_QUARTER(at) : LOAD_HALF(at));
    }
    if (eight) _mm_storel_epi64((__m128i *)(void *)y, max);
    else STORE_HALF(y, max);
}

#define window_max_part(windows, x, min, y) window_max_of_half(windows, x, min, y, 0)
#define window_max_few(windows, x, min, y) window_max_of_half(windows, x, min, y, 1)

#define WINDOW_SUM intgold_avx2_window_sum
#define WINDOW_MAX intgold_avx2_window_max
#define WHOLE VECTOR
#define PART HALF
#define FEW LANES
#include "kernels/generic/window_loops.h"

/* ---- lut: sixteen tables of sixteen entries.
 *
 * vpshufb gives 0 where an index is negative.  With index = x, steps[j] holds what table j has
 * more than table j - 1 (by xor), so that the steps 0 .. x / 16 together give entry x:
 *
 *     x = 37: index 37 -> steps[0][5], 21 -> steps[1][5], 5 -> steps[2][5], -11 -> 0, ...
 *
 * Eight steps serve x >= 0; eight more, with x + 128 as index, serve x < 0.  Saturating
 * subtraction keeps a negative index negative. */

#define STEPS 8

INLINE TARGET __m256i avx2_look_up(__m256i index, const __m256i *steps) {
    const __m256i sixteen = _mm256_set1_epi8(16);
    __m256i found = _mm256_shuffle_epi8(steps[0], index);
    int j;
    UNROLL
    for (j = 1; j < STEPS; j++) {
        index = _mm256_subs_epi8(index, sixteen);
        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(steps[j], index));
    }
    return found;
}

INLINE TARGET __m256i avx2_look_up_all(__m256i x, const __m256i *negative,
                                       const __m256i *positive) {
    return _mm256_xor_si256(avx2_look_up(x, positive),
                            avx2_look_up(_mm256_xor_si256(x, _mm256_set1_epi8(-128)), negative));
}

INLINE TARGET void avx2_steps_of(const int8_t *table, __m256i *steps) {
    __m256i before = _mm256_setzero_si256();
    int j;
    UNROLL
    for (j = 0; j < STEPS; j++) {
        const __m256i own = _mm256_broadcastsi128_si256(LOAD_HALF(table + 16 * j));
        steps[j] = _mm256_xor_si256(own, before);
        before = own;
    }
}

/* x and y may be the same: the last vector, which may do some again, is loaded first. */
TARGET void intgold_avx2_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    __m256i negative[STEPS], positive[STEPS], last;
    int32_t i;
    if (count < VECTOR) {
        for (i = 0; i < count; i++) y[i] = table[x[i] + 128];
        return;
    }
    avx2_steps_of(table, negative);
    avx2_steps_of(table + 128, positive);
    last = LOAD(x + count - VECTOR);
    for (i = 0; i + VECTOR <= count; i += VECTOR)
        STORE(y + i, avx2_look_up_all(LOAD(x + i), negative, positive));
    if (i < count) STORE(y + count - VECTOR, avx2_look_up_all(last, negative, positive));
}

/* ---- lut_lines. */

/* The sums of 16 inputs, a byte of x above one of the fraction: 256 * x + fraction. */
INLINE TARGET __m256i avx2_line_sums(const intgold_table_line *line, __m256i inputs) {
    return _mm256_adds_epi16(
        _mm256_mulhi_epi16(inputs, _mm256_set1_epi16((short)line->slope)),
        _mm256_set1_epi16((short)line->base));
}

INLINE TARGET __m256i avx2_lines_vector(const intgold_table_lines *lines, int32_t count,
                                        __m256i x) {
    const __m128i shift = _mm_cvtsi32_si128(lines->shift);
    __m256i fraction = _mm256_set1_epi8((char)lines->line[0].fraction), y;
    __m256i low = avx2_line_sums(&lines->line[0], _mm256_unpacklo_epi8(fraction, x));
    __m256i high = avx2_line_sums(&lines->line[0], _mm256_unpackhi_epi8(fraction, x));
    if (count == 2) {
        fraction = _mm256_set1_epi8((char)lines->line[1].fraction);
        low = _mm256_max_epi16(
            low, avx2_line_sums(&lines->line[1], _mm256_unpacklo_epi8(fraction, x)));
        high = _mm256_max_epi16(
            high, avx2_line_sums(&lines->line[1], _mm256_unpackhi_epi8(fraction, x)));
    }
    y = _mm256_packs_epi16(_mm256_sra_epi16(low, shift), _mm256_sra_epi16(high, shift));
    return _mm256_min_epi8(_mm256_max_epi8(y, _mm256_set1_epi8((char)lines->min)),
                           _mm256_set1_epi8((char)lines->max));
}

/* x and y may be the same: the last vector, which may do some again, is loaded first. */
INLINE TARGET void avx2_lines(const intgold_table_lines *of, int32_t lines_count, const int8_t *x,
                              int32_t count, int8_t *y) {
    const intgold_table_lines lines = *of; /* a copy, which stores to y cannot change */
    int8_t few[VECTOR] = {0};
    __m256i last;
    int32_t i;
    if (count < VECTOR) {
        memcpy(few, x, (size_t)count);
        STORE(few, avx2_lines_vector(&lines, lines_count, LOAD(few)));
        memcpy(y, few, (size_t)count);
        return;
    }
    last = LOAD(x + count - VECTOR);
    for (i = 0; i + VECTOR <= count; i += VECTOR)
        STORE(y + i, avx2_lines_vector(&lines, lines_count, LOAD(x + i)));
    if (i < count) STORE(y + count - VECTOR, avx2_lines_vector(&lines, lines_count, last));
}

TARGET void intgold_avx2_lut_lines(const intgold_table_lines *lines, const int8_t *x,
                                   int32_t count, int8_t *y) {
    if (lines->count == 1)
        avx2_lines(lines, 1, x, count, y);
    else
        avx2_lines(lines, 2, x, count, y);
}

#else
typedef int intgold_no_avx2_pools; /* C99 wants a declaration in every file */
#endif
