/* Benchmarks: pieces of work to be timed from outside; see measure.h. */
#include "engine/dispatch.h"
#include "kernels/kernels.h"

#include "measure.h"

intgold_status intgold_measure_run(intgold_context *context, int32_t n, int32_t count,
                                   int32_t n_inputs, const char **inputs, const size_t *steps,
                                   void *const *outputs) {
    intgold_status status = INTGOLD_OK;
    int32_t i, k, image = 0;
    for (i = 0; i < n && status == INTGOLD_OK; i++) {
        status = intgold_run(context, 1, (const void *const *)inputs, outputs, NULL);
        image++;
        for (k = 0; k < n_inputs; k++)
            inputs[k] = image < count ? inputs[k] + steps[k]
                                      : inputs[k] - (size_t)(image - 1) * steps[k];
        if (image == count) image = 0;
    }
    for (k = 0; k < n_inputs; k++) inputs[k] -= (size_t)image * steps[k];
    return status;
}

/* ---- One instruction, in as many independent chains as hide its latency.  The empty assembly
 * keeps every sum separate and in a register: nothing can be merged, or moved out of the loop. */

#define TWELVE(DO) \
    DO(s0) DO(s1) DO(s2) DO(s3) DO(s4) DO(s5) DO(s6) DO(s7) DO(s8) DO(s9) DO(s10) DO(s11)
enum { CHAINS = 12 };

#if defined(INTGOLD_HAS_AVX512VNNI) || defined(INTGOLD_HAS_AVX2)
#include <immintrin.h>
#define KEEP(register) __asm__ volatile("" : "+v"(register))
#elif defined(INTGOLD_HAS_NEON)
#include <arm_neon.h>
#define KEEP(register) __asm__ volatile("" : "+w"(register))
#endif

#if defined(INTGOLD_HAS_AVX512VNNI)
__attribute__((target("avx512f,avx512vl,avx512vnni"))) static void dot_zmm(int64_t rounds) {
    __m512i x = _mm512_set1_epi32(0x01020304), w = x;
#define START(s) __m512i s = x;
#define STEP(s) s = _mm512_dpbusd_epi32(s, x, w); KEEP(s);
    TWELVE(START)
    for (; rounds > 0; rounds--) { TWELVE(STEP) }
#undef START
#undef STEP
}
#endif

#if defined(INTGOLD_HAS_AVXVNNI)
__attribute__((target("avx2,avxvnni"))) static void dot_ymm(int64_t rounds) {
    __m256i x = _mm256_set1_epi32(0x01020304), w = x;
#define START(s) __m256i s = x;
#define STEP(s) s = _mm256_dpbusd_avx_epi32(s, x, w); KEEP(s);
    TWELVE(START)
    for (; rounds > 0; rounds--) { TWELVE(STEP) }
#undef START
#undef STEP
}
#endif

#if defined(INTGOLD_HAS_AVX2)
__attribute__((target("avx2"))) static void dot_pairs(int64_t rounds) {
    __m256i x = _mm256_set1_epi32(0x00010002), w = x;
#define START(s) __m256i s = x;
#define STEP(s) s = _mm256_add_epi32(s, _mm256_madd_epi16(x, w)); KEEP(s); KEEP(x);
    TWELVE(START)
    for (; rounds > 0; rounds--) { TWELVE(STEP) }
#undef START
#undef STEP
}
#endif

#if defined(INTGOLD_HAS_AMX)
/* Six tiles of sums: there are eight tiles. */
__attribute__((target("amx-tile,amx-int8"))) static void dot_tiles(int64_t rounds) {
    static const struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes_per_row[16];
        uint8_t rows[16];
    } full = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    __asm__ volatile("" : : "r"(&full) : "memory"); /* gcc 12 names eight bytes of it only */
    _tile_loadconfig(&full);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (; rounds > 0; rounds--) {
        _tile_dpbusd(0, 6, 7);
        _tile_dpbusd(1, 6, 7);
        _tile_dpbusd(2, 6, 7);
        _tile_dpbusd(3, 6, 7);
        _tile_dpbusd(4, 6, 7);
        _tile_dpbusd(5, 6, 7);
    }
    _tile_release();
}
#endif

#if defined(INTGOLD_HAS_DOTPROD)
#if defined(__clang__)
__attribute__((target("dotprod")))
#else
__attribute__((target("arch=armv8.2-a+dotprod")))
#endif
static void dot_sdot(int64_t rounds) {
    int8x16_t x = vdupq_n_s8(3), w = x;
#define START(s) int32x4_t s = vdupq_n_s32(1);
#define STEP(s) s = vdotq_s32(s, x, w); KEEP(s);
    TWELVE(START)
    for (; rounds > 0; rounds--) { TWELVE(STEP) }
#undef START
#undef STEP
}
#endif

