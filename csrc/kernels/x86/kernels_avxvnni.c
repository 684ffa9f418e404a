/* The waist for AVX-VNNI: 256-bit vpdpbusd without AVX-512.
 *
 * A word is four bytes x + 128, because vpdpbusd multiplies unsigned by signed bytes; the 128 is
 * in the sums' start.  Four products are at most 4 * 255 * 128 and the sum wraps, so that the
 * true sum, which fits int32, comes out exactly. */
#include "kernels/x86/kernels_avx2_values.h"

#if defined(INTGOLD_HAS_AVXVNNI)
#define NAME(name) avxvnni_##name
#define TARGET __attribute__((target("avx2,avxvnni")))
#define GROUP 4

#include "kernels/x86/avx2.h"

#define add_products NAME(add_products)

INLINE TARGET vector add_products(vector sums, vector words, vector weights) {
    return _mm256_dpbusd_avx_epi32(sums, words, weights);
}

#include "kernels/x86/convolve.h"
#include "kernels/x86/multiply.h"

static size_t avxvnni_pack_size(const intgold_weights *weights) {
    return intgold_pack_words_size(weights, GROUP, LANES);
}

static void avxvnni_pack(const intgold_weights *weights, void *packed) {
    intgold_pack_bytes(weights, LANES, (int8_t *)packed);
}

INLINE TARGET void avxvnni_load_vector(const int8_t *x, void *to) {
    STORE(to, _mm256_xor_si256(LOAD(x), _mm256_set1_epi8(-128)));
}

/* The last vector may do some again. */
TARGET static void avxvnni_load_inputs(const int8_t *x, int32_t zero_point, size_t count,
                                       void *words) {
    char *to = (char *)words;
    size_t i;
    (void)zero_point;
    for (i = 0; i + VECTOR <= count; i += VECTOR) avxvnni_load_vector(x + i, to + i);
    if (i == count) return;
    if (count >= VECTOR)
        avxvnni_load_vector(x + count - VECTOR, to + count - VECTOR);
    else
        for (; i < count; i++) to[i] = (char)(x[i] ^ -128);
}

/* Byte c of four rows becomes word c.  Unpacking works inside the two halves of a vector:
 *
 *     out[0] = words 0-3 16-19      out[2] = words  8-11 24-27
 *     out[1] = words 4-7 20-23      out[3] = words 12-15 28-31 */
INLINE TARGET void avxvnni_interleave_vector(const __m256i rows[4], char *to) {
    const __m256i low01 = _mm256_unpacklo_epi8(rows[0], rows[1]);
    const __m256i high01 = _mm256_unpackhi_epi8(rows[0], rows[1]);
    const __m256i low23 = _mm256_unpacklo_epi8(rows[2], rows[3]);
    const __m256i high23 = _mm256_unpackhi_epi8(rows[2], rows[3]);
    __m256i out[4];
    int i;
    out[0] = _mm256_unpacklo_epi16(low01, low23);
    out[1] = _mm256_unpackhi_epi16(low01, low23);
    out[2] = _mm256_unpacklo_epi16(high01, high23);
    out[3] = _mm256_unpackhi_epi16(high01, high23);
    UNROLL for (i = 0; i < 4; i++) {
        STORE_HALF(to + 16 * i, _mm256_castsi256_si128(out[i]));
        STORE_HALF(to + 64 + 16 * i, _mm256_extracti128_si256(out[i], 1));
    }
}

/* `count` words, of which the rows may have fewer than 32: those come from a copy. */
INLINE TARGET __m256i avxvnni_row_vector(const int8_t *row, int32_t zero_point, size_t count) {
    int8_t copy[VECTOR] = {0};
    if (!row) return _mm256_set1_epi8((char)(zero_point + 128));
    if (count < VECTOR) memcpy(copy, row, count);
    return _mm256_xor_si256(LOAD(count < VECTOR ? copy : row), _mm256_set1_epi8(-128));
}

/* Writes up to three vectors beyond the last word. */
TARGET static void avxvnni_load_rows(const int8_t *const *rows, int32_t zero_point, size_t count,
                                     void *words) {
    char *to = (char *)words;
    size_t i;
    int r;
    for (i = 0; i < count; i += VECTOR, to += GROUP * VECTOR) {
        __m256i x[GROUP];
        UNROLL for (r = 0; r < GROUP; r++)
            x[r] = avxvnni_row_vector(rows[r] ? rows[r] + i : NULL, zero_point, count - i);
        avxvnni_interleave_vector(x, to);
    }
}

const intgold_kernels intgold_kernels_avxvnni = {
    .name = "avxvnni",
    .group = GROUP,
    .lanes = LANES,
    .columns = COLUMNS,
    .input_encoding = INTGOLD_INPUT_OFFSET_BINARY,
    .depthwise = {GROUP, 4, LANES, INTGOLD_INPUT_OFFSET_BINARY, NULL},
    INTGOLD_OWN_KERNELS(avxvnni),
    INTGOLD_SHARED_KERNELS(avx2),
    .affine_sum = intgold_avx2_affine_sum,
    INTGOLD_AVX2_VALUES,
    .lut = intgold_avx2_lut,
    .lut_lines = intgold_avx2_lut_lines,
    .convolve = avxvnni_convolve,
};

#else
typedef int intgold_no_avxvnni; /* C99 wants a declaration in every file */
#endif
