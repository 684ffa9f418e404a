/* transpose_conv2d, SPEC clause 5.20: a convolution for each phase of the stride.
 *
 * Outputs whose distance is the stride are a phase: they meet the same taps, every stride-th of the
 * kernel, and so are a convolution of the input with these taps, mirrored, of stride 1.  With a
 * stride of 2 and a kernel of 3x3 there are four:
 *
 *     0 1 0 1 0    phase 0 begins at output (0, 0), phase 1 at (0, 1), 2 at (1, 0), 3 at (1, 1);
 *     2 3 2 3 2    without padding their kernels have 2x2, 2x1, 1x2 and 1x1 taps
 *     0 1 0 1 0
 *
 * Each writes its outputs to their places.  A phase without a tap is the bias. */
#include <string.h>

#include "ops/conv2d_plan.h"

enum {
    MOST_PHASES = 4096, /* that are worth weights and a plan of their own */
    TRANSPOSE_CHUNK = 256 /* channels at once, tap by tap */
};

/* The head of the packed weights; those of each phase follow, and room to gather them. */
typedef struct transpose_head {
    int32_t direct; /* 1: tap by tap, nothing follows */
} transpose_head;

/* ---- Along one axis. ---- */

static intgold_axis transpose_rows(const intgold_transpose_conv2d *op) {
    const intgold_axis axis = {op->in_h, op->out_h, op->kernel_h, op->stride_h, 1, op->pad_top};
    return axis;
}

static intgold_axis transpose_columns(const intgold_transpose_conv2d *op) {
    const intgold_axis axis = {op->in_w, op->out_w, op->kernel_w, op->stride_w, 1, op->pad_left};
    return axis;
}

static int32_t phases_of(const intgold_axis *axis) { return intgold_min(axis->stride, axis->out); }

/* Outputs i, i + stride, ...: `count` of them; taps `tap`, tap + stride, ...: `taps` of them; and the
 * padding of the convolution that they are. */
typedef struct transpose_phase {
    int32_t count, tap, taps, before, after;
} transpose_phase;

static transpose_phase phase_of(const intgold_axis *axis, int32_t i) {
    const int32_t place = axis->before + i, first = place / axis->stride;
    transpose_phase made;
    made.count = (axis->out - 1 - i) / axis->stride + 1;
    made.tap = place % axis->stride;
    made.taps = made.tap < axis->kernel ? (axis->kernel - 1 - made.tap) / axis->stride + 1 : 0;
    made.before = made.taps - 1 - first;
    made.after = made.count - axis->in + first;
    return made;
}

/* Taps tap, tap + stride, ... meet inputs in, in - 1, ...: `count` of them. */
typedef struct meeting {
    int32_t tap, in, count;
} meeting;

static meeting meeting_of(const intgold_axis *axis, int32_t o) {
    const int32_t place = axis->before + o, first = place / axis->stride;
    const int32_t beyond = first < axis->in ? 0 : first - (axis->in - 1);
    const int64_t tap = place % axis->stride + (int64_t)beyond * axis->stride;
    meeting made = {0, 0, 0};
    if (tap >= axis->kernel) return made;
    made.tap = (int32_t)tap;
    made.in = first - beyond;
    made.count = intgold_min((axis->kernel - 1 - made.tap) / axis->stride, made.in) + 1;
    return made;
}

/* ---- A phase as a convolution. ---- */

