/* Compares epilogue() of every variant of the kernels with SPEC clause 4 in 128-bit integers.
 *
 *     requantize_check VARIANT TRIPLES SEED
 *
 * prints `<variant> <form> <triples> <differing>` for each form (9: mixed in one tensor).  A triple is an accumulator, a
 * multiplier and a right_shift: random ones, the ends of every range, and ties, which are made
 * backwards from the half that they must hit.  Written only from SPEC.md; shares no rounding
 * with csrc/. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/dispatch.h"

typedef __int128 wide;

enum { CHANNELS = 32, PIXELS = 37, FORMS = 9 };

static uint64_t state;

static uint64_t draw(void) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull;
}

static int64_t between(int64_t lo, int64_t hi) {
    return lo + (int64_t)(draw() % (uint64_t)(hi - lo + 1));
}

/* Clause 2. */
static wide power(int t) { return (wide)1 << t; }
static wide magnitude(wide p) { return p < 0 ? -p : p; }

static wide down(wide p, int t) {
    const wide q = p / power(t);
    return q * power(t) > p ? q - 1 : q;
}

static wide zero(wide p, int t) { return p / power(t); }
static wide up(wide p, int t) { return t ? down(p + power(t - 1), t) : p; }

static wide away(wide p, int t) {
    const wide r = up(magnitude(p), t);
    return p < 0 ? -r : r;
}

static wide even(wide p, int t) {
    const wide floor = down(p, t), twice = 2 * (p - floor * power(t));
    return twice > power(t) || (twice == power(t) && floor % 2 != 0) ? floor + 1 : floor;
}

static wide to_bits(wide p, int bits) {
    int excess = 0;
    while (magnitude(p) >= power(bits + excess)) excess++;
    return even(p, excess) * power(excess);
}

/* Clause 4.2. */
static wide scaled(int form, wide acc, wide m, wide low, int t) {
    const wide high = up(acc * power(t < 31 ? 31 - t : 0) * m, 31);
    const int second = t > 31 ? t - 31 : 0;
    switch (form) {
    case INTGOLD_FORM_SINGLE: return up(acc * m, t);
    case INTGOLD_FORM_SINGLE_AWAY: return away(acc * m, t);
    case INTGOLD_FORM_SINGLE_EVEN: return even(acc * m, t);
    case INTGOLD_FORM_SINGLE_DOWN: return down(acc * m, t);
    case INTGOLD_FORM_SINGLE_ZERO: return zero(acc * m, t);
    case INTGOLD_FORM_DOUBLE: return away(high, second);
    case INTGOLD_FORM_DOUBLE_UP: return up(high, second);
    case INTGOLD_FORM_FLOAT32: return even(to_bits(to_bits(acc, 24) * m, 24), t);
    default: return away(to_bits(acc * (m * power(22) + low), 53), t + 22);
    }
}

/* A tensor's worth of scales, sums and outputs. */
typedef struct batch {
    uint8_t form[CHANNELS], shift[CHANNELS];
    int32_t multiplier[CHANNELS], low[CHANNELS];
    int32_t sums[PIXELS * CHANNELS];
    int32_t point, act_min, act_max, channels, count;
} batch;

static int32_t multiplier_of(int form) {
    const int64_t ends[] = {0, 1, 2, 3, 1 << 30, (1 << 30) + 1, INT32_MAX, INT32_MAX - 1};
    const int bits = (int)between(1, 31);
    int64_t m = draw() % 8 == 0    ? ends[draw() % 8]
                : draw() % 3 == 0 ? between(1, (1ll << bits) - 1) << (31 - bits)
                                  : between(1 << 30, INT32_MAX);
    if (form == INTGOLD_FORM_FLOAT32) m &= ~(int64_t)127; /* clause 4.1 */
    if (form >= INTGOLD_FORM_FLOAT32 && m < 1 << 30) m = m % 2 ? 0 : 1 << 30;
    return (int32_t)m;
}

static int shift(void) {
    return draw() % 4 == 0 ? (int)between(1, 62) : (int)between(31, 46);
}

/* The accumulator whose product is nearest to a half. */
static int64_t tie_of(int32_t m, int t) {
    const wide half = power(t - 1) * (2 * between(-130, 130) + 1);
    return m ? (int64_t)(half / m) + between(-1, 1) : 0;
}

