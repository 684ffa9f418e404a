/* Pools and tables with AVX-512, for the variants avx512vnni, avx512vbmi and amx. */
#include "kernels/kernels.h"

#if defined(INTGOLD_HAS_AVX512VNNI)
#include "kernels/x86/avx512.h"

#define TARGET_VBMI \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni,avx512vbmi")))

/* ---- pools. */

INLINE TARGET __m512i avx512_widened(const int8_t *x, __mmask16 live) {
    return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(live, x));
}

TARGET void intgold_avx512_window_sum(const int8_t *x, int32_t cells, size_t step,
                                      int32_t channels, uint32_t *sums) {
    int32_t c, i;
    for (c = 0; c < channels; c += LANES) {
        const __mmask16 live = (__mmask16)(channels - c < LANES ? (1u << (channels - c)) - 1 : ~0u);
        const int8_t *at = x + c;
        __m512i even = _mm512_maskz_loadu_epi32(live, sums + c), odd = _mm512_setzero_si512();
        for (i = 0; i + 2 <= cells; i += 2, at += 2 * step) {
            even = _mm512_add_epi32(even, avx512_widened(at, live));
            odd = _mm512_add_epi32(odd, avx512_widened(at + step, live));
        }
        if (i < cells) even = _mm512_add_epi32(even, avx512_widened(at, live));
        _mm512_mask_storeu_epi32(sums + c, live, _mm512_add_epi32(even, odd));
    }
}

INLINE TARGET void avx512_window_max_one(const intgold_windows *windows, const int8_t *x,
                                         int32_t min, int32_t channels, int8_t *y) {
    int32_t c, i, j;
    for (c = 0; c < channels; c += VECTOR) {
        const __mmask64 live = channels - c < VECTOR ? ~(__mmask64)0 >> (VECTOR - (channels - c))
                                                     : ~(__mmask64)0;
        __m512i max = _mm512_set1_epi8((char)min);
        for (i = 0; i < windows->rows; i++) {
            const int8_t *at = x + (size_t)i * windows->row_step + c;
            for (j = 0; j < windows->columns; j++, at += windows->column_step)
                max = _mm512_max_epi8(max, _mm512_maskz_loadu_epi8(live, at));
        }
        _mm512_mask_storeu_epi8(y + c, live, max);
    }
}

TARGET void intgold_avx512_window_max(const intgold_windows *at, int32_t min, int32_t channels,
                                      int8_t *y) {
    const intgold_windows windows = *at; /* a copy, which stores to y cannot change */
    int32_t w;
    for (w = 0; w < windows.count; w++, y += channels)
        avx512_window_max_one(&windows, windows.x + (size_t)w * windows.step, min, channels, y);
}

/* ---- lut: without VBMI, sixteen tables of sixteen entries, each where the high nibble says. */

TARGET void intgold_avx512_lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    const __m512i low_bits = _mm512_set1_epi8(15), flip = _mm512_set1_epi8(-128);
    __m512i parts[16];
    int32_t i;
    int j;
    for (j = 0; j < 16; j++)
        parts[j] = _mm512_broadcast_i32x4(
            _mm_loadu_si128((const __m128i *)(const void *)(table + 16 * j)));
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
TARGET_VBMI void intgold_avx512_lut_vbmi(const int8_t *table, const int8_t *x, int32_t count,
                                         int8_t *y) {
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

#else
typedef int intgold_no_avx512_pools; /* C99 wants a declaration in every file */
#endif
