/* convolve() and multiply() with vectors of 256 bits, for a file that has defined TARGET, GROUP
 * and
 *
 *     INLINE TARGET __m256i add_products(__m256i sums, __m256i words, __m256i weights);
 */
#include "kernels/x86/avx2.h"

/* ---- convolve: `columns` pixels times two vectors of 8 channels in registers.
 *
 *           weights0[k]  weights1[k]     per word k of a run: two loads of weights, a broadcast
 *     x[0]  sums[0][0]   sums[0][1]      per pixel, which its two products share
 *     x[1]  sums[1][0]   sums[1][1]
 *     ...                                Where the second vector is the row below (shift > 0),
 *                                        its runs start later, and the last ones are its own. */

INLINE TARGET __m256i broadcast(const char *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    return _mm256_set1_epi32(word);
}

INLINE TARGET __m256i vector(const void *at) { return _mm256_loadu_si256(at); }

/* One run.  Every third pixel has an address of its own; the others are one and two steps on,
 * which an x86 address adds for nothing. */
INLINE TARGET void add_run(__m256i sums[][2], const char *x, size_t step, int32_t run,
                           const char *weights0, const char *weights1, const int columns,
                           const int first, const int second) {
    const char *at[(COLUMNS + 2) / 3];
    int32_t k;
    int i;
    UNROLL for (i = 0; i < (columns + 2) / 3; i++) at[i] = x + (size_t)i * 3 * step;
    for (k = 0; k < run; k++) {
        const size_t place = (size_t)k * VECTOR;
        __m256i w0 = _mm256_setzero_si256(), w1 = w0;
        if (first) w0 = vector(weights0 + place);
        if (second) w1 = vector(weights1 + place);
        UNROLL for (i = 0; i < columns; i++) {
            const __m256i word = broadcast(at[i / 3] + (size_t)(i % 3) * step);
            if (first) sums[i][0] = add_products(sums[i][0], word, w0);
            if (second) sums[i][1] = add_products(sums[i][1], word, w1);
        }
        UNROLL for (i = 0; i < (columns + 2) / 3; i++) at[i] += 4;
    }
}

INLINE TARGET void tile(const intgold_strip *strip, int32_t *result, const int columns,
                        const int second) {
    const size_t panel = (size_t)strip->run * VECTOR;
    const int32_t shift = second ? strip->shift : 0, n = strip->n_segments;
    const char *w0 = strip->weights0, *w1 = second ? strip->weights1 : w0;
    __m256i sums[COLUMNS][2];
    int32_t s = 0;
    int i;
    UNROLL for (i = 0; i < columns; i++) {
        sums[i][0] = vector(strip->bias0);
        if (second) sums[i][1] = vector(strip->bias1);
    }
    for (; s < shift; s++, w0 += panel)
        add_run(sums, strip->x + strip->segments[s], strip->column_step, strip->run, w0, w1,
                columns, 1, 0);
    for (; s < n; s++, w0 += panel, w1 += second ? panel : 0)
        add_run(sums, strip->x + strip->segments[s], strip->column_step, strip->run, w0, w1,
                columns, 1, second);
    for (; s < n + shift; s++, w1 += panel)
        add_run(sums, strip->x + strip->segments[s], strip->column_step, strip->run, w0, w1,
                columns, 0, 1);
    UNROLL for (i = 0; i < columns; i++) {
        _mm256_storeu_si256((void *)(result + 2 * LANES * i), sums[i][0]);
        if (second) _mm256_storeu_si256((void *)(result + 2 * LANES * i + LANES), sums[i][1]);
    }
}

INLINE TARGET void tile_of(const intgold_strip *strip, int32_t *sums, const int second) {
    switch (strip->columns) {
    case 1: tile(strip, sums, 1, second); break;
    case 2: tile(strip, sums, 2, second); break;
    case 3: tile(strip, sums, 3, second); break;
    case 4: tile(strip, sums, 4, second); break;
    case 5: tile(strip, sums, 5, second); break;
    default: tile(strip, sums, 6, second); break;
    }
}

/* Pixels are shared out evenly, so that no tile is too small to hide the sums' latency. */
TARGET static void convolve(const intgold_strip *strip, int32_t *sums) {
    const int32_t columns = strip->columns, tiles = intgold_blocks(columns, COLUMNS);
    intgold_strip part = *strip;
    int32_t i, from = 0;
    for (i = 1; i <= tiles; i++, from += part.columns) {
        part.x = strip->x + (size_t)from * strip->column_step;
        part.columns = columns * i / tiles - from;
        if (strip->weights1)
            tile_of(&part, sums + (size_t)from * 2 * LANES, 1);
        else
            tile_of(&part, sums + (size_t)from * 2 * LANES, 0);
    }
}

/* ---- depthwise: lane c of a vector holds GROUP rows of channel c, one product per tap. */

INLINE TARGET void multiply_tile(const intgold_strip *strip, const char *x, int32_t *result,
                                 const int columns) {
    const char *w = strip->weights0;
    __m256i sums[8];
    int32_t s;
    int i;
    UNROLL for (i = 0; i < columns; i++) sums[i] = vector(strip->bias0);
    for (s = 0; s < strip->n_segments; s++, w += VECTOR) {
        const char *at = x + strip->segments[s];
        const __m256i weights = vector(w);
        UNROLL for (i = 0; i < columns; i++)
            sums[i] = add_products(sums[i], vector(at + (size_t)i * strip->column_step), weights);
    }
    UNROLL for (i = 0; i < columns; i++)
        _mm256_storeu_si256((void *)(result + LANES * i), sums[i]);
}

TARGET static void multiply(const intgold_strip *strip, int32_t *sums) {
    const char *x = strip->x;
    int32_t rest = strip->columns;
    for (; rest >= 8; rest -= 8, x += 8 * strip->column_step, sums += 8 * LANES)
        multiply_tile(strip, x, sums, 8);
    switch (rest) {
    case 0: break;
    case 1: multiply_tile(strip, x, sums, 1); break;
    case 2: multiply_tile(strip, x, sums, 2); break;
    case 3: multiply_tile(strip, x, sums, 3); break;
    case 4: multiply_tile(strip, x, sums, 4); break;
    case 5: multiply_tile(strip, x, sums, 5); break;
    case 6: multiply_tile(strip, x, sums, 6); break;
    default: multiply_tile(strip, x, sums, 7); break;
    }
}
