/* Compares softmax_float32, and the arithmetic that it is made of, with float32 of this CPU.
 *
 *     softmax_float32_check ROWS
 *
 * takes rows of 1 to 64 random values, sometimes of up to 600 or 20,000, with tables of expf(-k * d)
 * of random k, subnormal entries among them, whole or without their last bits, and every second time
 * rows of two or three values whose quotients are next to a tie; in both forms, packed and not, and
 * the sum of the row by itself.  For each row also a sum and a product of values of few
 * bits, which often end in a tie.  Prints how many values of rows it compared and how many differ,
 * then the same of sums and products. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arithmetic/float32_value.h"
#include "ops/op.h"

enum { MAX_DEPTH = 20000, ROWS_AT_ONCE = 5 };

static int8_t x[ROWS_AT_ONCE * MAX_DEPTH], y[2][ROWS_AT_ONCE * MAX_DEPTH];

static uint64_t state = 1;

static uint32_t random_below(uint32_t n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

static int8_t expected(const float *table, float inverse, int32_t place, int32_t form) {
    const float p = table[place] * inverse;
    float r = floorf(p);
    if (form == INTGOLD_SOFTMAX_FLOAT32_ROUNDED)
        r += p - r >= 0.5f; /* p - r is exact */
    else
        r = floorf(p + 0.5f);
    return (int8_t)(r > 255 ? 127 : (int32_t)r - 128);
}

/* Of 2^-8 to 2^8, either sign, the last bits 0. */
static float any_float(void) {
    const uint32_t zeros = random_below(24), sign = random_below(2) << 31;
    const uint32_t bits = ((119 + random_below(16)) << 23 | random_below(1 << 23)) >> zeros
                                                                                          << zeros;
    const uint32_t all = bits | sign;
    float made;
    memcpy(&made, &all, sizeof made);
    return made;
}

static intgold_float32_value value_of(float x) {
    const float magnitude = x < 0 ? -x : x;
    intgold_float32_value v;
    int32_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    v = intgold_float32_of(bits);
    if (x < 0) v.significand = -v.significand;
    return v;
}

static int is_other(intgold_float32_value v, float x) {
    return ldexp((double)v.significand, v.exponent - 149) != (double)x;
}

static long sum_and_product_differ(void) {
    const float a = any_float(), b = any_float();
    const int32_t n = (int32_t)random_below(511) - 255;
    return is_other(intgold_float32_plus(value_of(a), value_of(b)), a + b) +
           is_other(intgold_float32_times(value_of(a), n), a * (float)n);
}

static long differing(const int8_t *x, const int8_t *y, const int32_t *bits, int32_t depth,
                      int32_t form) {
    float table[256];
    float sum = 0, inverse;
    int32_t i, max = x[0];
    long found;
    memcpy(table, bits, sizeof table);
    for (i = 1; i < depth; i++) max = x[i] > max ? x[i] : max;
    for (i = 0; i < depth; i++) sum += table[255 + x[i] - max];
    found = is_other(intgold_float32_exp_sum(bits, x, depth, max), sum);
    inverse = 1 / (sum * (1.0f / 256));
    for (i = 0; i < depth; i++) found += y[i] != expected(table, inverse, 255 + x[i] - max, form);
    return found;
}

static void swap_at_random(int32_t depth) {
    int32_t i;
    for (i = 0; i < ROWS_AT_ONCE * depth; i++) {
        const int32_t row = i / depth * depth, with = row + (int32_t)random_below((uint32_t)depth);
        const int8_t other = x[with];
        x[with] = x[i];
        x[i] = other;
    }
}

/* `ones` of 1, then `thirds` of any entry, then the others of e, where 256 * e / sum is some last
 * bits of e from k + 1/2.  `lost`: the thirds are 2^-24, which float32 does not add to a 1. */
