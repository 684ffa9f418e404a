/* Tables of 256 entries that are a straight line between two bounds: QUANTIZE, ReLU, a negation. */
#ifndef INTGOLD_TABLE_LINE_H
#define INTGOLD_TABLE_LINE_H

#include "kernels/kernels.h"

/* 1, and the line, where one gives every entry of the table; else 0. */
int32_t intgold_table_line_of(const int8_t *table, intgold_table_line *line);

#endif
