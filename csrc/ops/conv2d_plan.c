/* How conv2d is laid out for a variant of the kernels, and its packed weights. */
#include <string.h>

#include "ops/conv2d_band.h"

enum {
    CONV2D_STRIP_BYTES = 32768, /* what the first cache holds */
    LARGE_STRIP_BYTES = 8 * CONV2D_STRIP_BYTES /* the second; where weights outweigh it */
};

/* Runs of one kernel row. */
static int32_t row_runs(const intgold_conv2d *op) {
    return op->dilation_w == 1 ? 1 : op->kernel_w;
}

/* Bytes of the strip for `rows` output rows. */
static size_t rows_bytes(const intgold_conv2d *op, const intgold_conv2d_plan *by, int32_t rows) {
    return intgold_times(intgold_conv2d_in_rows(op, rows), by->row_bytes);
}

/* As many output rows as `max` bytes hold, but at least those that belong together. */
static void place_strip(const intgold_conv2d *op, intgold_conv2d_plan *by, size_t max) {
    by->strip_rows = by->rows;
    while (by->row_step == 1 && by->strip_rows < by->out_h &&
           rows_bytes(op, by, by->strip_rows + by->rows) <= max)
        by->strip_rows += by->rows;
    by->strip_bytes =
        intgold_align(intgold_plus(rows_bytes(op, by, by->strip_rows), INTGOLD_VECTOR));
}

/* Inputs that an image's strips hold together. */
static uint64_t conv2d_plan_loaded_inputs(const intgold_conv2d *op,
                                          const intgold_conv2d_plan *by) {
    const size_t strips = (size_t)intgold_blocks(by->out_h, by->strip_rows);
    return (uint64_t)strips * rows_bytes(op, by, by->strip_rows) / by->value;
}

intgold_conv2d_plan intgold_conv2d_plan_of(const intgold_conv2d *op,
                                           const intgold_kernels *kernels, int spread) {
    const int32_t lanes = kernels->lanes;
    const int pointwise = !spread && op->kernel_h == 1 && op->kernel_w == 1 && op->stride_h == 1 &&
                          op->stride_w == 1 && op->in_h == op->out_h && op->in_w == op->out_w;
    /* Runs that the pixel below starts later, where it shares some. */
    int32_t later = op->stride_h < op->kernel_h ? op->stride_h * row_runs(op) : 0;
    const intgold_direct direct = intgold_direct_of_conv2d(op);
    intgold_conv2d_plan made;
    size_t weights;
    memset(&made, 0, sizeof made);
    made.direct = intgold_direct_needed(&direct);
    if (made.direct) return made;
    made.in_h = op->in_h, made.in_w = op->in_w, made.out_h = op->out_h, made.out_w = op->out_w;
    if (pointwise && op->in_w < 2 * kernels->columns) {
        made.in_w = made.out_w = op->in_h * op->in_w;
        made.in_h = made.out_h = 1;
    }
    made.weights.out_c = op->out_c;
    made.weights.n_runs = op->kernel_h * row_runs(op);
    made.weights.run_values = op->kernel_w / row_runs(op) * op->in_c;
    made.weights.values = op->weights;
    made.weights.zero_point = op->weight_zero_point;
    made.weights.zero_point_count = op->weight_zero_point_count;
    made.weights.parts = kernels->group == 4 ? intgold_weight_parts(
                                                     op->weight_zero_point,
                                                     op->weight_zero_point_count)
                                               : 1;
    made.row_step = op->dilation_h;
    if (made.weights.parts > 1 || op->dilation_h > 1 || made.out_h == 1) later = 0;
    if (2 * op->out_c <= lanes && later) {
        made.weights.folded = 1;
        made.weights.fold_shift = later;
        later = 2 * later < intgold_packed_runs(&made.weights) ? 2 * later : 0;
    }
    made.blocks = intgold_blocks(intgold_packed_channels(&made.weights), lanes);
    made.shift = made.blocks % 2 ? later : 0;
    made.rows = made.weights.folded && made.shift ? 4 : 2;
    if (op->dilation_h > 1 || made.out_h == 1) made.rows = 1;
    made.offsets = intgold_packed_runs(&made.weights) + made.shift;
    made.value = (size_t)(4 / kernels->group);
    made.row_bytes =
        intgold_times(intgold_times((size_t)(made.in_w + op->pad_left + op->pad_right),
                                    (size_t)op->in_c),
                      made.value);
    made.panel_bytes = kernels->pack_size(&made.weights) / (size_t)made.blocks;
    weights = made.panel_bytes * (size_t)made.blocks;
    made.weights_outweigh = weights > CONV2D_STRIP_BYTES;
    place_strip(op, &made, weights > LARGE_STRIP_BYTES ? LARGE_STRIP_BYTES : CONV2D_STRIP_BYTES);
    made.direct = intgold_direct_suits(
        &direct, intgold_plus(made.strip_bytes, intgold_conv2d_sums_bytes(kernels)),
        conv2d_plan_loaded_inputs(op, &made));
    return made;
}

