/* Compares intgold_float32_log with logf of the C library.
 *
 *     logf_check STEP
 *
 * takes every STEP-th float32 from 1 to 2^24, both included, and prints how many it compared and how
 * many differ; then the first that does. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arithmetic/float32_value.h"

enum { ONE = 127 << 23, LAST = (127 + 24) << 23 };

/* The value as the C library has it. */
static float real(intgold_float32_value v) {
    return (float)ldexp((double)v.significand, v.exponent - 149);
}

static float float_of(int32_t bits) {
    float made;
    memcpy(&made, &bits, sizeof made);
    return made;
}

int main(int count, char **arguments) {
    const int32_t step = count == 2 ? atoi(arguments[1]) : 0;
    int32_t bits, first = 0;
    long compared = 0, differing = 0;
    if (step < 1) return 2;
    for (bits = ONE;; bits = bits < LAST - step ? bits + step : LAST) {
        const float theirs = logf(float_of(bits));
        compared++;
        if (real(intgold_float32_log(intgold_float32_of(bits))) != theirs && !differing++)
            first = bits;
        if (bits == LAST) break;
    }
    printf("%ld %ld\n", compared, differing);
    if (differing) printf("%08x\n", (unsigned)first);
    return 0;
}
