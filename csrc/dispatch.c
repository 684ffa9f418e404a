/* Which table of kernels runs: the only file that looks at the CPU. */
#include "kernels.h"

typedef struct variant {
    intgold_isa isa;
    uint32_t needs; /* features */
    const intgold_kernels *kernels;
} variant;

/* The fastest first; a variant that is compiled out is not here. */
static const variant variants[] = {
#if defined(INTGOLD_HAS_AVX512VNNI)
    {INTGOLD_ISA_AVX512VBMI, INTGOLD_FEATURE_AVX512VNNI | INTGOLD_FEATURE_AVX512VBMI,
     &intgold_kernels_avx512vbmi},
    {INTGOLD_ISA_AVX512VNNI, INTGOLD_FEATURE_AVX512VNNI, &intgold_kernels_avx512vnni},
#endif
    {INTGOLD_ISA_PORTABLE, 0, &intgold_kernels_portable},
};

uint32_t intgold_cpu_features(void) {
    uint32_t found = 0;
#if defined(__GNUC__) && defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) found |= INTGOLD_FEATURE_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        if (__builtin_cpu_supports("avx512vnni")) found |= INTGOLD_FEATURE_AVX512VNNI;
        if (__builtin_cpu_supports("avx512vbmi")) found |= INTGOLD_FEATURE_AVX512VBMI;
    }
#endif
    return found;
}

static const variant *choose(intgold_isa isa, uint32_t features) {
    size_t i;
    for (i = 0; i < sizeof variants / sizeof variants[0]; i++)
        if ((isa == INTGOLD_ISA_AUTO || isa == variants[i].isa) &&
            (variants[i].needs & ~features) == 0)
            return &variants[i];
    return NULL;
}

intgold_isa intgold_best_isa(uint32_t features) {
    return choose(INTGOLD_ISA_AUTO, features)->isa;
}

const intgold_kernels *intgold_dispatch(intgold_isa isa) {
    const variant *chosen = choose(isa, intgold_cpu_features());
    return chosen ? chosen->kernels : NULL;
}

#if defined(__clang__)
static const char compiler[] = "clang " __clang_version__;
#elif defined(__GNUC__)
static const char compiler[] = "gcc " __VERSION__;
#else
static const char compiler[] = "unknown";
#endif

const char *intgold_compiler(void) { return compiler; }

const char *intgold_isa_name(intgold_isa isa) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    return kernels ? kernels->name : NULL;
}
