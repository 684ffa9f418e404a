/* Copies of bytes that are often few: memcpy() of a constant size is a load and a store, one of an
 * unknown size a call. */
#ifndef INTGOLD_COPY_H
#define INTGOLD_COPY_H

#include <string.h>

#include "intgold.h"

enum { INTGOLD_COPY_STEP = 16, INTGOLD_COPY_CALL = 128 };

/* Fewer than 16: the last of each size may copy some again. */
static inline void intgold_copy_few(int8_t *to, const int8_t *from, size_t count) {
    size_t i;
    if (count >= 8) {
        memcpy(to, from, 8);
        memcpy(to + count - 8, from + count - 8, 8);
    } else if (count >= 4) {
        memcpy(to, from, 4);
        memcpy(to + count - 4, from + count - 4, 4);
    } else {
        for (i = 0; i < count; i++) to[i] = from[i];
    }
}

static inline void intgold_copy(int8_t *to, const int8_t *from, size_t count) {
    size_t i;
    if (count >= INTGOLD_COPY_CALL) {
        memcpy(to, from, count);
        return;
    }
    if (count < INTGOLD_COPY_STEP) {
        intgold_copy_few(to, from, count);
        return;
    }
    for (i = 0; i + INTGOLD_COPY_STEP <= count; i += INTGOLD_COPY_STEP)
        memcpy(to + i, from + i, INTGOLD_COPY_STEP);
    memcpy(to + count - INTGOLD_COPY_STEP, from + count - INTGOLD_COPY_STEP, INTGOLD_COPY_STEP);
}

#endif
