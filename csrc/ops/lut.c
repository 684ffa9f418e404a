/* lut, SPEC clause 5.4.  A variant that has lut_lines() packs the lines of a table that has any. */
#include "ops/op.h"
#include "ops/table_lines.h"

typedef struct lut_packed {
    int32_t is_lines;
    intgold_table_lines lines;
} lut_packed;

void intgold_lut_s8(const intgold_lut *op, const int8_t *x, int8_t *y) {
    intgold_kernels_portable.lut(op->table, x, op->count, y);
}

static size_t lut_packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields;
    return kernels->lut_lines ? sizeof(lut_packed) : 0;
}

static void lut_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    lut_packed *to = (lut_packed *)packed;
    if (kernels->lut_lines)
        to->is_lines = intgold_table_lines_of(((const intgold_lut *)fields)->table, &to->lines);
}

static void lut_run(const intgold_call *call) {
    const intgold_lut *op = (const intgold_lut *)call->fields;
    const lut_packed *packed = (const lut_packed *)call->packed;
    const int8_t *x = (const int8_t *)call->inputs[0];
    int8_t *y = (int8_t *)call->output;
    if (call->kernels->lut_lines && packed->is_lines)
        call->kernels->lut_lines(&packed->lines, x, op->count, y);
    else
        call->kernels->lut(op->table, x, op->count, y);
}

const intgold_op_table intgold_lut_table = {1, 0, lut_packed_size, lut_pack, NULL, lut_run};