/* Its weights are gathered at `weights`. */
static intgold_conv2d convolution_of(const intgold_transpose_conv2d *op,
                                     const transpose_phase *rows, const transpose_phase *columns,
                                     const int8_t *weights) {
    intgold_conv2d made;
    made.in_h = op->in_h, made.in_w = op->in_w, made.in_c = op->in_c;
    made.out_h = rows->count, made.out_w = columns->count, made.out_c = op->out_c;
    made.kernel_h = rows->taps, made.kernel_w = columns->taps;
    made.stride_h = made.stride_w = made.dilation_h = made.dilation_w = 1;
    made.pad_top = rows->before, made.pad_bottom = rows->after;
    made.pad_left = columns->before, made.pad_right = columns->after;
    made.x_zero_point = op->x_zero_point, made.y_zero_point = op->y_zero_point;
    made.act_min = op->act_min, made.act_max = op->act_max;
    made.weight_zero_point_count = op->weight_zero_point_count;
    made.weight_zero_point = op->weight_zero_point;
    made.weights = weights;
    made.bias = op->bias;
    made.requantize = op->requantize;
    return made;
}

/* The taps of a phase, mirrored. */
static void gather_weights(const intgold_transpose_conv2d *op, const transpose_phase *rows,
                           const transpose_phase *columns, int8_t *to) {
    const size_t in_c = (size_t)op->in_c;
    int32_t oc, j, i;
    for (oc = 0; oc < op->out_c; oc++)
        for (j = rows->taps - 1; j >= 0; j--)
            for (i = columns->taps - 1; i >= 0; i--, to += in_c) {
                const size_t ky = (size_t)(rows->tap + j * op->stride_h);
                const size_t kx = (size_t)(columns->tap + i * op->stride_w);
                const size_t row = (size_t)oc * (size_t)op->kernel_h + ky;
                memcpy(to, op->weights + (row * (size_t)op->kernel_w + kx) * in_c, in_c);
            }
}

/* Bytes that an op takes. */
typedef struct transpose_sizes {
    int32_t direct;
    size_t head, phases, gathered, scratch; /* packed: head, phases, gathered */
} transpose_sizes;

static size_t transpose_greater(size_t a, size_t b) { return a > b ? a : b; }

static void measure_phase(const intgold_conv2d *conv, const intgold_kernels *kernels,
                          transpose_sizes *sizes) {
    const intgold_conv2d_plan by = intgold_conv2d_plan_of(conv, kernels, 1);
    const size_t taps = intgold_times((size_t)conv->kernel_h, (size_t)conv->kernel_w);
    const size_t weights =
        intgold_times(intgold_times(taps, (size_t)conv->in_c), (size_t)conv->out_c);
    if (by.direct) {
        sizes->direct = 1;
        return;
    }
    sizes->phases = intgold_after(sizes->phases, 1, intgold_conv2d_parts_of(&by, kernels).size);
    sizes->gathered = transpose_greater(sizes->gathered, weights);
    sizes->scratch =
        transpose_greater(sizes->scratch, intgold_conv2d_strips_size(&by, kernels));
}

static transpose_sizes transpose_measure(const intgold_transpose_conv2d *op,
                                         const intgold_kernels *kernels) {
    const intgold_axis along_y = transpose_rows(op), along_x = transpose_columns(op);
    const int32_t n_rows = phases_of(&along_y), n_columns = phases_of(&along_x);
    transpose_sizes sizes = {0, 0, 0, 0, 0};
    int32_t i, j;
    sizes.head = intgold_align(sizeof(transpose_head));
    sizes.direct = (int64_t)n_rows * n_columns > MOST_PHASES;
    for (i = 0; !sizes.direct && i < n_rows; i++)
        for (j = 0; !sizes.direct && j < n_columns; j++) {
            const transpose_phase rows = phase_of(&along_y, i), columns = phase_of(&along_x, j);
            const intgold_conv2d conv = convolution_of(op, &rows, &columns, op->weights);
            if (rows.taps && columns.taps) measure_phase(&conv, kernels, &sizes);
        }
    if (sizes.direct) sizes.phases = sizes.gathered = sizes.scratch = 0;
    return sizes;
}

static size_t transpose_conv2d_packed_size(const void *fields, const intgold_kernels *kernels) {
    const transpose_sizes sizes =
        transpose_measure((const intgold_transpose_conv2d *)fields, kernels);
    return intgold_plus(intgold_plus(sizes.head, sizes.phases), sizes.gathered);
}

