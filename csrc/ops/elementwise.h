/* Ops on single values: their sums become outputs a chunk at a time, by the kernels' epilogue(). */
#ifndef INTGOLD_ELEMENTWISE_H
#define INTGOLD_ELEMENTWISE_H

#include <string.h>

#include "ops/op.h"

enum { INTGOLD_CHUNK = 1024 };

/* What epilogue_pack produces for a scale that is the same in every lane of two vectors. */
static inline size_t intgold_uniform_size(const intgold_kernels *kernels) {
    return kernels->epilogue_packed_size(2 * kernels->lanes);
}

static inline void intgold_pack_uniform(const intgold_kernels *kernels,
                                        const intgold_epilogue *epilogue, void *packed) {
    kernels->epilogue_pack(epilogue, 2 * kernels->lanes, packed);
}

/* sums: whole vectors, that is up to a multiple of 2 * lanes. */
static inline void intgold_epilogue_values(const intgold_kernels *kernels,
                                           const intgold_epilogue *epilogue, const int32_t *sums,
                                           int32_t count, int8_t *y) {
    const int32_t width = 2 * kernels->lanes, rest = count % width;
    intgold_pixels made = {NULL, NULL, 0, 0, NULL, NULL, 0};
    made.sums = sums;
    made.step = made.y_step = (size_t)width;
    made.count = count / width;
    made.y = y;
    if (made.count) kernels->epilogue(epilogue, 0, width, &made);
    made.sums += count - rest;
    made.y += count - rest;
    made.count = 1;
    if (rest) kernels->epilogue(epilogue, 0, rest, &made);
}

#endif
