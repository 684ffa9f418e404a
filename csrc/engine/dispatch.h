/* Which table of kernels a context runs. */
#ifndef INTGOLD_DISPATCH_H
#define INTGOLD_DISPATCH_H

#include "kernels/kernels.h"

/* The table for `isa` on this CPU, or NULL.  The system is asked for nothing: what a context runs is
 * that of intgold_acquire_isa(). */
const intgold_kernels *intgold_dispatch(intgold_isa isa);

/* What AUTO becomes where the system refuses AMX. */
const intgold_kernels *intgold_dispatch_without_tiles(intgold_isa isa);

#endif
