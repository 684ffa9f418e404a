/* The values of a model, SPEC clauses 4.1, 5 and 7: entries of arrays, and the proof that every
 * accumulator fits int32, in any order of summation.  Mirrors python/intgold/ops/, one file per op.
 *
 * Linear in the parameters.  The model has passed intgold_check_structure(). */
#include "engine/validate.h"

#if !defined(INTGOLD_NO_CHECK)
#include "arithmetic/requantize.h"
#include "engine/op_tables.h"

/* Of an accumulator and all its partial sums. */
typedef struct bounds {
    int64_t lo, hi;
} bounds;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static int fit_int32(const bounds *of) { return of->lo >= INT32_MIN && of->hi <= INT32_MAX; }

static bounds centred(const intgold_range *x, int32_t zero_point) {
    bounds made;
    made.lo = (int64_t)x->lo - zero_point;
    made.hi = (int64_t)x->hi - zero_point;
    return made;
}

static void set_range(intgold_range *y, int64_t lo, int64_t hi) {
    y->lo = (int32_t)lo;
    y->hi = (int32_t)hi;
}

/* ---- Requantize. ---- */

static intgold_status check_entry(const intgold_scale *by) {
    const int is_float64 = by->form == INTGOLD_FORM_FLOAT64;
    const int is_float32 = by->form == INTGOLD_FORM_FLOAT32;
    if (by->form > INTGOLD_FORM_FLOAT64) return INTGOLD_ERROR_FORM;
    if (by->multiplier < 0) return INTGOLD_ERROR_PARAMETER;
    if (by->right_shift < 1 || by->right_shift > 62) return INTGOLD_ERROR_PARAMETER;
    if (by->multiplier_low < 0 || by->multiplier_low >= 1 << 22) return INTGOLD_ERROR_PARAMETER;
    if (by->multiplier_low && !(is_float64 && by->multiplier)) return INTGOLD_ERROR_PARAMETER;
    if ((is_float32 || is_float64) && by->multiplier && by->multiplier < 1 << 30)
        return INTGOLD_ERROR_PARAMETER;
    if (is_float32 && by->multiplier % (1 << 7)) return INTGOLD_ERROR_PARAMETER;
    return INTGOLD_OK;
}

/* One entry, and what it is applied to. */
static intgold_status prove_entry(const intgold_requantize *requantize, int32_t channel,
                                  const bounds *acc) {
    const intgold_scale by = intgold_entry(requantize, channel);
    const intgold_status found = check_entry(&by);
    if (found) return found;
    if (!intgold_takes(acc->lo, &by) || !intgold_takes(acc->hi, &by))
        return INTGOLD_ERROR_ACCUMULATOR;
    return INTGOLD_OK;
}

/* Every entry, all applied to the same bounds. */
static intgold_status prove_entries(const intgold_requantize *requantize, const bounds *acc) {
    intgold_status found = INTGOLD_OK;
    int32_t c;
    for (c = 0; !found && c < requantize->count; c++) found = prove_entry(requantize, c, acc);
    return found;
}

/* ---- Ops.  x: ranges of the inputs; y: that of the output, written. ---- */

/* The weights of one output channel, at a distance of `step`. */
typedef struct channel {
    const int8_t *weights;
    size_t count, step;
    int32_t zero_point, bias;
} channel;

/* Clause 7.1. */
static bounds sum_of_products(const channel *of, const bounds *x) {
    const int64_t lowest = smaller(x->lo, 0), most = larger(x->hi, 0);
    int64_t positive = 0, negative = 0;
    bounds made;
    size_t i;
    for (i = 0; i < of->count; i++) {
        const int32_t weight = of->weights[i * of->step] - of->zero_point;
        positive += weight > 0 ? weight : 0;
        negative += weight < 0 ? weight : 0;
    }
    made.lo = smaller(of->bias, 0) + positive * lowest + negative * most;
    made.hi = larger(of->bias, 0) + positive * most + negative * lowest;
    return made;
}

/* What ops with weights have in common. */
typedef struct layer {
    int32_t out_c, x_zero_point, act_min, act_max;
    size_t count;      /* weights of a channel */
    size_t step, next; /* from one to the next, from one channel's to the next */
    const int8_t *weights, *zero_point;
    int32_t zero_points;
    const int32_t *bias;
    const intgold_requantize *requantize;
} layer;

