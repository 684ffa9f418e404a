/* convolve() and multiply() with NEON, for a file that has defined NAME(),
 * TARGET and
 *
 *     four_words, four_words_at(x)       four words of a pixel in a register
 *     weights, weights_at(w)             what meets one step of them: STEP_BYTES per vector
 *     ADD(sums, weights, words, n)       two registers of sums, step n of the words, a literal
 *     ALL_STEPS(DO), WORD_STEPS(DO)      DO(0) DO(1) ... for all four words, for the first
 *
 *     products                           sums of a pixel, not yet added up to lanes
 *     add_products(products, x, w)       add a vector of words times one of weights
 *     low_sums(products), high_sums()    what they are in lanes 0-3 and 4-7 */

#define add_run NAME(add_run)
#define tile NAME(tile)
#define tile_of NAME(tile_of)
#define multiply_tile NAME(multiply_tile)

/* ---- convolve: `columns` pixels times two vectors of 8 channels in registers.
 *
 *           weights0[k]  weights1[k]     per four words of a run: one load per pixel, and per
 *     x[0]  sums[0][0]   sums[0][1]      step two loads of weights, which meet one lane of each
 *     x[1]  sums[1][0]   sums[1][1]      pixel's register
 *     ...                                Where the second vector is the row below (shift > 0),
 *                                        its runs start later, and the last ones are its own. */

/* gcc would load the weights of all steps first, for which there are no registers. */
#if defined(__clang__)
#define IN_ORDER
#else
#define IN_ORDER __asm__ volatile("" ::: "memory");
#endif

/* Step n of the words that `words` holds; a vector of weights that is not wanted is not read. */
#define STEP(n)                                                                               \
    {                                                                                         \
        IN_ORDER                                                                              \
        const weights by0 = weights_at((first ? weights0 : weights1) + (n) * STEP_BYTES);     \
        const weights by1 = weights_at((second ? weights1 : weights0) + (n) * STEP_BYTES);    \
        UNROLL for (i = 0; i < columns; i++) {                                                \
            if (first) ADD(sums[i][0], by0, words[i], n);                                     \
            if (second) ADD(sums[i][1], by1, words[i], n);                                    \
        }                                                                                     \
    }

/* One run.  Its last words come one by one, as the first of four, of which the others may lie
 * beyond the run. */
INLINE TARGET void add_run(int32x4_t sums[][2][2], const char *x, size_t step, int32_t run,
                           const char *weights0, const char *weights1, const int columns,
                           const int first, const int second) {
    const char *at[COLUMNS];
    four_words words[COLUMNS];
    int32_t k = 0;
    int i;
    UNROLL for (i = 0; i < columns; i++) at[i] = x + (size_t)i * step;
    for (; k + 4 <= run; k += 4, weights0 += 4 * VECTOR, weights1 += 4 * VECTOR) {
        UNROLL for (i = 0; i < columns; i++, at[i - 1] += 16) words[i] = four_words_at(at[i]);
        ALL_STEPS(STEP)
    }
    for (; k < run; k++, weights0 += VECTOR, weights1 += VECTOR) {
        UNROLL for (i = 0; i < columns; i++, at[i - 1] += 4) words[i] = four_words_at(at[i]);
        WORD_STEPS(STEP)
    }
}

INLINE TARGET void tile(const intgold_strip *strip, int32_t *result, const int columns,
                        const int second) {
    const size_t panel = (size_t)strip->run * VECTOR;
    const int32_t shift = second ? strip->shift : 0, n = strip->n_segments;
    const char *w0 = (const char *)strip->weights0;
    const char *w1 = second ? (const char *)strip->weights1 : w0;
    int32x4_t sums[COLUMNS][2][2];
    int32_t s = 0;
    int i;
    UNROLL for (i = 0; i < columns; i++) {
        sums[i][0][0] = vld1q_s32(strip->bias0);
        sums[i][0][1] = vld1q_s32(strip->bias0 + 4);
        if (second) sums[i][1][0] = vld1q_s32(strip->bias1);
        if (second) sums[i][1][1] = vld1q_s32(strip->bias1 + 4);
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
    UNROLL for (i = 0; i < columns; i++, result += 2 * LANES) {
        vst1q_s32(result, sums[i][0][0]);
        vst1q_s32(result + 4, sums[i][0][1]);
        if (second) vst1q_s32(result + LANES, sums[i][1][0]);
        if (second) vst1q_s32(result + LANES + 4, sums[i][1][1]);
    }
}

INLINE TARGET void tile_of(const intgold_strip *strip, int32_t *sums, const int second) {
    switch (strip->columns) {
    case 1: tile(strip, sums, 1, second); break;
    case 2: tile(strip, sums, 2, second); break;
    case 3: tile(strip, sums, 3, second); break;
    case 4: tile(strip, sums, 4, second); break;
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

/* ---- depthwise: word c of a vector holds rows of channel c, one product of words per tap. */

#define TILE 4

INLINE TARGET void multiply_tile(const intgold_strip *strip, const char *x, int32_t *result,
                                 const int columns) {
    const int32x4_t low = vld1q_s32(strip->bias0), high = vld1q_s32(strip->bias0 + 4);
    const char *w = (const char *)strip->weights0;
    products sums[TILE];
    int32_t s;
    int i;
    memset(sums, 0, sizeof sums);
    for (s = 0; s < strip->n_segments; s++, w += VECTOR) {
        const char *at = x + strip->segments[s];
        UNROLL for (i = 0; i < columns; i++)
            sums[i] = add_products(sums[i], at + (size_t)i * strip->column_step, w);
    }
    UNROLL for (i = 0; i < columns; i++, result += LANES) {
        vst1q_s32(result, vaddq_s32(low, low_sums(sums[i])));
        vst1q_s32(result + 4, vaddq_s32(high, high_sums(sums[i])));
    }
}

TARGET static void NAME(multiply)(const intgold_strip *strip, int32_t *sums) {
    const size_t step = strip->column_step;
    const char *x = strip->x;
    int32_t i = 0;
    for (; i + TILE <= strip->columns; i += TILE, x += TILE * step, sums += TILE * LANES)
        multiply_tile(strip, x, sums, TILE);
    for (; i < strip->columns; i++, x += step, sums += LANES) multiply_tile(strip, x, sums, 1);
}