static int32_t sum_of(int form, int32_t m, int t) {
    const int64_t ends[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT32_MIN + 1, 1 << 24, (1 << 24) + 1};
    const int bits = (int)between(1, 31), room = t < 31 ? 31 - t : 0;
    int64_t acc = draw() % 16 == 0  ? ends[draw() % 8]
                  : draw() % 3 == 0 ? tie_of(m, t)
                                    : between(-(1ll << bits), (1ll << bits) - 1);
    int64_t lo = INT32_MIN, hi = INT32_MAX;
    if (form == INTGOLD_FORM_DOUBLE || form == INTGOLD_FORM_DOUBLE_UP) /* clause 7 */
        lo >>= room, hi >>= room;
    acc = acc < lo ? lo : acc > hi ? hi : acc;
    return (int32_t)acc;
}

static void fill(batch *made, int form, int mixed) {
    int c, i;
    made->channels = (int32_t)between(1, CHANNELS);
    made->count = (int32_t)between(1, PIXELS);
    made->point = (int32_t)between(-128, 127);
    made->act_min = draw() % 2 ? -128 : (int32_t)between(-128, 127);
    made->act_max = draw() % 2 ? 127 : (int32_t)between(made->act_min, 127);
    for (c = 0; c < CHANNELS; c++) {
        const int own = mixed ? (int)(draw() % FORMS) : form;
        made->form[c] = (uint8_t)own;
        made->multiplier[c] = multiplier_of(own);
        made->shift[c] = (uint8_t)shift();
        made->low[c] = own == INTGOLD_FORM_FLOAT64 && made->multiplier[c] && draw() % 2
                           ? (int32_t)between(0, (1 << 22) - 1)
                           : 0;
    }
    for (i = 0; i < PIXELS * CHANNELS; i++) {
        c = i % CHANNELS;
        made->sums[i] = sum_of(made->form[c], made->multiplier[c], made->shift[c]);
    }
}

static int8_t expected(const batch *b, int pixel, int c) {
    const wide r = scaled(b->form[c], b->sums[pixel * CHANNELS + c], b->multiplier[c], b->low[c],
                          b->shift[c]) + b->point;
    return (int8_t)(r < b->act_min ? b->act_min : r > b->act_max ? b->act_max : r);
}

/* Two vectors of the variant at a time, as the ops call it. */
static void epilogue(const intgold_kernels *kernels, const batch *b, int8_t *y, void *packed) {
    const intgold_requantize by = {CHANNELS, b->form, b->multiplier, b->shift, b->low};
    const int32_t width = 2 * kernels->lanes;
    intgold_epilogue epilogue = {&by, b->point, b->act_min, b->act_max, 0, NULL};
    intgold_pixels at = {NULL, NULL, CHANNELS, b->count, NULL, NULL, CHANNELS};
    int32_t c;
    kernels->epilogue_pack(&epilogue, b->channels, packed);
    epilogue.packed = packed;
    for (c = 0; c < b->channels; c += width) {
        at.sums = b->sums + c;
        at.y = y + c;
        kernels->epilogue(&epilogue, c, b->channels - c < width ? b->channels - c : width, &at);
    }
}

/* Differing outputs; bytes that nobody may write count as well. */
static long long compare(const batch *b, const int8_t *y) {
    long long differing = 0;
    int i, c;
    for (i = 0; i < PIXELS; i++)
        for (c = 0; c < CHANNELS; c++) {
            const int made = i < b->count && c < b->channels;
            const int8_t want = made ? expected(b, i, c) : 77;
            differing += y[i * CHANNELS + c] != want;
        }
    return differing;
}

int main(int argc, char **argv) {
    const int isa = argc == 4 ? atoi(argv[1]) : 0;
    const intgold_kernels *kernels = argc == 4 ? intgold_dispatch((intgold_isa)isa) : NULL;
    int form;
    if (!kernels) return fprintf(stderr, "requantize_check VARIANT TRIPLES SEED\n"), 2;
    state = strtoull(argv[3], NULL, 10) * 2 + 1;
    for (form = 0; form <= FORMS; form++) {
        long long wanted = atoll(argv[2]), done = 0, differing = 0;
        while (done < wanted) {
            static batch b;
            static int8_t y[PIXELS * CHANNELS];
            static _Alignas(64) char packed[1 << 16];
            fill(&b, form, form == FORMS);
            memset(y, 77, sizeof y);
            epilogue(kernels, &b, y, packed);
            differing += compare(&b, y);
            done += b.channels * b.count;
        }
        printf("%s %d %lld %lld\n", kernels->name, form, done, differing);
    }
    return 0;
}
