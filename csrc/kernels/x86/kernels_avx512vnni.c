/* The waist for AVX-512 with VNNI, and with VBMI and AMX where the CPU has them.
 *
 * A word is four bytes x + 128, because vpdpbusd multiplies unsigned by signed bytes; the 128 is
 * in the sums' start.  Four products are at most 4 * 255 * 128 and the sum wraps, so that the
 * true sum, which fits int32, comes out exactly. */
#include "kernels/x86/kernels_amx.h"

#if defined(INTGOLD_HAS_AVX512VNNI)
#include "kernels/x86/avx512.h"

/* Pixels in registers: 14 are 28 sums, two weights and a word; clang 14 spills from 14 on. */
#if defined(__clang__)
enum { COLUMNS = 13 };
#else
enum { COLUMNS = 14 };
#endif

static size_t pack_size(const intgold_weights *weights) {
    return intgold_pack_words_size(weights, GROUP, LANES);
}

static void pack(const intgold_weights *weights, void *packed) {
    intgold_pack_bytes(weights, LANES, packed);
}

TARGET static void load_inputs(const int8_t *x, int32_t zero_point, size_t count, void *words) {
    const __m512i flip = _mm512_set1_epi8(-128);
    char *to = words;
    size_t i;
    (void)zero_point;
    for (i = 0; i + VECTOR <= count; i += VECTOR)
        _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_loadu_si512(x + i), flip));
    if (i < count) {
        const __mmask64 rest = ~(__mmask64)0 >> (VECTOR - (count - i));
        const __m512i values = _mm512_maskz_loadu_epi8(rest, x + i);
        _mm512_mask_storeu_epi8(to + i, rest, _mm512_xor_si512(values, flip));
    }
}

/* ---- convolve: `columns` pixels times two vectors of 16 channels in registers.
 *
 *           weights0[k]  weights1[k]     per word k of a run: two loads of weights, a broadcast
 *     x[0]  sums[0][0]   sums[0][1]      per pixel, two vpdpbusd per broadcast
 *     x[1]  sums[1][0]   sums[1][1]
 *     ...                                Where the second vector is the row below (shift > 0),
 *                                        its runs start later, and the last ones are its own. */

INLINE TARGET __m512i broadcast(const char *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    return _mm512_set1_epi32(word);
}

/* One run.  Every third pixel has an address of its own; the others are one and two steps on,
 * which an x86 address adds for nothing. */
INLINE TARGET void add_run(__m512i sums[][2], const char *x, size_t step, int32_t run,
                           const char *weights0, const char *weights1, const int columns,
                           const int first, const int second) {
    const char *at[(COLUMNS + 2) / 3];
    int32_t k;
    int i;
    UNROLL for (i = 0; i < (columns + 2) / 3; i++) at[i] = x + (size_t)i * 3 * step;
    for (k = 0; k < run; k++) {
        const size_t place = (size_t)k * VECTOR;
        __m512i w0 = _mm512_setzero_si512(), w1 = w0;
        if (first) w0 = _mm512_loadu_si512(weights0 + place);
        if (second) w1 = _mm512_loadu_si512(weights1 + place);
        UNROLL for (i = 0; i < columns; i++) {
            const __m512i word = broadcast(at[i / 3] + (size_t)(i % 3) * step);
            if (first) sums[i][0] = _mm512_dpbusd_epi32(sums[i][0], word, w0);
            if (second) sums[i][1] = _mm512_dpbusd_epi32(sums[i][1], word, w1);
        }
        UNROLL for (i = 0; i < (columns + 2) / 3; i++) at[i] += GROUP;
    }
}

