/* resize_bilinear, SPEC clause 5.21. */
#include <string.h>

#include "arithmetic/rounding.h"
#include "ops/op.h"

enum { RESIZE_CHUNK = 1024 }; /* sums that are rounded at once */

/* The two input rows of an output row, and the weights of both. */
typedef struct resize_rows {
    const int8_t *first, *second;
    int32_t first_weight, second_weight;
} resize_rows;

/* Sums of `count` channels from `from` on, of the output column ox. */
static void resize_sums(const intgold_resize_bilinear *op, const resize_rows *rows, int32_t ox,
                        int32_t from, int32_t count, int32_t *sums) {
    const size_t at0 = (size_t)op->column0[ox] * (size_t)op->in_c + (size_t)from;
    const size_t at1 = (size_t)op->column1[ox] * (size_t)op->in_c + (size_t)from;
    const int8_t *a = rows->first + at0, *b = rows->first + at1;
    const int8_t *c = rows->second + at0, *d = rows->second + at1;
    const int32_t v1 = op->column_weight[ox], v0 = (1 << op->frac_bits) - v1;
    const int32_t w0 = rows->first_weight, w1 = rows->second_weight;
    int32_t i;
    for (i = 0; i < count; i++) {
        const int32_t top = v0 * a[i] + v1 * b[i], bottom = v0 * c[i] + v1 * d[i];
        sums[i] = w0 * top + w1 * bottom;
    }
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

/* A chunk has whole pixels, or some channels of one that has more. */
static void resize_row(const intgold_resize_bilinear *op, const resize_rows *rows, int8_t *y,
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
                resize_sums(op, rows, ox + i, from, channels, sums + i * channels);
            resize_round(op, sums, count, y + at);
            if (acc) memcpy(acc + at, sums, (size_t)count * sizeof *sums);
        }
    }
}

void intgold_resize_bilinear_s8(const intgold_resize_bilinear *op, const int8_t *x, int8_t *y,
                                int32_t *acc) {
    const size_t in_row = (size_t)op->in_w * (size_t)op->in_c;
    const size_t out_row = (size_t)op->out_w * (size_t)op->in_c;
    int32_t oy;
    for (oy = 0; oy < op->out_h; oy++, y += out_row, acc += acc ? out_row : 0) {
        resize_rows rows;
        rows.first = x + (size_t)op->row0[oy] * in_row;
        rows.second = x + (size_t)op->row1[oy] * in_row;
        rows.second_weight = op->row_weight[oy];
        rows.first_weight = (1 << op->frac_bits) - rows.second_weight;
        resize_row(op, &rows, y, acc);
    }
}

static void resize_bilinear_run(const intgold_call *call) {
    intgold_resize_bilinear_s8((const intgold_resize_bilinear *)call->fields,
                               (const int8_t *)call->inputs[0], (int8_t *)call->output, call->acc);
}

const intgold_op_table intgold_resize_bilinear_table = {1,    1,    NULL,
                                                        NULL, NULL, resize_bilinear_run};