static size_t transpose_conv2d_work_size(const void *fields, const intgold_kernels *kernels) {
    return transpose_measure((const intgold_transpose_conv2d *)fields, kernels).scratch;
}

static void transpose_conv2d_pack(const void *fields, const intgold_kernels *kernels,
                                  void *packed) {
    const intgold_transpose_conv2d *op = (const intgold_transpose_conv2d *)fields;
    const intgold_axis along_y = transpose_rows(op), along_x = transpose_columns(op);
    const transpose_sizes sizes = transpose_measure(op, kernels);
    char *at = (char *)packed + sizes.head;
    int8_t *gathered = (int8_t *)(at + sizes.phases);
    int32_t i, j;
    ((transpose_head *)packed)->direct = sizes.direct;
    if (sizes.direct) return;
    for (i = 0; i < phases_of(&along_y); i++)
        for (j = 0; j < phases_of(&along_x); j++) {
            const transpose_phase rows = phase_of(&along_y, i), columns = phase_of(&along_x, j);
            const intgold_conv2d conv = convolution_of(op, &rows, &columns, gathered);
            intgold_conv2d_plan by;
            if (!rows.taps || !columns.taps) continue;
            by = intgold_conv2d_plan_of(&conv, kernels, 1);
            gather_weights(op, &rows, &columns, gathered);
            intgold_conv2d_pack_plan(&conv, &by, kernels, at);
            at += intgold_align(intgold_conv2d_parts_of(&by, kernels).size);
        }
}

/* ---- Tap by tap. ---- */

static int32_t transpose_channel(const intgold_transpose_conv2d *op, const int8_t *x,
                                 const meeting *rows, const meeting *columns, int32_t oc) {
    const size_t in_c = (size_t)op->in_c;
    const int32_t zero = op->weight_zero_point[op->weight_zero_point_count == 1 ? 0 : oc];
    int32_t sum = op->bias[oc], j, i;
    for (j = 0; j < rows->count; j++)
        for (i = 0; i < columns->count; i++) {
            const size_t ky = (size_t)(rows->tap + j * op->stride_h);
            const size_t kx = (size_t)(columns->tap + i * op->stride_w);
            const size_t row = (size_t)oc * (size_t)op->kernel_h + ky;
            const size_t cell = (size_t)(rows->in - j) * (size_t)op->in_w;
            sum += intgold_dot(x + (cell + (size_t)(columns->in - i)) * in_c, op->x_zero_point,
                               op->weights + (row * (size_t)op->kernel_w + kx) * in_c, zero, in_c);
        }
    return sum;
}

/* One pixel: all channels, a chunk after the other. */
static void transpose_pixel(const intgold_transpose_conv2d *op, const int8_t *x,
                            const meeting *rows, const meeting *columns, int8_t *y,
                            int32_t *acc) {
    /* Portable kernels pack nothing. */
    const intgold_epilogue epilogue =
        intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max, NULL);
    int32_t sums[TRANSPOSE_CHUNK];
    intgold_pixels made = {NULL, NULL, 0, 1, NULL, NULL, 0};
    int32_t first, c;
    made.sums = sums;
    for (first = 0; first < op->out_c; first += TRANSPOSE_CHUNK) {
        const int32_t n = intgold_min(op->out_c - first, TRANSPOSE_CHUNK);
        for (c = 0; c < n; c++) sums[c] = transpose_channel(op, x, rows, columns, first + c);
        if (acc) memcpy(acc + first, sums, (size_t)n * sizeof *sums);
        if (!y) continue;
        made.y = y + first;
        intgold_kernels_portable.epilogue(&epilogue, first, n, &made);
    }
}

