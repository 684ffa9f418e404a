/* epilogue() with NEON, for the variants neon and dotprod. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_NEON)
#define NAME(name) neon_##name
#define TARGET

#include "kernels/arm/neon.h"

#include "kernels/arm/requantize_neon.h"
#include "kernels/generic/lane_epilogue.h"

/* ---- epilogue: four registers of sums make 16 bytes, two blocks of one pixel or one of two.
 *
 * Saturating narrowing only clamps what the clamp to act_min .. act_max inside int8 clamps
 * anyway, so that the zero point may be added on the way.  Forms and shifts that a block has in
 * all lanes take requantize_neon.h, the rest goes channel by channel. */

size_t intgold_neon_epilogue_packed_size(int32_t channels) {
    return lane_epilogues_size(channels);
}

void intgold_neon_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels,
                                void *packed) {
    static const intgold_lane_rules rules = {32, 62, 0};
    lane_epilogues_pack(&rules, epilogue, channels, packed);
}

/* Where four registers of sums come from, and how they become outputs. */
typedef struct neon_work {
    const int32_t *sums, *below;
    size_t step;
    int32x4_t multiplier[4], right_shift[4]; /* per register */
    int form;
    int16x8_t zero_point;
    int8x16_t min, max;
} neon_work;

INLINE neon_work neon_work_of(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                              const intgold_pixels *at, const int vectors) {
    neon_work made;
    int j;
    made.sums = at->sums;
    made.below = at->below;
    made.step = at->step;
    UNROLL for (j = 0; j < 4; j++) {
        const lane_epilogue *block = blocks + (vectors == 2 ? j / 2 : 0);
        made.multiplier[j] = vld1q_s32(block->multiplier + 4 * (j % 2));
        made.right_shift[j] = vld1q_s32(block->right_shift + 4 * (j % 2));
    }
    made.form = blocks->form;
    made.zero_point = vdupq_n_s16((int16_t)epilogue->y_zero_point);
    made.min = vdupq_n_s8((int8_t)epilogue->act_min);
    made.max = vdupq_n_s8((int8_t)epilogue->act_max);
    return made;
}

/* Sums of a pixel from place `left` on, or the maximum of four pixels in two rows. */
INLINE int32x4_t neon_sums_of(const neon_work *at, size_t left, const int pooled) {
    const size_t right = left + at->step;
    if (!pooled) return vld1q_s32(at->sums + left);
    return vmaxq_s32(vmaxq_s32(vld1q_s32(at->sums + left), vld1q_s32(at->sums + right)),
                     vmaxq_s32(vld1q_s32(at->below + left), vld1q_s32(at->below + right)));
}

/* Sixteen values; where the second output is not there, the first comes twice. */
INLINE int8x16_t neon_group(const neon_work *at, int32_t live, const int vectors,
                            const int pooled, const int any) {
    const size_t next = live > 1 ? at->step * (pooled ? 2 : 1) : 0;
    int32x4_t y[4];
    int16x8_t low, high;
    int8x16_t bytes;
    int j;
    UNROLL for (j = 0; j < 4; j++) {
        const size_t place = vectors == 2 || j < 2 ? 4 * (size_t)j : next + 4 * (size_t)(j % 2);
        const int32x4_t sums = neon_sums_of(at, place, pooled);
        y[j] = any ? intgold_scale_acc_neon(sums, at->multiplier[j], at->right_shift[j], at->form)
                   : intgold_scale_simple_neon(sums, at->multiplier[j], at->right_shift[j]);
    }
    low = vqmovn_high_s32(vqmovn_s32(y[0]), y[1]);
    high = vqmovn_high_s32(vqmovn_s32(y[2]), y[3]);
    bytes = vqmovn_high_s16(vqmovn_s16(vqaddq_s16(low, at->zero_point)),
                            vqaddq_s16(high, at->zero_point));
    return vminq_s8(vmaxq_s8(bytes, at->min), at->max);
}

/* Copy up to 15 bytes, in powers of two. */
INLINE void neon_copy(int8_t *to, const int8_t *from, int32_t count) {
    if (count & 8) memcpy(to, from, 8), to += 8, from += 8;
    if (count & 4) memcpy(to, from, 4), to += 4, from += 4;
    if (count & 2) memcpy(to, from, 2), to += 2, from += 2;
    if (count & 1) *to = *from;
}

/* Any number of channels and outputs: `width` bytes of each output lie side by side. */
INLINE void neon_store_group(int32_t fold, const intgold_pixels *at, int32_t i, int32_t outputs,
                             int32_t channels, int32_t width, int8x16_t bytes) {
    int8_t all[HALF];
    int32_t j;
    vst1q_s8(all, bytes);
    for (j = 0; j < outputs; j++) {
        const size_t place = (size_t)(i + j) * at->y_step;
        neon_copy(at->y + place, all + j * width, channels);
        if (fold && at->y_below) neon_copy(at->y_below + place, all + j * width + fold, channels);
    }
}

INLINE void neon_epilogue_blocks(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                                 int32_t channels, const intgold_pixels *pixels,
                                 const int vectors, const int pooled, const int any) {
    const intgold_pixels at = *pixels; /* a copy, which stores to y cannot change */
    const int32_t count = pooled ? at.count / 2 : at.count, outputs = 2 / vectors;
    const int32_t width = vectors * LANES, fold = epilogue->fold;
    const size_t next = (size_t)outputs * at.step * (pooled ? 2 : 1);
    neon_work from = neon_work_of(epilogue, blocks, &at, vectors);
    int32_t i;
    for (i = 0; i + outputs <= count; i += outputs) {
        const int8x16_t bytes = neon_group(&from, outputs, vectors, pooled, any);
        int8_t *y = at.y + (size_t)i * at.y_step;
        if (channels == width && vectors == 2) {
            vst1q_s8(y, bytes);
        } else if (channels == width) {
            vst1_s8(y, vget_low_s8(bytes));
            vst1_s8(y + at.y_step, vget_high_s8(bytes));
        } else {
            neon_store_group(fold, &at, i, outputs, channels, width, bytes);
        }
        from.sums += next;
        if (pooled) from.below += next;
    }
    if (i < count)
        neon_store_group(fold, &at, i, 1, channels, width,
                         neon_group(&from, 1, vectors, pooled, any));
}

/* One block, or two simple ones. */
static void neon_epilogue_simple(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                                 int32_t channels, const intgold_pixels *at) {
    if (channels > LANES && at->below)
        neon_epilogue_blocks(epilogue, blocks, channels, at, 2, 1, 0);
    else if (channels > LANES)
        neon_epilogue_blocks(epilogue, blocks, channels, at, 2, 0, 0);
    else if (at->below)
        neon_epilogue_blocks(epilogue, blocks, channels, at, 1, 1, 0);
    else
        neon_epilogue_blocks(epilogue, blocks, channels, at, 1, 0, 0);
}

static void neon_epilogue_any(const intgold_epilogue *epilogue, const lane_epilogue *block,
                              int32_t channels, const intgold_pixels *at) {
    if (at->below)
        neon_epilogue_blocks(epilogue, block, channels, at, 1, 1, 1);
    else
        neon_epilogue_blocks(epilogue, block, channels, at, 1, 0, 1);
}

void intgold_neon_epilogue(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                           const intgold_pixels *at) {
    epilogue_by_form(epilogue, first, channels, at, neon_epilogue_simple, neon_epilogue_any, 0);
}

#else
typedef int intgold_no_neon_epilogue; /* C99 wants a declaration in every file */
#endif
