/* add, SPEC clause 5.9: u1 and u2 by tables of 256, a difference as the sum with a table of -u2,
 * squared after it.
 *
 * u is nearly a line in x.  So kernels with vectors multiply by its slope and look up what is left,
 * which a byte holds: two scalar loads of 32 bits a value took three times as long. */
#include "arithmetic/requantize.h"
#include "ops/elementwise.h"

/* Packed: a table per input, the same as lines and bytes, then what epilogue() needs. */
typedef struct add_tables {
    int32_t x1[256], x2[256];
    intgold_lines lines;
    int32_t on_lines; /* 1 where bytes hold the rests */
    uint8_t rest1[256], rest2[256]; /* unsigned; lut() moves bytes whatever they mean */
} add_tables;

/* Everything that a run takes, its packed part read. */
typedef struct add_job {
    const intgold_add *op;
    const intgold_kernels *kernels;
    const add_tables *by;
    intgold_epilogue epilogue;
} add_job;

static void add_fill(int32_t *table, int32_t sign, int32_t zero_point, int32_t left_shift,
                     const intgold_requantize *requantize) {
    const intgold_scale by = intgold_entry(requantize, 0);
    int32_t q;
    for (q = -128; q < 128; q++) {
        const int32_t shifted = (q - zero_point) * ((int32_t)1 << left_shift);
        /* Clause 7 bounds what the input can be: other entries may be anything. */
        const int64_t term =
            intgold_takes(shifted, &by) ? intgold_scale_acc(shifted, &by) : 0;
        table[q + 128] = (int32_t)(sign * term);
    }
}

static void fill_both(const intgold_add *op, add_tables *made) {
    const int32_t sign = op->form == INTGOLD_ADD_SHARED_SCALE ? 1 : -1;
    add_fill(made->x1, 1, op->x1_zero_point, op->left_shift, &op->requantize1);
    add_fill(made->x2, sign, op->x2_zero_point, op->left_shift, &op->requantize2);
}

/* The table as slope * x + base + rest; returns whether the rests fit bytes.  base wraps. */
static int find_line(const int32_t *table, int32_t *slope, uint32_t *base, uint8_t *rest) {
    const int64_t rise = (int64_t)table[255] - table[0];
    const int64_t steep = (rise + (rise < 0 ? -127 : 127)) / 255; /* to nearest */
    int64_t min = INT64_MAX, max = INT64_MIN;
    int32_t q;
    for (q = -128; q < 128; q++) {
        const int64_t left = table[q + 128] - steep * q;
        min = left < min ? left : min;
        max = left > max ? left : max;
    }
    for (q = -128; q < 128; q++) rest[q + 128] = (uint8_t)(table[q + 128] - steep * q - min);
    *slope = (int32_t)steep;
    *base += (uint32_t)min;
    return max - min <= UINT8_MAX;
}

static void fill_lines(add_tables *made) {
    intgold_lines *lines = &made->lines;
    lines->base = 0;
    made->on_lines = find_line(made->x1, &lines->slope1, &lines->base, made->rest1) &
                     find_line(made->x2, &lines->slope2, &lines->base, made->rest2);
}

/* packed: what epilogue() needs. */
static add_job job_of(const intgold_add *op, const intgold_kernels *kernels, const add_tables *by,
                      const char *packed) {
    add_job made;
    made.op = op;
    made.kernels = kernels;
    made.by = by;
    made.epilogue =
        intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max, packed);
    return made;
}

static void add_look_up(const add_job *at, const int8_t *x1, const int8_t *x2, int32_t count,
                        int32_t *sums) {
    int32_t i;
    for (i = 0; i < count; i++) sums[i] = at->by->x1[x1[i] + 128] + at->by->x2[x2[i] + 128];
}

static void add_sum(const add_job *at, const int8_t *x1, const int8_t *x2, int32_t count,
                    int32_t *sums) {
    uint8_t rest1[INTGOLD_CHUNK], rest2[INTGOLD_CHUNK];
    if (!at->kernels->affine_sum || !at->by->on_lines) {
        add_look_up(at, x1, x2, count, sums);
        return;
    }
    at->kernels->lut((const int8_t *)at->by->rest1, x1, count, (int8_t *)rest1);
    at->kernels->lut((const int8_t *)at->by->rest2, x2, count, (int8_t *)rest2);
    at->kernels->affine_sum(&at->by->lines, x1, x2, rest1, rest2, count, sums);
}

static void add_square(int32_t *sums, int32_t count) {
    int32_t i;
    for (i = 0; i < count; i++) sums[i] *= sums[i];
}

static void add(const add_job *at, const int8_t *x1, const int8_t *x2, int8_t *y, int32_t *acc) {
    int32_t sums[INTGOLD_CHUNK];
    int32_t from;
    memset(sums, 0, sizeof sums); /* whole vectors are read */
    for (from = 0; from < at->op->count; from += INTGOLD_CHUNK) {
        const int32_t rest = at->op->count - from;
        const int32_t n = rest < INTGOLD_CHUNK ? rest : INTGOLD_CHUNK;
        add_sum(at, x1 + from, x2 + from, n, sums);
        if (at->op->form == INTGOLD_ADD_SHARED_SCALE_SQUARED_DIFFERENCE) add_square(sums, n);
        if (acc) memcpy(acc + from, sums, (size_t)n * sizeof *sums);
        intgold_epilogue_values(at->kernels, &at->epilogue, sums, n, y + from);
    }
}

void intgold_add_s8(const intgold_add *op, const int8_t *x1, const int8_t *x2, int8_t *y,
                    int32_t *acc) {
    add_tables by;
    add_job at;
    fill_both(op, &by);
    /* Portable kernels pack nothing. */
    at = job_of(op, &intgold_kernels_portable, &by, (const char *)&by);
    add(&at, x1, x2, y, acc);
}

static size_t add_packed_size(const void *fields, const intgold_kernels *kernels) {
    (void)fields;
    return intgold_align(sizeof(add_tables)) + intgold_uniform_size(kernels);
}

static void add_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    char *rest = (char *)packed + intgold_align(sizeof(add_tables));
    const add_job at = job_of((const intgold_add *)fields, kernels, (const add_tables *)packed, rest);
    fill_both((const intgold_add *)fields, (add_tables *)packed);
    fill_lines((add_tables *)packed);
    intgold_pack_uniform(kernels, &at.epilogue, rest);
}

static void add_op_run(const intgold_call *call) {
    const char *packed = (const char *)call->packed;
    const add_job at =
        job_of((const intgold_add *)call->fields, call->kernels, (const add_tables *)call->packed,
               packed + intgold_align(sizeof(add_tables)));
    add(&at, (const int8_t *)call->inputs[0], (const int8_t *)call->inputs[1],
        (int8_t *)call->output, call->acc);
}

const intgold_op_table intgold_add_table = {2, 1, add_packed_size, add_pack, NULL, add_op_run};
