/* conv2d, SPEC clause 5.1: widen a strip of the input, sum along its rows, finish.
 *
 * A strip is some rows of the input as words, padding included, so that every output pixel of
 * those rows is reached by adding steps to an address, whatever kernel, stride and dilation are:
 *
 *     strip   P P P P P P P P P      P: padding, the zero point
 *             P x x x x x x x P      a pixel's window is one run of kernel_w * in_c values per
 *             P x x x x x x x P      kernel row; with dilation_w one of in_c values per tap
 */
#include <string.h>

#include "conv2d_plan.h"

enum {
    CHUNK = 56, /* most pixels of a row between finishes */
    VECTOR = 64 /* bytes that may be touched beyond a strip */
};

/* Words may be read a vector beyond the strip's end. */
static size_t strip_bytes(const intgold_conv2d *op, const intgold_conv2d_plan *by) {
    return intgold_align(intgold_conv2d_in_rows(op, by->strip_rows) * by->row_bytes + VECTOR);
}

/* Sums of a chunk of pixels in two rows. */
static size_t sums_bytes(const intgold_kernels *kernels) {
    return (size_t)CHUNK * 4 * (size_t)kernels->lanes * sizeof(int32_t);
}

size_t intgold_conv2d_work_size(const intgold_conv2d *op, const intgold_kernels *kernels) {
    const intgold_conv2d_plan by = intgold_conv2d_plan_of(op, kernels);
    return strip_bytes(op, &by) + sums_bytes(kernels);
}

/* One image on its way. */
typedef struct job {
    const intgold_conv2d *op;
    const intgold_kernels *kernels;
    const intgold_conv2d_plan *by;
    const size_t *segments;
    const int32_t *bias;
    const char *weights;
    intgold_tail tail;
    const int8_t *table; /* of the lut that follows, or NULL */
    int32_t pooled;      /* 1: and a 2x2 max_pool2d */
    char *strip;
    char padding[VECTOR]; /* widened zero points */
    int32_t *sums;
    int8_t *y;     /* NULL: only the accumulators */
    int32_t *acc;  /* NULL: not wanted */
    int32_t chunks; /* that a row of pixels is cut into */
    int32_t rows;   /* of pixels between finishes */
} job;

/* Short pieces of padding are written as a whole vector, whose rest the next piece overwrites. */
static void pad(const job *at, size_t bytes, char *to) {
    if (bytes > VECTOR)
        memset(to, at->padding[0], bytes);
    else if (bytes > 0)
        memcpy(to, at->padding, VECTOR);
}

/* Widen the rows of the input under output rows from `oy` on, from left to right. */
static void fill(const job *at, const int8_t *x, int32_t oy, int32_t out_rows) {
    const intgold_conv2d *op = at->op;
    const intgold_conv2d_plan *by = at->by;
    const size_t in_c = (size_t)op->in_c, width = (size_t)by->in_w * in_c;
    const size_t left = (size_t)op->pad_left * in_c * by->value;
    const size_t right = (size_t)op->pad_right * in_c * by->value;
    const int32_t rows = (int32_t)intgold_conv2d_in_rows(op, out_rows);
    char *to = at->strip;
    int32_t i;
    for (i = 0; i < rows; i++, to += by->row_bytes) {
        const int32_t iy = oy * op->stride_h - op->pad_top + i * by->row_step;
        if (iy < 0 || iy >= by->in_h) {
            pad(at, by->row_bytes, to);
            continue;
        }
        pad(at, left, to);
        at->kernels->widen(x + (size_t)iy * width, op->x_zero_point, width, to + left);
        pad(at, right, to + left + width * by->value);
    }
}

/* Copy the sums of a row of pixels, channels first .. first+channels-1, to where acc has them. */
static void deliver_acc(const job *at, size_t pixel, int32_t pixels, int32_t first,
                        int32_t channels, const int32_t *sums) {
    const size_t out_c = (size_t)at->op->out_c;
    int32_t *acc = at->acc + pixel * out_c + (size_t)first;
    int32_t i;
    for (i = 0; i < pixels; i++, acc += out_c, sums += 2 * at->kernels->lanes)
        memcpy(acc, sums, (size_t)channels * sizeof(int32_t));
}

