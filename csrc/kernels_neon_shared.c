/* finish(), pools and tables with NEON, for the variants neon and dotprod. */
#include "kernels.h"

#if defined(INTGOLD_HAS_NEON)
#include "neon.h"

#include "block_tail.h"
#include "requantize_neon.h"

enum { HALF = 16 };

/* ---- finish: four registers of sums make 16 bytes, two blocks of one pixel or one of two.
 *
 * Saturating narrowing only clamps what the clamp to act_min .. act_max inside int8 clamps
 * anyway, so that the zero point may be added on the way.  Forms and shifts that a block has in
 * all lanes take requantize_neon.h, the rest goes channel by channel. */

size_t intgold_neon_tail_packed_size(int32_t channels) { return block_tails_size(channels); }

void intgold_neon_tail_pack(const intgold_tail *tail, int32_t channels, void *packed) {
    static const block_rules rules = {32, 62, 0};
    block_tails_pack(&rules, tail, channels, packed);
}

/* Where four registers of sums come from, and how they become outputs. */
typedef struct work {
    const int32_t *sums, *below;
    size_t step;
    int32x4_t multiplier[4], right_shift[4]; /* per register */
    int form;
    int16x8_t zero_point;
    int8x16_t least, most;
} work;

INLINE work work_of(const intgold_tail *tail, const block_tail *blocks, const intgold_pixels *at,
                    const int vectors) {
    work made;
    int j;
    made.sums = at->sums;
    made.below = at->below;
    made.step = at->step;
    UNROLL for (j = 0; j < 4; j++) {
        const block_tail *block = blocks + (vectors == 2 ? j / 2 : 0);
        made.multiplier[j] = vld1q_s32(block->multiplier + 4 * (j % 2));
        made.right_shift[j] = vld1q_s32(block->right_shift + 4 * (j % 2));
    }
    made.form = blocks->form;
    made.zero_point = vdupq_n_s16((int16_t)tail->y_zero_point);
    made.least = vdupq_n_s8((int8_t)tail->act_min);
    made.most = vdupq_n_s8((int8_t)tail->act_max);
    return made;
}

/* Sums of a pixel from place `left` on, or the greatest of four pixels in two rows. */
INLINE int32x4_t sums_of(const work *at, size_t left, const int pooled) {
    const size_t right = left + at->step;
    if (!pooled) return vld1q_s32(at->sums + left);
    return vmaxq_s32(vmaxq_s32(vld1q_s32(at->sums + left), vld1q_s32(at->sums + right)),
                     vmaxq_s32(vld1q_s32(at->below + left), vld1q_s32(at->below + right)));
}

/* Sixteen values; where the second output is not there, the first comes twice. */
INLINE int8x16_t group(const work *at, int32_t live, const int vectors, const int pooled,
                       const int any) {
    const size_t next = live > 1 ? at->step * (pooled ? 2 : 1) : 0;
    int32x4_t y[4];
    int16x8_t low, high;
    int8x16_t bytes;
    int j;
    UNROLL for (j = 0; j < 4; j++) {
        const size_t place = vectors == 2 || j < 2 ? 4 * (size_t)j : next + 4 * (size_t)(j % 2);
        const int32x4_t sums = sums_of(at, place, pooled);
        y[j] = any ? intgold_scale_acc_neon(sums, at->multiplier[j], at->right_shift[j], at->form)
                   : intgold_scale_simple_neon(sums, at->multiplier[j], at->right_shift[j]);
    }
    low = vqmovn_high_s32(vqmovn_s32(y[0]), y[1]);
    high = vqmovn_high_s32(vqmovn_s32(y[2]), y[3]);
    bytes = vqmovn_high_s16(vqmovn_s16(vqaddq_s16(low, at->zero_point)),
                            vqaddq_s16(high, at->zero_point));
    return vminq_s8(vmaxq_s8(bytes, at->least), at->most);
}

/* Copy up to 15 bytes, in powers of two. */
INLINE void copy(int8_t *to, const int8_t *from, int32_t count) {
    if (count & 8) memcpy(to, from, 8), to += 8, from += 8;
    if (count & 4) memcpy(to, from, 4), to += 4, from += 4;
    if (count & 2) memcpy(to, from, 2), to += 2, from += 2;
    if (count & 1) *to = *from;
}

/* Any number of channels and outputs: `width` bytes of each output lie side by side. */
INLINE void store_group(int32_t fold, const intgold_pixels *at, int32_t i, int32_t outputs,
                        int32_t channels, int32_t width, int8x16_t bytes) {
    int8_t all[HALF];
    int32_t j;
    vst1q_s8(all, bytes);
    for (j = 0; j < outputs; j++) {
        const size_t place = (size_t)(i + j) * at->y_step;
        copy(at->y + place, all + j * width, channels);
        if (fold && at->y_below) copy(at->y_below + place, all + j * width + fold, channels);
    }
}