static void near_tie(int32_t *bits, int32_t depth, int32_t thirds, int lost) {
    const int32_t both = depth - thirds,
                  ones = lost ? 1 : 1 + (int32_t)random_below((uint32_t)both);
    const int32_t others = both - ones;
    const double tie = (random_below(4) ? random_below(255) : 0) + 0.5, rest = 256 - tie * others;
    const float third = ldexpf(lost ? 1.0f : 1.0f - ldexpf((float)random_below(1 << 20), -21),
                               lost ? -24 : -(int)random_below(30));
    const double fixed = ones + (lost ? 0 : (double)third * thirds);
    const float e = rest > tie * fixed ? (float)(tie * fixed / rest) : 0.5f;
    int32_t i;
    memcpy(&bits[253], &third, sizeof third);
    memcpy(&bits[254], &e, sizeof e);
    bits[254] += (int32_t)random_below(2 * (uint32_t)both + 1) - both;
    if (bits[254] > bits[255]) bits[254] = bits[255];
    for (i = 0; i < ROWS_AT_ONCE * depth; i++)
        x[i] = (int8_t)(i % depth < ones ? 127 : i % depth < ones + thirds ? 125 : 126);
    if (!lost) swap_at_random(depth);
}

/* The engine's way, in y[0], and that of the single op, in y[1]. */
static void run_both(const intgold_softmax_float32 *op) {
    static uint32_t packed[256];
    const void *inputs[1];
    intgold_call call;
    memset(&call, 0, sizeof call);
    inputs[0] = x;
    call.fields = op;
    call.packed = packed;
    call.inputs = inputs;
    call.output = y[0];
    if (intgold_softmax_float32_table.packed_size(op, NULL) != sizeof packed) abort();
    intgold_softmax_float32_table.pack(op, NULL, packed);
    intgold_softmax_float32_table.run(&call);
    intgold_softmax_float32_s8(op, x, y[1]);
}

int main(int count, char **arguments) {
    const long rows = count == 2 ? atol(arguments[1]) : 0;
    long row, compared = 0, wrong = 0, wrong_sums = 0;
    for (row = 0; row < rows; row += ROWS_AT_ONCE) {
        const long group = row / ROWS_AT_ONCE;
        const uint32_t depths = group % 500 == 0 ? MAX_DEPTH : group % 25 == 1 ? 600 : 64;
        const int32_t depth = 1 + (int32_t)random_below(depths);
        const int32_t width = 1 + (int32_t)random_below(256);
        const float k = (float)(1 + random_below(4000)) / 8000;
        const int32_t zeros = random_below(2) ? (int32_t)random_below(24) : 0;
        float table[256];
        int32_t bits[256], i, form, way;
        intgold_softmax_float32 op;
        for (i = 0; i < 256; i++) table[i] = expf(-k * (float)(255 - i));
        memcpy(bits, table, sizeof bits);
        for (i = 0; i < 256; i++) bits[i] = bits[i] >> zeros << zeros;
        for (i = 0; i < ROWS_AT_ONCE * depth; i++)
            x[i] = (int8_t)(127 - (int32_t)random_below((uint32_t)width));
        if (group % 4 == 1) near_tie(bits, depth, 0, 0);
        if (group % 4 == 3 && depth > 2)
            near_tie(bits, depth,
                     group % 8 == 3 ? 1 + (int32_t)random_below((uint32_t)depth - 2) : depth - 2,
                     group % 8 == 7);
        memset(&op, 0, sizeof op);
        op.rows = ROWS_AT_ONCE;
        op.depth = depth;
        op.table = bits;
        for (form = 0; form < 2; form++) {
            op.form = form ? INTGOLD_SOFTMAX_FLOAT32_HALF_ADDED : INTGOLD_SOFTMAX_FLOAT32_ROUNDED;
            run_both(&op);
            for (way = 0; way < 2; way++)
                for (i = 0; i < ROWS_AT_ONCE; i++)
                    wrong += differing(x + i * depth, y[way] + i * depth, bits, depth, op.form);
            compared += 2 * ROWS_AT_ONCE * depth;
        }
    }
    for (row = 0; row < rows; row++) wrong_sums += sum_and_product_differ();
    printf("%ld %ld\n%ld %ld\n", compared, wrong, 2 * rows, wrong_sums);
    return 0;
}
