/* conv2d, SPEC clause 5.1: load a strip of the input as words, sum along its rows,
 * requantise.
 *
 * A strip is some rows of the input as words, padding included, so that every output pixel of
 * those rows is reached by adding steps to an address, whatever kernel, stride and dilation are:
 *
 *     strip   P P P P P P P P P      P: padding, the zero point
 *             P x x x x x x x P      a pixel's window is one run of kernel_w * in_c values per
 *             P x x x x x x x P      kernel row; with dilation_w one of in_c values per tap
 */
#include <string.h>

#include "ops/conv2d_band.h"

size_t intgold_conv2d_strips_size(const intgold_conv2d_plan *by, const intgold_kernels *kernels) {
    return intgold_plus(by->strip_bytes, intgold_conv2d_sums_bytes(kernels));
}

size_t intgold_conv2d_work_size(const intgold_conv2d *op, const intgold_kernels *kernels) {
    const intgold_conv2d_plan by = intgold_conv2d_plan_of(op, kernels, 0);
    return by.direct ? 0 : intgold_conv2d_strips_size(&by, kernels);
}

/* Short pieces of padding are written as a whole vector, whose rest the next piece overwrites. */
static void pad(const intgold_conv2d_job *at, size_t bytes, char *to) {
    if (bytes > INTGOLD_VECTOR)
        memset(to, at->padding[0], bytes);
    else if (bytes > 0)
        memcpy(to, at->padding, INTGOLD_VECTOR);
}

/* A row of the strip: `left` columns of padding, `columns` of the input from `first` on, then
 * padding again. */
typedef struct strip_row {
    int32_t left, first, columns, right;
} strip_row;

static strip_row strip_row_of(const intgold_conv2d_job *at) {
    const int32_t before = at->op->pad_left;
    const int32_t whole = at->by->in_w + before + at->op->pad_right;
    strip_row row;
    row.left = before < 0 ? 0 : intgold_min(before, whole);
    row.first = before < 0 ? -before : 0;
    row.columns = intgold_min(at->by->in_w - row.first, whole - row.left);
    if (row.columns < 0) row.columns = 0;
    row.right = whole - row.left - row.columns;
    return row;
}

/* Load the rows of the input under output rows from `oy` on, from left to right. */
static void conv2d_fill(const intgold_conv2d_job *at, const int8_t *x, int32_t oy,
                        int32_t out_rows) {
    const intgold_conv2d *op = at->op;
    const intgold_conv2d_plan *by = at->by;
    const strip_row row = strip_row_of(at);
    const size_t in_c = (size_t)op->in_c, width = (size_t)row.columns * in_c;
    const size_t left = (size_t)row.left * in_c * by->value;
    const size_t right = (size_t)row.right * in_c * by->value;
    const int32_t rows = (int32_t)intgold_conv2d_in_rows(op, out_rows);
    char *to = at->strip;
    int32_t i;
    for (i = 0; i < rows; i++, to += by->row_bytes) {
        const int32_t iy = oy * op->stride_h - op->pad_top + i * by->row_step;
        const int8_t *from;
        if (iy < 0 || iy >= by->in_h || width == 0) {
            pad(at, by->row_bytes, to);
            continue;
        }
        pad(at, left, to);
        from = x + ((size_t)iy * (size_t)by->in_w + (size_t)row.first) * in_c;
        at->kernels->load_inputs(from, op->x_zero_point, width, to + left);
        pad(at, right, to + left + width * by->value);
    }
}

/* Put rows oy .. oy+rows-1 of the outputs through the table that follows, all channels. */
static void conv2d_look_up(const intgold_conv2d_job *at, int32_t oy, int32_t rows) {
    const int32_t pool = at->pooled ? 2 : 1, width = at->by->out_w / pool * at->op->out_c;
    int32_t y;
    for (y = oy / pool; at->table && y < (oy + rows) / pool; y++) {
        int8_t *line = at->y + (size_t)y * (size_t)width;
        at->kernels->lut(at->table, line, width, line);
    }
}

/* The output rows of a strip.  Few weights stay in the first cache: all of them row by row, the
 * outputs still there for the table.  Many are read once per strip: all rows for two blocks. */
