/* add, SPEC clause 5.9: u1 and u2 by tables of 256, a difference as the sum with a table of -u2.
 *
 * u is nearly a line in x.  So kernels with vectors multiply by its slope and look up what is left,
 * which a byte holds: two scalar loads of 32 bits a value took three times as long.  Where nothing
 * is left and requantize is a shift, as XNNPACK adds, one kernel does all of it. */
#include "arithmetic/requantize.h"
#include "ops/elementwise.h"

/* Packed: a table per input, the same as lines and bytes, then what epilogue() needs. */
typedef struct add_tables {
    int32_t x1[256], x2[256];
    intgold_lines lines;
    int32_t on_lines; /* 1 where bytes hold the rests */
    intgold_line_sums whole; /* right_shift -1 where lines and a shift are not all */
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
    const int32_t sign = op->form == INTGOLD_ADD_SHARED_SCALE_DIFFERENCE ? -1 : 1;
    add_fill(made->x1, 1, op->x1_zero_point, op->left_shift, &op->requantize1);
    add_fill(made->x2, sign, op->x2_zero_point, op->left_shift, &op->requantize2);
}

/* The table as slope * x + base + rest; returns the largest rest.  base wraps. */
static int64_t find_line(const int32_t *table, int32_t *slope, uint32_t *base, uint8_t *rest) {
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
    return max - min;
}

/* Where form `single` only shifts, by how much; else -1. */
static int32_t shift_of(const intgold_scale *by) {
    int32_t shift = by->right_shift, multiplier = by->multiplier;
    if (by->form != INTGOLD_FORM_SINGLE || multiplier < 1) return -1;
    for (; multiplier % 2 == 0; multiplier /= 2) shift--;
    return multiplier == 1 && shift >= 0 && shift < 31 ? shift : -1;
}

/* Whether each partial sum fits int32, half of the shift included. */
static int sums_fit(const int32_t *x1, const int32_t *x2, const intgold_lines *lines,
                    int32_t shift) {
    const int64_t first = intgold_magnitude(lines->slope1) * 128;
    const int64_t second = intgold_magnitude(lines->slope2) * 128;
    const int64_t base = intgold_magnitude((int64_t)x1[128] + x2[128]); /* that of x = 0 */
    return first + second + base + intgold_half(shift) <= INT32_MAX;
}

static void fill_lines(const intgold_add *op, add_tables *made) {
    const intgold_scale by = intgold_entry(&op->requantize, 0);
    const int32_t shift = shift_of(&by);
    intgold_lines *lines = &made->lines;
    int64_t rest1, rest2;
    lines->base = 0;
    rest1 = find_line(made->x1, &lines->slope1, &lines->base, made->rest1);
    rest2 = find_line(made->x2, &lines->slope2, &lines->base, made->rest2);
    made->on_lines = rest1 <= UINT8_MAX && rest2 <= UINT8_MAX;
    made->whole.lines = *lines;
    made->whole.lines.base += shift < 0 ? 0 : (uint32_t)intgold_half(shift);
    made->whole.right_shift =
        rest1 == 0 && rest2 == 0 && shift >= 0 && sums_fit(made->x1, made->x2, lines, shift)
            ? shift
            : -1;
    made->whole.y_zero_point = op->y_zero_point;
    made->whole.act_min = op->act_min;
    made->whole.act_max = op->act_max;
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

static void add(const add_job *at, const int8_t *x1, const int8_t *x2, int8_t *y, int32_t *acc) {
    int32_t sums[INTGOLD_CHUNK];
    int32_t from;
    if (at->kernels->add_lines && at->by->whole.right_shift >= 0 && !acc) {
        at->kernels->add_lines(&at->by->whole, x1, x2, at->op->count, y);
        return;
    }
    memset(sums, 0, sizeof sums); /* whole vectors are read */
    for (from = 0; from < at->op->count; from += INTGOLD_CHUNK) {
        const int32_t rest = at->op->count - from;
        const int32_t n = rest < INTGOLD_CHUNK ? rest : INTGOLD_CHUNK;
        add_sum(at, x1 + from, x2 + from, n, sums);
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
    fill_lines((const intgold_add *)fields, (add_tables *)packed);
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
