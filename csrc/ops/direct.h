/* Convolutions tap by tap, without scratch: where padding, strides or dilations would make a strip
 * of words large, or most of its work padding. */
#ifndef INTGOLD_DIRECT_H
#define INTGOLD_DIRECT_H

#include "ops/op.h"

/* A window that slides along one axis, clause 5.0. */
typedef struct intgold_axis {
    int32_t in, out, kernel, stride, dilation, before;
} intgold_axis;

/* What the two kinds of convolution have in common. */
typedef struct intgold_direct {
    intgold_axis rows, columns;
    int32_t in_c, out_c, x_zero_point, weight_zero_point_count;
    int32_t depthwise; /* weights: (kernel_h, kernel_w, out_c); else those of conv2d */
    const int8_t *weights, *weight_zero_point;
    const int32_t *bias;
    intgold_requantize requantize;
    int32_t y_zero_point, act_min, act_max;
} intgold_direct;

intgold_direct intgold_direct_of_conv2d(const intgold_conv2d *op);
intgold_direct intgold_direct_of_depthwise(const intgold_depthwise_conv2d *op);

/* Whether this is the better way than one that needs `scratch` bytes of scratch and writes
 * `loaded` inputs on its way. */
int intgold_direct_suits(const intgold_direct *op, size_t scratch, uint64_t loaded);

/* Values under one output that are too many for int32 counters of words. */
int intgold_direct_needed(const intgold_direct *op);

/* The sum of n products of inputs and weights, each less its zero point. */
static inline int32_t intgold_dot(const int8_t *x, int32_t x_zero, const int8_t *w, int32_t w_zero,
                                  size_t n) {
    int32_t sum = 0;
    size_t i;
    for (i = 0; i < n; i++) sum += (x[i] - x_zero) * (w[i] - w_zero);
    return sum;
}

void intgold_direct_run(const intgold_direct *op, const intgold_call *call);

#endif
