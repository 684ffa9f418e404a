/* Sizes of memory, in size_t of any width: what does not fit is SIZE_MAX and stays so. */
#ifndef INTGOLD_SIZE_H
#define INTGOLD_SIZE_H

#include <stddef.h>
#include <stdint.h>

static inline size_t intgold_plus(size_t a, size_t b) {
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t intgold_times(size_t a, size_t b) {
    return b && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

/* Pieces of memory start on a vector boundary. */
static inline size_t intgold_align(size_t bytes) {
    return bytes > SIZE_MAX - 63 ? SIZE_MAX : (bytes + 63) / 64 * 64;
}

/* What lies after `count` pieces of `bytes` bytes at `at`. */
static inline size_t intgold_after(size_t at, size_t count, size_t bytes) {
    return intgold_plus(at, intgold_align(intgold_times(count, bytes)));
}

/* No object is larger: pointers into it are subtracted. */
static inline int intgold_fits(size_t bytes) { return bytes <= SIZE_MAX / 2; }

#endif
