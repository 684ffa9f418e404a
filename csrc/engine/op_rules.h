/* What an op of each kind must be, beside the limits of its numbers. */
#ifndef INTGOLD_OP_RULES_H
#define INTGOLD_OP_RULES_H

#include "intgold.h"

/* The tensors of an op; x2 is NULL where the kind takes one. */
typedef struct intgold_op_ends {
    const intgold_tensor *x, *x2, *y;
} intgold_op_ends;

typedef struct intgold_op_rules {
    intgold_status (*check)(const void *fields, const intgold_op_ends *at);
    uint8_t n_inputs, wide; /* wide: int32 tensors */
    uint8_t requantize;     /* where the structure has one that may be left out; else 0 */
} intgold_op_rules;

/* NULL: there is no such kind. */
const intgold_op_rules *intgold_op_rules_of(int32_t kind);

/* The dtype that the output of an op has. */
int32_t intgold_made_dtype(const intgold_op_rules *by, const void *fields);

#endif