#if defined(INTGOLD_HAS_NEON)
static void dot_smlal(int64_t rounds) {
    int16x4_t x = vdup_n_s16(3), w = x;
#define START(s) int32x4_t s = vdupq_n_s32(1);
#define STEP(s) s = vmlal_s16(s, x, w); KEEP(s);
    TWELVE(START)
    for (; rounds > 0; rounds--) { TWELVE(STEP) }
#undef START
#undef STEP
}
#endif

typedef struct dot {
    intgold_isa isa;
    const char *name;
    int32_t products; /* multiply-adds of a round */
    void (*run)(int64_t rounds);
} dot;

static const dot dots[] = {
#if defined(INTGOLD_HAS_AMX)
    {INTGOLD_ISA_AMX, "tdpbusd tmm", 6 * 16 * 16 * 64, dot_tiles},
#endif
#if defined(INTGOLD_HAS_AVX512VNNI)
    {INTGOLD_ISA_AVX512VBMI, "vpdpbusd zmm", CHAINS * 64, dot_zmm},
    {INTGOLD_ISA_AVX512VNNI, "vpdpbusd zmm", CHAINS * 64, dot_zmm},
#endif
#if defined(INTGOLD_HAS_AVXVNNI)
    {INTGOLD_ISA_AVXVNNI, "vpdpbusd ymm", CHAINS * 32, dot_ymm},
#endif
#if defined(INTGOLD_HAS_AVX2)
    {INTGOLD_ISA_AVX2, "vpmaddwd + vpaddd ymm", CHAINS * 16, dot_pairs},
#endif
#if defined(INTGOLD_HAS_DOTPROD)
    {INTGOLD_ISA_DOTPROD, "sdot 128", CHAINS * 16, dot_sdot},
#endif
#if defined(INTGOLD_HAS_NEON)
    {INTGOLD_ISA_NEON, "smlal 128", CHAINS * 4, dot_smlal},
#endif
    {INTGOLD_ISA_PORTABLE, NULL, 0, NULL},
};

static const dot *dot_of(intgold_isa isa) {
    size_t i;
    for (i = 0; i < sizeof dots / sizeof dots[0]; i++)
        if (dots[i].isa == isa && dots[i].run && intgold_dispatch(isa)) return &dots[i];
    return NULL;
}

const char *intgold_measure_dot_name(intgold_isa isa) {
    const dot *found = dot_of(isa);
    return found ? found->name : NULL;
}

int64_t intgold_measure_dot(intgold_isa isa, int64_t rounds) {
    const dot *found = dot_of(isa);
    if (!found || rounds <= 0 || intgold_acquire_isa(isa) != isa) return 0;
    found->run(rounds);
    return rounds * found->products;
}

/* ---- What follows the sums: the kernels of the engine, on as much as a conv2d gives them. */

enum { PIXELS = 56, WIDTH = 2 * INTGOLD_MAX_LANES, SLACK = 64, TAIL_WORDS = 1024, BYTES = 4096 };

int64_t intgold_measure_requantize(intgold_isa isa, const intgold_requantize *by, int64_t rounds) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    int32_t sums[PIXELS * WIDTH], i;
    int8_t y[PIXELS * WIDTH + SLACK];
    int64_t packed[TAIL_WORDS], round;
    const int32_t width = kernels ? 2 * kernels->lanes : 0;
    intgold_requantize one = *by;
    intgold_epilogue epilogue = {NULL, 0, -128, 127, 0, NULL};
    intgold_pixels made = {NULL, NULL, 0, 0, NULL, NULL, 0};
    if (!kernels || kernels->epilogue_packed_size(width) > sizeof packed) return 0;
    one.count = 1;
    epilogue.by = &one;
    epilogue.packed = packed;
    kernels->epilogue_pack(&epilogue, width, packed);
    for (i = 0; i < PIXELS * WIDTH; i++) sums[i] = (i * 7919) % 200003 - 100000;
    made.sums = sums;
    made.step = made.y_step = (size_t)width;
    made.count = PIXELS;
    made.y = y;
    for (round = 0; round < rounds; round++) kernels->epilogue(&epilogue, 0, width, &made);
    return rounds * PIXELS * width;
}

int64_t intgold_measure_lut(intgold_isa isa, int64_t rounds) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    int8_t table[256], x[BYTES], y[BYTES];
    int64_t round;
    int32_t i;
    if (!kernels) return 0;
    for (i = 0; i < 256; i++) table[i] = (int8_t)(127 - i);
    for (i = 0; i < BYTES; i++) x[i] = (int8_t)((i * 37) % 256 - 128);
    for (round = 0; round < rounds; round++) kernels->lut(table, x, BYTES, y);
    return rounds * BYTES;
}
