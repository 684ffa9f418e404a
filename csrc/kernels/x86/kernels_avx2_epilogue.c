/* epilogue() with AVX2, for the variants avx2 and avxvnni. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_AVX2)
#define NAME(name) avx2_##name
#define TARGET __attribute__((target("avx2")))

#include "kernels/x86/avx2.h"

#include "kernels/generic/lane_epilogue.h"
#include "kernels/x86/requantize_avx2.h"

/* ---- epilogue: four vectors of sums make 32 bytes, two blocks of two pixels or one of four.
 *
 * Form single with right_shift >= 33: the 64-bit products of even and odd lanes lose their low
 * words, and half, which has none, is added; what is left is shifted by right_shift - 32.  Two
 * floors one after another are the floor of both.  Saturating packs only clamp what the clamp to
 * act_min .. act_max inside int8 clamps anyway, so that the zero point may be added between them.
 *
 * Other forms and shifts that a block, or two side by side, have in all lanes take
 * requantize_avx2.h, the rest goes channel by channel. */

size_t intgold_avx2_epilogue_packed_size(int32_t channels) {
    return lane_epilogues_size(channels);
}

void intgold_avx2_epilogue_pack(const intgold_epilogue *epilogue, int32_t channels,
                                void *packed) {
    static const intgold_lane_rules rules = {33, 62, INTGOLD_NEAREST_SHIFT};
    lane_epilogues_pack(&rules, epilogue, channels, packed);
}

/* Of SHORT: multiplier, multiplier_odd, right and half. */
typedef intgold_scale_avx2 avx2_scales;

INLINE TARGET __m256i avx2_odd_lanes(__m256i x) { return intgold_odd_lanes_avx2(x); }

INLINE TARGET avx2_scales avx2_scales_of(const lane_epilogue *block, const int way) {
    const __m256i multiplier = LOAD(block->multiplier), shift = LOAD(block->right_shift);
    avx2_scales by;
    if (way == INTGOLD_WAY_NEAREST) return intgold_scale_of_nearest_avx2(multiplier, shift);
    if (way != INTGOLD_WAY_SHORT) return intgold_scale_of_double_avx2(multiplier, shift);
    by.multiplier = multiplier;
    by.multiplier_odd = avx2_odd_lanes(by.multiplier);
    by.right = _mm256_sub_epi32(shift, _mm256_set1_epi32(32));
    by.half =
        _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_sub_epi32(by.right, _mm256_set1_epi32(1)));
    by.left = by.min = by.max = _mm256_setzero_si256();
    return by;
}

INLINE TARGET __m256i avx2_requantize(__m256i sums, const avx2_scales *by) {
    const __m256i even = _mm256_mul_epi32(sums, by->multiplier);
    const __m256i odd = _mm256_mul_epi32(avx2_odd_lanes(sums), by->multiplier_odd);
    const __m256i high = _mm256_blend_epi32(avx2_odd_lanes(even), odd, 0xaa);
    return _mm256_srav_epi32(_mm256_add_epi32(high, by->half), by->right);
}

/* NEAREST, lanes in doubt done again: rare, so that it is kept out of the loops. */
__attribute__((noinline)) TARGET static __m256i avx2_settled(__m256i sums, const avx2_scales *by,
                                                             const lane_epilogue *block) {
    int32_t acc[LANES], scaled[LANES];
    __m256i frac;
    STORE(scaled, intgold_scale_nearest_avx2(sums, by, &frac));
    STORE(acc, sums);
    settle_lanes(block, intgold_doubts_avx2(frac), acc, scaled);
    return LOAD(scaled);
}

/* Where four vectors of sums come from, and how they become outputs. */
typedef struct avx2_work {
    const int32_t *sums, *below;
    size_t step;
    const lane_epilogue *blocks;
    avx2_scales by[2];
    __m256i zero_point, min, max;
} avx2_work;

INLINE TARGET avx2_work avx2_work_of(const intgold_epilogue *epilogue,
                                     const lane_epilogue *blocks, const intgold_pixels *at,
                                     const int vectors, const int way) {
    avx2_work made;
    made.sums = at->sums;
    made.below = at->below;
    made.step = at->step;
    made.blocks = blocks;
    made.by[0] = avx2_scales_of(blocks, way);
    made.by[1] = vectors == 2 ? avx2_scales_of(blocks + 1, way) : made.by[0];
    made.zero_point = _mm256_set1_epi16((short)epilogue->y_zero_point);
    made.min = _mm256_set1_epi8((char)epilogue->act_min);
    made.max = _mm256_set1_epi8((char)epilogue->act_max);
    return made;
}

/* Sums of a pixel from place `left` on, or the maximum of four pixels in two rows. */
INLINE TARGET __m256i avx2_sums_of(const avx2_work *at, size_t left, const int pooled) {
    const size_t right = left + at->step;
    if (!pooled) return LOAD(at->sums + left);
    return _mm256_max_epi32(_mm256_max_epi32(LOAD(at->sums + left), LOAD(at->sums + right)),
                            _mm256_max_epi32(LOAD(at->below + left), LOAD(at->below + right)));
}

INLINE TARGET __m256i avx2_scaled_by(const avx2_work *at, __m256i sums, int block, const int way,
                                     __m256i *frac) {
    const avx2_scales *by = at->by + block;
    __m256i own = *frac, y;
    switch (way) {
    case INTGOLD_WAY_SHORT: return avx2_requantize(sums, by);
    case INTGOLD_WAY_DOUBLE: return intgold_scale_double_avx2(sums, by, INTGOLD_FORM_DOUBLE);
    case INTGOLD_WAY_DOUBLE_UP:
        return intgold_scale_double_avx2(sums, by, INTGOLD_FORM_DOUBLE_UP);
    case INTGOLD_WAY_NEAREST:
        y = intgold_scale_nearest_avx2(sums, by, &own);
        *frac = _mm256_min_epi32(*frac, own);
        return y;
    default:
        return intgold_scale_single_avx2(
            sums, by->multiplier, LOAD(at->blocks[block].right_shift), at->blocks[block].form);
    }
}

