/* Finds the one or two lines of a table, and compares them with all 256 entries.
 *
 * With 2^s = 2^(16 + shift), the sum that a line rounds down is
 *
 *     y = floor((256 * slope * x + rest) / 2^s),  rest = fraction * slope + 2^16 * base
 *
 * so that an entry t of input x, unless it is clamped, bounds rest from below and from above:
 *
 *     t * 2^s <= 256 * slope * x + rest < (t + 1) * 2^s
 *
 * A slope near that of the table's ends is looked for, with which the bounds of all entries meet;
 * base and fraction are one way to a rest between them.  Of two lines each gives the
 * entries of its part of the table, and is nowhere above the others: bounds from above hold
 * everywhere. */
#include "ops/table_lines.h"

#include "arithmetic/requantize.h"

enum { MIN_WIDTH = 8, MAX_SHIFT = 8, MAX_STEPS = 32, INT16_BOTTOM = -32768, INT16_TOP = 32767 };

/* The entries that a line has to give, and the bounds of the whole table; inputs, not addresses. */
typedef struct table_part {
    const int8_t *table;
    int32_t from, to; /* before `to` */
    int32_t min, max;
} table_part;

/* What was found of a part.  NARROW: too few entries between the bounds to tell a slope; of a shift,
 * no slope with an int16 base was found, but a smaller shift may have one. */
enum { NO_LINE, LINE, NARROW };

static int32_t table_entry(const int8_t *table, int32_t x) { return table[x + 128]; }

static table_part whole_of(const int8_t *table) {
    table_part whole = {NULL, -128, 128, 127, -128};
    int32_t x;
    whole.table = table;
    for (x = -128; x < 128; x++) {
        const int32_t entry = table_entry(table, x);
        if (entry < whole.min) whole.min = entry;
        if (entry > whole.max) whole.max = entry;
    }
    return whole;
}

/* What lut_lines() gives for x. */
static int32_t lines_at(const intgold_table_lines *lines, int32_t x) {
    int64_t sum = INT16_BOTTOM;
    int32_t i;
    for (i = 0; i < lines->count; i++) {
        const intgold_table_line *line = &lines->line[i];
        const int64_t high =
            intgold_round_down((int64_t)(256 * x + line->fraction) * line->slope, 16);
        const int64_t own = intgold_clamp(high + line->base, INT16_BOTTOM, INT16_TOP);
        if (own > sum) sum = own;
    }
    return (int32_t)intgold_clamp(intgold_round_down(sum, lines->shift), lines->min, lines->max);
}

static int32_t gives_all(const intgold_table_lines *lines, const int8_t *table) {
    int32_t x;
    for (x = -128; x < 128; x++)
        if (lines_at(lines, x) != table_entry(table, x)) return 0;
    return 1;
}

/* 0 where the bounds of a slope meet, in rest[0] and rest[1]; else 1 for too large, -1 too small:
 * which it is, the places of the two bounds that cross tell. */
static int32_t bounds_cross(int32_t slope, int32_t shift, const table_part *part, int64_t *rest) {
    const int64_t one = (int64_t)1 << (16 + shift);
    int32_t x, of_low = 0, of_high = 0;
    rest[0] = -((int64_t)1 << 40);
    rest[1] = (int64_t)1 << 40;
    for (x = -128; x < 128; x++) {
        const int64_t entry = table_entry(part->table, x), on_line = (int64_t)256 * slope * x;
        const int32_t own = x >= part->from && x < part->to;
        if (own && entry > part->min && entry * one - on_line > rest[0]) {
            rest[0] = entry * one - on_line;
            of_low = x;
        }
        if (entry < part->max && (entry + 1) * one - 1 - on_line < rest[1]) {
            rest[1] = (entry + 1) * one - 1 - on_line;
            of_high = x;
        }
        if (rest[0] > rest[1]) return of_high > of_low ? 1 : -1;
    }
    return 0;
}

