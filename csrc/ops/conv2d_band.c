/* The sums of a band of output rows, and what is made of them: accumulators, outputs, pools. */
#include <string.h>

#include "ops/conv2d_band.h"

size_t intgold_conv2d_sums_bytes(const intgold_kernels *kernels) {
    return (size_t)CHUNK * 4 * (size_t)kernels->lanes * sizeof(int32_t);
}

/* Copy the sums of a row of pixels, channels first .. first+channels-1, to acc; value: the place of
 * the first pixel there. */
static void deliver_acc(const intgold_conv2d_job *at, size_t value, int32_t pixels, int32_t first,
                        int32_t channels, const int32_t *sums) {
    int32_t *acc = at->acc + value + (size_t)first;
    int32_t i;
    for (i = 0; i < pixels; i++, acc += at->steps.pixel, sums += 2 * at->kernels->lanes)
        memcpy(acc, sums, (size_t)channels * sizeof(int32_t));
}

/* Give the sums of `pixels` pixels of row oy, from column ox on, to acc and y; folded sums are
 * those of the row below as well. */
static void band_deliver(const intgold_conv2d_job *at, int32_t oy, int32_t ox, int32_t pixels,
                         int32_t first, int32_t channels, const int32_t *sums) {
    const size_t value = (size_t)oy * at->steps.row + (size_t)ox * at->steps.pixel;
    const int below = at->by->weights.folded && oy + 1 < at->by->out_h;
    intgold_pixels made;
    if (at->acc) deliver_acc(at, value, pixels, first, channels, sums);
    if (at->acc && below)
        deliver_acc(at, value + at->steps.row, pixels, 0, channels, sums + channels);
    if (!at->y) return;
    made.sums = sums;
    made.below = NULL;
    made.step = 2 * (size_t)at->kernels->lanes;
    made.count = pixels;
    made.y = at->y + value + first;
    made.y_below = below ? made.y + at->steps.row : NULL;
    made.y_step = at->steps.pixel;
    at->kernels->epilogue(&at->epilogue, first, channels, &made);
}

/* Pixels side by side; x: the first value under them. */
static intgold_strip strip_of(const intgold_conv2d_job *at, const char *x, int32_t pixels,
                              int32_t block, int32_t shift) {
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

static void band_sum(const intgold_conv2d_job *at, const char *x, int32_t pixels, int32_t block,
                     int32_t shift, int32_t *sums) {
    const intgold_strip strip = strip_of(at, x, pixels, block, shift);
    at->kernels->convolve(&strip, sums);
}

static const char *band_window(const intgold_conv2d_job *at, int32_t row, int32_t ox) {
    return at->strip + (size_t)row * (size_t)at->op->stride_h * at->by->row_bytes +
           (size_t)ox * (size_t)at->op->stride_w * (size_t)at->op->in_c * at->by->value;
}

/* Where a piece of work lies: output rows oy .. oy+rows-1, the first of them `row` below the
 * strip's top; pixels ox .. ox+pixels-1 of each. */
typedef struct band_piece {
    int32_t oy, row, rows, ox, pixels;
} band_piece;

/* The sums of row or pair i of a piece. */
static int32_t *sums_of(const intgold_conv2d_job *at, const band_piece *of, int32_t i) {
    return at->sums + (size_t)i * (size_t)of->pixels * 2 * (size_t)at->kernels->lanes;
}

/* Two blocks of all channels from `block` on.  Whole rows of pixels that lie one after another in
 * the output are delivered as one. */
static void pair_of_blocks(const intgold_conv2d_job *at, const band_piece *of, int32_t block) {
    const int32_t first = block * at->kernels->lanes, rest = at->op->out_c - first;
    const int32_t channels = rest < 2 * at->kernels->lanes ? rest : 2 * at->kernels->lanes;
    const int whole = of->pixels == at->by->out_w &&
                      at->steps.row == (size_t)of->pixels * at->steps.pixel;
    int32_t i;
    for (i = 0; i < of->rows; i++) {
        int32_t *sums = sums_of(at, of, whole ? i : 0);
        band_sum(at, band_window(at, of->row + i, of->ox), of->pixels, block, 0, sums);
        if (!whole) band_deliver(at, of->oy + i, of->ox, of->pixels, first, channels, sums);
    }
    if (whole) band_deliver(at, of->oy, 0, of->rows * of->pixels, first, channels, at->sums);
}

/* The only block, of two rows of pixels. */
static void folded_block(const intgold_conv2d_job *at, const band_piece *of) {
    int32_t i;
    for (i = 0; i < of->rows; i += 2) {
        band_sum(at, band_window(at, of->row + i, of->ox), of->pixels, 0, 0, at->sums);
        band_deliver(at, of->oy + i, of->ox, of->pixels, 0, at->op->out_c, at->sums);
    }
}

/* The last block, of two vectors of rows that share inputs. */
static void block_of_rows(const intgold_conv2d_job *at, const band_piece *of, int32_t block) {
    const intgold_conv2d_plan *by = at->by;
    const int32_t lanes = at->kernels->lanes, first = block * lanes;
    const int32_t step = by->weights.folded ? 2 : 1;
    int32_t i, j;
    for (i = 0; i < of->rows; i += 2 * step) {
        band_sum(at, band_window(at, of->row + i, of->ox), of->pixels, block, by->shift,
                 at->sums);
        for (j = 0; j < 2 && i + j * step < of->rows; j++)
            band_deliver(at, of->oy + i + j * step, of->ox, of->pixels, first,
                         at->op->out_c - first, at->sums + j * lanes);
    }
}

/* Pairs of rows of pixels become rows of their maxima. */
static void pooled_blocks(const intgold_conv2d_job *at, const band_piece *of, int32_t block) {
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
        band_sum(at, band_window(at, row, of->ox), of->pixels, block, shared ? by->shift : 0,
                 sums);
        if (!shared)
            band_sum(at, band_window(at, row + 1, of->ox), of->pixels, block, 0, sums + below);
    }
    made.sums = at->sums;
    made.below = at->sums + below;
    made.step = 2 * (size_t)lanes;
    made.count = pairs * of->pixels;
    made.y = at->y + (above + (size_t)(of->ox / 2)) * out_c + first;
    made.y_step = out_c;
    at->kernels->epilogue(&at->epilogue, first, rest < width ? rest : width, &made);
}

/* Where part i of a row of pixels begins; parts are nearly equal and pairs stay together. */
static int32_t edge(const intgold_conv2d_plan *by, int32_t i, int32_t n) {
    return i == n ? by->out_w : (int32_t)((int64_t)by->out_w * i / n / 2 * 2);
}

/* Several where a chunk takes them whole. */
int32_t intgold_conv2d_rows_at_once(const intgold_conv2d_job *at) {
    const intgold_conv2d_plan *by = at->by;
    const int32_t fit = CHUNK / by->out_w;
    const int side_by_side = !by->weights.folded && !(at->pooled && by->out_w % 2);
    return side_by_side && fit > 1 ? fit * by->rows : by->rows;
}

void intgold_conv2d_band(const intgold_conv2d_job *at, int32_t oy, int32_t row, int32_t rows,
                         int32_t block) {
    int32_t i;
    band_piece of;
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

void intgold_conv2d_begin(const intgold_conv2d_job *at) {
    const intgold_strip first = strip_of(at, at->strip, edge(at->by, 1, at->chunks), 0, 0);
    if (at->kernels->begin) at->kernels->begin(&first);
}