intgold_conv2d_parts intgold_conv2d_parts_of(const intgold_conv2d_plan *by,
                                             const intgold_kernels *kernels) {
    const int32_t channels = intgold_packed_channels(&by->weights);
    intgold_conv2d_parts at;
    at.segments = intgold_align(sizeof(intgold_conv2d_plan));
    at.bias = intgold_after(at.segments, (size_t)by->offsets, sizeof(size_t));
    at.weights = intgold_after(at.bias, (size_t)by->blocks * (size_t)kernels->lanes, sizeof(int32_t));
    at.epilogue = intgold_after(at.weights, (size_t)by->blocks, by->panel_bytes);
    at.size = intgold_after(at.epilogue, 1, kernels->epilogue_packed_size(channels));
    return at;
}

intgold_epilogue intgold_conv2d_epilogue_of(const intgold_conv2d *op,
                                            const intgold_conv2d_plan *by, const void *packed) {
    intgold_epilogue epilogue =
        intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max, packed);
    epilogue.fold = by->weights.folded ? op->out_c : 0;
    return epilogue;
}

size_t intgold_conv2d_packed_size(const intgold_conv2d *op, const intgold_kernels *kernels) {
    const intgold_conv2d_plan by = intgold_conv2d_plan_of(op, kernels, 0);
    return by.direct ? sizeof by : intgold_conv2d_parts_of(&by, kernels).size;
}

/* Where the sums of packed channel c start. */
static int32_t start_of(const intgold_conv2d *op, const intgold_conv2d_plan *by,
                        const intgold_kernels *kernels, int32_t c) {
    return intgold_start(op->bias[c < op->out_c ? c : c - op->out_c], kernels->input_encoding,
                         op->x_zero_point, intgold_packed_sum(&by->weights, c));
}

void intgold_conv2d_pack(const intgold_conv2d *op, const intgold_kernels *kernels, char *packed) {
    const intgold_conv2d_plan by = intgold_conv2d_plan_of(op, kernels, 0);
    if (by.direct)
        memcpy(packed, &by, sizeof by);
    else
        intgold_conv2d_pack_plan(op, &by, kernels, packed);
}

void intgold_conv2d_pack_plan(const intgold_conv2d *op, const intgold_conv2d_plan *by,
                              const intgold_kernels *kernels, char *packed) {
    const intgold_conv2d_parts at = intgold_conv2d_parts_of(by, kernels);
    const int32_t channels = intgold_packed_channels(&by->weights), per_row = row_runs(op);
    const intgold_epilogue epilogue = intgold_conv2d_epilogue_of(op, by, NULL);
    size_t *segments = (size_t *)(void *)(packed + at.segments);
    int32_t *bias = (int32_t *)(void *)(packed + at.bias);
    int32_t i;
    memcpy(packed, by, sizeof *by);
    for (i = 0; i < by->offsets; i++) {
        const int32_t run = by->weights.parts > 1 ? i % by->weights.n_runs : i;
        const size_t tap = (size_t)(run % per_row) * (size_t)op->dilation_w * (size_t)op->in_c;
        segments[i] = (size_t)(run / per_row) * by->row_bytes + tap * by->value;
    }
    for (i = 0; i < by->blocks * kernels->lanes; i++)
        bias[i] = i < channels ? start_of(op, by, kernels, i) : 0;
    kernels->pack(&by->weights, packed + at.weights);
    if (op->requantize.count) kernels->epilogue_pack(&epilogue, channels, packed + at.epilogue);
}
