/* Ops that run together, where nobody asks for the tensors between them. */
#ifndef INTGOLD_FUSE_H
#define INTGOLD_FUSE_H

#include "ops/op.h"

typedef struct intgold_fusion {
    int32_t fused_ops; /* ops after this one that it does as well */
    int32_t pooled;      /* 1: the last of them is a 2x2 max_pool2d */
    const int8_t *table; /* of the lut or pwl among them, or NULL */
} intgold_fusion;

/* What op i does besides itself.  packed: of every op. */
intgold_fusion intgold_fuse(const intgold_model *model, int32_t i, const intgold_kernels *kernels,
                            const void *const *packed);

#endif
