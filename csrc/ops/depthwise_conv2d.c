/* depthwise_conv2d, SPEC clause 5.2: load the rows under some output rows as words, sum tap by tap.
 *
 * `group` rows of a kernel's window, dilated or not, become one row of words, padding included,
 * so that one instruction multiplies and adds `group` taps of each channel:
 *
 *     rows iy, iy+1, iy+2, iy+3          words: P P P c0 c1 c2 | c0 c1 c2 | ...  P P P
 *     of a kernel with up to 4 rows             each c: four values, one below the other
 *
 * Where `group` is 1, a word is one value, and kernels pair taps as they load them (AVX2).
 *
 * There is a row of words for every input row that a window, or a group of its rows, begins at;
 * output rows share them, and rows beyond a kernel meet weights of 0.  With several channels of
 * output per channel of input, each input is first repeated. */
#include <string.h>

#include "ops/depthwise_plan.h"

enum { DEPTHWISE_CHUNK = INTGOLD_DEPTHWISE_CHUNK };

static size_t depthwise_work_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_depthwise_plan by =
        intgold_depthwise_plan_of((const intgold_depthwise_conv2d *)fields, kernels);
    return by.direct ? 0 : by.work;
}

/* One image on its way. */
typedef struct depthwise_job {
    const intgold_depthwise_conv2d *op;
    const intgold_kernels *kernels;
    const intgold_depthwise_plan *by;
    intgold_epilogue epilogue;
    char *words;
    int8_t *repeated;
    int32_t *sums;
    int8_t *y;
    int32_t *acc;
} depthwise_job;

static void repeat(const intgold_depthwise_conv2d *op, const int8_t *x, int8_t *to) {
    const int32_t multiple = op->out_c / op->in_c;
    size_t i;
    int32_t j;
    for (i = 0; i < (size_t)op->in_w * (size_t)op->in_c; i++)
        for (j = 0; j < multiple; j++) *to++ = x[i];
}

/* Row iy of the input with out_c channels, or NULL where it is padding. */
static const int8_t *row_of(const depthwise_job *at, const int8_t *x, int32_t iy, int32_t j) {
    const intgold_depthwise_conv2d *op = at->op;
    int8_t *to = at->repeated + (size_t)j * (size_t)op->in_w * (size_t)op->out_c;
    if (iy < 0 || iy >= op->in_h) return NULL;
    x += (size_t)iy * (size_t)op->in_w * (size_t)op->in_c;
    if (op->in_c == op->out_c) return x;
    repeat(op, x, to);
    return to;
}

/* Whether i = a*step + b*other with a < count and b < max. */
static int is_sum(int32_t i, int32_t count, int32_t step, int32_t max, int32_t other) {
    for (; count > 0 && i >= 0; count--, i -= step)
        if (i % other == 0 && i / other < max) return 1;
    return 0;
}

/* Whether a group of the kernel's rows begins at row i of the words under `rows` output rows. */
static int is_read(const depthwise_job *at, int32_t i, int32_t rows) {
    const int32_t distance = at->kernels->depthwise.group / at->by->unit, stride = at->op->stride_h;
    const int32_t groups = at->by->groups;
    return groups < rows ? is_sum(i, groups, distance, rows, stride)
                         : is_sum(i, rows, stride, groups, distance);
}

/* Row i of the words under output rows from oy on. */
static void fill_row(const depthwise_job *at, const int8_t *x, int32_t oy, int32_t i) {
    static const int8_t *const padding[INTGOLD_MAX_GROUP] = {NULL, NULL, NULL, NULL};
    const intgold_depthwise_conv2d *op = at->op;
    const intgold_kernels *kernels = at->kernels;
    const size_t out_c = (size_t)op->out_c;
    const size_t left = (size_t)op->pad_left * out_c, right = (size_t)op->pad_right * out_c;
    const size_t width = (size_t)op->in_w * out_c;
    const size_t bytes = (size_t)kernels->depthwise.bytes;
    char *to = at->words + (size_t)i * at->by->row_words * bytes;
    const int8_t *rows[INTGOLD_MAX_GROUP];
    int32_t j;
    for (j = 0; j < kernels->depthwise.group; j++) {
        const int32_t ky = i * at->by->unit + j;
        rows[j] = row_of(at, x, oy * op->stride_h - op->pad_top + ky * op->dilation_h, j);
    }
    kernels->load_rows(padding, op->x_zero_point, left, to);
    kernels->load_rows(rows, op->x_zero_point, width, to + left * bytes);
    kernels->load_rows(padding, op->x_zero_point, right, to + (left + width) * bytes);
}

static void depthwise_fill(const depthwise_job *at, const int8_t *x, int32_t oy, int32_t rows) {
    const int32_t count = (int32_t)intgold_word_rows(at->op, at->by, at->kernels->depthwise.group, rows);
    int32_t i;
    for (i = 0; i < count; i++)
        if (is_read(at, i, rows)) fill_row(at, x, oy, i);
}

