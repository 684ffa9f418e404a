/* Which table of kernels runs: the only file that looks at the CPU. */
#include "kernels.h"

const intgold_kernels *intgold_dispatch(intgold_isa isa) {
    if (isa == INTGOLD_ISA_AUTO || isa == INTGOLD_ISA_PORTABLE) return &intgold_kernels_portable;
    return NULL;
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
