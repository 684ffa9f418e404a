/* Tables of 256 entries that are straight lines between two bounds: QUANTIZE, ReLU, a negation are
 * one; LEAKY_RELU is the larger of two. */
#ifndef INTGOLD_TABLE_LINES_H
#define INTGOLD_TABLE_LINES_H

#include "kernels/kernels.h"

/* 1, and the lines, where they give every entry of the table; else 0. */
int32_t intgold_table_lines_of(const int8_t *table, intgold_table_lines *lines);

#endif
