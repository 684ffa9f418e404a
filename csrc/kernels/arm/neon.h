/* Vectors of AArch64, for the files of the variants neon and dotprod: their sums are alike, and so is
 * all that is made of them.  How a word is multiplied is in kernels_neon.c and kernels_dotprod.c.
 * Included once by each file, which defines NAME() and TARGET. */
#include "kernels/generic/simd.h"

/* Older clangs hide the dot products unless flags bring them; a function's target is enough. */
#if defined(INTGOLD_HAS_DOTPROD) && defined(__clang__) && !defined(__ARM_FEATURE_DOTPROD)
#define __ARM_FEATURE_DOTPROD 1
#endif
#include <arm_neon.h>

/* Of 32 registers twenty hold sums: two vectors, of two registers each, for each of five
 * pixels. */
#define LANES 8
#define VECTOR 32
#define HALF 16
#define COLUMNS 5

INTGOLD_DECLARE_SHARED(neon);
