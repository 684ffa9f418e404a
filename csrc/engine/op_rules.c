/* What the numbers of an op must be to each other and to its tensors: a function per kind; SPEC
 * clauses 3 and 5.  No array that `fields` points to is read. */
#include "engine/op_rules.h"

#if !defined(INTGOLD_NO_CHECK)
#include <stddef.h>
#include <string.h>

#include "arithmetic/size.h"
#include "engine/members.h"

typedef intgold_op_ends ends;

/* Whether a tensor has a * b * c values; each extent is below 2^26. */
static int holds(const intgold_tensor *tensor, int64_t a, int64_t b, int64_t c) {
    return a * b <= INTGOLD_MOST_VALUES && a * b * c == tensor->size;
}

/* A window that slides along one axis, clause 5.0. */
typedef struct slide {
    int32_t in, out, kernel, stride, dilation, before, after;
} slide;

static int slides(const slide *along) {
    const int64_t span = (int64_t)(along->kernel - 1) * along->dilation + 1;
    const int64_t room = (int64_t)along->in + along->before + along->after - span;
    return room >= 0 && room / along->stride + 1 == along->out;
}

static intgold_status check_slides(const slide *rows, const slide *columns, int32_t in_c,
                                   int32_t out_c, const ends *at) {
    if (!slides(rows)) return INTGOLD_ERROR_SHAPE;
    if (!slides(columns)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->x, rows->in, columns->in, in_c)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, rows->out, columns->out, out_c)) return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

/* Clause 4.1.  optional: the op may leave its accumulators. */
static intgold_status check_entries(const intgold_requantize *by, int32_t channels, int optional) {
    if (by->count == 0 && optional) return INTGOLD_OK;
    if (by->count != 1 && by->count != channels) return INTGOLD_ERROR_COUNT;
    if (!by->form || !by->multiplier || !by->right_shift || !by->multiplier_low)
        return INTGOLD_ERROR_NULL;
    return INTGOLD_OK;
}

/* What ops with weights have in common; a channel has n * m values. */
typedef struct rules_weights {
    int32_t out_c, zero_points;
    size_t n, m;
    const int8_t *values, *zero_point;
    const int32_t *bias;
    const intgold_requantize *requantize;
} rules_weights;

static intgold_status check_weights(const rules_weights *of) {
    if (of->zero_points != 1 && of->zero_points != of->out_c) return INTGOLD_ERROR_COUNT;
    if (!of->values || !of->zero_point || !of->bias) return INTGOLD_ERROR_NULL;
    if (!intgold_fits(intgold_times(intgold_times(of->n, of->m), (size_t)of->out_c)))
        return INTGOLD_ERROR_SIZE;
    return check_entries(of->requantize, of->out_c, 1);
}

static intgold_status check_conv2d(const void *fields, const ends *at) {
    const intgold_conv2d *op = (const intgold_conv2d *)fields;
    const slide rows = {op->in_h,       op->out_h,   op->kernel_h,  op->stride_h,
                        op->dilation_h, op->pad_top, op->pad_bottom};
    const slide columns = {op->in_w,       op->out_w,    op->kernel_w, op->stride_w,
                           op->dilation_w, op->pad_left, op->pad_right};
    const rules_weights of = {op->out_c,
                              op->weight_zero_point_count,
                              intgold_times((size_t)op->kernel_h, (size_t)op->kernel_w),
                              (size_t)op->in_c,
                              op->weights,
                              op->weight_zero_point,
                              op->bias,
                              &op->requantize};
    const intgold_status shape = check_slides(&rows, &columns, op->in_c, op->out_c, at);
    return shape ? shape : check_weights(&of);
}

static intgold_status check_depthwise_conv2d(const void *fields, const ends *at) {
    const intgold_depthwise_conv2d *op = (const intgold_depthwise_conv2d *)fields;
    const slide rows = {op->in_h,       op->out_h,   op->kernel_h,  op->stride_h,
                        op->dilation_h, op->pad_top, op->pad_bottom};
    const slide columns = {op->in_w,       op->out_w,    op->kernel_w, op->stride_w,
                           op->dilation_w, op->pad_left, op->pad_right};
    const rules_weights of = {op->out_c,
                              op->weight_zero_point_count,
                              (size_t)op->kernel_h,
                              (size_t)op->kernel_w,
                              op->weights,
                              op->weight_zero_point,
                              op->bias,
                              &op->requantize};
    const intgold_status shape = check_slides(&rows, &columns, op->in_c, op->out_c, at);
    if (op->out_c % op->in_c != 0) return INTGOLD_ERROR_SHAPE;
    return shape ? shape : check_weights(&of);
}

