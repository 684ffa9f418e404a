/* strided_copy, SPEC clause 5.18.
 *
 * Counters that do not count are left out, and those whose addresses go on where the next one's
 * end become one.  What is left are rows: bytes that lie side by side are copied at once, and
 * where rows lie side by side instead, 8 x 8 bytes are exchanged in registers.  What a counter of
 * stride 0 repeats is made once, and then copied from y. */
#include "ops/copy.h"
#include "ops/op.h"

enum { COUNTERS = 6, BLOCK = 8 };

/* A counter, and how far one step of it moves in x and in y. */
typedef struct counter {
    int32_t count;
    ptrdiff_t x_step, y_step;
} counter;

/* At least two counters; the last one is a row.  Of those before `in_order` all that lies inside
 * them in x lies inside them in y. */
typedef struct walk {
    int32_t n, in_order;
    counter dims[COUNTERS + 1];
} walk;

static void join_counters(const intgold_strided_copy *op, walk *w) {
    const int32_t counts[COUNTERS] = {op->count0, op->count1, op->count2,
                                      op->count3, op->count4, op->count5};
    const int32_t strides[COUNTERS] = {op->stride0, op->stride1, op->stride2,
                                       op->stride3, op->stride4, op->stride5};
    int32_t k;
    w->n = 0;
    for (k = 0; k < COUNTERS; k++) {
        counter *outer = w->n ? &w->dims[w->n - 1] : NULL;
        counter inner = {0, 0, 0};
        inner.count = counts[k];
        inner.x_step = strides[k];
        if (inner.count == 1) continue;
        if (outer && outer->x_step == inner.x_step * inner.count) {
            outer->count *= inner.count;
            outer->x_step = inner.x_step;
        } else {
            w->dims[w->n++] = inner;
        }
    }
}

/* Rows along the last counter; before it the one whose rows lie side by side, if there is one. */
static void plan_walk(const intgold_strided_copy *op, walk *w) {
    const counter one = {1, 0, 0};
    ptrdiff_t values = 1;
    counter beside;
    int32_t k, at;
    w->dims[0] = one;
    join_counters(op, w);
    for (; w->n < 2; w->n++) {
        w->dims[1] = w->dims[0];
        w->dims[0] = one;
    }
    for (k = w->n - 1; k >= 0; k--) {
        w->dims[k].y_step = values;
        values *= w->dims[k].count;
    }
    for (at = w->n - 2, k = 0; k < w->n - 1; k++)
        if (w->dims[k].x_step == 1) at = k;
    w->in_order = at;
    beside = w->dims[at];
    w->dims[at] = w->dims[w->n - 2];
    w->dims[w->n - 2] = beside;
}

static uint64_t load_block_row(const int8_t *from) {
    const uint8_t *b = (const uint8_t *)from;
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

static void store_block_row(int8_t *to, uint64_t row) {
    int32_t i;
    uint8_t bytes[BLOCK];
    for (i = 0; i < BLOCK; i++) bytes[i] = (uint8_t)(row >> 8 * i);
    memcpy(to, bytes, BLOCK);
}

/* Exchange the squares of `side` bytes off the diagonal of each square of twice as many; `low`
 * has the lower half of each. */
static void swap_blocks(uint64_t *rows, int32_t side, uint64_t low) {
    int32_t i;
    for (i = 0; i < BLOCK; i++) {
        uint64_t moved;
        if (i & side) continue;
        moved = (rows[i] >> 8 * side ^ rows[i + side]) & low;
        rows[i + side] ^= moved;
        rows[i] ^= moved << 8 * side;
    }
}

/* y(i, j) = x(j, i): 8 rows of 8 bytes, each 8 side by side. */
static void transpose_block(const int8_t *x, ptrdiff_t x_pitch, int8_t *y, ptrdiff_t y_pitch) {
    uint64_t rows[BLOCK];
    int32_t i;
    for (i = 0; i < BLOCK; i++) rows[i] = load_block_row(x + i * x_pitch);
    swap_blocks(rows, 4, 0x00000000ffffffff);
    swap_blocks(rows, 2, 0x0000ffff0000ffff);
    swap_blocks(rows, 1, 0x00ff00ff00ff00ff);
    for (i = 0; i < BLOCK; i++) store_block_row(y + i * y_pitch, rows[i]);
}

/* Rows that lie side by side in x. */
static void copy_columns(const int8_t *x, const counter *rows, const counter *row, int8_t *y) {
    const int32_t whole_rows = rows->count / BLOCK * BLOCK, whole = row->count / BLOCK * BLOCK;
    int32_t i, j;
    for (i = 0; i < whole_rows; i += BLOCK)
        for (j = 0; j < whole; j += BLOCK)
            transpose_block(x + i + j * row->x_step, row->x_step, y + i * rows->y_step + j,
                            rows->y_step);
    for (i = 0; i < rows->count; i++)
        for (j = i < whole_rows ? whole : 0; j < row->count; j++)
            y[i * rows->y_step + j] = x[i + j * row->x_step];
}

static void copy_row(const int8_t *x, const counter *row, int8_t *y) {
    int32_t i;
    if (row->x_step == 0)
        memset(y, *x, (size_t)row->count);
    else
        for (i = 0; i < row->count; i++) y[i] = x[i * row->x_step];
}

/* What lies at y as often as the counter says. */
static void repeat_block(const counter *times, int8_t *y) {
    int32_t i;
    for (i = 1; i < times->count; i++)
        intgold_copy(y + i * times->y_step, y, (size_t)times->y_step);
}

static void copy_runs(const int8_t *x, const counter *rows, size_t count, int8_t *y) {
    const counter at = *rows; /* a copy, which stores to y cannot change */
    int32_t i;
    for (i = 0; i < at.count; i++, x += at.x_step, y += at.y_step) intgold_copy(y, x, count);
}

static void copy_rows(const int8_t *x, const counter *rows, const counter *row, int8_t *y) {
    int32_t i;
    if (row->x_step == 1)
        copy_runs(x, rows, (size_t)row->count, y);
    else if (rows->x_step == 1)
        copy_columns(x, rows, row, y);
    else
        for (i = 0; i < rows->count; i++)
            copy_row(x + i * rows->x_step, row, y + i * rows->y_step);
}

/* Where rows begin: the counters before the last two, as an odometer. */
static void run_walk(const walk *w, const int8_t *x, ptrdiff_t from, int8_t *y) {
    int32_t at[COUNTERS] = {0}, k = 0;
    ptrdiff_t to = 0;
    while (k >= 0) {
        copy_rows(x + from, &w->dims[w->n - 2], &w->dims[w->n - 1], y + to);
        for (k = w->n - 3; k >= 0; k--) {
            if (w->dims[k].x_step == 0 && k < w->in_order) {
                repeat_block(&w->dims[k], y + to);
                continue;
            }
            from += w->dims[k].x_step;
            to += w->dims[k].y_step;
            if (++at[k] < w->dims[k].count) break;
            at[k] = 0;
            from -= w->dims[k].count * w->dims[k].x_step;
            to -= w->dims[k].count * w->dims[k].y_step;
        }
    }
}

void intgold_strided_copy_s8(const intgold_strided_copy *op, const int8_t *x, int8_t *y) {
    walk w;
    plan_walk(op, &w);
    run_walk(&w, x, op->offset, y);
}

static void strided_copy_run(const intgold_call *call) {
    intgold_strided_copy_s8((const intgold_strided_copy *)call->fields,
                            (const int8_t *)call->inputs[0], (int8_t *)call->output);
}

const intgold_op_table intgold_strided_copy_table = {1, 0, NULL, NULL, NULL, strided_copy_run};
