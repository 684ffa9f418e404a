/* add, SPEC clause 5.9: each input brought to the shared scale, by the kernels or by a table.
 * A difference is the sum with a table of -u2. */
#include "elementwise.h"
#include "requantize.h"

/* Packed: a table per input, then what the kernels need for each input and for the output. */
typedef struct tables {
    int32_t x1[256], x2[256];
} tables;

/* Everything that a run takes, its packed part read. */
typedef struct job {
    const intgold_add *op;
    const intgold_kernels *kernels;
    const tables *by;
    intgold_tail tail1, tail2, tail;
} job;

static void fill(int32_t *table, int32_t sign, int32_t zero_point, int32_t left_shift,
                 const intgold_requantize *requantize) {
    const intgold_scale by = intgold_entry(requantize, 0);
    int32_t q;
    for (q = -128; q < 128; q++)
        table[q + 128] =
            sign *
            (int32_t)intgold_scale_acc((q - zero_point) * ((int32_t)1 << left_shift), &by);
}

static void fill_both(const intgold_add *op, tables *made) {
    const int32_t sign = op->form == INTGOLD_ADD_SHARED_SCALE_DIFFERENCE ? -1 : 1;
    fill(made->x1, 1, op->x1_zero_point, op->left_shift, &op->requantize1);
    fill(made->x2, sign, op->x2_zero_point, op->left_shift, &op->requantize2);
}

/* packed: where the kernels' parts begin. */
static job job_of(const intgold_add *op, const intgold_kernels *kernels, const tables *by,
                  const char *packed) {
    const size_t size = intgold_uniform_size(kernels);
    job made;
    made.op = op;
    made.kernels = kernels;
    made.by = by;
    made.tail1 = intgold_tail_of(&op->requantize1, 0, -128, 127, packed);
    made.tail2 = intgold_tail_of(&op->requantize2, 0, -128, 127, packed + size);
    made.tail = intgold_tail_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max,
                                packed + 2 * size);
    return made;
}

/* up(p * m, t) is up(p * 2^(33-t) * m, 33): the kernels know right_shifts from 33 on.  The input of
 * the larger scale has 31. */
static int32_t further_left(const intgold_add *op, const intgold_requantize *by) {
    const int32_t further = 33 - by->right_shift[0];
    const int fits = op->left_shift + further <= 22; /* 9 bits of x - zero point */
    return by->form[0] == INTGOLD_FORM_SINGLE && further > 0 && fits ? further : 0;
}

static void look_up(const job *at, const int8_t *x1, const int8_t *x2, int32_t count,
                    int32_t *sums) {
    int32_t i;
    for (i = 0; i < count; i++) sums[i] = at->by->x1[x1[i] + 128] + at->by->x2[x2[i] + 128];
}

static void sum(const job *at, const int8_t *x1, const int8_t *x2, int32_t count, int32_t *sums) {
    const intgold_add *op = at->op;
    const int32_t left1 = op->left_shift + further_left(op, &op->requantize1);
    const int32_t left2 = op->left_shift + further_left(op, &op->requantize2);
    if (op->form == INTGOLD_ADD_SHARED_SCALE && at->kernels->scale &&
        at->kernels->scale(&at->tail1, op->x1_zero_point, left1, x1, count, 0, sums) &&
        at->kernels->scale(&at->tail2, op->x2_zero_point, left2, x2, count, 1, sums))
        return;
    look_up(at, x1, x2, count, sums);
}

static void add(const job *at, const int8_t *x1, const int8_t *x2, int8_t *y, int32_t *acc) {
    int32_t sums[INTGOLD_CHUNK];
    int32_t from;
    memset(sums, 0, sizeof sums); /* whole vectors are read */
    for (from = 0; from < at->op->count; from += INTGOLD_CHUNK) {
        const int32_t rest = at->op->count - from;
        const int32_t n = rest < INTGOLD_CHUNK ? rest : INTGOLD_CHUNK;
        sum(at, x1 + from, x2 + from, n, sums);
        if (acc) memcpy(acc + from, sums, (size_t)n * sizeof *sums);
        intgold_finish_values(at->kernels, &at->tail, sums, n, y + from);
    }
}

void intgold_add_s8(const intgold_add *op, const int8_t *x1, const int8_t *x2, int8_t *y,
                    int32_t *acc) {
    tables by;
    job at;
    fill_both(op, &by);
    /* Portable kernels pack nothing. */
    at = job_of(op, &intgold_kernels_portable, &by, (const char *)&by);
    add(&at, x1, x2, y, acc);
}

static size_t packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields;
    return sizeof(tables) + 3 * intgold_uniform_size(kernels);
}

static void pack_input(const job *at, const intgold_tail *tail, void *packed) {
    const int32_t further = further_left(at->op, tail->by);
    const uint8_t right_shift = (uint8_t)(tail->by->right_shift[0] + further);
    intgold_requantize shifted = *tail->by;
    intgold_tail to = *tail;
    shifted.right_shift = &right_shift;
    to.by = &shifted;
    intgold_pack_uniform(at->kernels, &to, packed);
}

static void pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const size_t size = intgold_uniform_size(kernels);
    char *rest = (char *)packed + sizeof(tables);
    const job at = job_of(fields, kernels, packed, rest);
    fill_both(fields, packed);
    pack_input(&at, &at.tail1, rest);
    pack_input(&at, &at.tail2, rest + size);
    intgold_pack_uniform(kernels, &at.tail, rest + 2 * size);
}

static void run(const intgold_call *call) {
    const tables *by = call->packed;
    const job at = job_of(call->fields, call->kernels, by, (const char *)(by + 1));
    add(&at, call->inputs[0], call->inputs[1], call->output, call->acc);
}

const intgold_op_table intgold_add_table = {2, 1, packed_size, pack, NULL, run};
