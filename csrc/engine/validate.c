/* The structure of a model, SPEC clauses 3, 5 and 6.2: everything that shows without reading the
 * arrays of its ops.
 *
 * Numbers of a structure have limits of their own: a table of members per kind, without those that
 * the size of a tensor settles.  What they must be to each other and to the tensors of the op is a
 * function per kind.  The order of tensors that
 * clause 6.2 demands, inputs first and then what each op writes, makes tensor n_inputs + i the
 * output of op i. */
#include "engine/validate.h"

#if !defined(INTGOLD_NO_CHECK)
#include <stddef.h>
#include <string.h>

#include "arithmetic/size.h"

enum { MOST_VALUES = 1 << 28, MOST_EXTENT = 1 << 24, OFFSET_STEP = 64 };

/* ---- Numbers, each by itself. ---- */

typedef enum limits {
    EXTENT, /* of a dimension */
    OR_NO_EXTENT,
    AT_LEAST_ONE,
    SOFTMAX_DEPTH,
    SEGMENTS,
    VALIDATE_STEP, /* stride, dilation, window of a pool */
    PADDING,
    CROP, /* padding, or less than none */
    INT8,
    CLAMP, /* act_min; act_max, which follows it, is not below */
    FRACTION,
    WEIGHT_FRACTION,
    ADD_SHIFT,
    EXP_SHIFT,
    EXP_MULTIPLIER,
    AXIS,
    ADDRESS_STEP, /* of a counter */
    ADDRESS,
    TWO_FORMS,
    THREE_FORMS
} limits;

typedef struct limit {
    int32_t lo, hi;
    intgold_status refused;
} limit;

/* In the order of enum limits. */
static const limit limit_of[] = {
    {1, MOST_EXTENT, INTGOLD_ERROR_SHAPE},
    {0, MOST_EXTENT, INTGOLD_ERROR_SHAPE},
    {1, INT32_MAX, INTGOLD_ERROR_SHAPE},
    {1, 4095, INTGOLD_ERROR_SHAPE},
    {1, 256, INTGOLD_ERROR_COUNT},
    {1, 1 << 15, INTGOLD_ERROR_PARAMETER},
    {0, 1 << 15, INTGOLD_ERROR_PARAMETER},
    {-(1 << 15), 1 << 15, INTGOLD_ERROR_PARAMETER},
    {-128, 127, INTGOLD_ERROR_PARAMETER},
    {-128, 127, INTGOLD_ERROR_PARAMETER},
    {0, 15, INTGOLD_ERROR_PARAMETER},
    {0, 11, INTGOLD_ERROR_PARAMETER},
    {0, 22, INTGOLD_ERROR_PARAMETER},
    {0, 31, INTGOLD_ERROR_PARAMETER},
    {1 << 30, INT32_MAX, INTGOLD_ERROR_PARAMETER},
    {0, 2, INTGOLD_ERROR_PARAMETER},
    {-MOST_VALUES, MOST_VALUES, INTGOLD_ERROR_PARAMETER},
    {0, MOST_VALUES - 1, INTGOLD_ERROR_PARAMETER},
    {0, 1, INTGOLD_ERROR_FORM},
    {0, 2, INTGOLD_ERROR_FORM},
};

/* An int32_t of a structure. */
typedef struct member {
    uint8_t at, of; /* its place; enum limits */
} member;

#define M(type, name, of) \
    { (uint8_t) offsetof(type, name), of }
#define IMAGE(type)                                                                                \
    M(type, in_h, EXTENT), M(type, in_w, EXTENT), M(type, in_c, EXTENT), M(type, out_h, EXTENT),   \
        M(type, out_w, EXTENT), M(type, stride_h, VALIDATE_STEP),                                  \
        M(type, stride_w, VALIDATE_STEP), M(type, pad_top, PADDING), M(type, pad_bottom, PADDING), \
        M(type, pad_left, PADDING), M(type, pad_right, PADDING), M(type, act_min, CLAMP)
#define CONVOLUTION(type)                                                    \
    IMAGE(type), M(type, out_c, EXTENT), M(type, kernel_h, AT_LEAST_ONE),    \
        M(type, kernel_w, AT_LEAST_ONE), M(type, dilation_h, VALIDATE_STEP), \
        M(type, dilation_w, VALIDATE_STEP), M(type, x_zero_point, INT8),     \
        M(type, y_zero_point, INT8)
