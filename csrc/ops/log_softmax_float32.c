/* log_softmax_float32, SPEC clause 5.27: what float32 hardware does with a table, in integers. */
#include "arithmetic/float32_value.h"
#include "ops/op.h"

/* 16 times the value to the nearest integer, ties to even; large ones only large. */
static int64_t sixteenths(intgold_float32_value v) {
    const int shift = 149 - 4 - v.exponent;
    if (shift < 0) return v.significand * ((int64_t)1 << intgold_min(-shift, 30));
    return intgold_round_even(v.significand, intgold_min(shift, 62));
}

static void log_softmax_float32_row(const intgold_log_softmax_float32 *op, const int8_t *x,
                                    int8_t *y) {
    const int32_t offset = op->form == INTGOLD_LOG_SOFTMAX_FLOAT32_UNSIGNED ? 128 : 0;
    const intgold_float32_value s = intgold_float32_of(op->scale_bits);
    intgold_float32_value subtracted;
    int32_t i, max = x[0];
    for (i = 1; i < op->depth; i++) max = x[i] > max ? x[i] : max;
    subtracted = intgold_float32_plus(
        intgold_float32_times(s, max + offset),
        intgold_float32_log(intgold_float32_exp_sum(op->table, x, op->depth, max)));
    subtracted.significand = -subtracted.significand;
    for (i = 0; i < op->depth; i++) {
        const intgold_float32_value scaled = intgold_float32_times(s, x[i] + offset);
        const int64_t value = sixteenths(intgold_float32_plus(scaled, subtracted)) + 127;
        y[i] = (int8_t)intgold_clamp(value, -128, 127);
    }
}

void intgold_log_softmax_float32_s8(const intgold_log_softmax_float32 *op, const int8_t *x,
                                    int8_t *y) {
    int32_t r;
    for (r = 0; r < op->rows; r++, x += op->depth, y += op->depth)
        log_softmax_float32_row(op, x, y);
}

static void log_softmax_float32_run(const intgold_call *call) {
    intgold_log_softmax_float32_s8((const intgold_log_softmax_float32 *)call->fields,
                                   (const int8_t *)call->inputs[0], (int8_t *)call->output);
}

const intgold_op_table intgold_log_softmax_float32_table = {1,    0,    NULL,
                                                            NULL, NULL, log_softmax_float32_run};