static intgold_status prove_layer(const layer *of, const intgold_range *x, intgold_range *y) {
    const bounds in = centred(x, of->x_zero_point);
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    int32_t c;
    for (c = 0; c < of->out_c; c++) {
        const channel one = {of->weights + (size_t)c * of->next, of->count, of->step,
                             of->zero_point[of->zero_points == 1 ? 0 : c], of->bias[c]};
        const bounds acc = sum_of_products(&one, &in);
        if (of->requantize->count) {
            const intgold_status found = prove_entry(of->requantize, c, &acc);
            if (found) return found;
        } else if (!fit_int32(&acc)) {
            return INTGOLD_ERROR_ACCUMULATOR;
        }
        lo = smaller(lo, acc.lo);
        hi = larger(hi, acc.hi);
    }
    if (of->requantize->count)
        set_range(y, of->act_min, of->act_max);
    else
        set_range(y, lo, hi);
    return INTGOLD_OK;
}

static intgold_status prove_conv2d(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_conv2d *op = (const intgold_conv2d *)fields;
    const size_t count = (size_t)op->kernel_h * (size_t)op->kernel_w * (size_t)op->in_c;
    const layer of = {op->out_c,
                      op->x_zero_point,
                      op->act_min,
                      op->act_max,
                      count,
                      1,
                      count,
                      op->weights,
                      op->weight_zero_point,
                      op->weight_zero_point_count,
                      op->bias,
                      &op->requantize};
    return prove_layer(&of, x, y);
}

static intgold_status prove_depthwise_conv2d(const void *fields, const intgold_range *x,
                                             intgold_range *y) {
    const intgold_depthwise_conv2d *op = (const intgold_depthwise_conv2d *)fields;
    const size_t count = (size_t)op->kernel_h * (size_t)op->kernel_w;
    const layer of = {op->out_c,
                      op->x_zero_point,
                      op->act_min,
                      op->act_max,
                      count,
                      (size_t)op->out_c,
                      1,
                      op->weights,
                      op->weight_zero_point,
                      op->weight_zero_point_count,
                      op->bias,
                      &op->requantize};
    return prove_layer(&of, x, y);
}

static intgold_status prove_fully_connected(const void *fields, const intgold_range *x,
                                            intgold_range *y) {
    const intgold_fully_connected *op = (const intgold_fully_connected *)fields;
    const layer of = {op->out_c,
                      op->x_zero_point,
                      op->act_min,
                      op->act_max,
                      (size_t)op->in_c,
                      1,
                      (size_t)op->in_c,
                      op->weights,
                      op->weight_zero_point,
                      op->weight_zero_point_count,
                      op->bias,
                      &op->requantize};
    return prove_layer(&of, x, y);
}

static intgold_status prove_lut(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_lut *op = (const intgold_lut *)fields;
    int32_t q;
    set_range(y, 127, -128);
    for (q = x->lo; q <= x->hi; q++)
        set_range(y, smaller(y->lo, op->table[q + 128]), larger(y->hi, op->table[q + 128]));
    return INTGOLD_OK;
}

/* Clause 5.5, every segment, used or not; 7.6 follows from it. */
static intgold_status prove_pwl(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_pwl *op = (const intgold_pwl *)fields;
    int32_t k;
    (void)x;
    if (op->breakpoints[0] != -128) return INTGOLD_ERROR_PARAMETER;
    for (k = 0; k < op->segments; k++) {
        const int64_t slope = intgold_magnitude(op->slope[k]);
        const int64_t offset = intgold_magnitude(op->offset[k]);
        if (k && op->breakpoints[k] <= op->breakpoints[k - 1]) return INTGOLD_ERROR_PARAMETER;
        if (slope * 128 + offset + intgold_half(op->frac_bits) > INT32_MAX)
            return INTGOLD_ERROR_ACCUMULATOR;
    }
    set_range(y, op->act_min, op->act_max);
    return INTGOLD_OK;
}

static intgold_status prove_max_pool2d(const void *fields, const intgold_range *x,
                                       intgold_range *y) {
    const intgold_max_pool2d *op = (const intgold_max_pool2d *)fields;
    set_range(y, intgold_clamp(x->lo, op->act_min, op->act_max),
              intgold_clamp(x->hi, op->act_min, op->act_max));
    return INTGOLD_OK;
}

