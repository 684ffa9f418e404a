/* The waist for AVX-512 with VNNI, and with VBMI where the CPU has it.
 *
 * A word is four bytes x + 128, because vpdpbusd multiplies unsigned by signed bytes; the 128 is
 * in the sums' start.  Four products are at most 4 * 255 * 128 and the sum wraps, so that the
 * true sum, which fits int32, comes out exactly. */
#include "kernels.h"

#if defined(INTGOLD_HAS_AVX512VNNI)
#include <immintrin.h>
#include <string.h>

#include "weights.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define TARGET_VBMI \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi")))
#define INLINE static inline __attribute__((always_inline))
/* Loops over registers must be unrolled before the compiler places arrays; clang does it itself,
 * and does worse when told to. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { GROUP = 4, LANES = 16, VECTOR = 64, COLUMNS = 10 };

static size_t pack_size(const intgold_weights *weights) {
    return intgold_pack_words_size(weights, GROUP, LANES);
}

static void pack(const intgold_weights *weights, void *packed) {
    intgold_pack_bytes(weights, LANES, packed);
}

TARGET static void widen(const int8_t *x, int32_t zero_point, size_t count, void *words) {
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

INLINE TARGET void tiles(const intgold_strip *strip, int32_t *sums, const int second) {
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
    default: tile(strip, sums, 10, second); break;
    }
}

TARGET static void convolve(const intgold_strip *strip, int32_t *sums) {
    if (strip->weights1)
        tiles(strip, sums, 1);
    else
        tiles(strip, sums, 0);
}

/* ---- finish: 16 channels of four pixels make 64 bytes.
 *
 * Form single with 32 <= right_shift <= 54: the 64-bit products of even and odd lanes, plus
 * rounding and zero point in one constant, lose their low words; what is left is shifted by
 * right_shift - 32.  Two floors one after another are the floor of both.  The constant is below
 * 2^62 and the product at most 2^62, so that nothing overflows.  Saturating packs only clamp
 * what the clamp to act_min .. act_max inside int8 clamps anyway. */

typedef struct block_tail {
    int32_t multiplier[LANES], right_shift[LANES];
    int64_t even[LANES / 2], odd[LANES / 2]; /* 2^(t-1) + zero point * 2^t */
    int32_t simple;                          /* 0: other forms or shifts in this block */
    int32_t unused[15];
} block_tail;

static size_t tail_packed_size(int32_t channels) {
    return (size_t)intgold_blocks(channels, LANES) * sizeof(block_tail);
}

static void tail_pack(const intgold_tail *tail, int32_t channels, void *packed) {
    const intgold_requantize *by = tail->by;
    block_tail *blocks = packed;
    int32_t c;
    memset(packed, 0, tail_packed_size(channels));
    for (c = 0; c < channels; c++) {
        block_tail *block = blocks + c / LANES;
        const int32_t lane = c % LANES, i = by->count == 1 ? 0 : c;
        const int32_t shift = by->multiplier[i] ? by->right_shift[i] : 32;
        const int64_t one = (int64_t)1 << (shift < 54 ? shift : 54);
        int64_t *constant = lane % 2 ? block->odd : block->even;
        if (lane == 0) block->simple = 1;
        if (by->form[i] != INTGOLD_FORM_SINGLE || shift < 32 || shift > 54) block->simple = 0;
        block->multiplier[lane] = by->multiplier[i];
        block->right_shift[lane] = shift - 32;
        constant[lane / 2] = one / 2 + tail->y_zero_point * one;
    }
}

typedef struct constants {
    __m512i multiplier, multiplier_odd, right_shift, even, odd;
} constants;

INLINE TARGET __m512i requantize(__m512i sums, const constants *by) {
    const __m512i even =
        _mm512_add_epi64(_mm512_mul_epi32(sums, by->multiplier), by->even);
    const __m512i odd = _mm512_add_epi64(
        _mm512_mul_epi32(_mm512_srli_epi64(sums, 32), by->multiplier_odd), by->odd);
    const __m512i high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5);
    return _mm512_srav_epi32(high, by->right_shift);
}

/* Pixel i of a row, or the greatest of four pixels in two rows. */
INLINE TARGET __m512i sums_of(const int32_t *sums, const int32_t *below, size_t step, int32_t i,
                              __mmask16 lanes, const int pooled) {
    const size_t left = (size_t)i * 2 * step, right = left + step;
    if (!pooled) return _mm512_maskz_loadu_epi32(lanes, sums + (size_t)i * step);
    return _mm512_max_epi32(_mm512_max_epi32(_mm512_maskz_loadu_epi32(lanes, sums + left),
                                             _mm512_maskz_loadu_epi32(lanes, sums + right)),
                            _mm512_max_epi32(_mm512_maskz_loadu_epi32(lanes, below + left),
                                             _mm512_maskz_loadu_epi32(lanes, below + right)));
}

