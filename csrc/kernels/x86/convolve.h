/* convolve() with x86 vectors, for a file that has defined NAME(), TARGET, GROUP,
 * the vectors of avx2.h or avx512.h, and
 *
 *     INLINE TARGET vector add_products(vector sums, vector words, vector weights); */

#define load_word NAME(load_word)
#define add_run NAME(add_run)
#define tile NAME(tile)
#define tile_of NAME(tile_of)

/* ---- convolve: `columns` pixels times two vectors of channels in registers.
 *
 *           weights0[k]  weights1[k]     per word k of a run: two loads of weights, a broadcast
 *     x[0]  sums[0][0]   sums[0][1]      per pixel, which its two products share
 *     x[1]  sums[1][0]   sums[1][1]
 *     ...                                Where the second vector is the row below (shift > 0),
 *                                        its runs start later, and the last ones are its own. */

/* A word of a pixel in every lane. */
INLINE TARGET vector load_word(const char *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    return ALL_LANES(word);
}

/* One run.  Every third pixel has an address of its own; the others are one and two steps on,
 * which an x86 address adds for nothing. */
INLINE TARGET void add_run(vector sums[][2], const char *x, size_t step, int32_t run,
                           const char *weights0, const char *weights1, const int columns,
                           const int first, const int second) {
    const char *at[(COLUMNS + 2) / 3];
    int32_t k;
    int i;
    UNROLL for (i = 0; i < (columns + 2) / 3; i++) at[i] = x + (size_t)i * 3 * step;
    for (k = 0; k < run; k++) {
        const size_t place = (size_t)k * VECTOR;
        vector w0 = ALL_LANES(0), w1 = w0;
        if (first) w0 = LOAD(weights0 + place);
        if (second) w1 = LOAD(weights1 + place);
        UNROLL for (i = 0; i < columns; i++) {
            const vector word = load_word(at[i / 3] + (size_t)(i % 3) * step);
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
    const char *w0 = (const char *)strip->weights0;
    const char *w1 = second ? (const char *)strip->weights1 : w0;
    vector sums[COLUMNS][2];
    int32_t s = 0;
    int i;
    UNROLL for (i = 0; i < columns; i++) {
        sums[i][0] = LOAD(strip->bias0);
        if (second) sums[i][1] = LOAD(strip->bias1);
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
        STORE(result + 2 * LANES * i, sums[i][0]);
        if (second) STORE(result + 2 * LANES * i + LANES, sums[i][1]);
    }
}

#define TILE(n) \
    case n: tile(strip, sums, n, second); break

INLINE TARGET void tile_of(const intgold_strip *strip, int32_t *sums, const int second) {
    switch (strip->columns) {
        TILE(1);
        TILE(2);
        TILE(3);
        TILE(4);
        TILE(5);
#if COLUMNS > 6
        TILE(6);
        TILE(7);
        TILE(8);
        TILE(9);
        TILE(10);
        TILE(11);
        TILE(12);
        TILE(13);
#endif
    default: tile(strip, sums, COLUMNS, second); break;
    }
}

/* Pixels are shared out evenly, so that no tile is too small to hide the sums' latency. */
TARGET static void NAME(convolve)(const intgold_strip *strip, int32_t *sums) {
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
