/* What the variant with AMX tiles adds to that of AVX-512. */
#ifndef INTGOLD_KERNELS_AMX_H
#define INTGOLD_KERNELS_AMX_H

#include "kernels/kernels.h"

void intgold_amx_begin(const intgold_strip *strip);
void intgold_amx_end(void);
void intgold_amx_convolve(const intgold_strip *strip, int32_t *sums);

/* For strips that leave tiles empty. */
void intgold_avx512_convolve(const intgold_strip *strip, int32_t *sums);

#endif
