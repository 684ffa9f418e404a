/* add, SPEC clause 5.9: each input brought to the shared scale by a table of 256 sums. */
#include "elementwise.h"
#include "requantize.h"

/* Packed: a table per input, then what finish() needs. */
typedef struct tables {
    int32_t x1[256], x2[256];
} tables;

static void fill(int32_t *table, int32_t zero_point, int32_t left_shift,
                 const intgold_requantize *requantize) {
    const intgold_scale by = intgold_entry(requantize, 0);
    int32_t q;
    for (q = -128; q < 128; q++)
        table[q + 128] =
            (int32_t)intgold_scale_acc((q - zero_point) * ((int32_t)1 << left_shift), &by);
}

static void fill_both(const intgold_add *op, tables *made) {
    fill(made->x1, op->x1_zero_point, op->left_shift, &op->requantize1);
    fill(made->x2, op->x2_zero_point, op->left_shift, &op->requantize2);
}

static intgold_tail tail_of(const intgold_add *op, const void *packed) {
    return intgold_tail_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max, packed);
}

static void add(const intgold_add *op, const intgold_kernels *kernels, const tables *by,
                const intgold_tail *tail, const int8_t *x1, const int8_t *x2, int8_t *y,
                int32_t *acc) {
    int32_t sums[INTGOLD_CHUNK];
    int32_t from, i;
    for (from = 0; from < op->count; from += INTGOLD_CHUNK) {
        const int32_t rest = op->count - from, n = rest < INTGOLD_CHUNK ? rest : INTGOLD_CHUNK;
        for (i = 0; i < n; i++) sums[i] = by->x1[x1[from + i] + 128] + by->x2[x2[from + i] + 128];
        if (acc) memcpy(acc + from, sums, (size_t)n * sizeof *sums);
        for (; i % INTGOLD_CHUNK; i++) sums[i] = 0;
        intgold_finish_values(kernels, tail, sums, n, y + from);
    }
}

void intgold_add_s8(const intgold_add *op, const int8_t *x1, const int8_t *x2, int8_t *y,
                    int32_t *acc) {
    const intgold_tail tail = tail_of(op, NULL); /* portable kernels pack nothing */
    tables by;
    fill_both(op, &by);
    add(op, &intgold_kernels_portable, &by, &tail, x1, x2, y, acc);
}

static size_t packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields;
    return sizeof(tables) + intgold_uniform_size(kernels);
}

static void pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_tail tail = tail_of(fields, NULL);
    fill_both(fields, packed);
    intgold_pack_uniform(kernels, &tail, (tables *)packed + 1);
}

static void run(const intgold_call *call) {
    const intgold_add *op = call->fields;
    const tables *by = call->packed;
    const intgold_tail tail = tail_of(op, by + 1);
    add(op, call->kernels, by, &tail, call->inputs[0], call->inputs[1], call->output, call->acc);
}

const intgold_op_table intgold_add_table = {2, 1, packed_size, pack, NULL, run};
