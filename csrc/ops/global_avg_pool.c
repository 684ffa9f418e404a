/* global_avg_pool, SPEC clause 5.8. */
#include <string.h>

#include "ops/op.h"

static intgold_epilogue global_avg_pool_epilogue_of(const intgold_global_avg_pool *op,
                                                    const void *packed) {
    return intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max,
                               packed);
}

static void global_avg_pool_pool(const intgold_global_avg_pool *op,
                                 const intgold_kernels *kernels, const intgold_epilogue *epilogue,
                                 const int8_t *x, int8_t *y, int32_t *acc) {
    const int32_t cells = op->in_h * op->in_w, width = 2 * kernels->lanes;
    /* Wrapping: only the sums of x - zero point are known to fit. */
    const uint32_t start = 0 - (uint32_t)cells * (uint32_t)op->x_zero_point;
    uint32_t raw[2 * INTGOLD_MAX_LANES];
    int32_t sums[2 * INTGOLD_MAX_LANES];
    intgold_pixels made = {NULL, NULL, 0, 1, NULL, NULL, 0};
    int32_t first, c;
    made.sums = sums;
    for (first = 0; first < op->in_c; first += width) {
        const int32_t rest = op->in_c - first, n = rest < width ? rest : width;
        for (c = 0; c < width; c++) raw[c] = start;
        kernels->window_sum(x + first, cells, (size_t)op->in_c, n, raw);
        memcpy(sums, raw, sizeof sums);
        if (acc) memcpy(acc + first, sums, (size_t)n * sizeof *sums);
        made.y = y + first;
        kernels->epilogue(epilogue, first, n, &made);
    }
}

void intgold_global_avg_pool_s8(const intgold_global_avg_pool *op, const int8_t *x, int8_t *y,
                                int32_t *acc) {
    const intgold_epilogue epilogue =
        global_avg_pool_epilogue_of(op, NULL); /* portable kernels pack nothing */
    global_avg_pool_pool(op, &intgold_kernels_portable, &epilogue, x, y, acc);
}

static size_t global_avg_pool_packed_size(const void *fields, const intgold_kernels *kernels) {
    const intgold_global_avg_pool *op = (const intgold_global_avg_pool *)fields;
    return kernels->epilogue_packed_size(op->in_c);
}

static void global_avg_pool_pack(const void *fields, const intgold_kernels *kernels,
                                 void *packed) {
    const intgold_global_avg_pool *op = (const intgold_global_avg_pool *)fields;
    const intgold_epilogue epilogue = global_avg_pool_epilogue_of(op, NULL);
    kernels->epilogue_pack(&epilogue, op->in_c, packed);
}

static void global_avg_pool_run(const intgold_call *call) {
    const intgold_epilogue epilogue =
        global_avg_pool_epilogue_of((const intgold_global_avg_pool *)call->fields, call->packed);
    global_avg_pool_pool((const intgold_global_avg_pool *)call->fields, call->kernels, &epilogue,
                         (const int8_t *)call->inputs[0], (int8_t *)call->output, call->acc);
}

const intgold_op_table intgold_global_avg_pool_table = {
    1, 1, global_avg_pool_packed_size, global_avg_pool_pack, NULL, global_avg_pool_run};
