/* resize_bilinear, SPEC clause 5.21: two rows are blended in scratch, then columns of the result. */
#include <string.h>

#include "arithmetic/rounding.h"
#include "arithmetic/size.h"
#include "ops/op.h"

enum { RESIZE_CHUNK = 256 }; /* sums that are rounded at once */

/* A row between two rows of x.  Weights of at most 2^11: products of int16 are fast. */
static void resize_blend(const intgold_resize_bilinear *op, const int8_t *x, int32_t oy,
                         int32_t *row) {
    const size_t count = (size_t)op->in_w * (size_t)op->in_c;
    const int8_t *a = x + (size_t)op->row0[oy] * count, *b = x + (size_t)op->row1[oy] * count;
    const int16_t second = op->row_weight[oy], first = (int16_t)((1 << op->frac_bits) - second);
    size_t i;
    for (i = 0; i < count; i++) row[i] = first * a[i] + second * b[i];
}

/* Sums of `count` channels from `from` on, of the output column ox. */
static void resize_sums(const intgold_resize_bilinear *op, const int32_t *row, int32_t ox,
                        int32_t from, int32_t count, int32_t *sums) {
    const int32_t *a = row + (size_t)op->column0[ox] * (size_t)op->in_c + (size_t)from;
    const int32_t *b = row + (size_t)op->column1[ox] * (size_t)op->in_c + (size_t)from;
    const int32_t second = op->column_weight[ox], first = (1 << op->frac_bits) - second;
    int32_t i;
    for (i = 0; i < count; i++) sums[i] = first * a[i] + second * b[i];
}

static void resize_round(const intgold_resize_bilinear *op, const int32_t *sums, int32_t count,
                         int8_t *y) {
    const int shift = 2 * op->frac_bits;
    int32_t i;
    if (op->form == INTGOLD_RESIZE_BILINEAR_AWAY)
        for (i = 0; i < count; i++) y[i] = (int8_t)intgold_round_away_32(sums[i], shift);
    else
        for (i = 0; i < count; i++) y[i] = (int8_t)intgold_round_up_32(sums[i], shift);
}

static void resize_row_by_blend(const intgold_resize_bilinear *op, const intgold_kernels *kernels,
                                const int32_t *row, int8_t *y) {
    intgold_blend by;
    by.channels = op->in_c;
    by.out_w = op->out_w;
    by.column0 = op->column0;
    by.column1 = op->column1;
    by.column_weight = op->column_weight;
    by.frac_bits = op->frac_bits;
    by.away = op->form == INTGOLD_RESIZE_BILINEAR_AWAY;
    kernels->blend(&by, row, y);
}

/* A chunk has whole pixels, or some channels of one that has more. */
static void resize_row(const intgold_resize_bilinear *op, const int32_t *row, int8_t *y,
                       int32_t *acc) {
    const int32_t most = intgold_min(op->in_c, RESIZE_CHUNK), pixels = RESIZE_CHUNK / most;
    int32_t sums[RESIZE_CHUNK];
    int32_t ox, from, i;
    for (ox = 0; ox < op->out_w; ox += pixels) {
        const int32_t n = intgold_min(pixels, op->out_w - ox);
        for (from = 0; from < op->in_c; from += most) {
            const int32_t channels = intgold_min(most, op->in_c - from), count = n * channels;
            const size_t at = (size_t)ox * (size_t)op->in_c + (size_t)from;
            for (i = 0; i < n; i++)
                resize_sums(op, row, ox + i, from, channels, sums + i * channels);
            resize_round(op, sums, count, y + at);
            if (acc) memcpy(acc + at, sums, (size_t)count * sizeof *sums);
        }
    }
}

size_t intgold_resize_bilinear_scratch_size(const intgold_resize_bilinear *op) {
    return intgold_times(intgold_times((size_t)op->in_w, (size_t)op->in_c), sizeof(int32_t));
}

static void resize_bilinear(const intgold_resize_bilinear *op, const intgold_kernels *kernels,
                            const int8_t *x, int8_t *y, int32_t *acc, int32_t *row) {
    const size_t out_row = (size_t)op->out_w * (size_t)op->in_c;
    int32_t oy;
    for (oy = 0; oy < op->out_h; oy++, y += out_row) {
        resize_blend(op, x, oy, row);
        if (kernels->blend && !acc)
            resize_row_by_blend(op, kernels, row, y);
        else
            resize_row(op, row, y, acc);
        if (acc) acc += out_row;
    }
}

void intgold_resize_bilinear_s8(const intgold_resize_bilinear *op, const int8_t *x, int8_t *y,
                                int32_t *acc, void *scratch) {
    resize_bilinear(op, &intgold_kernels_portable, x, y, acc, (int32_t *)scratch);
}

static size_t resize_bilinear_work_size(const void *fields, const intgold_kernels *kernels) {
    const size_t row =
        intgold_resize_bilinear_scratch_size((const intgold_resize_bilinear *)fields);
    return kernels->blend ? intgold_plus(row, INTGOLD_BLEND_BEYOND * sizeof(int32_t)) : row;
}

static void resize_bilinear_run(const intgold_call *call) {
    resize_bilinear((const intgold_resize_bilinear *)call->fields, call->kernels,
                    (const int8_t *)call->inputs[0], (int8_t *)call->output, call->acc,
                    (int32_t *)call->scratch);
}

const intgold_op_table intgold_resize_bilinear_table = {
    1, 1, NULL, NULL, resize_bilinear_work_size, resize_bilinear_run};
