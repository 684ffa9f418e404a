/* Numbers of an op's structure, each by itself: a table of members per kind, without those that
 * the size of a tensor settles; SPEC clause 5. */
#include "engine/members.h"

#if !defined(INTGOLD_NO_CHECK)
#include <stddef.h>
#include <string.h>

typedef enum limits {
    EXTENT, /* of a dimension */
    OR_NO_EXTENT,
    AT_LEAST_ONE,
    SOFTMAX_DEPTH,
    SEGMENTS,
    STRIDE, /* stride, dilation, window of a pool */
    PADDING,
    CROP, /* padding, or less than none */
    INT8,
    CLAMP, /* act_min; act_max, which follows it, is not below */
    FRACTION,
    WEIGHT_FRACTION,
    ADD_SHIFT,
    EXP_SHIFT,
    EXP_MULTIPLIER,
    SCALE_BITS, /* of a float32 that 255 values do not carry to infinity */
    AXIS,
    ADDRESS_STEP, /* of a counter */
    TWO_FORMS,
    THREE_FORMS
} limits;

typedef struct limit {
    int32_t lo, hi;
    intgold_status refused;
} limit;

/* In the order of enum limits. */
static const limit limit_of[] = {
    {1, INTGOLD_MOST_EXTENT, INTGOLD_ERROR_SHAPE},
    {0, INTGOLD_MOST_EXTENT, INTGOLD_ERROR_SHAPE},
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
    {1, 240 << 23, INTGOLD_ERROR_PARAMETER},
    {0, 2, INTGOLD_ERROR_PARAMETER},
    {-INTGOLD_MOST_VALUES, INTGOLD_MOST_VALUES, INTGOLD_ERROR_PARAMETER},
    {0, 1, INTGOLD_ERROR_FORM},
    {0, 2, INTGOLD_ERROR_FORM},
};

/* An int32_t of a structure. */
typedef struct member {
    uint8_t at, of; /* its place; enum limits */
} member;

#define M(type, name, of) \
    { (uint8_t) offsetof(type, name), of }
#define IMAGE(type)                                                                              \
    M(type, in_h, EXTENT), M(type, in_w, EXTENT), M(type, in_c, EXTENT), M(type, out_h, EXTENT), \
        M(type, out_w, EXTENT), M(type, stride_h, STRIDE), M(type, stride_w, STRIDE),            \
        M(type, pad_top, PADDING), M(type, pad_bottom, PADDING), M(type, pad_left, PADDING),     \
        M(type, pad_right, PADDING), M(type, act_min, CLAMP)
#define CONVOLUTION(type)                                                                          \
    IMAGE(type), M(type, out_c, EXTENT), M(type, kernel_h, AT_LEAST_ONE),                          \
        M(type, kernel_w, AT_LEAST_ONE), M(type, dilation_h, STRIDE), M(type, dilation_w, STRIDE), \
        M(type, x_zero_point, INT8), M(type, y_zero_point, INT8)
#define POOL(type) IMAGE(type), M(type, kernel_h, STRIDE), M(type, kernel_w, STRIDE)
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
static const member add_members[] = {ELEMENTWISE(intgold_add), M(intgold_add, form, THREE_FORMS),
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
                                              COUNTER(count5, stride5)};
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
    M(intgold_transpose_conv2d, stride_h, STRIDE),
    M(intgold_transpose_conv2d, stride_w, STRIDE),
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

/* rows and columns: tensors hold them, batch and depth times. */
static const member matmul_members[] = {
    M(intgold_matmul, batch, EXTENT), M(intgold_matmul, depth, EXTENT),
    ELEMENTWISE(intgold_matmul)};

static const member log_softmax_members[] = {M(intgold_log_softmax, depth, SOFTMAX_DEPTH),
                                             M(intgold_log_softmax, multiplier, EXP_MULTIPLIER),
                                             M(intgold_log_softmax, left_shift, EXP_SHIFT)};

static const member log_softmax_float32_members[] = {
    M(intgold_log_softmax_float32, depth, EXTENT), M(intgold_log_softmax_float32, form, TWO_FORMS),
    M(intgold_log_softmax_float32, scale_bits, SCALE_BITS)};

typedef struct member_list {
    const member *first;
    size_t count;
} member_list;

#define LIST(kind) \
    { kind##_members, sizeof kind##_members / sizeof *kind##_members }
#define NO_MEMBERS \
    { NULL, 0 }

/* In the order of enum intgold_kind. */
static const member_list members_of[] = {
    LIST(conv2d),
    LIST(depthwise_conv2d),
    LIST(fully_connected),
    NO_MEMBERS,
    LIST(pwl),
    LIST(max_pool2d),
    LIST(avg_pool2d),
    LIST(global_avg_pool),
    LIST(add),
    LIST(softmax),
    LIST(rescale),
    LIST(argmax),
    LIST(mul),
    LIST(concat),
    LIST(pad),
    LIST(reshape),
    LIST(softmax_float32),
    LIST(strided_copy),
    LIST(gather),
    LIST(transpose_conv2d),
    LIST(resize_bilinear),
    NO_MEMBERS,
    NO_MEMBERS,
    NO_MEMBERS,
    LIST(matmul),
    LIST(log_softmax),
    LIST(log_softmax_float32),
};

static intgold_status members_check(const void *fields, const member *of) {
    const limit *by = &limit_of[of->of];
    int32_t value[2];
    memcpy(value, (const char *)fields + of->at, of->of == CLAMP ? sizeof value : sizeof *value);
    if (value[0] < by->lo || value[0] > by->hi) return by->refused;
    if (of->of == CLAMP && (value[1] < value[0] || value[1] > by->hi)) return by->refused;
    return INTGOLD_OK;
}

intgold_status intgold_check_members(int32_t kind, const void *fields) {
    const member_list *list = &members_of[kind];
    size_t i;
    for (i = 0; i < list->count; i++) {
        const intgold_status found = members_check(fields, &list->first[i]);
        if (found) return found;
    }
    return INTGOLD_OK;
}

#endif
