/* pwl, SPEC clause 5.5. */
#include "arithmetic/requantize.h"
#include "ops/op.h"

void intgold_pwl_s8(const intgold_pwl *op, const int8_t *x, int8_t *y, int32_t *acc) {
    int32_t i;
    for (i = 0; i < op->count; i++) {
        int32_t k = op->segments - 1, sum;
        while (op->breakpoints[k] > x[i]) k--; /* the first breakpoint is -128 */
        sum = op->slope[k] * x[i] + op->offset[k];
        y[i] = (int8_t)intgold_clamp(intgold_round_up(sum, op->frac_bits), op->act_min,
                                     op->act_max);
        if (acc) acc[i] = sum;
    }
}

/* Packed: the segments evaluated for all 256 inputs, for runs that nobody traces. */
static size_t pwl_packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields;
    (void)kernels;
    return 256;
}

static void pwl_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    intgold_pwl one = *(const intgold_pwl *)fields;
    int8_t *table = (int8_t *)packed;
    int q;
    (void)kernels;
    one.count = 1;
    for (q = -128; q < 128; q++) {
        const int8_t x = (int8_t)q;
        intgold_pwl_s8(&one, &x, &table[q + 128], NULL);
    }
}

static void pwl_run(const intgold_call *call) {
    const intgold_pwl *op = (const intgold_pwl *)call->fields;
    if (call->acc)
        intgold_pwl_s8(op, (const int8_t *)call->inputs[0], (int8_t *)call->output, call->acc);
    else
        call->kernels->lut((const int8_t *)call->packed, (const int8_t *)call->inputs[0],
                           op->count, (int8_t *)call->output);
}

const intgold_op_table intgold_pwl_table = {1, 1, pwl_packed_size, pwl_pack, NULL, pwl_run};
