/* Products and sums of two tensors and blends of rows with AVX2. */
#include "kernels/x86/kernels_avx2_values.h"

#include "arithmetic/requantize.h"

#if defined(INTGOLD_HAS_AVX2)
#define NAME(name) avx2_##name
#define TARGET __attribute__((target("avx2")))

#include "kernels/x86/avx2.h"

#define MOST_VECTORS 4 /* of sums, whose bytes fill a vector */

INLINE TARGET __m256i avx2_lanes_of(const int8_t *x) {
    return _mm256_cvtepi8_epi32(LOAD_QUARTER(x));
}

INLINE TARGET __m256i avx2_bytes_of(const uint8_t *x) {
    return _mm256_cvtepu8_epi32(LOAD_QUARTER(x));
}

/* Four vectors of int16 that lie in int32 as bytes, in their order. */
INLINE TARGET __m256i avx2_narrowed(const __m256i *y, __m256i zero_point) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(y[0], y[1]), zero_point);
    const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(y[2], y[3]), zero_point);
    return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
}

/* ---- mul. */

/* The low half of a lane holds a difference of nine bits, the high half its sign or, masked, 0: a
 * multiplication of int16 pairs gives the product as int32 in one instruction. */
TARGET void intgold_avx2_mul_products(const int8_t *x1, int32_t zero_point1, const int8_t *x2,
                                      int32_t zero_point2, int32_t count, int32_t *sums) {
    int32_t i;
    for (i = 0; i + LANES <= count; i += LANES) {
        const __m256i first =
            _mm256_sub_epi32(avx2_lanes_of(x1 + i), ALL_LANES(zero_point1));
        const __m256i second =
            _mm256_sub_epi32(avx2_lanes_of(x2 + i), ALL_LANES(zero_point2));
        STORE(sums + i, _mm256_madd_epi16(_mm256_and_si256(first, ALL_LANES(0xFFFF)), second));
    }
    for (; i < count; i++) sums[i] = (x1[i] - zero_point1) * (x2[i] - zero_point2);
}

/* ---- add. */

INLINE TARGET __m256i avx2_on_lines(const intgold_lines *by, const int8_t *x1, const int8_t *x2) {
    const __m256i first = _mm256_mullo_epi32(avx2_lanes_of(x1), ALL_LANES(by->slope1));
    const __m256i second = _mm256_mullo_epi32(avx2_lanes_of(x2), ALL_LANES(by->slope2));
    return _mm256_add_epi32(_mm256_add_epi32(first, second), ALL_LANES((int32_t)by->base));
}

TARGET void intgold_avx2_affine_sum(const intgold_lines *by, const int8_t *x1, const int8_t *x2,
                                    const uint8_t *rest1, const uint8_t *rest2, int32_t count,
                                    int32_t *sums) {
    int32_t i;
    for (i = 0; i + LANES <= count; i += LANES) {
        const __m256i rests =
            _mm256_add_epi32(avx2_bytes_of(rest1 + i), avx2_bytes_of(rest2 + i));
        STORE(sums + i, _mm256_add_epi32(avx2_on_lines(by, x1 + i, x2 + i), rests));
    }
    for (; i < count; i++)
        sums[i] = (int32_t)((uint32_t)by->slope1 * (uint32_t)x1[i] +
                            (uint32_t)by->slope2 * (uint32_t)x2[i] + by->base + rest1[i] +
                            rest2[i]);
}

/* A vector that has sums in doubt: rare, so that it is kept out of the loop. */
__attribute__((noinline)) static void avx2_add_by_tables(const intgold_line_sums *by,
                                                         const int8_t *x1, const int8_t *x2,
                                                         int8_t *y) {
    const intgold_scale scale = intgold_entry(by->requantize, 0);
    int32_t i;
    for (i = 0; i < VECTOR; i++)
        y[i] = intgold_requantize_acc(by->table1[x1[i] + 128] + by->table2[x2[i] + 128], &scale,
                                      by->y_zero_point, by->act_min, by->act_max);
}

INLINE TARGET void avx2_add_vector(const intgold_line_sums *by, const int8_t *x1,
                                   const int8_t *x2, int8_t *to) {
    const __m128i shift = _mm_cvtsi32_si128(by->right_shift);
    const __m256i zero_point = _mm256_set1_epi16((short)by->y_zero_point);
    const __m256i lost = ALL_LANES((int32_t)(((uint32_t)1 << by->right_shift) - 1));
    __m256i y[MOST_VECTORS], bytes, rest = lost, doubts;
    int j;
    UNROLL
    for (j = 0; j < MOST_VECTORS; j++) {
        const __m256i sums = avx2_on_lines(&by->lines, x1 + j * LANES, x2 + j * LANES);
        rest = _mm256_min_epi32(rest, _mm256_and_si256(sums, lost));
        y[j] = _mm256_sra_epi32(sums, shift);
    }
    doubts = _mm256_cmpgt_epi32(ALL_LANES(by->doubtful), rest);
    if (!_mm256_testz_si256(doubts, doubts)) {
        avx2_add_by_tables(by, x1, x2, to);
        return;
    }
    bytes = avx2_narrowed(y, zero_point);
    STORE(to, _mm256_min_epi8(_mm256_max_epi8(bytes, _mm256_set1_epi8((char)by->act_min)),
                              _mm256_set1_epi8((char)by->act_max)));
}