static intgold_status check_fully_connected(const void *fields, const ends *at) {
    const intgold_fully_connected *op = (const intgold_fully_connected *)fields;
    const rules_weights of = {
        op->out_c,   op->weight_zero_point_count, (size_t)op->in_c, 1,
        op->weights, op->weight_zero_point,       op->bias,         &op->requantize};
    if (at->x->size != op->in_c || at->y->size != op->out_c) return INTGOLD_ERROR_SHAPE;
    return check_weights(&of);
}

/* As many values in every tensor. */
static intgold_status check_count(int64_t count, const ends *at) {
    if (at->x->size != count || at->y->size != count) return INTGOLD_ERROR_SHAPE;
    if (at->x2 && at->x2->size != count) return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

static intgold_status check_lut(const void *fields, const ends *at) {
    const intgold_lut *op = (const intgold_lut *)fields;
    if (!op->table) return INTGOLD_ERROR_NULL;
    return check_count(op->count, at);
}

static intgold_status check_pwl(const void *fields, const ends *at) {
    const intgold_pwl *op = (const intgold_pwl *)fields;
    if (!op->breakpoints || !op->slope || !op->offset) return INTGOLD_ERROR_NULL;
    return check_count(op->count, at);
}

/* Clauses 5.6 and 5.7: every window has a valid cell. */
static intgold_status check_pool(const slide *rows, const slide *columns, int32_t in_c,
                                 int32_t out_c, const ends *at) {
    if (rows->before >= rows->kernel || rows->after >= rows->kernel) return INTGOLD_ERROR_PARAMETER;
    if (columns->before >= columns->kernel || columns->after >= columns->kernel)
        return INTGOLD_ERROR_PARAMETER;
    if (in_c != out_c) return INTGOLD_ERROR_SHAPE;
    return check_slides(rows, columns, in_c, out_c, at);
}

static intgold_status check_max_pool2d(const void *fields, const ends *at) {
    const intgold_max_pool2d *op = (const intgold_max_pool2d *)fields;
    const slide rows = {op->in_h, op->out_h,   op->kernel_h,  op->stride_h,
                        1,        op->pad_top, op->pad_bottom};
    const slide columns = {op->in_w, op->out_w,    op->kernel_w, op->stride_w,
                           1,        op->pad_left, op->pad_right};
    return check_pool(&rows, &columns, op->in_c, op->out_c, at);
}

static intgold_status check_avg_pool2d(const void *fields, const ends *at) {
    const intgold_avg_pool2d *op = (const intgold_avg_pool2d *)fields;
    const slide rows = {op->in_h, op->out_h,   op->kernel_h,  op->stride_h,
                        1,        op->pad_top, op->pad_bottom};
    const slide columns = {op->in_w, op->out_w,    op->kernel_w, op->stride_w,
                           1,        op->pad_left, op->pad_right};
    return check_pool(&rows, &columns, op->in_c, op->out_c, at);
}

static intgold_status check_global_avg_pool(const void *fields, const ends *at) {
    const intgold_global_avg_pool *op = (const intgold_global_avg_pool *)fields;
    if (!holds(at->x, op->in_h, op->in_w, op->in_c)) return INTGOLD_ERROR_SHAPE;
    if (at->y->size != op->in_c) return INTGOLD_ERROR_SHAPE;
    return check_entries(&op->requantize, op->in_c, 0);
}

static intgold_status check_add(const void *fields, const ends *at) {
    const intgold_add *op = (const intgold_add *)fields;
    intgold_status found = check_count(op->count, at);
    if (!found) found = check_entries(&op->requantize1, 1, 0);
    if (!found) found = check_entries(&op->requantize2, 1, 0);
    return found ? found : check_entries(&op->requantize, 1, 0);
}

static intgold_status check_softmax(const void *fields, const ends *at) {
    const intgold_softmax *op = (const intgold_softmax *)fields;
    return check_count((int64_t)op->rows * op->depth, at);
}

static intgold_status check_rescale(const void *fields, const ends *at) {
    const intgold_rescale *op = (const intgold_rescale *)fields;
    const intgold_status found = check_count((int64_t)op->rows * op->depth, at);
    return found ? found : check_entries(&op->requantize, op->depth, 0);
}

static intgold_status check_argmax(const void *fields, const ends *at) {
    const intgold_argmax *op = (const intgold_argmax *)fields;
    if (!holds(at->x, op->rows, op->depth, 1)) return INTGOLD_ERROR_SHAPE;
    if (at->y->size != op->rows) return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

static intgold_status check_mul(const void *fields, const ends *at) {
    const intgold_mul *op = (const intgold_mul *)fields;
    const intgold_status found = check_count(op->count, at);
    return found ? found : check_entries(&op->requantize, 1, 0);
}

static intgold_status check_concat(const void *fields, const ends *at) {
    const intgold_concat *op = (const intgold_concat *)fields;
    if (op->axis == 0 && op->rows != 1) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->x, op->rows, op->depth1, 1)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->x2, op->rows, op->depth2, 1)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, op->rows, (int64_t)op->depth1 + op->depth2, 1)) return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