/* Clause 7.2. */
static intgold_status prove_avg_pool2d(const void *fields, const intgold_range *x,
                                       intgold_range *y) {
    const intgold_avg_pool2d *op = (const intgold_avg_pool2d *)fields;
    const int is_centred = op->form == INTGOLD_AVG_POOL2D_CENTRED_AWAY;
    const bounds in = centred(x, is_centred ? op->x_zero_point : 0);
    const int64_t cells = (int64_t)op->kernel_h * op->kernel_w;
    bounds acc;
    acc.lo = smaller(in.lo, 0) * cells - cells / 2;
    acc.hi = larger(in.hi, 0) * cells + cells / 2;
    if (!fit_int32(&acc)) return INTGOLD_ERROR_ACCUMULATOR;
    set_range(y, op->act_min, op->act_max);
    return INTGOLD_OK;
}

static intgold_status prove_global_avg_pool(const void *fields, const intgold_range *x,
                                            intgold_range *y) {
    const intgold_global_avg_pool *op = (const intgold_global_avg_pool *)fields;
    const int64_t cells = (int64_t)op->in_h * op->in_w;
    bounds acc = centred(x, op->x_zero_point);
    acc.lo = smaller(acc.lo, 0) * cells;
    acc.hi = larger(acc.hi, 0) * cells;
    set_range(y, op->act_min, op->act_max);
    return prove_entries(&op->requantize, &acc);
}

/* acc * f rounded down and up, with the slack of clause 7.3. */
static bounds scaled(int64_t acc, const intgold_scale *by) {
    const int64_t low = acc * by->multiplier_low;
    const int64_t high = acc * by->multiplier + intgold_round_down(low, 22);
    const int64_t floor = intgold_round_down(high, by->right_shift);
    const int64_t rest = high - floor * ((int64_t)1 << by->right_shift);
    const int exact = rest == 0 && intgold_round_down(low, 22) * (1 << 22) == low;
    const int64_t ceil = exact ? floor : floor + 1;
    int64_t slack = 1;
    bounds made;
    if (by->form == INTGOLD_FORM_FLOAT32)
        slack += larger(intgold_magnitude(floor), intgold_magnitude(ceil)) >> 22;
    made.lo = floor - slack;
    made.hi = ceil + slack;
    return made;
}

/* One input of an add. */
static intgold_status prove_term(const intgold_requantize *requantize, int32_t left_shift, bounds x,
                                 bounds *term) {
    const intgold_scale by = intgold_entry(requantize, 0);
    intgold_status found;
    x.lo *= (int64_t)1 << left_shift;
    x.hi *= (int64_t)1 << left_shift;
    found = prove_entry(requantize, 0, &x);
    if (found) return found;
    term->lo = smaller(scaled(x.lo, &by).lo, 0);
    term->hi = larger(scaled(x.hi, &by).hi, 0);
    return INTGOLD_OK;
}

/* Clause 7.3. */
static intgold_status prove_add(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_add *op = (const intgold_add *)fields;
    const int is_difference = op->form != INTGOLD_ADD_SHARED_SCALE;
    bounds one, two, acc;
    intgold_status found =
        prove_term(&op->requantize1, op->left_shift, centred(&x[0], op->x1_zero_point), &one);
    if (found) return found;
    found = prove_term(&op->requantize2, op->left_shift, centred(&x[1], op->x2_zero_point), &two);
    if (found) return found;
    acc.lo = one.lo + (is_difference ? -two.hi : two.lo);
    acc.hi = one.hi + (is_difference ? -two.lo : two.hi);
    if (op->form == INTGOLD_ADD_SHARED_SCALE_SQUARED_DIFFERENCE) {
        int64_t most = larger(-acc.lo, acc.hi);
        if (most > INT32_MAX) most = INT32_MAX; /* whose square is refused as well */
        acc.lo = 0;
        acc.hi = most * most;
    }
    set_range(y, op->act_min, op->act_max);
    return prove_entries(&op->requantize, &acc);
}

static intgold_status prove_softmax(const void *fields, const intgold_range *x, intgold_range *y) {
    (void)fields;
    (void)x;
    set_range(y, -128, 127);
    return INTGOLD_OK;
}

static intgold_status prove_rescale(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_rescale *op = (const intgold_rescale *)fields;
    const bounds in = centred(x, 0);
    set_range(y, INT32_MIN, INT32_MAX);
    return prove_entries(&op->requantize, &in);
}

static intgold_status prove_argmax(const void *fields, const intgold_range *x, intgold_range *y) {
    (void)fields;
    (void)x;
    set_range(y, 0, INT32_MAX);
    return INTGOLD_OK;
}

