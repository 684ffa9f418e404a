/* mul, SPEC clause 5.13. */
#include "ops/elementwise.h"

static intgold_epilogue mul_epilogue_of(const intgold_mul *op, const void *packed) {
    return intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max,
                               packed);
}

static void mul(const intgold_mul *op, const intgold_kernels *kernels,
                const intgold_epilogue *epilogue, const int8_t *x1, const int8_t *x2, int8_t *y,
                int32_t *acc) {
    const int32_t z1 = op->x1_zero_point, z2 = op->x2_zero_point;
    int32_t sums[INTGOLD_CHUNK];
    int32_t from, i;
    for (from = 0; from < op->count; from += INTGOLD_CHUNK) {
        const int32_t n = intgold_min(op->count - from, INTGOLD_CHUNK);
        kernels->mul_products(x1 + from, z1, x2 + from, z2, n, sums);
        if (acc) memcpy(acc + from, sums, (size_t)n * sizeof *sums);
        for (i = n; i < INTGOLD_CHUNK; i++) sums[i] = 0;
        intgold_epilogue_values(kernels, epilogue, sums, n, y + from);
    }
}

void intgold_mul_s8(const intgold_mul *op, const int8_t *x1, const int8_t *x2, int8_t *y,
                    int32_t *acc) {
    const intgold_epilogue epilogue =
        mul_epilogue_of(op, NULL); /* portable kernels pack nothing */
    mul(op, &intgold_kernels_portable, &epilogue, x1, x2, y, acc);
}

static size_t mul_packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields;
    return intgold_uniform_size(kernels);
}

static void mul_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_epilogue epilogue = mul_epilogue_of((const intgold_mul *)fields, NULL);
    intgold_pack_uniform(kernels, &epilogue, packed);
}

static void mul_run(const intgold_call *call) {
    const intgold_epilogue epilogue =
        mul_epilogue_of((const intgold_mul *)call->fields, call->packed);
    mul((const intgold_mul *)call->fields, call->kernels, &epilogue,
        (const int8_t *)call->inputs[0], (const int8_t *)call->inputs[1], (int8_t *)call->output,
        call->acc);
}

const intgold_op_table intgold_mul_table = {2, 1, mul_packed_size, mul_pack, NULL, mul_run};