/* Give the sums of a block of channels of `pixels` pixels to acc and y. */
static void depthwise_deliver(const depthwise_job *at, size_t pixel, int32_t pixels,
                              int32_t first) {
    const int32_t lanes = at->kernels->depthwise.lanes, rest = at->op->out_c - first;
    const int32_t channels = rest < lanes ? rest : lanes;
    const size_t out_c = (size_t)at->op->out_c, place = pixel * out_c + (size_t)first;
    intgold_pixels made = {NULL, NULL, 0, 0, NULL, NULL, 0};
    int32_t i;
    for (i = 0; at->acc && i < pixels; i++)
        memcpy(at->acc + place + (size_t)i * out_c, at->sums + i * lanes,
               (size_t)channels * sizeof(int32_t));
    if (!at->y) return;
    made.sums = at->sums;
    made.step = (size_t)lanes;
    made.count = pixels;
    made.y = at->y + place;
    made.y_step = out_c;
    at->kernels->epilogue(&at->epilogue, first, channels, &made);
}

/* Where a piece of work lies: output rows oy .. oy+rows-1, the first of them `row` below the first
 * of those filled; pixels ox .. ox+pixels-1 of each, all of them where there are several rows. */
typedef struct depthwise_piece {
    int32_t oy, row, rows, ox, pixels;
} depthwise_piece;

/* One block of channels after the other. */
static void sum_and_deliver(const depthwise_job *at, const char *packed,
                            const depthwise_piece *of) {
    const intgold_depthwise_conv2d *op = at->op;
    const intgold_depthwise_plan *by = at->by;
    const int32_t lanes = at->kernels->depthwise.lanes;
    const size_t bytes = (size_t)at->kernels->depthwise.bytes;
    int32_t block, i;
    intgold_strip strip;
    memset(&strip, 0, sizeof strip);
    strip.column_step = (size_t)op->stride_w * (size_t)op->out_c * bytes;
    strip.columns = of->pixels;
    strip.segments = (const size_t *)(const void *)(packed + by->offsets);
    strip.n_segments = by->segments;
    for (block = 0; block < by->blocks; block++) {
        const size_t first = (size_t)block * (size_t)lanes;
        strip.weights0 = packed + by->weights + first * (size_t)by->weight_words * 4;
        strip.bias0 = (const int32_t *)(const void *)(packed + by->bias) + first;
        for (i = 0; i < of->rows; i++) {
            const size_t row = (size_t)(of->row + i) * (size_t)op->stride_h * by->row_words;
            strip.x = at->words + (row + first) * bytes + (size_t)of->ox * strip.column_step;
            at->kernels->multiply(&strip, at->sums + i * of->pixels * lanes);
        }
        depthwise_deliver(at, (size_t)of->oy * (size_t)op->out_w + (size_t)of->ox,
                          of->rows * of->pixels, block * lanes);
    }
}

/* Output rows top .. top+rows-1: as many at once as fit a chunk, or each in chunks. */
static void depthwise_strip_of_rows(const depthwise_job *at, const char *packed, int32_t top,
                                    int32_t rows) {
    const int32_t out_w = at->op->out_w,
                  fit = out_w < DEPTHWISE_CHUNK ? DEPTHWISE_CHUNK / out_w : 1;
    depthwise_piece of;
    for (of.row = 0; of.row < rows; of.row += fit) {
        of.oy = top + of.row;
        of.rows = intgold_min(rows - of.row, fit);
        for (of.ox = 0; of.ox < out_w; of.ox += DEPTHWISE_CHUNK) {
            of.pixels = intgold_min(out_w - of.ox, DEPTHWISE_CHUNK);
            sum_and_deliver(at, packed, &of);
        }
    }
}

static void depthwise_run_strips(const intgold_call *call) {
    const intgold_depthwise_conv2d *op = (const intgold_depthwise_conv2d *)call->fields;
    const char *packed = (const char *)call->packed;
    const intgold_depthwise_plan *by = (const intgold_depthwise_plan *)call->packed;
    int32_t top;
    depthwise_job at;
    at.op = op;
    at.kernels = call->kernels;
    at.by = by;
    at.epilogue = intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max,
                                      packed + by->epilogue);
    at.words = (char *)call->scratch;
    at.repeated = (int8_t *)call->scratch + by->repeated;
    at.sums = (int32_t *)(void *)((char *)call->scratch + by->sums);
    at.y = (int8_t *)call->output;
    at.acc = call->acc;
    for (top = 0; top < op->out_h; top += by->rows) {
        const int32_t rows = intgold_min(op->out_h - top, by->rows);
        depthwise_fill(&at, (const int8_t *)call->inputs[0], top, rows);
        depthwise_strip_of_rows(&at, packed, top, rows);
    }
}

static void depthwise_run(const intgold_call *call) {
    const intgold_depthwise_plan *by = (const intgold_depthwise_plan *)call->packed;
    const intgold_direct direct =
        intgold_direct_of_depthwise((const intgold_depthwise_conv2d *)call->fields);
    if (by->direct)
        intgold_direct_run(&direct, call);
    else
        depthwise_run_strips(call);
}

const intgold_op_table intgold_depthwise_conv2d_table = {1,
                                                         1,
                                                         intgold_depthwise_packed_size,
                                                         intgold_depthwise_pack,
                                                         depthwise_work_size,
                                                         depthwise_run};

size_t intgold_depthwise_conv2d_scratch_size(const intgold_depthwise_conv2d *op) {
    return intgold_single_op_size(&intgold_depthwise_conv2d_table, op);
}

void intgold_depthwise_conv2d_s8(const intgold_depthwise_conv2d *op, const int8_t *x, int8_t *y,
                                 int32_t *acc, void *scratch) {
    intgold_run_single_op(&intgold_depthwise_conv2d_table, op, x, y, acc, scratch);
}