/* Of every value of a with every value of b. */
static bounds products(const bounds *a, const bounds *b) {
    bounds made;
    made.lo = smaller(smaller(a->lo * b->lo, a->lo * b->hi), smaller(a->hi * b->lo, a->hi * b->hi));
    made.hi = larger(larger(a->lo * b->lo, a->lo * b->hi), larger(a->hi * b->lo, a->hi * b->hi));
    return made;
}

static intgold_status prove_mul(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_mul *op = (const intgold_mul *)fields;
    const bounds a = centred(&x[0], op->x1_zero_point), b = centred(&x[1], op->x2_zero_point);
    bounds acc;
    acc = products(&a, &b);
    set_range(y, op->act_min, op->act_max);
    return prove_entries(&op->requantize, &acc);
}

static intgold_status prove_concat(const void *fields, const intgold_range *x, intgold_range *y) {
    (void)fields;
    set_range(y, smaller(x[0].lo, x[1].lo), larger(x[0].hi, x[1].hi));
    return INTGOLD_OK;
}

static intgold_status prove_pad(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_pad *op = (const intgold_pad *)fields;
    set_range(y, smaller(x->lo, op->value), larger(x->hi, op->value));
    return INTGOLD_OK;
}

static intgold_status prove_reshape(const void *fields, const intgold_range *x, intgold_range *y) {
    (void)fields;
    *y = *x;
    return INTGOLD_OK;
}

/* Clause 5.17: entries are float32 from 0 to 1, the last one 1. */
static int proves_exponentials(const int32_t *table) {
    const int32_t one = 127 << 23;
    int32_t i;
    for (i = 0; i < 256; i++)
        if (table[i] < 0 || table[i] > one) return 0;
    return table[255] == one;
}

static intgold_status prove_softmax_float32(const void *fields, const intgold_range *x,
                                            intgold_range *y) {
    const intgold_softmax_float32 *op = (const intgold_softmax_float32 *)fields;
    if (!proves_exponentials(op->table)) return INTGOLD_ERROR_PARAMETER;
    return prove_softmax(fields, x, y);
}

static intgold_status prove_strided_copy(const void *fields, const intgold_range *x,
                                         intgold_range *y) {
    return prove_reshape(fields, x, y);
}

/* Clause 5.19: every index lies in x. */
static intgold_status prove_gather(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_gather *op = (const intgold_gather *)fields;
    int32_t i;
    for (i = 0; i < op->out_extent; i++)
        if (op->indices[i] < 0 || op->indices[i] >= op->in_extent) return INTGOLD_ERROR_PARAMETER;
    *y = *x;
    return INTGOLD_OK;
}

static intgold_status prove_transpose_conv2d(const void *fields, const intgold_range *x,
                                             intgold_range *y) {
    const intgold_transpose_conv2d *op = (const intgold_transpose_conv2d *)fields;
    const size_t count = (size_t)op->kernel_h * (size_t)op->kernel_w * (size_t)op->in_c;
    const layer of = {op->out_c,
                      op->x_zero_point,
                      op->act_min,
                      op->act_max,
                      count,
                      1,
                      count,
                      op->weights,
                      op->weight_zero_point,
                      op->weight_zero_point_count,
                      op->bias,
                      &op->requantize};
    return prove_layer(&of, x, y);
}

/* One axis of a resize: `count` pairs of addresses below `extent`, and their weights. */
static int proves_axis(const int32_t *first, const int32_t *second, const int16_t *weight,
                       int32_t count, int32_t extent, int32_t one) {
    int32_t i;
    for (i = 0; i < count; i++) {
        if (first[i] < 0 || first[i] >= extent) return 0;
        if (second[i] < 0 || second[i] >= extent) return 0;
        if (weight[i] < 0 || weight[i] > one) return 0;
    }
    return 1;
}

/* Clause 5.21; with weights that add up to 4^11 at most, every sum fits. */
static intgold_status prove_resize_bilinear(const void *fields, const intgold_range *x,
                                            intgold_range *y) {
    const intgold_resize_bilinear *op = (const intgold_resize_bilinear *)fields;
    const int32_t one = 1 << op->frac_bits;
    if (!proves_axis(op->row0, op->row1, op->row_weight, op->out_h, op->in_h, one))
        return INTGOLD_ERROR_PARAMETER;
    if (!proves_axis(op->column0, op->column1, op->column_weight, op->out_w, op->in_w, one))
        return INTGOLD_ERROR_PARAMETER;
    *y = *x;
    return INTGOLD_OK;
}