/* Outputs i, i + step_y, ... by j, j + step_x, ...; those that no tap reaches are all alike. */
static void transpose_direct(const intgold_call *call, const intgold_axis *along_y, int32_t i,
                             int32_t step_y, const intgold_axis *along_x, int32_t j,
                             int32_t step_x) {
    const intgold_transpose_conv2d *op = (const intgold_transpose_conv2d *)call->fields;
    const int8_t *x = (const int8_t *)call->inputs[0];
    const size_t out_c = (size_t)op->out_c;
    const int8_t *blank = NULL;
    int32_t oy, ox;
    for (oy = i; oy < along_y->out; oy += step_y) {
        const meeting rows = meeting_of(along_y, oy);
        for (ox = j; ox < along_x->out; ox += step_x) {
            const meeting columns = meeting_of(along_x, ox);
            const size_t at = ((size_t)oy * (size_t)along_x->out + (size_t)ox) * out_c;
            int8_t *y = call->output ? (int8_t *)call->output + at : NULL;
            int32_t *acc = call->acc ? call->acc + at : NULL;
            const int empty = !rows.count || !columns.count;
            if (empty && (blank || !y)) {
                if (y) memcpy(y, blank, out_c);
                if (acc) memcpy(acc, op->bias, out_c * sizeof *acc);
            } else {
                transpose_pixel(op, x, &rows, &columns, y, acc);
                if (empty) blank = y;
            }
        }
    }
}

/* ---- All phases. ---- */

static void transpose_phases(const intgold_call *call, const intgold_axis *along_y,
                             const intgold_axis *along_x) {
    const intgold_transpose_conv2d *op = (const intgold_transpose_conv2d *)call->fields;
    const intgold_steps dense = intgold_dense_steps(op->out_w, op->out_c);
    const char *packed = (const char *)call->packed + intgold_align(sizeof(transpose_head));
    intgold_call one = *call;
    intgold_steps steps;
    int32_t i, j;
    steps.pixel = dense.pixel * (size_t)op->stride_w;
    steps.row = dense.row * (size_t)op->stride_h;
    for (i = 0; i < phases_of(along_y); i++)
        for (j = 0; j < phases_of(along_x); j++) {
            const transpose_phase rows = phase_of(along_y, i), columns = phase_of(along_x, j);
            const intgold_conv2d conv = convolution_of(op, &rows, &columns, NULL);
            const size_t at = (size_t)i * dense.row + (size_t)j * dense.pixel;
            if (!rows.taps || !columns.taps) {
                transpose_direct(call, along_y, i, op->stride_h, along_x, j, op->stride_w);
                continue;
            }
            one.packed = packed;
            one.output = call->output ? (int8_t *)call->output + at : NULL;
            one.acc = call->acc ? call->acc + at : NULL;
            intgold_conv2d_run_strips(&one, &conv, &steps);
            packed += intgold_align(
                intgold_conv2d_parts_of((const intgold_conv2d_plan *)(const void *)packed,
                                        call->kernels)
                    .size);
        }
}

static void transpose_conv2d_run(const intgold_call *call) {
    const intgold_transpose_conv2d *op = (const intgold_transpose_conv2d *)call->fields;
    const intgold_axis along_y = transpose_rows(op), along_x = transpose_columns(op);
    if (((const transpose_head *)call->packed)->direct)
        transpose_direct(call, &along_y, 0, 1, &along_x, 0, 1);
    else
        transpose_phases(call, &along_y, &along_x);
}

const intgold_op_table intgold_transpose_conv2d_table = {1,
                                                         1,
                                                         transpose_conv2d_packed_size,
                                                         transpose_conv2d_pack,
                                                         transpose_conv2d_work_size,
                                                         transpose_conv2d_run};

size_t intgold_transpose_conv2d_scratch_size(const intgold_transpose_conv2d *op) {
    return intgold_single_op_size(&intgold_transpose_conv2d_table, op);
}

void intgold_transpose_conv2d_s8(const intgold_transpose_conv2d *op, const int8_t *x, int8_t *y,
                                 int32_t *acc, void *scratch) {
    intgold_run_single_op(&intgold_transpose_conv2d_table, op, x, y, acc, scratch);
}
