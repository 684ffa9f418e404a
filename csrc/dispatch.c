/* Which table of kernels runs: the only file that looks at the CPU. */
#include "kernels.h"

const intgold_kernels *intgold_dispatch(intgold_isa isa) {
    if (isa == INTGOLD_ISA_AUTO || isa == INTGOLD_ISA_PORTABLE) return &intgold_kernels_portable;
    return NULL;
}

const char *intgold_isa_name(intgold_isa isa) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    return kernels ? kernels->name : NULL;
}
