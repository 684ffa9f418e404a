/* Whether a model is one that SPEC.md allows: what intgold_prepare asks before it trusts one. */
#ifndef INTGOLD_VALIDATE_H
#define INTGOLD_VALIDATE_H

#include "intgold.h"

/* The smallest and the largest value of a tensor, clause 7. */
typedef struct intgold_range {
    int32_t lo, hi;
} intgold_range;

#if !defined(INTGOLD_NO_CHECK)

/* Structure: kinds, counts, indices, shapes, offsets, numbers in structures.  No array
 * that `fields` points to is read.  *op: the op that is refused, or -1. */
intgold_status intgold_check_structure(const intgold_model *model, int32_t *op);

/* The same of one op by itself: INTGOLD_ERROR_ARGUMENT where there is no such op. */
intgold_status intgold_check_op(const intgold_model *model, int32_t op);

/* Values, of a model whose structure is right: entries of arrays, and the int32 proof.  ranges: one
 * per op, written here. */
intgold_status intgold_check_values(const intgold_model *model, intgold_range *ranges,
                                    int32_t *op);

#else /* models that are known to be legal, in less code */

static inline intgold_status intgold_check_structure(const intgold_model *model, int32_t *op) {
    (void)model;
    *op = -1;
    return INTGOLD_OK;
}

static inline intgold_status intgold_check_op(const intgold_model *model, int32_t op) {
    return op >= 0 && op < model->n_ops ? INTGOLD_OK : INTGOLD_ERROR_ARGUMENT;
}

static inline intgold_status intgold_check_values(const intgold_model *model,
                                                  intgold_range *ranges, int32_t *op) {
    (void)ranges;
    return intgold_check_structure(model, op);
}

#endif

#endif
