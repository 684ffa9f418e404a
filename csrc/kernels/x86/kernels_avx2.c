/* The waist for AVX2.
 *
 * A word is two int16, x - zero point and weights likewise: vpmaddwd sums two products, each
 * within 2^16, exactly.  (vpmaddubsw would take four bytes, and saturate.) */
#include "kernels/x86/kernels_avx2_depthwise.h"
#include "kernels/x86/kernels_avx2_values.h"

#if defined(INTGOLD_HAS_AVX2)
#define NAME(name) avx2_##name
#define TARGET __attribute__((target("avx2")))
#define GROUP 2

#include "kernels/x86/avx2.h"

#define add_products NAME(add_products)

INLINE TARGET vector add_products(vector sums, vector words, vector weights) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(words, weights));
}

#include "kernels/x86/convolve.h"

static size_t avx2_pack_size(const intgold_weights *weights) {
    return intgold_pack_words_size(weights, GROUP, LANES);
}

static void avx2_pack(const intgold_weights *weights, void *packed) {
    intgold_pack_int16(weights, LANES, (int16_t *)packed);
}

/* Sixteen bytes as int16, less the zero point. */
INLINE TARGET __m256i avx2_centred(__m128i bytes, int32_t zero_point) {
    return _mm256_sub_epi16(_mm256_cvtepi8_epi16(bytes), _mm256_set1_epi16((short)zero_point));
}

INLINE TARGET void avx2_load_half(const int8_t *x, int32_t zero_point, int16_t *to) {
    const __m128i bytes = LOAD_HALF(x);
    STORE(to, avx2_centred(bytes, zero_point));
}

/* The last vector may do some again. */
TARGET static void avx2_load_inputs(const int8_t *x, int32_t zero_point, size_t count,
                                    void *words) {
    int16_t *to = (int16_t *)words;
    size_t i;
    for (i = 0; i + HALF <= count; i += HALF) avx2_load_half(x + i, zero_point, to + i);
    if (i == count) return;
    if (count >= HALF)
        avx2_load_half(x + count - HALF, zero_point, to + count - HALF);
    else
        for (; i < count; i++) to[i] = (int16_t)(x[i] - zero_point);
}

const intgold_kernels intgold_kernels_avx2 = {
    .name = "avx2",
    .group = GROUP,
    .lanes = LANES,
    .columns = COLUMNS,
    .input_encoding = INTGOLD_INPUT_CENTRED,
    .depthwise = INTGOLD_AVX2_DEPTHWISE_WORDS,
    .pack_size = avx2_pack_size,
    .pack = avx2_pack,
    .load_inputs = avx2_load_inputs,
    .load_rows = intgold_avx2_load_rows,
    .multiply = intgold_avx2_multiply,
    INTGOLD_SHARED_KERNELS(avx2),
    .affine_sum = intgold_avx2_affine_sum,
    INTGOLD_AVX2_VALUES,
    .lut = intgold_avx2_lut,
    .lut_lines = intgold_avx2_lut_lines,
    .convolve = avx2_convolve,
};

#else
typedef int intgold_no_avx2; /* C99 wants a declaration in every file */
#endif
