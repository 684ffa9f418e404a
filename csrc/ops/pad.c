/* pad, SPEC clause 5.15. */
#include <string.h>

#include "ops/op.h"

/* Rows of values along the last dimension: those of x between two of the constant. */
static int8_t *plane(const intgold_pad *op, const int8_t *x, int8_t *y) {
    const size_t front = (size_t)op->before2, row = (size_t)op->in2, back = (size_t)op->after2;
    const size_t wide = front + row + back;
    int32_t i;
    memset(y, op->value, (size_t)op->before1 * wide);
    y += (size_t)op->before1 * wide;
    for (i = 0; i < op->in1; i++, x += row, y += wide) {
        memset(y, op->value, front);
        memcpy(y + front, x, row);
        memset(y + front + row, op->value, back);
    }
    memset(y, op->value, (size_t)op->after1 * wide);
    return y + (size_t)op->after1 * wide;
}

/* The same with the last two dimensions as one, where the last is not padded: longer rows. */
static intgold_pad joined(const intgold_pad *op) {
    intgold_pad made = *op;
    if (op->before2 || op->after2) return made;
    made.before2 = op->before1 * op->in2;
    made.in2 = op->in1 * op->in2;
    made.after2 = op->after1 * op->in2;
    made.before1 = made.after1 = 0;
    made.in1 = 1;
    return made;
}

void intgold_pad_s8(const intgold_pad *op, const int8_t *x, int8_t *y) {
    const intgold_pad by = joined(op);
    const size_t wide = (size_t)by.before2 + (size_t)by.in2 + (size_t)by.after2;
    const size_t size = wide * ((size_t)by.before1 + (size_t)by.in1 + (size_t)by.after1);
    int32_t i;
    memset(y, by.value, (size_t)by.before0 * size);
    y += (size_t)by.before0 * size;
    for (i = 0; i < by.in0; i++, x += (size_t)by.in1 * (size_t)by.in2) y = plane(&by, x, y);
    memset(y, by.value, (size_t)by.after0 * size);
}

static void pad_run(const intgold_call *call) {
    intgold_pad_s8((const intgold_pad *)call->fields, (const int8_t *)call->inputs[0],
                   (int8_t *)call->output);
}

const intgold_op_table intgold_pad_table = {1, 0, NULL, NULL, NULL, pad_run};
