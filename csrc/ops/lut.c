/* lut, SPEC clause 5.4.  A variant that has lut_line() packs the line of a table that is one. */
#include "ops/table_line.h"

#include "ops/op.h"

typedef struct lut_packed {
    int32_t is_line;
    intgold_table_line line;
} lut_packed;

void intgold_lut_s8(const intgold_lut *op, const int8_t *x, int8_t *y) {
    intgold_kernels_portable.lut(op->table, x, op->count, y);
}

static size_t lut_packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields;
    return kernels->lut_line ? sizeof(lut_packed) : 0;
}

static void lut_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    lut_packed *to = (lut_packed *)packed;
    if (kernels->lut_line)
        to->is_line = intgold_table_line_of(((const intgold_lut *)fields)->table, &to->line);
}

static void lut_run(const intgold_call *call) {
    const intgold_lut *op = (const intgold_lut *)call->fields;
    const lut_packed *packed = (const lut_packed *)call->packed;
    const int8_t *x = (const int8_t *)call->inputs[0];
    int8_t *y = (int8_t *)call->output;
    if (call->kernels->lut_line && packed->is_line)
        call->kernels->lut_line(&packed->line, x, op->count, y);
    else
        call->kernels->lut(op->table, x, op->count, y);
}

const intgold_op_table intgold_lut_table = {1, 0, lut_packed_size, lut_pack, NULL, lut_run};
