/* The waist in plain C99.  The loops are written so that a compiler turns them into whatever
 * vectors the target has: int16 products summed in int32, no branch inside. */
#include "kernels.h"
#include "requantize.h"

/* Packed weights: out_c rows of centred int16, intgold_row_stride(depth) apart, zero behind. */
static size_t matmul_packed_size(const intgold_weights *weights) {
    return (size_t)weights->out_c * intgold_row_stride(weights->depth) * sizeof(int16_t);
}

static void matmul_pack(const intgold_weights *weights, void *packed) {
    const size_t stride = intgold_row_stride(weights->depth);
    int16_t *row = packed;
    int32_t oc, k;
    for (oc = 0; oc < weights->out_c; oc++, row += stride) {
        const int8_t *w = weights->values + (size_t)oc * (size_t)weights->depth;
        const int zero_point = weights->zero_point[weights->zero_point_count == 1 ? 0 : oc];
        for (k = 0; k < weights->depth; k++) row[k] = (int16_t)(w[k] - zero_point);
        for (; (size_t)k < stride; k++) row[k] = 0;
    }
}

/* Two rows times four channels: each load is used several times, and the eight sums fit the
 * registers of SSE2 and NEON. */
static void block_2x4(const int16_t *x0, const int16_t *x1, const int16_t *w, size_t stride,
                      const int32_t *bias, int32_t *acc0, int32_t *acc1) {
    const int16_t *w1 = w + stride, *w2 = w1 + stride, *w3 = w2 + stride;
    int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
    size_t k;
    for (k = 0; k < stride; k++) {
        a0 += x0[k] * w[k];
        a1 += x0[k] * w1[k];
        a2 += x0[k] * w2[k];
        a3 += x0[k] * w3[k];
        b0 += x1[k] * w[k];
        b1 += x1[k] * w1[k];
        b2 += x1[k] * w2[k];
        b3 += x1[k] * w3[k];
    }
    acc0[0] = bias[0] + a0;
    acc0[1] = bias[1] + a1;
    acc0[2] = bias[2] + a2;
    acc0[3] = bias[3] + a3;
    acc1[0] = bias[0] + b0;
    acc1[1] = bias[1] + b1;
    acc1[2] = bias[2] + b2;
    acc1[3] = bias[3] + b3;
}

static int32_t dot(const int16_t *x, const int16_t *w, size_t stride) {
    int32_t sum = 0;
    size_t k;
    for (k = 0; k < stride; k++) sum += x[k] * w[k];
    return sum;
}

static void matmul(const intgold_weights *weights, const void *packed, const int32_t *bias,
                   const int16_t *rows, int32_t n_rows, int32_t *acc) {
    const size_t stride = intgold_row_stride(weights->depth), out_c = (size_t)weights->out_c;
    const size_t paired = n_rows > 1 ? out_c / 4 * 4 : 0;
    size_t r, oc;
    for (r = 0; r < (size_t)n_rows; r += 2) {
        const size_t second = r + 1 < (size_t)n_rows ? r + 1 : r;
        const int16_t *x0 = rows + r * stride, *x1 = rows + second * stride;
        const int16_t *w = packed;
        int32_t *acc0 = acc + r * out_c, *acc1 = acc + second * out_c;
        for (oc = 0; oc < paired; oc += 4, w += 4 * stride)
            block_2x4(x0, x1, w, stride, bias + oc, acc0 + oc, acc1 + oc);
        for (; oc < out_c; oc++, w += stride) {
            acc0[oc] = bias[oc] + dot(x0, w, stride);
            acc1[oc] = bias[oc] + dot(x1, w, stride);
        }
    }
}

/* All entries single: the form that own models use, without a switch inside the loop. */
static void requantize_single(const intgold_requantize *by, const int32_t *acc, int32_t n_rows,
                              int32_t channels, int32_t y_zero_point, int32_t act_min,
                              int32_t act_max, int8_t *y) {
    const int32_t step = by->count > 1;
    int32_t r, c;
    for (r = 0; r < n_rows; r++, acc += channels, y += channels) {
        for (c = 0; c < channels; c++) {
            const int64_t product = (int64_t)acc[c] * by->multiplier[c * step];
            const int64_t scaled = intgold_round_up(product, by->right_shift[c * step]);
            y[c] = (int8_t)intgold_clamp(scaled + y_zero_point, act_min, act_max);
        }
    }
}

static void requantize(const intgold_requantize *by, const int32_t *acc, int32_t n_rows,
                       int32_t channels, int32_t y_zero_point, int32_t act_min, int32_t act_max,
                       int8_t *y) {
    int32_t r, c, all_single = 1;
    for (c = 0; c < by->count; c++) all_single &= by->form[c] == INTGOLD_FORM_SINGLE;
    if (all_single) {
        requantize_single(by, acc, n_rows, channels, y_zero_point, act_min, act_max, y);
        return;
    }
    for (c = 0; c < channels; c++) {
        const intgold_scale entry = intgold_entry(by, c);
        for (r = 0; r < n_rows; r++) {
            const size_t i = (size_t)r * (size_t)channels + (size_t)c;
            y[i] = intgold_requantize_acc(acc[i], &entry, y_zero_point, act_min, act_max);
        }
    }
}

static void lut(const int8_t *table, const int8_t *x, int32_t count, int8_t *y) {
    int32_t i;
    for (i = 0; i < count; i++) y[i] = table[x[i] + 128];
}

const intgold_kernels intgold_kernels_portable = {
    "portable", matmul_packed_size, matmul_pack, matmul, requantize, lut,
};