/* Give the sums of `pixels` pixels of row oy, from column ox on, to acc and y; folded sums are
 * those of the row below as well. */
static void deliver(const job *at, int32_t oy, int32_t ox, int32_t pixels, int32_t first,
                    int32_t channels, const int32_t *sums) {
    const size_t out_c = (size_t)at->op->out_c, out_w = (size_t)at->by->out_w;
    const size_t pixel = (size_t)oy * out_w + (size_t)ox;
    const int below = at->by->weights.folded && oy + 1 < at->by->out_h;
    intgold_pixels made;
    if (at->acc) deliver_acc(at, pixel, pixels, first, channels, sums);
    if (at->acc && below) deliver_acc(at, pixel + out_w, pixels, 0, channels, sums + channels);
    if (!at->y) return;
    made.sums = sums;
    made.below = NULL;
    made.step = 2 * (size_t)at->kernels->lanes;
    made.count = pixels;
    made.y = at->y + pixel * out_c + first;
    made.y_below = below ? made.y + out_w * out_c : NULL;
    made.y_step = out_c;
    at->kernels->finish(&at->tail, first, channels, &made);
}

/* Pixels side by side; x: the first value under them. */
static intgold_strip strip_of(const job *at, const char *x, int32_t pixels, int32_t block,
                              int32_t shift) {
    const intgold_conv2d_plan *by = at->by;
    const int32_t lanes = at->kernels->lanes;
    const int32_t second = shift ? block : block + 1;
    intgold_strip strip;
    strip.x = x;
    strip.column_step = (size_t)at->op->stride_w * (size_t)at->op->in_c * by->value;
    strip.columns = pixels;
    strip.segments = at->segments;
    strip.n_segments = intgold_packed_runs(&by->weights);
    strip.shift = shift;
    strip.run = intgold_blocks(by->weights.run_values, at->kernels->group);
    strip.weights0 = at->weights + (size_t)block * by->panel_bytes;
    strip.weights1 = second < by->blocks ? at->weights + (size_t)second * by->panel_bytes : NULL;
    strip.bias0 = at->bias + block * lanes;
    strip.bias1 = at->bias + second * lanes;
    return strip;
}

static void sum(const job *at, const char *x, int32_t pixels, int32_t block, int32_t shift,
                int32_t *sums) {
    const intgold_strip strip = strip_of(at, x, pixels, block, shift);
    at->kernels->convolve(&strip, sums);
}

static const char *window(const job *at, int32_t row, int32_t ox) {
    return at->strip + (size_t)row * (size_t)at->op->stride_h * at->by->row_bytes +
           (size_t)ox * (size_t)at->op->stride_w * (size_t)at->op->in_c * at->by->value;
}

/* Where a piece of work lies: output rows oy .. oy+rows-1, the first of them `row` below the
 * strip's top; pixels ox .. ox+pixels-1 of each. */
typedef struct piece {
    int32_t oy, row, rows, ox, pixels;
} piece;

/* The sums of row or pair i of a piece. */
static int32_t *sums_of(const job *at, const piece *of, int32_t i) {
    return at->sums + (size_t)i * (size_t)of->pixels * 2 * (size_t)at->kernels->lanes;
}

/* Two blocks of all channels from `block` on.  Whole rows of pixels lie one after another in the
 * output and are delivered as one. */
static void pair_of_blocks(const job *at, const piece *of, int32_t block) {
    const int32_t first = block * at->kernels->lanes, rest = at->op->out_c - first;
    const int32_t channels = rest < 2 * at->kernels->lanes ? rest : 2 * at->kernels->lanes;
    const int whole = of->pixels == at->by->out_w;
    int32_t i;
    for (i = 0; i < of->rows; i++) {
        int32_t *sums = sums_of(at, of, whole ? i : 0);
        sum(at, window(at, of->row + i, of->ox), of->pixels, block, 0, sums);
        if (!whole) deliver(at, of->oy + i, of->ox, of->pixels, first, channels, sums);
    }
    if (whole) deliver(at, of->oy, 0, of->rows * of->pixels, first, channels, at->sums);
}