/* The last values come from copies. */
TARGET void intgold_avx2_add_lines(const intgold_line_sums *lines, const int8_t *x1,
                                   const int8_t *x2, int32_t count, int8_t *y) {
    const intgold_line_sums by = *lines; /* a copy, which stores to y cannot change */
    int8_t rest1[VECTOR] = {0}, rest2[VECTOR] = {0}, made[VECTOR];
    int32_t i;
    for (i = 0; i + VECTOR <= count; i += VECTOR) avx2_add_vector(&by, x1 + i, x2 + i, y + i);
    if (i == count) return;
    memcpy(rest1, x1 + i, (size_t)(count - i));
    memcpy(rest2, x2 + i, (size_t)(count - i));
    avx2_add_vector(&by, rest1, rest2, made);
    memcpy(y + i, made, (size_t)(count - i));
}

/* ---- resize_bilinear: whole vectors of the channels of a pixel.  What a pixel's last vector has
 * beyond them the next pixel overwrites; where the row would end before, a copy takes it. */

/* (a << frac_bits) + weight * (b - a), rounded. */
INLINE TARGET __m256i avx2_blended(const intgold_blend *by, const int32_t *a, const int32_t *b,
                                   __m256i weight) {
    const __m128i frac_bits = _mm_cvtsi32_si128(by->frac_bits);
    const __m128i shift = _mm_cvtsi32_si128(2 * by->frac_bits);
    const __m256i half = ALL_LANES((1 << 2 * by->frac_bits) >> 1), from = LOAD(a);
    const __m256i rise = _mm256_mullo_epi32(_mm256_sub_epi32(LOAD(b), from), weight);
    const __m256i sum = _mm256_add_epi32(_mm256_sll_epi32(from, frac_bits), rise);
    if (!by->away) return _mm256_sra_epi32(_mm256_add_epi32(sum, half), shift);
    return _mm256_sign_epi32(
        _mm256_srl_epi32(_mm256_add_epi32(_mm256_abs_epi32(sum), half), shift), sum);
}

/* `vectors` vectors of channels, which are bytes of the result; the others are 0. */
INLINE TARGET __m256i avx2_blended_group(const intgold_blend *by, const int32_t *a,
                                         const int32_t *b, __m256i weight, const int vectors) {
    __m256i y[MOST_VECTORS];
    int j;
    UNROLL
    for (j = 0; j < MOST_VECTORS; j++)
        y[j] = j < vectors ? avx2_blended(by, a + j * LANES, b + j * LANES, weight)
                           : _mm256_setzero_si256();
    return avx2_narrowed(y, _mm256_setzero_si256());
}

/* The last `vectors` vectors of each pixel, after whole groups. */
INLINE TARGET void avx2_blend_row(const intgold_blend *by, const int32_t *row, int8_t *y,
                                  const int vectors) {
    const int32_t groups = by->channels / VECTOR, rest = by->channels % VECTOR;
    const size_t channels = (size_t)by->channels;
    int8_t *const end = y + (size_t)by->out_w * channels;
    int32_t ox, i;
    for (ox = 0; ox < by->out_w; ox++) {
        const int32_t *a = row + (size_t)by->column0[ox] * channels;
        const int32_t *b = row + (size_t)by->column1[ox] * channels;
        const __m256i weight = ALL_LANES(by->column_weight[ox]);
        for (i = 0; i < groups; i++, a += VECTOR, b += VECTOR, y += VECTOR)
            STORE(y, avx2_blended_group(by, a, b, weight, MOST_VECTORS));
        if (vectors) {
            const __m256i bytes = avx2_blended_group(by, a, b, weight, vectors);
            int8_t copy[VECTOR];
            if (end - y >= VECTOR) {
                STORE(y, bytes);
            } else {
                STORE(copy, bytes);
                memcpy(y, copy, (size_t)rest);
            }
            y += rest;
        }
    }
}

TARGET void intgold_avx2_blend(const intgold_blend *blend, const int32_t *row, int8_t *y) {
    const intgold_blend by = *blend; /* a copy, which stores to y cannot change */
    switch (intgold_blocks(by.channels % VECTOR, LANES)) {
    case 0: avx2_blend_row(&by, row, y, 0); break;
    case 1: avx2_blend_row(&by, row, y, 1); break;
    case 2: avx2_blend_row(&by, row, y, 2); break;
    case 3: avx2_blend_row(&by, row, y, 3); break;
    default: avx2_blend_row(&by, row, y, MOST_VECTORS); break;
    }
}

#else
typedef int intgold_no_avx2_values; /* C99 wants a declaration in every file */
#endif