static void conv2d_strip_of_rows(const intgold_conv2d_job *at, int32_t top, int32_t rows) {
    const intgold_conv2d_plan *by = at->by;
    const int many = by->weights_outweigh;
    int32_t oy, block;
    for (block = 0; many && block < by->blocks; block += 2)
        for (oy = 0; oy < rows; oy += at->rows)
            intgold_conv2d_band(at, top + oy, oy, intgold_min(rows - oy, at->rows), block);
    for (oy = 0; oy < rows; oy += at->rows) {
        const int32_t now = intgold_min(rows - oy, at->rows);
        for (block = 0; !many && block < by->blocks; block += 2)
            intgold_conv2d_band(at, top + oy, oy, now, block);
        conv2d_look_up(at, top + oy, now);
    }
}

/* Whether the outputs can be pooled on the way: rows in pairs, one row of pixels per vector. */
int intgold_conv2d_pools(const intgold_conv2d *op, const intgold_kernels *kernels) {
    const intgold_conv2d_plan by = intgold_conv2d_plan_of(op, kernels, 0);
    return by.rows == 2 && !by.weights.folded && !by.direct;
}

void intgold_conv2d_run_strips(const intgold_call *call, const intgold_conv2d *op,
                               const intgold_steps *steps) {
    const char *packed = (const char *)call->packed;
    const intgold_conv2d_plan *by = (const intgold_conv2d_plan *)call->packed;
    const intgold_conv2d_parts where = intgold_conv2d_parts_of(by, call->kernels);
    int32_t top;
    intgold_conv2d_job at;
    at.op = op;
    at.kernels = call->kernels;
    at.by = by;
    at.segments = (const size_t *)(const void *)(packed + where.segments);
    at.bias = (const int32_t *)(const void *)(packed + where.bias);
    at.weights = packed + where.weights;
    at.epilogue = intgold_conv2d_epilogue_of(op, by, packed + where.epilogue);
    at.table = call->table;
    at.pooled = call->pooled;
    at.strip = (char *)call->scratch;
    at.sums = (int32_t *)(void *)(at.strip + by->strip_bytes);
    at.steps = *steps;
    at.y = (int8_t *)call->output;
    at.acc = call->acc;
    memset(at.padding, intgold_encoded_zero(at.kernels->input_encoding, op->x_zero_point),
           sizeof at.padding);
    at.chunks = intgold_blocks(by->out_w, CHUNK - 1); /* an edge may be one pixel off */
    at.rows = intgold_conv2d_rows_at_once(&at);
    intgold_conv2d_begin(&at);
    for (top = 0; top < by->out_h; top += by->strip_rows) {
        const int32_t rest = by->out_h - top, rows = rest < by->strip_rows ? rest : by->strip_rows;
        conv2d_fill(&at, (const int8_t *)call->inputs[0], top,
                    rows + (by->rows - rows % by->rows) % by->rows);
        conv2d_strip_of_rows(&at, top, rows);
    }
    if (at.kernels->end) at.kernels->end();
}

void intgold_conv2d_run(const intgold_call *call, const intgold_conv2d *op) {
    const intgold_conv2d_plan *by = (const intgold_conv2d_plan *)call->packed;
    const intgold_direct direct = intgold_direct_of_conv2d(op);
    const intgold_steps dense = intgold_dense_steps(by->out_w, op->out_c);
    if (by->direct)
        intgold_direct_run(&direct, call);
    else
        intgold_conv2d_run_strips(call, op, &dense);
}

static size_t conv2d_packed_size(const void *fields, const intgold_kernels *kernels) {
    return intgold_conv2d_packed_size((const intgold_conv2d *)fields, kernels);
}

static void conv2d_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    intgold_conv2d_pack((const intgold_conv2d *)fields, kernels, (char *)packed);
}

static size_t conv2d_work_size(const void *fields, const intgold_kernels *kernels) {
    return intgold_conv2d_work_size((const intgold_conv2d *)fields, kernels);
}

static void conv2d_run(const intgold_call *call) {
    intgold_conv2d_run(call, (const intgold_conv2d *)call->fields);
}

const intgold_op_table intgold_conv2d_table = {
    1, 1, conv2d_packed_size, conv2d_pack, conv2d_work_size, conv2d_run};

size_t intgold_conv2d_scratch_size(const intgold_conv2d *op) {
    return intgold_single_op_size(&intgold_conv2d_table, op);
}

void intgold_conv2d_s8(const intgold_conv2d *op, const int8_t *x, int8_t *y, int32_t *acc,
                       void *scratch) {
    intgold_run_single_op(&intgold_conv2d_table, op, x, y, acc, scratch);
}
