/* Looks for the line of random tables, and says what all of it gives.
 *
 *     table_line_check TABLES
 *
 * Half of the tables round a line up, down or away from zero, as an engine does, and clamp it; of
 * the others one entry is then another.  Prints how many tables of each half there were, for how
 * many a line was found, and how many lines give an entry that is not the table's. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/table_line.h"

static uint64_t state = 1;

static uint64_t random_below(uint64_t n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 33) % n;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int32_t clamp(int64_t v, int32_t min, int32_t max) {
    return (int32_t)(v < min ? min : v > max ? max : v);
}

/* round(s * (x - zx)) + zy with s of 0.1 to 4 in 2^31 steps, of either sign. */
static void draw(int8_t *table) {
    static const int64_t one = (int64_t)1 << 31;
    const int64_t s = (random_below(5) ? 1 : -1) * (int64_t)(one / 10 + random_below(one * 39 / 10));
    const int32_t zx = (int32_t)random_below(256) - 128, zy = (int32_t)random_below(256) - 128;
    const int32_t low = -128 + (int32_t)random_below(2) * (int32_t)random_below(100);
    const int rounding = (int)random_below(3);
    int32_t x;
    for (x = -128; x < 128; x++) {
        const int64_t p = s * (x - zx);
        const int64_t up = floor_div(p + one / 2, one), away = -floor_div(-p + one / 2, one);
        const int64_t rounded = rounding == 0 ? floor_div(p, one) : p < 0 && rounding == 2 ? away : up;
        table[x + 128] = (int8_t)clamp(rounded + zy, low, 127);
    }
}

/* Written apart from the engine: with floor_div, and no table of bounds. */
static int32_t entry(const intgold_table_line *line, int32_t x) {
    const int64_t high = floor_div((int64_t)(256 * x + line->fraction) * line->slope, 65536);
    const int64_t sum = clamp(high + line->base, -32768, 32767);
    return clamp(floor_div(sum, (int64_t)1 << line->shift), line->min, line->max);
}

int main(int count, char **arguments) {
    const long tables = count == 2 ? atol(arguments[1]) : 0;
    long half, i, found, wrong;
    for (half = 0; half < 2; half++) {
        for (i = found = wrong = 0; i < tables; i++) {
            int8_t table[256];
            intgold_table_line line;
            int32_t x;
            draw(table);
            if (half) {
                const size_t at = random_below(256);
                table[at] = (int8_t)(table[at] == 127 ? 126 : table[at] + 1);
            }
            if (!intgold_table_line_of(table, &line)) continue;
            found++;
            for (x = -128; x < 128; x++)
                if (entry(&line, x) != table[x + 128]) break;
            wrong += x < 128 || line.fraction < 0 || line.fraction > 255;
        }
        printf("%ld %ld %ld\n", tables, found, wrong);
    }
    return 0;
}
