/* add, SPEC clause 5.9: u1 and u2 by tables of 256; a difference is the sum with a table of -u2, and
 * a squared difference squares it.
 *
 * u is nearly a line in x.  So kernels with vectors multiply by its slope and look up what is left,
 * which a byte holds: two scalar loads of 32 bits a value took three times as long.  Where kernels
 * can, lines by themselves give all but the sums next to a tie. */
#include "arithmetic/requantize.h"
#include "ops/elementwise.h"

/* Packed: a table per input, the same as lines and bytes, then what epilogue() needs. */
typedef struct add_tables {
    int32_t x1[256], x2[256];
    intgold_lines lines;
    int32_t on_lines; /* 1 where bytes hold the rests */
    intgold_line_sums whole; /* but for its pointers; right_shift -1: lines do not suffice */
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

/* Values of x = -128 .. 127 less slope * x lie in min .. max. */
typedef struct add_line {
    int64_t slope, min, max;
} add_line;

static add_line line_of(const int64_t *values) {
    const int64_t rise = values[255] - values[0];
    add_line made = {0, INT64_MAX, INT64_MIN};
    int32_t q;
    made.slope = (rise + (rise < 0 ? -127 : 127)) / 255; /* to nearest */
    for (q = -128; q < 128; q++) {
        const int64_t left = values[q + 128] - made.slope * q;
        made.min = left < made.min ? left : made.min;
        made.max = left > made.max ? left : made.max;
    }
    return made;
}

/* The table as slope * x + base + rest; returns whether the rests fit bytes.  base wraps. */
static int find_line(const int32_t *table, int32_t *slope, uint32_t *base, uint8_t *rest) {
    int64_t values[256];
    add_line line;
    int32_t q;
    for (q = 0; q < 256; q++) values[q] = table[q];
    line = line_of(values);
    for (q = -128; q < 128; q++)
        rest[q + 128] = (uint8_t)(table[q + 128] - line.slope * q - line.min);
    *slope = (int32_t)line.slope;
    *base += (uint32_t)line.min;
    return line.max - line.min <= UINT8_MAX;
}

static void fill_lines(add_tables *made) {
    intgold_lines *lines = &made->lines;
    lines->base = 0;
    made->on_lines = find_line(made->x1, &lines->slope1, &lines->base, made->rest1) &
                     find_line(made->x2, &lines->slope2, &lines->base, made->rest2);
}

/* ---- Lines that give outputs.
 *
 * place(acc) = floor(acc * multiplier * 2^(places - right_shift)) is R(acc) with `places` more bits,
 * but for how R rounds.  Two lines give the places of sums but for an error, and the distance of
 * R's steps from the halves between outputs is found for each output: sums further from a half than
 * both together give R. */

enum { MOST_PLACES = 20, FEWEST_PLACES = 15, FEW_DOUBTS = 256 /* sums for one in doubt */ };

static int64_t place_of(int64_t acc, const intgold_scale *by, int32_t places) {
    return intgold_round_down(acc * by->multiplier, by->right_shift - places);
}

/* The smallest acc of lo .. hi with R(acc) >= k, or hi + 1. */
static int64_t step_to(int64_t k, int64_t lo, int64_t hi, const intgold_scale *by) {
    int64_t end = hi + 1;
    while (lo < end) {
        const int64_t middle = lo + (end - lo) / 2;
        if (intgold_scale_acc((int32_t)middle, by) >= k)
            end = middle;
        else
            lo = middle + 1;
    }
    return lo;
}

/* How far steps of R between outputs lie from the halves, in places; sums lie in lo .. hi. */
static int64_t steps_off(const intgold_add *op, int64_t lo, int64_t hi, int32_t places) {
    const intgold_scale by = intgold_entry(&op->requantize, 0);
    int64_t most = 0, from = lo, k;
    for (k = op->act_min - op->y_zero_point + 1; k <= op->act_max - op->y_zero_point; k++) {
        const int64_t half = (2 * k - 1) * ((int64_t)1 << (places - 1));
        const int64_t step = step_to(k, from, hi, &by);
        const int64_t below = step > lo ? place_of(step - 1, &by, places) - half : 0;
        const int64_t above = step <= hi ? half - place_of(step, &by, places) : 0;
        most = below > most ? below : most;
        most = above > most ? above : most;
        from = step;
    }
    return most;
}

static void ends_of(const int32_t *table, int64_t *lo, int64_t *hi) {
    int32_t min = table[0], max = table[0], q;
    for (q = 1; q < 256; q++) {
        min = table[q] < min ? table[q] : min;
        max = table[q] > max ? table[q] : max;
    }
    *lo += min;
    *hi += max;
}

static add_line line_of_places(const int32_t *table, const intgold_scale *by, int32_t places) {
    int64_t values[256];
    int32_t q;
    for (q = 0; q < 256; q++) values[q] = place_of(table[q], by, places);
    return line_of(values);
}

/* Lines with this many places; returns whether sums fit int32 and few are in doubt. */
static int fill_whole(const intgold_add *op, add_tables *made, int64_t lo, int64_t hi,
                      int32_t places) {
    const intgold_scale by = intgold_entry(&op->requantize, 0);
    const add_line one = line_of_places(made->x1, &by, places);
    const add_line two = line_of_places(made->x2, &by, places);
    /* + 2: halving loses up to 1, and floor(a + b) is up to floor(a) + floor(b) + 1. */
    const int64_t error = (one.max - one.min + two.max - two.min) / 2 + 2;
    const int64_t middle = (one.min + one.max + two.min + two.max) / 2;
    const int64_t half = (int64_t)1 << (places - 1);
    int64_t margin, base;
    if (error > half) return 0;
    margin = error + steps_off(op, lo, hi, places) + 1;
    base = middle + half + margin;
    if (2 * margin > 2 * half / FEW_DOUBTS ||
        128 * (intgold_magnitude(one.slope) + intgold_magnitude(two.slope)) +
                intgold_magnitude(base) >
            INT32_MAX)
        return 0;
    made->whole.lines.slope1 = (int32_t)one.slope;
    made->whole.lines.slope2 = (int32_t)two.slope;
    made->whole.lines.base = (uint32_t)base;
    made->whole.right_shift = places;
    made->whole.doubtful = (int32_t)(2 * margin);
    return 1;
}

static void find_whole(const intgold_add *op, add_tables *made) {
    const intgold_scale by = intgold_entry(&op->requantize, 0);
    int64_t lo = 0, hi = 0;
    int32_t places;
    ends_of(made->x1, &lo, &hi);
    ends_of(made->x2, &lo, &hi);
    /* Inputs that clause 7 bounds: R may not be defined for sums of entries that never occur. */
    if (!intgold_takes(lo, &by) || !intgold_takes(hi, &by)) return;
    for (places = MOST_PLACES; places >= FEWEST_PLACES && made->whole.right_shift < 0; places--)
        if (by.right_shift >= places && fill_whole(op, made, lo, hi, places)) return;
}

/* Form `single` with a multiplier of 2^n on lines without rests, as XNNPACK adds: no doubts. */
static int fill_exact(const intgold_add *op, add_tables *made) {
    const intgold_scale by = intgold_entry(&op->requantize, 0);
    int32_t shift = by.right_shift, multiplier = by.multiplier, q;
    int64_t most;
    if (by.form != INTGOLD_FORM_SINGLE || multiplier < 1) return 0;
    for (; multiplier % 2 == 0; multiplier /= 2) shift--;
    if (multiplier != 1 || shift < 0 || shift > 30) return 0;
    for (q = 0; q < 256; q++)
        if (made->rest1[q] || made->rest2[q]) return 0;
    most = 128 * (intgold_magnitude(made->lines.slope1) + intgold_magnitude(made->lines.slope2)) +
           intgold_magnitude((int64_t)made->x1[128] + made->x2[128]) + intgold_half(shift);
    if (!made->on_lines || most > INT32_MAX) return 0;
    made->whole.lines = made->lines;
    made->whole.lines.base += (uint32_t)intgold_half(shift);
    made->whole.right_shift = shift;
    return 1;
}

static void fill_add(const intgold_add *op, const intgold_kernels *kernels, add_tables *made) {
    fill_both(op, made);
    fill_lines(made);
    memset(&made->whole, 0, sizeof made->whole);
    made->whole.right_shift = -1;
    if (op->form == INTGOLD_ADD_SHARED_SCALE_SQUARED_DIFFERENCE) return;
    if (kernels->add_lines && !fill_exact(op, made)) find_whole(op, made);
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

static intgold_line_sums line_sums_of(const add_job *at) {
    intgold_line_sums made = at->by->whole;
    made.y_zero_point = at->op->y_zero_point;
    made.act_min = at->op->act_min;
    made.act_max = at->op->act_max;
    made.table1 = at->by->x1;
    made.table2 = at->by->x2;
    made.requantize = &at->op->requantize;
    return made;
}

static void add(const add_job *at, const int8_t *x1, const int8_t *x2, int8_t *y, int32_t *acc) {
    int32_t sums[INTGOLD_CHUNK];
    int32_t from;
    if (at->kernels->add_lines && at->by->whole.right_shift >= 0 && !acc) {
        const intgold_line_sums by = line_sums_of(at);
        at->kernels->add_lines(&by, x1, x2, at->op->count, y);
        return;
    }
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
    fill_add((const intgold_add *)fields, kernels, (add_tables *)packed);
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