/* The only block, of two rows of pixels. */
static void folded_block(const job *at, const piece *of) {
    int32_t i;
    for (i = 0; i < of->rows; i += 2) {
        sum(at, window(at, of->row + i, of->ox), of->pixels, 0, 0, at->sums);
        deliver(at, of->oy + i, of->ox, of->pixels, 0, at->op->out_c, at->sums);
    }
}

/* The last block, of two vectors of rows that share inputs. */
static void block_of_rows(const job *at, const piece *of, int32_t block) {
    const intgold_conv2d_plan *by = at->by;
    const int32_t lanes = at->kernels->lanes, first = block * lanes;
    const int32_t step = by->weights.folded ? 2 : 1;
    int32_t i, j;
    for (i = 0; i < of->rows; i += 2 * step) {
        sum(at, window(at, of->row + i, of->ox), of->pixels, block, by->shift, at->sums);
        for (j = 0; j < 2 && i + j * step < of->rows; j++)
            deliver(at, of->oy + i + j * step, of->ox, of->pixels, first, at->op->out_c - first,
                    at->sums + j * lanes);
    }
}

/* Pairs of rows of pixels become rows of their greatest. */
static void pooled_blocks(const job *at, const piece *of, int32_t block) {
    const intgold_conv2d_plan *by = at->by;
    const int32_t lanes = at->kernels->lanes, first = block * lanes, width = 2 * lanes;
    const int32_t shared = by->shift && block == by->blocks - 1;
    const int32_t rest = at->op->out_c - first, pairs = of->rows / 2;
    const size_t out_c = (size_t)at->op->out_c;
    const size_t above = (size_t)(of->oy / 2) * (size_t)(by->out_w / 2);
    const size_t below = shared ? (size_t)lanes : (size_t)CHUNK * 2 * (size_t)lanes;
    intgold_pixels made = {NULL, NULL, 0, 0, NULL, NULL, 0};
    int32_t i;
    for (i = 0; i < pairs; i++) {
        const int32_t row = of->row + 2 * i;
        int32_t *sums = sums_of(at, of, i);
        sum(at, window(at, row, of->ox), of->pixels, block, shared ? by->shift : 0, sums);
        if (!shared) sum(at, window(at, row + 1, of->ox), of->pixels, block, 0, sums + below);
    }
    made.sums = at->sums;
    made.below = at->sums + below;
    made.step = 2 * (size_t)lanes;
    made.count = pairs * of->pixels;
    made.y = at->y + (above + (size_t)(of->ox / 2)) * out_c + first;
    made.y_step = out_c;
    at->kernels->finish(&at->tail, first, rest < width ? rest : width, &made);
}

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

/* Where part i of a row of pixels begins; parts are nearly equal and pairs stay together. */
static int32_t edge(const intgold_conv2d_plan *by, int32_t i, int32_t n) {
    return i == n ? by->out_w : (int32_t)((int64_t)by->out_w * i / n / 2 * 2);
}

/* Rows of pixels between finishes: several where a chunk takes them whole. */
static int32_t rows_at_once(const job *at) {
    const intgold_conv2d_plan *by = at->by;
    const int32_t fit = CHUNK / by->out_w;
    const int side_by_side = !by->weights.folded && !(at->pooled && by->out_w % 2);
    return side_by_side && fit > 1 ? fit * by->rows : by->rows;
}

/* Blocks block .. block+1 of output rows oy .. oy+rows-1. */
static void band(const job *at, int32_t oy, int32_t row, int32_t rows, int32_t block) {
    int32_t i;
    piece of;
    of.oy = oy;
    of.row = row;
    of.rows = rows;
    for (i = 0; i < at->chunks; i++) {
        of.ox = edge(at->by, i, at->chunks);
        of.pixels = edge(at->by, i + 1, at->chunks) - of.ox;
        if (at->pooled)
            pooled_blocks(at, &of, block);
        else if (at->by->shift && block == at->by->blocks - 1)
            block_of_rows(at, &of, block);
        else if (at->by->weights.folded)
            folded_block(at, &of);
        else
            pair_of_blocks(at, &of, block);
    }
}

