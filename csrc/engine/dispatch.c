/* Which table of kernels runs: the only file that looks at the CPU. */
#include "engine/dispatch.h"

#if defined(INTGOLD_X86_64)
#include <cpuid.h>
#endif
#if defined(INTGOLD_HAS_DOTPROD) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(INTGOLD_HAS_DOTPROD) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

typedef struct variant {
    intgold_isa isa;
    uint32_t needs; /* features */
    const intgold_kernels *kernels;
} variant;

/* The fastest first; a variant that is compiled out is not here. */
static const variant variants[] = {
#if defined(INTGOLD_HAS_AMX)
    {INTGOLD_ISA_AMX,
     INTGOLD_FEATURE_AVX512VNNI | INTGOLD_FEATURE_AVX512VBMI | INTGOLD_FEATURE_AMX,
     &intgold_kernels_amx},
#endif
#if defined(INTGOLD_HAS_AVX512VNNI)
    {INTGOLD_ISA_AVX512VBMI, INTGOLD_FEATURE_AVX512VNNI | INTGOLD_FEATURE_AVX512VBMI,
     &intgold_kernels_avx512vbmi},
    {INTGOLD_ISA_AVX512VNNI, INTGOLD_FEATURE_AVX512VNNI, &intgold_kernels_avx512vnni},
#endif
#if defined(INTGOLD_HAS_AVXVNNI)
    {INTGOLD_ISA_AVXVNNI, INTGOLD_FEATURE_AVX2 | INTGOLD_FEATURE_AVXVNNI,
     &intgold_kernels_avxvnni},
#endif
#if defined(INTGOLD_HAS_AVX2)
    {INTGOLD_ISA_AVX2, INTGOLD_FEATURE_AVX2, &intgold_kernels_avx2},
#endif
#if defined(INTGOLD_HAS_DOTPROD)
    {INTGOLD_ISA_DOTPROD, INTGOLD_FEATURE_NEON | INTGOLD_FEATURE_DOTPROD,
     &intgold_kernels_dotprod},
#endif
#if defined(INTGOLD_HAS_NEON)
    {INTGOLD_ISA_NEON, INTGOLD_FEATURE_NEON, &intgold_kernels_neon},
#endif
    {INTGOLD_ISA_PORTABLE, 0, &intgold_kernels_portable},
};

#if defined(INTGOLD_X86_64)
/* Older compilers' __builtin_cpu_supports does not know it.  Bit 4 of EAX of leaf 7, subleaf 1;
 * subleaf 0 says in EAX how many there are. */
static int has_avxvnni(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || a < 1) return 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}
#endif

#if defined(INTGOLD_HAS_AMX)
enum { SYS_ARCH_PRCTL = 158, GET_XCOMP_SUPP = 0x1021, REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };

/* Linux's system call, which no header of C has: 0 when all went well. */
static long arch_prctl(long code, void *argument) {
    long result = SYS_ARCH_PRCTL;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(code), "S"(argument)
                     : "rcx", "r11", "memory");
    return result;
}

/* Bits 24 and 25 of EDX of leaf 7, and a system that saves the tiles' registers. */
static int has_amx(void) {
    unsigned a, b, c, d;
    uint64_t saved = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d >> 24 & 3) != 3) return 0;
    return arch_prctl(GET_XCOMP_SUPP, &saved) == 0 && (saved >> XTILEDATA & 1);
}

/* A process has to ask for them, once; it is refused where a thread's signal stack is too small. */
static int request_tiles(void) {
    return arch_prctl(REQ_XCOMP_PERM, (void *)(uintptr_t)XTILEDATA) == 0;
}
#else
static int request_tiles(void) { return 0; }
#endif

#if defined(INTGOLD_HAS_DOTPROD)
static int has_dotprod(void) {
#if defined(__linux__)
    return getauxval(AT_HWCAP) >> 20 & 1; /* HWCAP_ASIMDDP */
#elif defined(__APPLE__)
    int found = 0;
    size_t size = sizeof found;
    return sysctlbyname("hw.optional.arm.FEAT_DotProd", &found, &size, NULL, 0) == 0 && found;
#elif defined(__ARM_FEATURE_DOTPROD)
    return 1;
#else
    return 0;
#endif
}
#endif

uint32_t intgold_cpu_features(void) {
    uint32_t found = 0;
#if defined(INTGOLD_X86_64)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) { /* and the system saves its registers */
        found |= INTGOLD_FEATURE_AVX2;
        if (has_avxvnni()) found |= INTGOLD_FEATURE_AVXVNNI;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        if (__builtin_cpu_supports("avx512vnni")) found |= INTGOLD_FEATURE_AVX512VNNI;
        if (__builtin_cpu_supports("avx512vbmi")) found |= INTGOLD_FEATURE_AVX512VBMI;
    }
#if defined(INTGOLD_HAS_AMX)
    if (has_amx()) found |= INTGOLD_FEATURE_AMX;
#endif
#endif
#if defined(INTGOLD_HAS_NEON)
    found |= INTGOLD_FEATURE_NEON; /* part of AArch64 */
#endif
#if defined(INTGOLD_HAS_DOTPROD)
    if (has_dotprod()) found |= INTGOLD_FEATURE_DOTPROD;
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

static int needs_tiles(const variant *of) { return (of->needs & INTGOLD_FEATURE_AMX) != 0; }

static const variant *without_tiles(intgold_isa isa) {
    return choose(isa, intgold_cpu_features() & ~(uint32_t)INTGOLD_FEATURE_AMX);
}

const intgold_kernels *intgold_dispatch_without_tiles(intgold_isa isa) {
    const variant *chosen = without_tiles(isa);
    return chosen ? chosen->kernels : NULL;
}

intgold_isa intgold_acquire_isa(intgold_isa isa) {
    const variant *chosen = choose(isa, intgold_cpu_features());
    if (chosen && needs_tiles(chosen) && !request_tiles()) chosen = without_tiles(isa);
    return chosen ? chosen->isa : INTGOLD_ISA_AUTO;
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
