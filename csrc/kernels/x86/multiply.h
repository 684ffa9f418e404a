/* multiply() with x86 vectors, for a file that has included convolve.h. */

#define multiply_tile NAME(multiply_tile)

/* ---- depthwise: lane c of a vector holds GROUP rows of channel c, one product per tap. */

INLINE TARGET void multiply_tile(const intgold_strip *strip, const char *x, int32_t *result,
                                 const int columns) {
    const char *w = (const char *)strip->weights0;
    vector sums[8];
    int32_t s;
    int i;
    UNROLL for (i = 0; i < columns; i++) sums[i] = LOAD(strip->bias0);
    for (s = 0; s < strip->n_segments; s++, w += VECTOR) {
        const char *at = x + strip->segments[s];
        const vector weights = LOAD(w);
        UNROLL for (i = 0; i < columns; i++)
            sums[i] = add_products(sums[i], LOAD(at + (size_t)i * strip->column_step), weights);
    }
    UNROLL for (i = 0; i < columns; i++) STORE(result + LANES * i, sums[i]);
}

/* Pixels are shared out evenly between tiles of at most eight. */
TARGET static void NAME(multiply)(const intgold_strip *strip, int32_t *sums) {
    const int32_t columns = strip->columns, tiles = intgold_blocks(columns, 8);
    int32_t i, from = 0;
    for (i = 1; i <= tiles; i++) {
        const int32_t to = columns * i / tiles;
        const char *x = strip->x + (size_t)from * strip->column_step;
        int32_t *result = sums + (size_t)from * LANES;
        switch (to - from) {
        case 1: multiply_tile(strip, x, result, 1); break;
        case 2: multiply_tile(strip, x, result, 2); break;
        case 3: multiply_tile(strip, x, result, 3); break;
        case 4: multiply_tile(strip, x, result, 4); break;
        case 5: multiply_tile(strip, x, result, 5); break;
        case 6: multiply_tile(strip, x, result, 6); break;
        case 7: multiply_tile(strip, x, result, 7); break;
        default: multiply_tile(strip, x, result, 8); break;
        }
        from = to;
    }
}
