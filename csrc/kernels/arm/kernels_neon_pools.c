/* Pools, products and tables with NEON, for the variants neon and dotprod. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_NEON)
#define NAME(name) neon_##name
#define TARGET

#include "kernels/arm/neon.h"

#define window_sum_vector NAME(window_sum_vector)
#define window_max_whole NAME(window_max_whole)
#define window_max_few NAME(window_max_few)

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

INLINE void window_max_whole(const intgold_windows *windows, const int8_t *x, int32_t min,
                             int8_t *y) {
    int8x16_t max = vdupq_n_s8((int8_t)min);
    int32_t i, j;
    for (i = 0; i < windows->rows; i++) {
        const int8_t *at = x + (size_t)i * windows->row_step;
        for (j = 0; j < windows->columns; j++, at += windows->column_step)
            max = vmaxq_s8(max, vld1q_s8(at));
    }
    vst1q_s8(y, max);
}

INLINE void window_max_few(const intgold_windows *windows, const int8_t *x, int32_t min,
                           int8_t *y) {
    int8x8_t max = vdup_n_s8((int8_t)min);
    int32_t i, j;
    for (i = 0; i < windows->rows; i++) {
        const int8_t *at = x + (size_t)i * windows->row_step;
        for (j = 0; j < windows->columns; j++, at += windows->column_step)
            max = vmax_s8(max, vld1_s8(at));
    }
    vst1_s8(y, max);
}

#define WINDOW_SUM intgold_neon_window_sum
#define WINDOW_MAX intgold_neon_window_max
#define WHOLE HALF
#define PART FEW
#define FEW LANES
#define window_max_part window_max_few
#include "kernels/generic/window_loops.h"

/* ---- mul. */

void intgold_neon_mul_products(const int8_t *x1, int32_t zero_point1, const int8_t *x2,
                               int32_t zero_point2, int32_t count, int32_t *sums) {
    const int8x8_t zero1 = vdup_n_s8((int8_t)zero_point1), zero2 = vdup_n_s8((int8_t)zero_point2);
    int32_t i;
    for (i = 0; i + LANES <= count; i += LANES) {
        const int16x8_t first = vsubl_s8(vld1_s8(x1 + i), zero1);
        const int16x8_t second = vsubl_s8(vld1_s8(x2 + i), zero2);
        vst1q_s32(sums + i, vmull_s16(vget_low_s16(first), vget_low_s16(second)));
        vst1q_s32(sums + i + 4, vmull_high_s16(first, second));
    }
    for (; i < count; i++) sums[i] = (x1[i] - zero_point1) * (x2[i] - zero_point2);
}

/* ---- lut: four tables of 64 entries; an index beyond one leaves what is there. */

/* Registers in a row; loaded one by one, gcc moves them there at each use. */
INLINE int8x16x4_t neon_part_of(const int8_t *table) {
#if defined(__clang__) || __GNUC__ > 10
    return vld1q_s8_x4(table);
#else
    int8x16x4_t part;
    int j;
    UNROLL for (j = 0; j < 4; j++) part.val[j] = vld1q_s8(table + 16 * j);
    return part;
#endif
}

INLINE int8x16_t neon_look_up(int8x16x4_t part0, int8x16x4_t part1, int8x16x4_t part2,
                              int8x16x4_t part3, int8x16_t x) {
    const uint8x16_t index = veorq_u8(vreinterpretq_u8_s8(x), vdupq_n_u8(128));
    int8x16_t found = vqtbl4q_s8(part0, index);
    found = vqtbx4q_s8(found, part1, vsubq_u8(index, vdupq_n_u8(64)));
    found = vqtbx4q_s8(found, part2, vsubq_u8(index, vdupq_n_u8(128)));
    return vqtbx4q_s8(found, part3, vsubq_u8(index, vdupq_n_u8(192)));
}

/* x and y may be the same: the last vector, which may do some again, is loaded first. */
void intgold_neon_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    const int8x16x4_t part0 = neon_part_of(table), part1 = neon_part_of(table + 64);
    const int8x16x4_t part2 = neon_part_of(table + 128), part3 = neon_part_of(table + 192);
    int8x16_t last;
    int32_t i;
    if (count < HALF) {
        for (i = 0; i < count; i++) y[i] = table[x[i] + 128];
        return;
    }
    last = vld1q_s8(x + count - HALF);
    for (i = 0; i + HALF <= count; i += HALF)
        vst1q_s8(y + i, neon_look_up(part0, part1, part2, part3, vld1q_s8(x + i)));
    if (i < count) vst1q_s8(y + count - HALF, neon_look_up(part0, part1, part2, part3, last));
}

#else
typedef int intgold_no_neon_pools; /* C99 wants a declaration in every file */
#endif