INLINE TARGET void finish_block(const intgold_tail *tail, const block_tail *block,
                                int32_t channels, const int32_t *sums, const int32_t *below,
                                size_t step, int32_t pixels, int8_t *y, size_t y_step,
                                const int pooled) {
    /* Packs leave the four pixels' words side by side; this puts each pixel together. */
    const __m512i order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i least = _mm512_set1_epi8((char)tail->act_min);
    const __m512i most = _mm512_set1_epi8((char)tail->act_max);
    const __mmask16 lanes = (__mmask16)((1u << channels) - 1); /* never read beyond the sums */
    constants by;
    int32_t i;
    by.multiplier = _mm512_loadu_si512(block->multiplier);
    by.multiplier_odd = _mm512_srli_epi64(by.multiplier, 32);
    by.right_shift = _mm512_loadu_si512(block->right_shift);
    by.even = _mm512_loadu_si512(block->even);
    by.odd = _mm512_loadu_si512(block->odd);
    for (i = 0; i < pixels; i += 4, y += 4 * y_step) {
        const int32_t last = pixels - 1;
        const int32_t i1 = i + 1 < last ? i + 1 : last, i2 = i + 2 < last ? i + 2 : last;
        const int32_t i3 = i + 3 < last ? i + 3 : last;
        const __m512i pair0 =
            _mm512_packs_epi32(requantize(sums_of(sums, below, step, i, lanes, pooled), &by),
                               requantize(sums_of(sums, below, step, i1, lanes, pooled), &by));
        const __m512i pair1 =
            _mm512_packs_epi32(requantize(sums_of(sums, below, step, i2, lanes, pooled), &by),
                               requantize(sums_of(sums, below, step, i3, lanes, pooled), &by));
        __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(pair0, pair1));
        bytes = _mm512_min_epi8(_mm512_max_epi8(bytes, least), most);
        if (y_step == LANES && i + 4 <= pixels) {
            _mm512_storeu_si512(y, bytes);
            continue;
        }
        _mm_mask_storeu_epi8(y, lanes, _mm512_castsi512_si128(bytes));
        if (i + 1 < pixels)
            _mm_mask_storeu_epi8(y + y_step, lanes, _mm512_extracti32x4_epi32(bytes, 1));
        if (i + 2 < pixels)
            _mm_mask_storeu_epi8(y + 2 * y_step, lanes, _mm512_extracti32x4_epi32(bytes, 2));
        if (i + 3 < pixels)
            _mm_mask_storeu_epi8(y + 3 * y_step, lanes, _mm512_extracti32x4_epi32(bytes, 3));
    }
}

TARGET static void finish(const intgold_tail *tail, int32_t first, int32_t channels,
                          const int32_t *sums, const int32_t *below, size_t step, int32_t pixels,
                          int8_t *y, size_t y_step) {
    const block_tail *block = (const block_tail *)tail->packed + first / LANES;
    int32_t c, lane;
    for (c = 0; c < channels; c += LANES, block++) {
        const int32_t n = channels - c < LANES ? channels - c : LANES;
        const int32_t *under = below ? below + c : NULL;
        if (!block->simple)
            for (lane = c; lane < c + n; lane++)
                intgold_finish_channel(tail, first + lane, sums + lane,
                                       below ? below + lane : NULL, step, pixels, y + lane,
                                       y_step);
        else if (below)
            finish_block(tail, block, n, sums + c, under, step, pixels / 2, y + c, y_step, 1);
        else
            finish_block(tail, block, n, sums + c, under, step, pixels, y + c, y_step, 0);
    }
}

/* ---- lut: without VBMI, sixteen tables of sixteen entries, each where the high nibble says. */

TARGET static void lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    const __m512i low_bits = _mm512_set1_epi8(15), flip = _mm512_set1_epi8(-128);
    __m512i parts[16];
    int32_t i;
    int j;
    for (j = 0; j < 16; j++)
        parts[j] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(table + 16 * j)));
    for (i = 0; i < count; i += VECTOR) {
        const __mmask64 live =
            count - i < VECTOR ? ~(__mmask64)0 >> (VECTOR - (count - i)) : ~(__mmask64)0;
        const __m512i index = _mm512_xor_si512(_mm512_maskz_loadu_epi8(live, x + i), flip);
        const __m512i low = _mm512_and_si512(index, low_bits);
        const __m512i high = _mm512_andnot_si512(low_bits, index);
        __m512i result = _mm512_setzero_si512();
        for (j = 0; j < 16; j++)
            result = _mm512_mask_shuffle_epi8(
                result, _mm512_cmpeq_epi8_mask(high, _mm512_set1_epi8((char)(16 * j))), parts[j],
                low);
        _mm512_mask_storeu_epi8(y + i, live, result);
    }
}

/* With VBMI: two lookups of 128 entries, chosen by the sign. */
TARGET_VBMI static void lut_vbmi(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    const __m512i negative0 = _mm512_loadu_si512(table);
    const __m512i negative1 = _mm512_loadu_si512(table + 64);
    const __m512i positive0 = _mm512_loadu_si512(table + 128);
    const __m512i positive1 = _mm512_loadu_si512(table + 192);
    int32_t i;
    for (i = 0; i < count; i += VECTOR) {
        const __mmask64 live =
            count - i < VECTOR ? ~(__mmask64)0 >> (VECTOR - (count - i)) : ~(__mmask64)0;
        const __m512i q = _mm512_maskz_loadu_epi8(live, x + i);
        const __m512i negative = _mm512_permutex2var_epi8(negative0, q, negative1);
        const __m512i positive = _mm512_permutex2var_epi8(positive0, q, positive1);
        _mm512_mask_storeu_epi8(
            y + i, live, _mm512_mask_blend_epi8(_mm512_movepi8_mask(q), positive, negative));
    }
}

const intgold_kernels intgold_kernels_avx512vnni = {
    "avx512vnni", GROUP,    LANES,            COLUMNS,   1,      pack_size, pack,
    widen,        convolve, tail_packed_size, tail_pack, finish, lut,
};

const intgold_kernels intgold_kernels_avx512vbmi = {
    "avx512vbmi", GROUP,    LANES,            COLUMNS,   1,      pack_size, pack,
    widen,        convolve, tail_packed_size, tail_pack, finish, lut_vbmi,
};

#else
typedef int intgold_no_avx512vnni; /* C99 wants a declaration in every file */
#endif