INLINE void finish_blocks(const intgold_tail *tail, const block_tail *blocks, int32_t channels,
                          const intgold_pixels *pixels, const int vectors, const int pooled,
                          const int any) {
    const intgold_pixels at = *pixels; /* a copy, which stores to y cannot change */
    const int32_t count = pooled ? at.count / 2 : at.count, outputs = 2 / vectors;
    const int32_t width = vectors * LANES, fold = tail->fold;
    const size_t next = (size_t)outputs * at.step * (pooled ? 2 : 1);
    work from = work_of(tail, blocks, &at, vectors);
    int32_t i;
    for (i = 0; i + outputs <= count; i += outputs) {
        const int8x16_t bytes = group(&from, outputs, vectors, pooled, any);
        int8_t *y = at.y + (size_t)i * at.y_step;
        if (channels == width && vectors == 2) {
            vst1q_s8(y, bytes);
        } else if (channels == width) {
            vst1_s8(y, vget_low_s8(bytes));
            vst1_s8(y + at.y_step, vget_high_s8(bytes));
        } else {
            store_group(fold, &at, i, outputs, channels, width, bytes);
        }
        from.sums += next;
        if (pooled) from.below += next;
    }
    if (i < count)
        store_group(fold, &at, i, 1, channels, width, group(&from, 1, vectors, pooled, any));
}

/* One block, or two simple ones. */
static void finish_simple(const intgold_tail *tail, const block_tail *blocks, int32_t channels,
                          const intgold_pixels *at) {
    if (channels > LANES && at->below)
        finish_blocks(tail, blocks, channels, at, 2, 1, 0);
    else if (channels > LANES)
        finish_blocks(tail, blocks, channels, at, 2, 0, 0);
    else if (at->below)
        finish_blocks(tail, blocks, channels, at, 1, 1, 0);
    else
        finish_blocks(tail, blocks, channels, at, 1, 0, 0);
}

static void finish_any(const intgold_tail *tail, const block_tail *block, int32_t channels,
                       const intgold_pixels *at) {
    if (at->below)
        finish_blocks(tail, block, channels, at, 1, 1, 1);
    else
        finish_blocks(tail, block, channels, at, 1, 0, 1);
}

void intgold_neon_finish(const intgold_tail *tail, int32_t first, int32_t channels,
                         const intgold_pixels *at) {
    finish_by_form(tail, first, channels, at, finish_simple, finish_any, 0);
}

/* ---- pools. */

/* Eight channels of all cells, two cells at a time. */
INLINE void add_up_vector(const int8_t *x, int32_t cells, size_t step, uint32_t *sums) {
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

static void add_up_rest(const int8_t *x, int32_t c, int32_t channels, uint32_t *sums) {
    for (; c < channels; c++) {
        const int32_t value = x[c];
        sums[c] += (uint32_t)value;
    }
}

void intgold_neon_add_up(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                         uint32_t *sums) {
    int32_t c, i;
    for (c = 0; c + LANES <= channels; c += LANES) add_up_vector(x + c, cells, step, sums + c);
    for (i = 0; i < cells; i++, x += step) add_up_rest(x, c, channels, sums);
}

INLINE void greatest_vector(const intgold_window *window, int32_t least, size_t c, int8_t *y) {
    int8x16_t most = vdupq_n_s8((int8_t)least);
    int32_t i, j;
    for (i = 0; i < window->rows; i++) {
        const int8_t *x = window->x + (size_t)i * window->row_step + c;
        for (j = 0; j < window->columns; j++, x += window->column_step)
            most = vmaxq_s8(most, vld1q_s8(x));
    }
    vst1q_s8(y + c, most);
}

INLINE void greatest_half(const intgold_window *window, int32_t least, size_t c, int8_t *y) {
    int8x8_t most = vdup_n_s8((int8_t)least);
    int32_t i, j;
    for (i = 0; i < window->rows; i++) {
        const int8_t *x = window->x + (size_t)i * window->row_step + c;
        for (j = 0; j < window->columns; j++, x += window->column_step)
            most = vmax_s8(most, vld1_s8(x));
    }
    vst1_s8(y + c, most);
}

/* The last vector may do some again. */
void intgold_neon_greatest(const intgold_window *window, int32_t least, int32_t channels,
                           int8_t *y) {
    const size_t n = (size_t)channels, vector = HALF;
    size_t c = 0;
    if (n < 8) {
        intgold_kernels_portable.greatest(window, least, channels, y);
        return;
    }
    for (; c + vector <= n; c += vector) greatest_vector(window, least, c, y);
    for (; c + 8 <= n; c += 8) greatest_half(window, least, c, y);
    if (c < n) greatest_half(window, least, n - 8, y);
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
typedef int intgold_no_neon_shared; /* C99 wants a declaration in every file */
#endif
