/* The waist for AVX-512 with VNNI, and with VBMI and AMX where the CPU supports them.
 *
 * A word is four bytes x + 128, because vpdpbusd multiplies unsigned by signed bytes; the 128 is
 * in the sums' start.  Four products are at most 4 * 255 * 128 and the sum wraps, so that the
 * true sum, which fits int32, comes out exactly. */
#include "kernels/x86/kernels_amx.h"
#include "kernels/x86/kernels_avx2_values.h"

#if defined(INTGOLD_HAS_AVX512VNNI)
#include "kernels/x86/avx512.h"

#define GROUP 4
/* Pixels in registers: 14 are 28 sums, two weights and a word; clang 14 spills from 14 on. */
#if defined(__clang__)
#define COLUMNS 13
#else
#define COLUMNS 14
#endif

#define add_products NAME(add_products)

INLINE TARGET vector add_products(vector sums, vector words, vector weights) {
    return _mm512_dpbusd_epi32(sums, words, weights);
}

#include "kernels/x86/convolve.h"
#include "kernels/x86/multiply.h"

void intgold_avx512_convolve(const intgold_strip *strip, int32_t *sums) {
    avx512_convolve(strip, sums);
}

static size_t avx512_pack_size(const intgold_weights *weights) {
    return intgold_pack_words_size(weights, GROUP, LANES);
}

static void avx512_pack(const intgold_weights *weights, void *packed) {
    intgold_pack_bytes(weights, LANES, (int8_t *)packed);
}

TARGET static void avx512_load_inputs(const int8_t *x, int32_t zero_point, size_t count,
                                      void *words) {
    const __m512i flip = _mm512_set1_epi8(-128);
    char *to = (char *)words;
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

/* Byte c of four rows becomes word c: unpacking works inside 128-bit pieces, of which four come
 * out of step; then pieces are put in order:
 *
 *     t0 = words  0- 3 16-19 32-35 48-51      to[0] = words  0-15
 *     t1 = words  4- 7 20-23 36-39 52-55  ->  to[1] = words 16-31
 *     t2 = words  8-11 24-27 40-43 56-59      to[2] = words 32-47
 *     t3 = words 12-15 28-31 44-47 60-63      to[3] = words 48-63 */
INLINE TARGET void avx512_interleave_vector(const __m512i rows[4], __m512i to[4]) {
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
TARGET static void avx512_load_rows(const int8_t *const *rows, int32_t zero_point, size_t count,
                                    void *words) {
    const __m512i flip = _mm512_set1_epi8(-128);
    const __m512i padding = _mm512_set1_epi8((char)(zero_point + 128));
    char *to = (char *)words;
    size_t i;
    int r;
    for (i = 0; i < count; i += VECTOR, to += 4 * VECTOR) {
        const __mmask64 live =
            count - i < VECTOR ? ~(__mmask64)0 >> (VECTOR - (count - i)) : ~(__mmask64)0;
        __m512i x[4], out[4];
        UNROLL
        for (r = 0; r < GROUP; r++)
            x[r] = rows[r] ? _mm512_xor_si512(_mm512_maskz_loadu_epi8(live, rows[r] + i), flip)
                           : padding;
        avx512_interleave_vector(x, out);
        UNROLL
        for (r = 0; r < GROUP; r++) _mm512_storeu_si512(to + r * VECTOR, out[r]);
    }
}

/* What the variants have in common: all but the sums of a convolution and the tables. */
#define SHARED                                                                  \
    .group = GROUP, .lanes = LANES, .columns = COLUMNS,                         \
    .input_encoding = INTGOLD_INPUT_OFFSET_BINARY,                              \
    .depthwise = {GROUP, 4, LANES, INTGOLD_INPUT_OFFSET_BINARY, NULL},          \
    INTGOLD_OWN_KERNELS(avx512),                                                \
    INTGOLD_SHARED_KERNELS(avx512), .affine_sum = intgold_avx512_affine_sum, INTGOLD_AVX2_VALUES

const intgold_kernels intgold_kernels_avx512vnni = {
    .name = "avx512vnni",
    SHARED,
    .lut = intgold_avx512_lut,
    .convolve = avx512_convolve,
};

const intgold_kernels intgold_kernels_avx512vbmi = {
    .name = "avx512vbmi",
    SHARED,
    .lut = intgold_avx512_lut_vbmi,
    .convolve = avx512_convolve,
};

#if defined(INTGOLD_HAS_AMX)
const intgold_kernels intgold_kernels_amx = {
    .name = "amx",
    SHARED,
    .lut = intgold_avx512_lut_vbmi,
    .convolve = intgold_amx_convolve,
    .begin = intgold_amx_begin,
    .end = intgold_amx_end,
};
#endif

#else
typedef int intgold_no_avx512vnni; /* C99 wants a declaration in every file */
#endif