static intgold_status check_pad(const void *fields, const ends *at) {
    const intgold_pad *op = (const intgold_pad *)fields;
    const int64_t out0 = (int64_t)op->before0 + op->in0 + op->after0;
    const int64_t out1 = (int64_t)op->before1 + op->in1 + op->after1;
    const int64_t out2 = (int64_t)op->before2 + op->in2 + op->after2;
    if (!holds(at->x, op->in0, op->in1, op->in2)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, out0, out1, out2)) return INTGOLD_ERROR_SHAPE;
    if (out0 > INTGOLD_MOST_EXTENT || out1 > INTGOLD_MOST_EXTENT || out2 > INTGOLD_MOST_EXTENT)
        return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

/* The output has the stated shape: shape2 is 0 for two dimensions, shape1 as well for one. */
static intgold_status check_shape(int32_t shape0, int32_t shape1, int32_t shape2, const ends *at) {
    if (shape1 == 0 && shape2 != 0) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, shape0, shape1 ? shape1 : 1, shape2 ? shape2 : 1)) return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

static intgold_status check_reshape(const void *fields, const ends *at) {
    const intgold_reshape *op = (const intgold_reshape *)fields;
    const intgold_status found = check_shape(op->shape0, op->shape1, op->shape2, at);
    return found ? found : check_count(op->count, at);
}

static intgold_status check_softmax_float32(const void *fields, const ends *at) {
    const intgold_softmax_float32 *op = (const intgold_softmax_float32 *)fields;
    if (!op->table) return INTGOLD_ERROR_NULL;
    return check_count((int64_t)op->rows * op->depth, at);
}

/* Clause 5.18: as many values as the counters reach, all addresses in x. */
static intgold_status check_strided_copy(const void *fields, const ends *at) {
    const intgold_strided_copy *op = (const intgold_strided_copy *)fields;
    const int32_t counts[] = {op->count0, op->count1, op->count2,
                              op->count3, op->count4, op->count5};
    const int32_t strides[] = {op->stride0, op->stride1, op->stride2,
                               op->stride3, op->stride4, op->stride5};
    const intgold_status found = check_shape(op->shape0, op->shape1, op->shape2, at);
    int64_t values = 1, lo = op->offset, hi = op->offset;
    int k;
    if (found) return found;
    for (k = 0; k < 6; k++) {
        const int64_t reach = ((int64_t)counts[k] - 1) * strides[k];
        values *= counts[k];
        if (values > INTGOLD_MOST_VALUES) return INTGOLD_ERROR_SHAPE;
        *(reach < 0 ? &lo : &hi) += reach;
    }
    if (values != at->y->size || op->in_count != at->x->size) return INTGOLD_ERROR_SHAPE;
    return lo < 0 || hi >= op->in_count ? INTGOLD_ERROR_PARAMETER : INTGOLD_OK;
}

static intgold_status check_gather(const void *fields, const ends *at) {
    const intgold_gather *op = (const intgold_gather *)fields;
    if (!op->indices) return INTGOLD_ERROR_NULL;
    if (op->axis == 0 && op->rows != 1) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->x, op->rows, op->in_extent, op->depth)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, op->rows, op->out_extent, op->depth)) return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

/* Clause 5.20, one axis. */
static int spreads(const slide *along) {
    const int64_t full = (int64_t)(along->in - 1) * along->stride + along->kernel;
    return full - along->before - along->after == along->out;
}

static intgold_status check_transpose_conv2d(const void *fields, const ends *at) {
    const intgold_transpose_conv2d *op = (const intgold_transpose_conv2d *)fields;
    const slide rows = {op->in_h, op->out_h,   op->kernel_h,  op->stride_h,
                        1,        op->pad_top, op->pad_bottom};
    const slide columns = {op->in_w, op->out_w,    op->kernel_w, op->stride_w,
                           1,        op->pad_left, op->pad_right};
    const rules_weights of = {op->out_c,
                              op->weight_zero_point_count,
                              intgold_times((size_t)op->kernel_h, (size_t)op->kernel_w),
                              (size_t)op->in_c,
                              op->weights,
                              op->weight_zero_point,
                              op->bias,
                              &op->requantize};
    if (!spreads(&rows) || !spreads(&columns)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->x, op->in_h, op->in_w, op->in_c)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, op->out_h, op->out_w, op->out_c)) return INTGOLD_ERROR_SHAPE;
    return check_weights(&of);
}

