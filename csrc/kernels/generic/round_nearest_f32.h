/* How vectors of 32-bit lanes requantise the float forms to int8.
 *
 * R(acc), clauses 4.2.4 and 4.2.5, is the integer nearest to v = acc * m * 2^-t wherever v is not
 * within 2^-15 of a half: for |v| below 256 (beyond, every R is clamped) float32 moves acc by at
 * most 2^-16 of v's units and the product by 2^-17, and float64's low bits are less than 2^-22.
 * So v is formed with PLACES fraction bits; `frac` says how far v + 1/2 + 2^-15 lies above an
 * integer, and DOUBTFUL what is too near: one lane in 16,000, which the scalar code does.
 *
 * acc * 2^left * m has 51 fraction bits in every lane, 32 of which go with the product's low word;
 * acc is first clamped to where that fits.  From right_shift 52 on m loses bits instead, which moves
 * v by less than 2^-20. */
#ifndef INTGOLD_ROUND_NEAREST_F32_H
#define INTGOLD_ROUND_NEAREST_F32_H

#include "intgold.h"

enum {
    INTGOLD_NEAREST_PLACES = 19,
    INTGOLD_NEAREST_ONE = 1 << INTGOLD_NEAREST_PLACES,
    INTGOLD_NEAREST_MARGIN = INTGOLD_NEAREST_ONE >> 15,
    INTGOLD_NEAREST_DOUBTFUL = 2 * INTGOLD_NEAREST_MARGIN,
    INTGOLD_NEAREST_SHIFT = 21 /* the smallest right_shift: acc may then be 1 */
};

#endif