INLINE TARGET void tile(const intgold_strip *strip, int32_t *result, const int columns,
                        const int second) {
    const size_t panel = (size_t)strip->run * VECTOR;
    const int32_t shift = second ? strip->shift : 0, n = strip->n_segments;
    const char *w0 = strip->weights0, *w1 = second ? strip->weights1 : w0;
    __m512i sums[COLUMNS][2];
    int32_t s = 0;
    int i;
    UNROLL for (i = 0; i < columns; i++) {
        sums[i][0] = _mm512_loadu_si512(strip->bias0);
        if (second) sums[i][1] = _mm512_loadu_si512(strip->bias1);
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
    UNROLL for (i = 0; i < columns; i++) {
        _mm512_storeu_si512(result + 2 * LANES * i, sums[i][0]);
        if (second) _mm512_storeu_si512(result + 2 * LANES * i + LANES, sums[i][1]);
    }
}

INLINE TARGET void tile_of(const intgold_strip *strip, int32_t *sums, const int second) {
    switch (strip->columns) {
    case 1: tile(strip, sums, 1, second); break;
    case 2: tile(strip, sums, 2, second); break;
    case 3: tile(strip, sums, 3, second); break;
    case 4: tile(strip, sums, 4, second); break;
    case 5: tile(strip, sums, 5, second); break;
    case 6: tile(strip, sums, 6, second); break;
    case 7: tile(strip, sums, 7, second); break;
    case 8: tile(strip, sums, 8, second); break;
    case 9: tile(strip, sums, 9, second); break;
    case 10: tile(strip, sums, 10, second); break;
    case 11: tile(strip, sums, 11, second); break;
    case 12: tile(strip, sums, 12, second); break;
    case 13: tile(strip, sums, 13, second); break;
    default: tile(strip, sums, COLUMNS, second); break;
    }
}

/* Pixels are shared out evenly, so that no tile is too small to hide the sums' latency. */
TARGET void intgold_avx512_convolve(const intgold_strip *strip, int32_t *sums) {
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

/* ---- depthwise: lane c of a word vector holds four rows of channel c, one vpdpbusd per tap. */

/* Byte c of four rows becomes word c: unpacking works inside 128-bit pieces, of which four come
 * out of step; then pieces are put in order:
 *
 *     t0 = words  0- 3 16-19 32-35 48-51      to[0] = words  0-15
 *     t1 = words  4- 7 20-23 36-39 52-55  ->  to[1] = words 16-31
 *     t2 = words  8-11 24-27 40-43 56-59      to[2] = words 32-47
 *     t3 = words 12-15 28-31 44-47 60-63      to[3] = words 48-63 */
INLINE TARGET void interleave_vector(const __m512i rows[4], __m512i to[4]) {
    const __m512i low01 = _mm512_unpacklo_epi8(rows[0], rows[1]);
    const __m512i high01 = _mm512_unpackhi_epi8(rows[0], rows[1]);
    const __m512i low23 = _mm512_unpacklo_epi8(rows[2], rows[3]);
    const __m512i high23 = _mm512_unpackhi_epi8(rows[2], rows[3]);
    const __m512i t0 = _mm512_unpacklo_epi16(low01, low23);
    const __m512i t1 = _mm512_unpackhi_epi16(low01, low23);
    const __m512i t2 = _mm512_unpacklo_epi16(high01, high23);
    const __m512i t3 = _mm512_unpackhi_epi16(high01, high23);
    const __m512i front01 = _mm512_shuffle_i32x4(t0, t1, 0x44);
    const __m512i front23 = _mm512_shuffle_i32x4(t2, t3, 0x44);
    const __m512i back01 = _mm512_shuffle_i32x4(t0, t1, 0xee);
    const __m512i back23 = _mm512_shuffle_i32x4(t2, t3, 0xee);
    to[0] = _mm512_shuffle_i32x4(front01, front23, 0x88);
    to[1] = _mm512_shuffle_i32x4(front01, front23, 0xdd);
    to[2] = _mm512_shuffle_i32x4(back01, back23, 0x88);
    to[3] = _mm512_shuffle_i32x4(back01, back23, 0xdd);
}

/* Writes up to three vectors beyond the last word. */
TARGET static void interleave(const int8_t *const *rows, int32_t zero_point, size_t count,
                              void *words) {
    const __m512i flip = _mm512_set1_epi8(-128);
    const __m512i padding = _mm512_set1_epi8((char)(zero_point + 128));
    char *to = words;
    size_t i;
    int r;
    for (i = 0; i < count; i += VECTOR, to += 4 * VECTOR) {
        const __mmask64 live =
            count - i < VECTOR ? ~(__mmask64)0 >> (VECTOR - (count - i)) : ~(__mmask64)0;
        __m512i x[4], out[4];
        UNROLL for (r = 0; r < GROUP; r++)
            x[r] = rows[r] ? _mm512_xor_si512(_mm512_maskz_loadu_epi8(live, rows[r] + i), flip)
                           : padding;
        interleave_vector(x, out);
        UNROLL for (r = 0; r < GROUP; r++) _mm512_storeu_si512(to + r * VECTOR, out[r]);
    }
}

enum { MOST_COLUMNS = 8 };

INLINE TARGET void multiply_tile(const intgold_strip *strip, const char *x, int32_t *result,
                                 const int columns) {
    const char *w = strip->weights0;
    __m512i sums[MOST_COLUMNS];
    int32_t s;
    int i;
    UNROLL for (i = 0; i < columns; i++) sums[i] = _mm512_loadu_si512(strip->bias0);
    for (s = 0; s < strip->n_segments; s++, w += VECTOR) {
        const char *at = x + strip->segments[s];
        const __m512i weights = _mm512_loadu_si512(w);
        UNROLL for (i = 0; i < columns; i++)
            sums[i] = _mm512_dpbusd_epi32(
                sums[i], _mm512_loadu_si512(at + (size_t)i * strip->column_step), weights);
    }
    UNROLL for (i = 0; i < columns; i++) _mm512_storeu_si512(result + LANES * i, sums[i]);
}

/* Pixels are shared out evenly between tiles of at most eight. */
TARGET static void multiply(const intgold_strip *strip, int32_t *sums) {
    const int32_t columns = strip->columns, tiles = intgold_blocks(columns, MOST_COLUMNS);
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
        default: multiply_tile(strip, x, result, MOST_COLUMNS); break;
        }
        from = to;
    }
}