#define POOL(type) IMAGE(type), M(type, kernel_h, VALIDATE_STEP), M(type, kernel_w, VALIDATE_STEP)
#define ELEMENTWISE(type)                                                                    \
    M(type, x1_zero_point, INT8), M(type, x2_zero_point, INT8), M(type, y_zero_point, INT8), \
        M(type, act_min, CLAMP)

static const member conv2d_members[] = {CONVOLUTION(intgold_conv2d)};
static const member depthwise_conv2d_members[] = {CONVOLUTION(intgold_depthwise_conv2d)};
static const member fully_connected_members[] = {
    M(intgold_fully_connected, out_c, EXTENT), M(intgold_fully_connected, x_zero_point, INT8),
    M(intgold_fully_connected, y_zero_point, INT8), M(intgold_fully_connected, act_min, CLAMP)};
static const member pwl_members[] = {M(intgold_pwl, segments, SEGMENTS),
                                     M(intgold_pwl, frac_bits, FRACTION),
                                     M(intgold_pwl, act_min, CLAMP)};
static const member max_pool2d_members[] = {POOL(intgold_max_pool2d)};
static const member avg_pool2d_members[] = {
    POOL(intgold_avg_pool2d), M(intgold_avg_pool2d, x_zero_point, INT8),
    M(intgold_avg_pool2d, y_zero_point, INT8), M(intgold_avg_pool2d, form, THREE_FORMS)};
static const member global_avg_pool_members[] = {
    M(intgold_global_avg_pool, in_h, EXTENT),       M(intgold_global_avg_pool, in_w, EXTENT),
    M(intgold_global_avg_pool, in_c, EXTENT),       M(intgold_global_avg_pool, x_zero_point, INT8),
    M(intgold_global_avg_pool, y_zero_point, INT8), M(intgold_global_avg_pool, act_min, CLAMP)};
static const member add_members[] = {ELEMENTWISE(intgold_add), M(intgold_add, form, TWO_FORMS),
                                     M(intgold_add, left_shift, ADD_SHIFT)};
static const member softmax_members[] = {M(intgold_softmax, depth, SOFTMAX_DEPTH),
                                         M(intgold_softmax, multiplier, EXP_MULTIPLIER),
                                         M(intgold_softmax, left_shift, EXP_SHIFT)};
static const member rescale_members[] = {M(intgold_rescale, depth, EXTENT)};
static const member argmax_members[] = {M(intgold_argmax, depth, EXTENT)};
static const member mul_members[] = {ELEMENTWISE(intgold_mul)};
static const member concat_members[] = {M(intgold_concat, rows, AT_LEAST_ONE),
                                        M(intgold_concat, axis, AXIS)};
static const member pad_members[] = {
    M(intgold_pad, in0, EXTENT),      M(intgold_pad, in1, EXTENT),
    M(intgold_pad, in2, EXTENT),      M(intgold_pad, before0, PADDING),
    M(intgold_pad, before1, PADDING), M(intgold_pad, before2, PADDING),
    M(intgold_pad, after0, PADDING),  M(intgold_pad, after1, PADDING),
    M(intgold_pad, after2, PADDING),  M(intgold_pad, value, INT8)};
static const member reshape_members[] = {M(intgold_reshape, shape0, EXTENT),
                                         M(intgold_reshape, shape1, OR_NO_EXTENT),
                                         M(intgold_reshape, shape2, OR_NO_EXTENT)};
static const member softmax_float32_members[] = {M(intgold_softmax_float32, depth, EXTENT),
                                                 M(intgold_softmax_float32, form, TWO_FORMS)};
#define COUNTER(name, stride) \
    M(intgold_strided_copy, name, AT_LEAST_ONE), M(intgold_strided_copy, stride, ADDRESS_STEP)
static const member strided_copy_members[] = {M(intgold_strided_copy, shape0, EXTENT),
                                              M(intgold_strided_copy, shape1, OR_NO_EXTENT),
                                              M(intgold_strided_copy, shape2, OR_NO_EXTENT),
                                              COUNTER(count0, stride0),
                                              COUNTER(count1, stride1),
                                              COUNTER(count2, stride2),
                                              COUNTER(count3, stride3),
                                              COUNTER(count4, stride4),
                                              COUNTER(count5, stride5),
                                              M(intgold_strided_copy, offset, ADDRESS)};
