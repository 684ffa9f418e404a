/* window_sum() and window_max() in whole vectors, for a file that has defined NAME(), TARGET,
 * LANES and
 *
 *     WINDOW_SUM, WINDOW_MAX                       what they are called
 *     WHOLE, PART                                  bytes of a vector and of half of one
 *     window_sum_vector(x, cells, step, sums)      LANES channels of all cells
 *     window_max_whole(window, min, c, y)          WHOLE channels from channel c on
 *     window_max_part(window, min, c, y)           PART channels */

#define window_sum_rest NAME(window_sum_rest)

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

/* The last vector may do some again. */
TARGET void WINDOW_MAX(const intgold_window *window, int32_t min, int32_t channels, int8_t *y) {
    const size_t n = (size_t)channels;
    size_t c = 0;
    if (channels < PART) {
        intgold_kernels_portable.window_max(window, min, channels, y);
        return;
    }
    for (; c + WHOLE <= n; c += WHOLE) window_max_whole(window, min, c, y);
    for (; c + PART <= n; c += PART) window_max_part(window, min, c, y);
    if (c < n) window_max_part(window, min, n - PART, y);
}
