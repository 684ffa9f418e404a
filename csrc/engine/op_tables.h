/* Which functions an op of each kind has. */
#ifndef INTGOLD_OP_TABLES_H
#define INTGOLD_OP_TABLES_H

#include "ops/op.h"

/* NULL: there is no such kind. */
const intgold_op_table *intgold_op_table_of(int32_t kind);

/* Tensors that an op of a known kind reads. */
int32_t intgold_inputs_of(const intgold_op *op);

#endif
