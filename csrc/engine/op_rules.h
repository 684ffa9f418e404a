/* What an op of each kind must be, beside the limits of its numbers. */
#ifndef INTGOLD_OP_RULES_H
#define INTGOLD_OP_RULES_H

#include "intgold.h"

/* The tensors of an op; x2 is NULL where the kind takes one. */
typedef struct intgold_op_ends {
    const intgold_tensor *x, *x2, *y;
} intgold_op_ends;

/* The dtypes of inputs; what takes int32 has an output of int32. */
enum intgold_input_dtypes { INTGOLD_TAKES_INT8 = 1, INTGOLD_TAKES_INT32 = 2 };

typedef struct intgold_op_rules {
    intgold_status (*check)(const void *fields, const intgold_op_ends *at);
    uint8_t n_inputs, takes; /* takes: enum intgold_input_dtypes */
    uint8_t requantize;      /* where the structure has one that may be left out; else 0 */
} intgold_op_rules;

/* NULL: there is no such kind. */
const intgold_op_rules *intgold_op_rules_of(int32_t kind);

/* Whether inputs may have this dtype. */
int intgold_takes_dtype(const intgold_op_rules *by, int32_t dtype);

/* The dtype that the output of an op has. */
int32_t intgold_made_dtype(const intgold_op_rules *by, const void *fields);

#endif
