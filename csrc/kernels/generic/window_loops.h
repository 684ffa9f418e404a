/* window_sum() and window_max() in whole vectors, for a file that has defined NAME(), TARGET,
 * LANES and
 *
 *     WINDOW_SUM, WINDOW_MAX                       what they are called
 *     WHOLE, PART, FEW                             channels of a vector, fewer, and the fewest
 *     window_sum_vector(x, cells, step, sums)      LANES channels of all cells
 *     window_max_whole(windows, x, min, y)         WHOLE channels of the window at x
 *     window_max_part(windows, x, min, y)          PART channels
 *     window_max_few(windows, x, min, y)           FEW channels */

#define window_sum_rest NAME(window_sum_rest)
#define window_max_one NAME(window_max_one)

static void window_sum_rest(const int8_t *x, int32_t c, int32_t channels, uint32_t *sums) {
    for (; c < channels; c++) {
        const int32_t value = x[c];
        sums[c] += (uint32_t)value;
    }
}

TARGET void WINDOW_SUM(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                       uint32_t *sums) {
    int32_t c, i;
    for (c = 0; c + LANES <= channels; c += LANES) window_sum_vector(x + c, cells, step, sums + c);
    for (i = 0; i < cells; i++, x += step) window_sum_rest(x, c, channels, sums);
}

/* The last vector may do some channels again. */
INLINE TARGET void window_max_one(const intgold_windows *windows, const int8_t *x, int32_t min,
                                  size_t channels, int8_t *y) {
    size_t c = 0;
    for (; c + WHOLE <= channels; c += WHOLE) window_max_whole(windows, x + c, min, y + c);
    for (; c + PART <= channels; c += PART) window_max_part(windows, x + c, min, y + c);
    for (; c + FEW <= channels; c += FEW) window_max_few(windows, x + c, min, y + c);
    if (c < channels) window_max_few(windows, x + channels - FEW, min, y + channels - FEW);
}

TARGET void WINDOW_MAX(const intgold_windows *at, int32_t min, int32_t channels, int8_t *y) {
    const intgold_windows windows = *at; /* a copy, which stores to y cannot change */
    const size_t n = (size_t)channels;
    size_t w;
    if (channels < FEW) {
        intgold_kernels_portable.window_max(at, min, channels, y);
        return;
    }
    for (w = 0; w < (size_t)windows.count; w++)
        window_max_one(&windows, windows.x + w * windows.step, min, n, y + w * n);
}