static intgold_status check_resize_bilinear(const void *fields, const ends *at) {
    const intgold_resize_bilinear *op = (const intgold_resize_bilinear *)fields;
    if (!op->row0 || !op->row1 || !op->row_weight) return INTGOLD_ERROR_NULL;
    if (!op->column0 || !op->column1 || !op->column_weight) return INTGOLD_ERROR_NULL;
    if (op->out_c != op->in_c) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->x, op->in_h, op->in_w, op->in_c)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, op->out_h, op->out_w, op->out_c)) return INTGOLD_ERROR_SHAPE;
    return INTGOLD_OK;
}

static intgold_status check_maximum(const void *fields, const ends *at) {
    return check_count(((const intgold_maximum *)fields)->count, at);
}

static intgold_status check_minimum(const void *fields, const ends *at) {
    return check_count(((const intgold_minimum *)fields)->count, at);
}

static intgold_status check_lut2d(const void *fields, const ends *at) {
    const intgold_lut2d *op = (const intgold_lut2d *)fields;
    if (!op->table) return INTGOLD_ERROR_NULL;
    return check_count(op->count, at);
}

static intgold_status check_matmul(const void *fields, const ends *at) {
    const intgold_matmul *op = (const intgold_matmul *)fields;
    if (!op->bias) return INTGOLD_ERROR_NULL;
    if (!holds(at->x, op->batch, op->rows, op->depth)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->x2, op->batch, op->columns, op->depth)) return INTGOLD_ERROR_SHAPE;
    if (!holds(at->y, op->batch, op->rows, op->columns)) return INTGOLD_ERROR_SHAPE;
    return check_entries(&op->requantize, 1, 0);
}

static intgold_status check_log_softmax(const void *fields, const ends *at) {
    const intgold_log_softmax *op = (const intgold_log_softmax *)fields;
    return check_count((int64_t)op->rows * op->depth, at);
}

static intgold_status check_log_softmax_float32(const void *fields, const ends *at) {
    const intgold_log_softmax_float32 *op = (const intgold_log_softmax_float32 *)fields;
    if (!op->table) return INTGOLD_ERROR_NULL;
    return check_count((int64_t)op->rows * op->depth, at);
}

#define KIND(name, inputs) \
    { check_##name, inputs, INTGOLD_TAKES_INT8, 0 }
#define KIND_OF_INT32(name, takes) \
    { check_##name, 1, takes, 0 }
#define KIND_WITH_WEIGHTS(name) \
    { check_##name, 1, INTGOLD_TAKES_INT8, (uint8_t)offsetof(intgold_##name, requantize) }

/* In the order of enum intgold_kind. */
static const intgold_op_rules rules_of[] = {
    KIND_WITH_WEIGHTS(conv2d),
    KIND_WITH_WEIGHTS(depthwise_conv2d),
    KIND_WITH_WEIGHTS(fully_connected),
    KIND(lut, 1),
    KIND(pwl, 1),
    KIND(max_pool2d, 1),
    KIND(avg_pool2d, 1),
    KIND(global_avg_pool, 1),
    KIND(add, 2),
    KIND(softmax, 1),
    KIND_OF_INT32(rescale, INTGOLD_TAKES_INT32),
    KIND_OF_INT32(argmax, INTGOLD_TAKES_INT8 | INTGOLD_TAKES_INT32),
    KIND(mul, 2),
    KIND(concat, 2),
    KIND(pad, 1),
    KIND(reshape, 1),
    KIND(softmax_float32, 1),
    KIND(strided_copy, 1),
    KIND(gather, 1),
    KIND_WITH_WEIGHTS(transpose_conv2d),
    KIND(resize_bilinear, 1),
    KIND(maximum, 2),
    KIND(minimum, 2),
    KIND(lut2d, 2),
    KIND(matmul, 2),
    KIND(log_softmax, 1),
    KIND(log_softmax_float32, 1),
};

const intgold_op_rules *intgold_op_rules_of(int32_t kind) {
    return (size_t)kind < sizeof rules_of / sizeof *rules_of ? &rules_of[kind] : NULL;
}

int intgold_takes_dtype(const intgold_op_rules *by, int32_t dtype) {
    if (dtype == INTGOLD_INT8) return (by->takes & INTGOLD_TAKES_INT8) != 0;
    return dtype == INTGOLD_INT32 && (by->takes & INTGOLD_TAKES_INT32) != 0;
}

int32_t intgold_made_dtype(const intgold_op_rules *by, const void *fields) {
    int32_t count = 1;
    if (by->requantize)
        memcpy(&count, (const char *)fields + by->requantize + offsetof(intgold_requantize, count),
               sizeof count);
    return (by->takes & INTGOLD_TAKES_INT32) || count == 0 ? INTGOLD_INT32 : INTGOLD_INT8;
}

#endif
