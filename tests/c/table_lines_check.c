/* Looks for the lines of random tables, and says what all of them give.
 *
 *     table_lines_check TABLES
 *
 * Three times as many tables: they round a line up, down or away from zero, as an engine does, and
 * clamp it; the same, flatter below the zero point; and again, but one entry is another.  Prints
 * how many tables of each there were, for how many lines were found, and how many give an entry
 * that is not the table's. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/table_lines.h"

static uint64_t state = 1;

static uint64_t random_below(uint64_t n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 16) % n; /* 48 bits */
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int32_t clamp(int64_t v, int32_t min, int32_t max) {
    return (int32_t)(v < min ? min : v > max ? max : v);
}

/* round(s * (x - zx)) + zy with s of 0.1 to 4 in 2^31 steps, of either sign; `bent`: s is positive,
 * and below zx a part of it. */
static void draw(int8_t *table, int bent) {
    static const int64_t one = (int64_t)1 << 31;
    const int64_t size = (int64_t)(one / 10 + random_below(one * 39 / 10));
    const int64_t s = random_below(5) || bent ? size : -size;
    const int64_t below = bent ? (int64_t)random_below(size) : s;
    const int32_t zx = (int32_t)random_below(256) - 128, zy = (int32_t)random_below(256) - 128;
    const int32_t low = -128 + (int32_t)random_below(2) * (int32_t)random_below(100);
    const int rounding = (int)random_below(3);
    int32_t x;
    for (x = -128; x < 128; x++) {
        const int64_t p = (x < zx ? below : s) * (x - zx);
        const int64_t up = floor_div(p + one / 2, one), away = -floor_div(-p + one / 2, one);
        const int64_t rounded = rounding == 0            ? floor_div(p, one)
                                : p < 0 && rounding == 2 ? away
                                                         : up;
        table[x + 128] = (int8_t)clamp(rounded + zy, low, 127);
    }
}

/* Written apart from the engine, with floor_div. */
static int32_t entry(const intgold_table_lines *lines, int32_t x) {
    int32_t largest = -32768, i;
    for (i = 0; i < lines->count; i++) {
        const intgold_table_line *l = &lines->line[i];
        const int64_t high = floor_div((int64_t)(256 * x + l->fraction) * l->slope, 65536);
        const int32_t sum = clamp(high + l->base, -32768, 32767);
        if (sum > largest) largest = sum;
    }
    return clamp(floor_div(largest, (int64_t)1 << lines->shift), lines->min, lines->max);
}

/* The kernel multiplies in int16, and has room for two lines. */
static int fits_kernel(const intgold_table_lines *lines) {
    int32_t i;
    if (lines->count < 1 || lines->count > 2 || lines->shift < 0 || lines->shift > 8) return 0;
    for (i = 0; i < lines->count; i++) {
        const intgold_table_line *l = &lines->line[i];
        if (l->fraction < 0 || l->fraction > 255) return 0;
        if (l->slope != (int16_t)l->slope || l->base != (int16_t)l->base) return 0;
    }
    return 1;
}

int main(int count, char **arguments) {
    const long tables = count == 2 ? atol(arguments[1]) : 0;
    long kind, i, found, wrong;
    for (kind = 0; kind < 3; kind++) {
        for (i = found = wrong = 0; i < tables; i++) {
            int8_t table[256];
            intgold_table_lines lines;
            int32_t x;
            draw(table, kind == 1);
            if (kind == 2) {
                const size_t at = random_below(256);
                table[at] = (int8_t)(table[at] == 127 ? 126 : table[at] + 1);
            }
            if (!intgold_table_lines_of(table, &lines)) continue;
            found++;
            for (x = -128; x < 128; x++)
                if (entry(&lines, x) != table[x + 128]) break;
            wrong += x < 128 || !fits_kernel(&lines);
        }
        printf("%ld %ld %ld\n", tables, found, wrong);
    }
    return 0;
}
