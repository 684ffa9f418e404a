/* Finds the line of a table, and compares it with all 256 entries.
 *
 * With 2^s = 2^(16 + shift), the sum that the line rounds down is
 *
 *     y = floor((256 * slope * x + rest) / 2^s),  rest = fraction * slope + 2^16 * base
 *
 * so that an entry t of input x, unless it is clamped, bounds rest from below and from above:
 *
 *     t * 2^s <= 256 * slope * x + rest < (t + 1) * 2^s
 *
 * Slopes near that of the table's ends are tried; for each the bounds of all entries meet or do
 * not, and base and fraction are one way to a rest between them. */
#include "ops/table_line.h"

#include "arithmetic/requantize.h"

enum { MIN_WIDTH = 8, MAX_SHIFT = 8, INT16_BOTTOM = -32768, INT16_TOP = 32767 };

/* A table's bounds, and its first and last entries between them, as inputs. */
typedef struct table_ends {
    int32_t min, max, first, last;
} table_ends;

static int32_t table_entry(const int8_t *table, int32_t x) { return table[x + 128]; }

static table_ends table_ends_of(const int8_t *table) {
    table_ends ends = {127, -128, 128, -129};
    int32_t x;
    for (x = -128; x < 128; x++) {
        const int32_t entry = table_entry(table, x);
        if (entry < ends.min) ends.min = entry;
        if (entry > ends.max) ends.max = entry;
    }
    for (x = -128; x < 128; x++) {
        const int32_t entry = table_entry(table, x);
        if (entry == ends.min || entry == ends.max) continue;
        if (x < ends.first) ends.first = x;
        ends.last = x;
    }
    return ends;
}

/* What lut_line() gives for x. */
static int32_t line_at(const intgold_table_line *line, int32_t x) {
    const int64_t product = (int64_t)(256 * x + line->fraction) * line->slope;
    const int64_t high = intgold_round_down(product, 16);
    const int64_t sum = intgold_clamp(high + line->base, INT16_BOTTOM, INT16_TOP);
    return (int32_t)intgold_clamp(intgold_round_down(sum, line->shift), line->min, line->max);
}

static int32_t gives_all(const intgold_table_line *line, const int8_t *table) {
    int32_t x;
    for (x = -128; x < 128; x++)
        if (line_at(line, x) != table_entry(table, x)) return 0;
    return 1;
}

/* Sets base and fraction where one of them fits the bounds of the slope. */
static int32_t solve_rest(intgold_table_line *line, const int8_t *table) {
    const int64_t one = (int64_t)1 << (16 + line->shift);
    int64_t low = -((int64_t)1 << 40), high = (int64_t)1 << 40, base;
    int32_t x;
    for (x = -128; x < 128; x++) {
        const int64_t entry = table_entry(table, x), on_line = (int64_t)256 * line->slope * x;
        if (entry > line->min && entry * one - on_line > low) low = entry * one - on_line;
        if (entry < line->max && (entry + 1) * one - 1 - on_line < high)
            high = (entry + 1) * one - 1 - on_line;
        if (low > high) return 0;
    }
    for (line->fraction = 0; line->fraction < 256; line->fraction++) {
        base = intgold_round_down(high - (int64_t)line->fraction * line->slope, 16);
        if (base * 65536 + (int64_t)line->fraction * line->slope < low) continue;
        if (base < INT16_BOTTOM || base > INT16_TOP) continue;
        line->base = (int32_t)base;
        return gives_all(line, table);
    }
    return 0;
}

int32_t intgold_table_line_of(const int8_t *table, intgold_table_line *line) {
    const table_ends ends = table_ends_of(table);
    const int32_t width = ends.last - ends.first;
    int32_t rise, near;
    if (width < MIN_WIDTH) return 0;
    rise = table_entry(table, ends.last) - table_entry(table, ends.first);
    line->min = ends.min;
    line->max = ends.max;
    for (line->shift = MAX_SHIFT; line->shift >= 0; line->shift--) {
        const int32_t one = 1 << (8 + line->shift), middle = rise * one / width;
        near = one / width + 2;
        if (middle - near < INT16_BOTTOM || middle + near > INT16_TOP) continue;
        for (line->slope = middle - near; line->slope <= middle + near; line->slope++)
            if (solve_rest(line, table)) return 1;
        return 0;
    }
    return 0;
}