static intgold_status prove_maximum(const void *fields, const intgold_range *x, intgold_range *y) {
    (void)fields;
    set_range(y, larger(x[0].lo, x[1].lo), larger(x[0].hi, x[1].hi));
    return INTGOLD_OK;
}

static intgold_status prove_minimum(const void *fields, const intgold_range *x, intgold_range *y) {
    (void)fields;
    set_range(y, smaller(x[0].lo, x[1].lo), smaller(x[0].hi, x[1].hi));
    return INTGOLD_OK;
}

static intgold_status prove_lut2d(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_lut2d *op = (const intgold_lut2d *)fields;
    int32_t a, b;
    set_range(y, 127, -128);
    for (a = x[0].lo; a <= x[0].hi; a++)
        for (b = x[1].lo; b <= x[1].hi; b++) {
            const int8_t entry = op->table[(a + 128) * 256 + b + 128];
            set_range(y, smaller(y->lo, entry), larger(y->hi, entry));
        }
    return INTGOLD_OK;
}

/* Clause 7.7. */
static intgold_status prove_matmul(const void *fields, const intgold_range *x, intgold_range *y) {
    const intgold_matmul *op = (const intgold_matmul *)fields;
    const bounds a = centred(&x[0], op->x1_zero_point), b = centred(&x[1], op->x2_zero_point);
    const bounds one = products(&a, &b);
    bounds acc = {0, 0};
    int32_t c;
    for (c = 0; c < op->columns; c++) {
        acc.lo = smaller(acc.lo, op->bias[c]);
        acc.hi = larger(acc.hi, op->bias[c]);
    }
    acc.lo += op->depth * smaller(one.lo, 0);
    acc.hi += op->depth * larger(one.hi, 0);
    set_range(y, op->act_min, op->act_max);
    return prove_entries(&op->requantize, &acc);
}

static intgold_status prove_log_softmax(const void *fields, const intgold_range *x,
                                        intgold_range *y) {
    return prove_softmax(fields, x, y);
}

static intgold_status prove_log_softmax_float32(const void *fields, const intgold_range *x,
                                                intgold_range *y) {
    const intgold_log_softmax_float32 *op = (const intgold_log_softmax_float32 *)fields;
    if (!proves_exponentials(op->table)) return INTGOLD_ERROR_PARAMETER;
    return prove_softmax(fields, x, y);
}

typedef intgold_status prove_op(const void *fields, const intgold_range *x, intgold_range *y);

/* In the order of enum intgold_kind. */
static prove_op *const proofs[] = {prove_conv2d,
                                   prove_depthwise_conv2d,
                                   prove_fully_connected,
                                   prove_lut,
                                   prove_pwl,
                                   prove_max_pool2d,
                                   prove_avg_pool2d,
                                   prove_global_avg_pool,
                                   prove_add,
                                   prove_softmax,
                                   prove_rescale,
                                   prove_argmax,
                                   prove_mul,
                                   prove_concat,
                                   prove_pad,
                                   prove_reshape,
                                   prove_softmax_float32,
                                   prove_strided_copy,
                                   prove_gather,
                                   prove_transpose_conv2d,
                                   prove_resize_bilinear,
                                   prove_maximum,
                                   prove_minimum,
                                   prove_lut2d,
                                   prove_matmul,
                                   prove_log_softmax,
                                   prove_log_softmax_float32};

/* Of a tensor: what an op before this one made, or every value of its dtype. */
static intgold_range range_of(const intgold_model *model, const intgold_range *ranges, int32_t t) {
    intgold_range every = {INT32_MIN, INT32_MAX};
    if (t >= model->n_inputs) return ranges[t - model->n_inputs];
    if (model->tensors[t].dtype == INTGOLD_INT8) every.lo = -128, every.hi = 127;
    return every;
}

intgold_status intgold_check_values(const intgold_model *model, intgold_range *ranges,
                                    int32_t *op) {
    int32_t i, k;
    for (i = 0; i < model->n_ops; i++) {
        const intgold_op *at = &model->ops[i];
        intgold_range x[INTGOLD_MAX_INPUTS];
        intgold_status found;
        for (k = 0; k < intgold_inputs_of(at); k++) x[k] = range_of(model, ranges, at->inputs[k]);
        found = proofs[at->kind](at->fields, x, &ranges[i]);
        *op = i;
        if (found) return found;
    }
    *op = -1;
    return INTGOLD_OK;
}

#endif