static const member gather_members[] = {
    M(intgold_gather, rows, AT_LEAST_ONE), M(intgold_gather, in_extent, EXTENT),
    M(intgold_gather, out_extent, EXTENT), M(intgold_gather, axis, AXIS)};

static const member transpose_conv2d_members[] = {
    M(intgold_transpose_conv2d, in_h, EXTENT),
    M(intgold_transpose_conv2d, in_w, EXTENT),
    M(intgold_transpose_conv2d, in_c, EXTENT),
    M(intgold_transpose_conv2d, out_h, EXTENT),
    M(intgold_transpose_conv2d, out_w, EXTENT),
    M(intgold_transpose_conv2d, out_c, EXTENT),
    M(intgold_transpose_conv2d, kernel_h, AT_LEAST_ONE),
    M(intgold_transpose_conv2d, kernel_w, AT_LEAST_ONE),
    M(intgold_transpose_conv2d, stride_h, VALIDATE_STEP),
    M(intgold_transpose_conv2d, stride_w, VALIDATE_STEP),
    M(intgold_transpose_conv2d, pad_top, PADDING),
    M(intgold_transpose_conv2d, pad_bottom, CROP),
    M(intgold_transpose_conv2d, pad_left, PADDING),
    M(intgold_transpose_conv2d, pad_right, CROP),
    M(intgold_transpose_conv2d, x_zero_point, INT8),
    M(intgold_transpose_conv2d, y_zero_point, INT8),
    M(intgold_transpose_conv2d, act_min, CLAMP)};

static const member resize_bilinear_members[] = {
    M(intgold_resize_bilinear, in_h, EXTENT),
    M(intgold_resize_bilinear, in_w, EXTENT),
    M(intgold_resize_bilinear, in_c, EXTENT),
    M(intgold_resize_bilinear, out_h, EXTENT),
    M(intgold_resize_bilinear, out_w, EXTENT),
    M(intgold_resize_bilinear, frac_bits, WEIGHT_FRACTION),
    M(intgold_resize_bilinear, form, TWO_FORMS)};

static intgold_status check_member(const void *fields, const member *of) {
    const limit *by = &limit_of[of->of];
    int32_t value[2];
    memcpy(value, (const char *)fields + of->at, of->of == CLAMP ? sizeof value : sizeof *value);
    if (value[0] < by->lo || value[0] > by->hi) return by->refused;
    if (of->of == CLAMP && (value[1] < value[0] || value[1] > by->hi)) return by->refused;
    return INTGOLD_OK;
}

/* ---- What the numbers of an op are to each other. ---- */

/* The tensors of an op; x2 is NULL where the kind takes one. */
typedef struct ends {
    const intgold_tensor *x, *x2, *y;
} ends;

