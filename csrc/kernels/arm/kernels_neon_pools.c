/* Pools and tables with NEON, for the variants neon and dotprod. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_NEON)
#include "kernels/arm/neon.h"

enum { HALF = 16 };

/* ---- pools. */

/* Eight channels of all cells, two cells at a time. */
INLINE void window_sum_vector(const int8_t *x, int32_t cells, size_t step, uint32_t *sums) {
    int32x4_t low = vreinterpretq_s32_u32(vld1q_u32(sums));
    int32x4_t high = vreinterpretq_s32_u32(vld1q_u32(sums + 4));
    int32_t i;
    for (i = 0; i < cells; i += 2, x += 2 * step) {
        const int8x8_t one = vld1_s8(x), two = i + 1 < cells ? vld1_s8(x + step) : vdup_n_s8(0);
        const int16x8_t both = vaddl_s8(one, two);
        low = vaddw_s16(low, vget_low_s16(both));
        high = vaddw_high_s16(high, both);
    }
    vst1q_u32(sums, vreinterpretq_u32_s32(low));
    vst1q_u32(sums + 4, vreinterpretq_u32_s32(high));
}

static void window_sum_rest(const int8_t *x, int32_t c, int32_t channels, uint32_t *sums) {
    for (; c < channels; c++) {
        const int32_t value = x[c];
        sums[c] += (uint32_t)value;
    }
}

void intgold_neon_window_sum(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                         uint32_t *sums) {
    int32_t c, i;
    for (c = 0; c + LANES <= channels; c += LANES) window_sum_vector(x + c, cells, step, sums + c);
    for (i = 0; i < cells; i++, x += step) window_sum_rest(x, c, channels, sums);
}

INLINE void window_max_vector(const intgold_window *window, int32_t min, size_t c, int8_t *y) {
    int8x16_t max = vdupq_n_s8((int8_t)min);
    int32_t i, j;
    for (i = 0; i < window->rows; i++) {
        const int8_t *x = window->x + (size_t)i * window->row_step + c;
        for (j = 0; j < window->columns; j++, x += window->column_step)
            max = vmaxq_s8(max, vld1q_s8(x));
    }
    vst1q_s8(y + c, max);
}

INLINE void window_max_half(const intgold_window *window, int32_t min, size_t c, int8_t *y) {
    int8x8_t max = vdup_n_s8((int8_t)min);
    int32_t i, j;
    for (i = 0; i < window->rows; i++) {
        const int8_t *x = window->x + (size_t)i * window->row_step + c;
        for (j = 0; j < window->columns; j++, x += window->column_step)
            max = vmax_s8(max, vld1_s8(x));
    }
    vst1_s8(y + c, max);
}

/* The last vector may do some again. */
void intgold_neon_window_max(const intgold_window *window, int32_t min, int32_t channels,
                           int8_t *y) {
    const size_t n = (size_t)channels, vector = HALF;
    size_t c = 0;
    if (n < 8) {
        intgold_kernels_portable.window_max(window, min, channels, y);
        return;
    }
    for (; c + vector <= n; c += vector) window_max_vector(window, min, c, y);
    for (; c + 8 <= n; c += 8) window_max_half(window, min, c, y);
    if (c < n) window_max_half(window, min, n - 8, y);
}

/* ---- lut: four tables of 64 entries; an index beyond one leaves what is there. */

/* Registers in a row; loaded one by one, gcc moves them there at each use. */
INLINE int8x16x4_t part_of(const int8_t *table) {
#if defined(__clang__) || __GNUC__ > 10
    return vld1q_s8_x4(table);
#else
    int8x16x4_t part;
    int j;
    UNROLL for (j = 0; j < 4; j++) part.val[j] = vld1q_s8(table + 16 * j);
    return part;
#endif
}

INLINE int8x16_t look_up(int8x16x4_t part0, int8x16x4_t part1, int8x16x4_t part2,
                         int8x16x4_t part3, int8x16_t x) {
    const uint8x16_t index = veorq_u8(vreinterpretq_u8_s8(x), vdupq_n_u8(128));
    int8x16_t found = vqtbl4q_s8(part0, index);
    found = vqtbx4q_s8(found, part1, vsubq_u8(index, vdupq_n_u8(64)));
    found = vqtbx4q_s8(found, part2, vsubq_u8(index, vdupq_n_u8(128)));
    return vqtbx4q_s8(found, part3, vsubq_u8(index, vdupq_n_u8(192)));
}

/* x and y may be the same: the last vector, which may do some again, is loaded first. */
void intgold_neon_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    const int8x16x4_t part0 = part_of(table), part1 = part_of(table + 64);
    const int8x16x4_t part2 = part_of(table + 128), part3 = part_of(table + 192);
    int8x16_t last;
    int32_t i;
    if (count < HALF) {
        for (i = 0; i < count; i++) y[i] = table[x[i] + 128];
        return;
    }
    last = vld1q_s8(x + count - HALF);
    for (i = 0; i + HALF <= count; i += HALF)
        vst1q_s8(y + i, look_up(part0, part1, part2, part3, vld1q_s8(x + i)));
    if (i < count) vst1q_s8(y + count - HALF, look_up(part0, part1, part2, part3, last));
}

#else
typedef int intgold_no_neon_pools; /* C99 wants a declaration in every file */
#endif