/* `live` outputs; where there are fewer than fit, the last comes several times. */
INLINE TARGET __m256i avx2_group(const avx2_work *at, int32_t live, const int vectors,
                                 const int pooled, const int way) {
    /* Packs leave the four vectors' words side by side; this puts each vector together. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const size_t next = at->step * (pooled ? 2 : 1);
    __m256i y[4], low, high, bytes, frac = _mm256_set1_epi32(INT32_MAX);
    int j;
    UNROLL
    for (j = 0; j < 4; j++) {
        const int32_t own = j / vectors < live ? j / vectors : live - 1;
        const size_t place = (size_t)own * next + (size_t)(j % vectors) * LANES;
        y[j] = avx2_scaled_by(at, avx2_sums_of(at, place, pooled), j % vectors, way, &frac);
    }
    if (way == INTGOLD_WAY_NEAREST && intgold_doubts_avx2(frac))
        for (j = 0; j < 4; j++) {
            const int32_t own = j / vectors < live ? j / vectors : live - 1;
            const size_t place = (size_t)own * next + (size_t)(j % vectors) * LANES;
            y[j] = avx2_settled(avx2_sums_of(at, place, pooled), at->by + j % vectors,
                                at->blocks + j % vectors);
        }
    low = _mm256_adds_epi16(_mm256_packs_epi32(y[0], y[1]), at->zero_point);
    high = _mm256_adds_epi16(_mm256_packs_epi32(y[2], y[3]), at->zero_point);
    bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
    return _mm256_min_epi8(_mm256_max_epi8(bytes, at->min), at->max);
}

/* Copy up to 16 bytes, in powers of two. */
INLINE void avx2_copy(int8_t *to, const int8_t *from, int32_t count) {
    if (count & 16) memcpy(to, from, 16);
    if (count & 8) memcpy(to, from, 8), to += 8, from += 8;
    if (count & 4) memcpy(to, from, 4), to += 4, from += 4;
    if (count & 2) memcpy(to, from, 2), to += 2, from += 2;
    if (count & 1) *to = *from;
}

/* Any number of channels and outputs: `width` bytes of each output lie side by side. */
INLINE TARGET void avx2_store_group(int32_t fold, const intgold_pixels *at, int32_t i,
                                    int32_t outputs, int32_t channels, int32_t width,
                                    __m256i bytes) {
    int8_t all[VECTOR];
    int32_t j;
    STORE(all, bytes);
    for (j = 0; j < outputs; j++) {
        const size_t place = (size_t)(i + j) * at->y_step;
        avx2_copy(at->y + place, all + j * width, channels);
        if (fold && at->y_below) avx2_copy(at->y_below + place, all + j * width + fold, channels);
    }
}

/* Four outputs of eight channels each. */
INLINE TARGET void avx2_store_four(int8_t *y, size_t step, __m256i bytes) {
    int64_t pixel[4];
    int j;
    STORE(pixel, bytes);
    UNROLL
    for (j = 0; j < 4; j++) memcpy(y + (size_t)j * step, pixel + j, sizeof *pixel);
}

/* Two outputs of sixteen channels each. */
INLINE TARGET void avx2_store_two(int8_t *y, size_t step, __m256i bytes) {
    STORE_HALF(y, _mm256_castsi256_si128(bytes));
    STORE_HALF(y + step, _mm256_extracti128_si256(bytes, 1));
}

INLINE TARGET void avx2_epilogue_blocks(const intgold_epilogue *epilogue,
                                        const lane_epilogue *blocks, int32_t channels,
                                        const intgold_pixels *pixels, const int vectors,
                                        const int pooled, const int way) {
    const intgold_pixels at = *pixels; /* a copy, which stores to y cannot change */
    const int32_t count = pooled ? at.count / 2 : at.count, outputs = 4 / vectors;
    const int32_t width = vectors * LANES, fold = epilogue->fold;
    const size_t next = (size_t)outputs * at.step * (pooled ? 2 : 1);
    const int dense = channels == width && at.y_step == (size_t)width;
    avx2_work from = avx2_work_of(epilogue, blocks, &at, vectors, way);
    int32_t i;
    for (i = 0; i + outputs <= count; i += outputs) {
        const __m256i bytes = avx2_group(&from, outputs, vectors, pooled, way);
        int8_t *y = at.y + (size_t)i * at.y_step;
        if (dense)
            STORE(y, bytes);
        else if (vectors == 2 && channels == width)
            avx2_store_two(y, at.y_step, bytes);
        else if (channels == width)
            avx2_store_four(y, at.y_step, bytes);
        else
            avx2_store_group(fold, &at, i, outputs, channels, width, bytes);
        from.sums += next;
        if (pooled) from.below += next;
    }
    if (i < count)
        avx2_store_group(fold, &at, i, count - i, channels, width,
                         avx2_group(&from, count - i, vectors, pooled, way));
}

#define epilogue_blocks avx2_epilogue_blocks
#include "kernels/x86/epilogue_ways.h"

void intgold_avx2_epilogue(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                           const intgold_pixels *at) {
    epilogue_by_form(epilogue, first, channels, at, epilogue_simple, epilogue_any, 1);
}

#else
typedef int intgold_no_avx2_epilogue; /* C99 wants a declaration in every file */
#endif