/* Whether a tensor has a * b * c values; each extent is below 2^26. */
static int holds(const intgold_tensor *tensor, int64_t a, int64_t b, int64_t c) {
    return a * b <= MOST_VALUES && a * b * c == tensor->size;
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
typedef struct validate_weights {
    int32_t out_c, zero_points;
    size_t n, m;
    const int8_t *values, *zero_point;
    const int32_t *bias;
    const intgold_requantize *requantize;
} validate_weights;

static intgold_status check_weights(const validate_weights *of) {
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
    const validate_weights of = {op->out_c,
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
    const validate_weights of = {op->out_c,
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
    const validate_weights of = {
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
    if (out0 > MOST_EXTENT || out1 > MOST_EXTENT || out2 > MOST_EXTENT) return INTGOLD_ERROR_SHAPE;
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
        if (values > MOST_VALUES) return INTGOLD_ERROR_SHAPE;
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
    const validate_weights of = {op->out_c,
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

/* ---- Kinds. ---- */

typedef struct kind_rules {
    const member *members;
    intgold_status (*check)(const void *fields, const ends *at);
    uint8_t n_members, n_inputs, wide; /* wide: int32 tensors */
    uint8_t requantize; /* where the structure has one that may be left out; else 0 */
} kind_rules;

#define KIND(name, inputs, wide)                                                              \
    {                                                                                         \
        name##_members, check_##name, sizeof name##_members / sizeof *name##_members, inputs, \
            wide, 0                                                                           \
    }
#define KIND_WITHOUT_MEMBERS(name, inputs) \
    { NULL, check_##name, 0, inputs, 0, 0 }
#define KIND_WITH_WEIGHTS(name)                                                             \
    {                                                                                       \
        name##_members, check_##name, sizeof name##_members / sizeof *name##_members, 1, 0, \
            (uint8_t)offsetof(intgold_##name, requantize)                                   \
    }

/* In the order of enum intgold_kind. */
static const kind_rules rules_of[] = {KIND_WITH_WEIGHTS(conv2d),
                                      KIND_WITH_WEIGHTS(depthwise_conv2d),
                                      KIND_WITH_WEIGHTS(fully_connected),
                                      KIND_WITHOUT_MEMBERS(lut, 1),
                                      KIND(pwl, 1, 0),
                                      KIND(max_pool2d, 1, 0),
                                      KIND(avg_pool2d, 1, 0),
                                      KIND(global_avg_pool, 1, 0),
                                      KIND(add, 2, 0),
                                      KIND(softmax, 1, 0),
                                      KIND(rescale, 1, 1),
                                      KIND(argmax, 1, 1),
                                      KIND(mul, 2, 0),
                                      KIND(concat, 2, 0),
                                      KIND(pad, 1, 0),
                                      KIND(reshape, 1, 0),
                                      KIND(softmax_float32, 1, 0),
                                      KIND(strided_copy, 1, 0),
                                      KIND(gather, 1, 0),
                                      KIND_WITH_WEIGHTS(transpose_conv2d),
                                      KIND(resize_bilinear, 1, 0),
                                      KIND_WITHOUT_MEMBERS(maximum, 2),
                                      KIND_WITHOUT_MEMBERS(minimum, 2)};

enum { N_RULES = sizeof rules_of / sizeof *rules_of };

/* The dtype that the output of an op has. */
static int32_t made_dtype(const kind_rules *by, const void *fields) {
    int32_t count = 1;
    if (by->requantize)
        memcpy(&count, (const char *)fields + by->requantize + offsetof(intgold_requantize, count),
               sizeof count);
    return by->wide || count == 0 ? INTGOLD_INT32 : INTGOLD_INT8;
}

static intgold_status check_op(const intgold_model *model, int32_t i) {
    const intgold_op *op = &model->ops[i];
    const int32_t own = model->n_inputs + i; /* the tensor that it writes */
    const kind_rules *by;
    ends at = {NULL, NULL, NULL};
    int32_t k;
    if (op->kind < 0 || op->kind >= N_RULES) return INTGOLD_ERROR_UNKNOWN_OP;
    if (!op->fields || !op->inputs) return INTGOLD_ERROR_NULL;
    by = &rules_of[op->kind];
    if (op->output != own) return INTGOLD_ERROR_GRAPH;
    for (k = 0; k < by->n_inputs; k++) {
        const int32_t t = op->inputs[k];
        if (t < 0 || t >= own) return INTGOLD_ERROR_GRAPH;
        if (model->tensors[t].dtype != (by->wide ? INTGOLD_INT32 : INTGOLD_INT8))
            return INTGOLD_ERROR_DTYPE;
    }
    at.x = &model->tensors[op->inputs[0]];
    at.x2 = by->n_inputs > 1 ? &model->tensors[op->inputs[1]] : NULL;
    at.y = &model->tensors[own];
    for (k = 0; k < by->n_members; k++) {
        const intgold_status found = check_member(op->fields, &by->members[k]);
        if (found) return found;
    }
    if (at.y->dtype != made_dtype(by, op->fields)) return INTGOLD_ERROR_DTYPE;
    return by->check(op->fields, &at);
}

static intgold_status check_counts(const intgold_model *model) {
    if (!model->tensors || !model->ops || !model->inputs || !model->outputs)
        return INTGOLD_ERROR_NULL;
    if (model->n_inputs < 1) return INTGOLD_ERROR_COUNT;
    if ((int64_t)model->n_inputs + model->n_ops != model->n_tensors) return INTGOLD_ERROR_COUNT;
    if (model->n_outputs < 1 || model->n_outputs > model->n_ops) return INTGOLD_ERROR_COUNT;
    if (model->activations_size < 0) return INTGOLD_ERROR_OFFSET;
    return INTGOLD_OK;
}

intgold_status intgold_check_op(const intgold_model *model, int32_t op) {
    const intgold_status found = check_counts(model);
    if (found) return found;
    return op < 0 || op >= model->n_ops ? INTGOLD_ERROR_ARGUMENT : check_op(model, op);
}

/* ---- The graph and its tensors. ---- */

static intgold_status check_ends(const intgold_model *model) {
    int32_t i, k;
    for (i = 0; i < model->n_inputs; i++)
        if (model->inputs[i] != i) return INTGOLD_ERROR_GRAPH;
    for (i = 0; i < model->n_outputs; i++) {
        if (model->outputs[i] < model->n_inputs || model->outputs[i] >= model->n_tensors)
            return INTGOLD_ERROR_GRAPH;
        for (k = 0; k < i; k++)
            if (model->outputs[k] == model->outputs[i]) return INTGOLD_ERROR_GRAPH;
    }
    return INTGOLD_OK;
}

/* Whether the caller's buffers hold it. */
static int is_end(const intgold_model *model, int32_t t) {
    int32_t i;
    for (i = 0; i < model->n_outputs; i++)
        if (model->outputs[i] == t) return 1;
    return t < model->n_inputs;
}

static int64_t validate_bytes_of(const intgold_tensor *tensor) {
    return (int64_t)tensor->size * (tensor->dtype == INTGOLD_INT32 ? 4 : 1);
}

static intgold_status check_tensor(const intgold_model *model, int32_t t) {
    const intgold_tensor *tensor = &model->tensors[t];
    if (tensor->dtype != INTGOLD_INT8 && tensor->dtype != INTGOLD_INT32) return INTGOLD_ERROR_DTYPE;
    if (tensor->size < 1 || tensor->size > MOST_VALUES) return INTGOLD_ERROR_SHAPE;
    if (is_end(model, t)) {
        if (tensor->offset != -1) return INTGOLD_ERROR_OFFSET;
        return INTGOLD_OK;
    }
    if (tensor->offset < 0 || tensor->offset % OFFSET_STEP != 0) return INTGOLD_ERROR_OFFSET;
    if (tensor->offset + validate_bytes_of(tensor) > model->activations_size)
        return INTGOLD_ERROR_OFFSET;
    return INTGOLD_OK;
}

static int validate_overlap(const intgold_tensor *a, const intgold_tensor *b) {
    return a->offset + validate_bytes_of(a) > b->offset &&
           b->offset + validate_bytes_of(b) > a->offset;
}

/* The last op that reads the output of op i, or i. */
static int32_t last_reader(const intgold_model *model, int32_t i) {
    int32_t last, k;
    for (last = model->n_ops - 1; last > i; last--) {
        const intgold_op *op = &model->ops[last];
        for (k = 0; k < rules_of[op->kind].n_inputs; k++)
            if (op->inputs[k] == model->n_inputs + i) return last;
    }
    return i;
}

/* Whether nothing is written over the output of op i while somebody still reads it. */
static int is_kept(const intgold_model *model, int32_t i) {
    const intgold_tensor *made = &model->tensors[model->n_inputs];
    const int32_t last = made[i].offset < 0 ? i : last_reader(model, i);
    int32_t k;
    for (k = i + 1; k <= last; k++)
        if (made[k].offset >= 0 && validate_overlap(&made[i], &made[k])) return 0;
    return 1;
}

/* Clause 6.2: each tensor takes a multiple of 64 bytes. */
static int64_t spans(const intgold_model *model) {
    int64_t total = 0;
    int32_t i;
    for (i = 0; i < model->n_tensors; i++)
        total +=
            (validate_bytes_of(&model->tensors[i]) + OFFSET_STEP - 1) / OFFSET_STEP * OFFSET_STEP;
    return total;
}

intgold_status intgold_check_structure(const intgold_model *model, int32_t *op) {
    intgold_status found = check_counts(model);
    int32_t i;
    *op = -1;
    if (!found) found = check_ends(model);
    for (i = 0; !found && i < model->n_inputs; i++) found = check_tensor(model, i);
    for (i = 0; !found && i < model->n_ops; i++) {
        *op = i;
        found = check_tensor(model, model->n_inputs + i);
        if (!found) found = check_op(model, i);
    }
    if (found) return found;
    *op = -1;
    if (spans(model) > INT32_MAX) return INTGOLD_ERROR_SIZE;
    for (i = 0; i < model->n_ops; i++) {
        *op = i;
        if (!is_kept(model, i)) return INTGOLD_ERROR_OFFSET;
    }
    *op = -1;
    return INTGOLD_OK;
}

#endif