/* What the variants have in common. */
#define SHARED                                                                                   \
    .group = GROUP, .lanes = LANES, .columns = COLUMNS, .input_encoding = INTGOLD_INPUT_OFFSET_BINARY,              \
    .pack_size = pack_size, .pack = pack, .load_inputs = load_inputs,                                        \
    .epilogue_packed_size = intgold_avx512_epilogue_packed_size,                                         \
    .epilogue_pack = intgold_avx512_epilogue_pack, .epilogue = intgold_avx512_epilogue,                      \
    .interleave = interleave, .multiply = multiply, .window_sum = intgold_avx512_window_sum,             \
    .window_max = intgold_avx512_window_max, .affine_sum = intgold_avx512_affine_sum

const intgold_kernels intgold_kernels_avx512vnni = {
    .name = "avx512vnni",
    SHARED,
    .convolve = intgold_avx512_convolve,
    .lut = intgold_avx512_lut,
};

const intgold_kernels intgold_kernels_avx512vbmi = {
    .name = "avx512vbmi",
    SHARED,
    .convolve = intgold_avx512_convolve,
    .lut = intgold_avx512_lut_vbmi,
};

#if defined(INTGOLD_HAS_AMX)
const intgold_kernels intgold_kernels_amx = {
    .name = "amx",
    SHARED,
    .begin = intgold_amx_begin,
    .end = intgold_amx_end,
    .convolve = intgold_amx_convolve,
    .lut = intgold_avx512_lut_vbmi,
};
#endif

#else
typedef int intgold_no_avx512vnni; /* C99 wants a declaration in every file */
#endif