/* Sets base and fraction where they can give a rest between its bounds. */
static int32_t set_rest(intgold_table_line *line, const int64_t *rest) {
    for (line->fraction = 0; line->fraction < 256; line->fraction++) {
        const int64_t part = (int64_t)line->fraction * line->slope;
        const int64_t base = intgold_round_down(rest[1] - part, 16);
        if (base * 65536 + part < rest[0] || base < INT16_BOTTOM || base > INT16_TOP) continue;
        line->base = (int32_t)base;
        return 1;
    }
    return 0;
}

/* Sets a line of a slope from `smallest` to `largest`: halves them down to slopes whose bounds meet,
 * which are neighbours, and takes the nearest with a base and a fraction.  NARROW: none has them. */
static int32_t find_slope(intgold_table_line *line, int32_t shift, const table_part *part,
                          int32_t smallest, int32_t largest) {
    int64_t rest[2];
    int32_t found, step, steps;
    for (;;) {
        int32_t crossed;
        if (smallest > largest) return NO_LINE;
        found = smallest + (largest - smallest) / 2;
        crossed = bounds_cross(found, shift, part, rest);
        if (!crossed) break;
        if (crossed > 0)
            largest = found - 1;
        else
            smallest = found + 1;
    }
    for (step = 1; step >= -1; step -= 2)
        for (steps = 0; steps < MAX_STEPS; steps++) {
            line->slope = found + step * steps;
            if (line->slope < smallest || line->slope > largest) break;
            if (bounds_cross(line->slope, shift, part, rest)) break;
            if (set_rest(line, rest)) return LINE;
        }
    return NARROW;
}

/* Looks for a line with the largest shift, from *shift down, whose slope and base are int16. */
static int32_t find_table_line(intgold_table_line *line, int32_t *shift, const table_part *part) {
    int32_t first = 128, last = -129, width, rise, near, middle, one, found, x;
    for (x = part->from; x < part->to; x++) {
        const int32_t entry = table_entry(part->table, x);
        if (entry == part->min || entry == part->max) continue;
        if (x < first) first = x;
        last = x;
    }
    width = last - first;
    if (width < MIN_WIDTH) return NARROW;
    rise = table_entry(part->table, last) - table_entry(part->table, first);
    for (; *shift >= 0; --*shift) {
        one = 1 << (8 + *shift);
        middle = rise * one / width;
        near = one / width + 2;
        if (middle - near < INT16_BOTTOM || middle + near > INT16_TOP) continue;
        found = find_slope(line, *shift, part, middle - near, middle + near);
        if (found != NARROW) return found;
    }
    return NO_LINE;
}

/* The input before which one line gives all: part of a line is one, so halving finds it. */
static int32_t end_of_first(const table_part *whole) {
    table_part part = *whole;
    int32_t gives = -128, fails = 128;
    while (fails - gives > 1) {
        intgold_table_line line;
        int32_t shift = MAX_SHIFT;
        part.to = gives + (fails - gives) / 2;
        if (find_table_line(&line, &shift, &part) == NO_LINE)
            fails = part.to;
        else
            gives = part.to;
    }
    return gives;
}

static int32_t find_two(intgold_table_lines *lines, const table_part *whole) {
    table_part left = *whole, right = *whole;
    int32_t shift;
    left.to = right.from = end_of_first(whole);
    lines->count = 2;
    lines->shift = MAX_SHIFT;
    do { /* down to the shift that both can have */
        if (find_table_line(&lines->line[1], &lines->shift, &right) != LINE) return 0;
        shift = lines->shift;
        if (find_table_line(&lines->line[0], &lines->shift, &left) != LINE) return 0;
    } while (lines->shift != shift);
    return 1;
}

int32_t intgold_table_lines_of(const int8_t *table, intgold_table_lines *lines) {
    const table_part whole = whole_of(table);
    int32_t found;
    lines->min = whole.min;
    lines->max = whole.max;
    lines->count = 1;
    lines->shift = MAX_SHIFT;
    found = find_table_line(&lines->line[0], &lines->shift, &whole);
    return found != NARROW && (found == LINE || find_two(lines, &whole)) && gives_all(lines, table);
}