/* Put rows oy .. oy+rows-1 of the outputs through the table that follows, all channels. */
static void look_up(const job *at, int32_t oy, int32_t rows) {
    const int32_t pool = at->pooled ? 2 : 1, width = at->by->out_w / pool * at->op->out_c;
    int32_t y;
    for (y = oy / pool; at->table && y < (oy + rows) / pool; y++) {
        int8_t *line = at->y + (size_t)y * (size_t)width;
        at->kernels->lut(at->table, line, width, line);
    }
}

/* The output rows of a strip.  Few weights stay in the first cache: all of them row by row, the
 * outputs still there for the table.  Many are read once per strip: all rows for two blocks. */
static void strip_of_rows(const job *at, int32_t top, int32_t rows) {
    const intgold_conv2d_plan *by = at->by;
    const int many = by->weights_outweigh;
    int32_t oy, block;
    for (block = 0; many && block < by->blocks; block += 2)
        for (oy = 0; oy < rows; oy += at->rows)
            band(at, top + oy, oy, least(rows - oy, at->rows), block);
    for (oy = 0; oy < rows; oy += at->rows) {
        const int32_t now = least(rows - oy, at->rows);
        for (block = 0; !many && block < by->blocks; block += 2)
            band(at, top + oy, oy, now, block);
        look_up(at, top + oy, now);
    }
}

/* Whether the outputs can be pooled on the way: rows in pairs, one row of pixels per vector. */
int intgold_conv2d_pools(const intgold_conv2d *op, const intgold_kernels *kernels) {
    const intgold_conv2d_plan by = intgold_conv2d_plan_of(op, kernels);
    return by.rows == 2 && !by.weights.folded;
}

static void begin(const job *at) {
    const intgold_strip first = strip_of(at, at->strip, edge(at->by, 1, at->chunks), 0, 0);
    if (at->kernels->begin) at->kernels->begin(&first);
}

void intgold_conv2d_run(const intgold_call *call, const intgold_conv2d *op) {
    const char *packed = call->packed;
    const intgold_conv2d_plan *by = call->packed;
    const intgold_conv2d_parts where = intgold_conv2d_parts_of(by, call->kernels);
    int32_t top;
    job at;
    at.op = op;
    at.kernels = call->kernels;
    at.by = by;
    at.segments = (const size_t *)(const void *)(packed + where.segments);
    at.bias = (const int32_t *)(const void *)(packed + where.bias);
    at.weights = packed + where.weights;
    at.tail = intgold_conv2d_tail_of(op, by, packed + where.tail);
    at.table = call->table;
    at.pooled = call->pooled;
    at.strip = call->scratch;
    at.sums = (int32_t *)(void *)(at.strip + strip_bytes(op, by));
    at.y = call->output;
    at.acc = call->acc;
    memset(at.padding, intgold_widened_zero(at.kernels->flipped, op->x_zero_point),
           sizeof at.padding);
    at.chunks = intgold_blocks(by->out_w, CHUNK - 1); /* an edge may be one pixel off */
    at.rows = rows_at_once(&at);
    begin(&at);
    for (top = 0; top < by->out_h; top += by->strip_rows) {
        const int32_t rest = by->out_h - top, rows = rest < by->strip_rows ? rest : by->strip_rows;
        fill(&at, call->inputs[0], top, rows + (by->rows - rows % by->rows) % by->rows);
        strip_of_rows(&at, top, rows);
    }
    if (at.kernels->end) at.kernels->end();
}

static size_t packed_size(const void *fields, const intgold_kernels *kernels) {
    return intgold_conv2d_packed_size(fields, kernels);
}

static void pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    intgold_conv2d_pack(fields, kernels, packed);
}

static size_t work_size(const void *fields, const intgold_kernels *kernels) {
    return intgold_conv2d_work_size(fields, kernels);
}

static void run(const intgold_call *call) { intgold_conv2d_run(call, call->fields); }

const intgold_op_table intgold_conv2d_table = {1, 1, packed_size, pack, work_size, run};

size_t intgold_conv2d_scratch_size(const intgold_conv2d *op) {
    return intgold_alone_size(&intgold_conv2d_table, op);
}

void intgold_conv2d_s8(const intgold_conv2d *op, const int8_t *x, int8_t *y, int32_t *acc,
                       void *scratch) {
    intgold_run_alone(&intgold_conv2d_table, op, x, y, acc, scratch);
}
