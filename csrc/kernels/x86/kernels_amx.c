/* convolve() with AMX tiles; everything else is that of kernels_avx512vnni.c.
 *
 * One TDPBUSD multiplies a tile of 16 pixels by `depth` words and a tile of `depth` words by 16
 * channels.  Both lie in memory as they are: pixels are the rows of a tile, one every
 * column_step bytes, and packed weights are drawn in kernels.h as the instruction wants them.
 *
 *     A (x)                       B (weights)                  sums
 *     pixel 0:  word word ...     word 0: [c0: w w w w] ...    pixel 0:  c0 c1 ... c15
 *     pixel 1:  word word ...     word 1: [c0: w w w w] ...    pixel 1:  c0 c1 ... c15
 *     ...                         ...                          ...
 *
 * Products are those of vpdpbusd, unsigned by signed bytes, and sums wrap: as exact as there.  A
 * run of words is cut into equal pieces of at most 16; the tiles' shape is set by begin. */
#include "kernels/x86/kernels_amx.h"

#if defined(INTGOLD_HAS_AMX)
#include <immintrin.h>
#include <string.h>

#include "kernels/generic/simd.h"

#define TARGET __attribute__((target("amx-tile,amx-int8")))

#define LANES 16
#define VECTOR 64
#define ROWS 16
#define MIN_DEPTH 4

/* Tiles 0 to 3: sums of two times two; 4, 5: pixels; 6, 7: weights. */
typedef struct amx_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes_per_row[16];
    uint8_t rows[16];
} amx_configuration;

/* Words per piece of a run: its largest divisor up to 16. */
static int32_t amx_depth_of(int32_t run) {
    int32_t depth = 16;
    while (run % depth) depth--;
    return depth;
}

/* Whether tiles are worth it: few words, or few pixels, leave them empty. */
static int amx_suits(const intgold_strip *strip) {
    return amx_depth_of(strip->run) >= MIN_DEPTH && strip->columns >= ROWS / 4;
}

TARGET void intgold_amx_begin(const intgold_strip *strip) {
    const int32_t rows = strip->columns < ROWS ? strip->columns : ROWS;
    const int32_t depth = amx_depth_of(strip->run);
    amx_configuration shape;
    int i;
    memset(&shape, 0, sizeof shape);
    shape.palette = 1;
    for (i = 0; i < 8; i++) {
        shape.rows[i] = (uint8_t)(i < 6 ? rows : depth);
        shape.bytes_per_row[i] = (uint16_t)(i == 4 || i == 5 ? 4 * depth : VECTOR);
    }
    /* The intrinsic of gcc 12 names eight bytes of the shape; all have to be in memory. */
    __asm__ volatile("" : : "r"(&shape) : "memory");
    if (amx_suits(strip)) _tile_loadconfig(&shape);
}

TARGET void intgold_amx_end(void) { _tile_release(); }

/* Pixels from x on, and, with `pair`, as many from x1 on; both vectors, or only one of them. */
INLINE TARGET void amx_add_piece(const char *x, const char *x1, size_t step, const char *w0,
                                 const char *w1, const int pair, const int first,
                                 const int second) {
    _tile_loadd(4, x, step);
    if (pair) _tile_loadd(5, x1, step);
    if (first) _tile_loadd(6, w0, VECTOR);
    if (second) _tile_loadd(7, w1, VECTOR);
    if (first) _tile_dpbusd(0, 4, 6);
    if (second) _tile_dpbusd(1, 4, 7);
    if (pair && first) _tile_dpbusd(2, 5, 6);
    if (pair && second) _tile_dpbusd(3, 5, 7);
}

INLINE TARGET void amx_add_run(const intgold_strip *strip, const char *x, const char *x1,
                               const char *w0, const char *w1, int32_t depth, const int pair,
                               const int first, const int second) {
    int32_t k;
    for (k = 0; k < strip->run; k += depth) {
        const size_t word = (size_t)k * 4, weights = (size_t)k * VECTOR;
        amx_add_piece(x + word, x1 + word, strip->column_step, w0 + weights, w1 + weights, pair,
                      first, second);
    }
}

/* Pixels from `from` on, and from `from1` on. */
INLINE TARGET void amx_tile(const intgold_strip *strip, int32_t *sums, int32_t from,
                            int32_t from1, const int pair, const int second) {
    const char *x = strip->x + (size_t)from * strip->column_step;
    const char *x1 = strip->x + (size_t)from1 * strip->column_step;
    const int32_t shift = second ? strip->shift : 0, n = strip->n_segments;
    const int32_t depth = amx_depth_of(strip->run);
    const size_t panel = (size_t)strip->run * VECTOR, row = 2 * LANES * sizeof *sums;
    const char *w0 = (const char *)strip->weights0;
    const char *w1 = second ? (const char *)strip->weights1 : w0;
    const size_t *at = strip->segments;
    int32_t s = 0;
    /* A step of 0 between rows: each pixel starts from the same sums. */
    _tile_loadd(0, strip->bias0, 0);
    if (second) _tile_loadd(1, strip->bias1, 0);
    if (pair) _tile_loadd(2, strip->bias0, 0);
    if (pair && second) _tile_loadd(3, strip->bias1, 0);
    for (; s < shift; s++, w0 += panel)
        amx_add_run(strip, x + at[s], x1 + at[s], w0, w1, depth, pair, 1, 0);
    for (; s < n; s++, w0 += panel, w1 += panel)
        amx_add_run(strip, x + at[s], x1 + at[s], w0, w1, depth, pair, 1, second);
    for (; s < n + shift; s++, w1 += panel)
        amx_add_run(strip, x + at[s], x1 + at[s], w0, w1, depth, pair, 0, 1);
    _tile_stored(0, sums + from * 2 * LANES, row);
    if (second) _tile_stored(1, sums + from * 2 * LANES + LANES, row);
    if (pair) _tile_stored(2, sums + from1 * 2 * LANES, row);
    if (pair && second) _tile_stored(3, sums + from1 * 2 * LANES + LANES, row);
}

INLINE TARGET void amx_tiles(const intgold_strip *strip, int32_t *sums, const int second) {
    const int32_t rows = strip->columns < ROWS ? strip->columns : ROWS;
    int32_t i, left;
    for (i = 0; i < strip->columns; i += 2 * rows) {
        left = strip->columns - i;
        /* The last tile may start earlier and make some sums twice. */
        if (left > rows)
            amx_tile(strip, sums, i, left < 2 * rows ? strip->columns - rows : i + rows, 1,
                     second);
        else
            amx_tile(strip, sums, strip->columns - rows, 0, 0, second);
    }
}

TARGET void intgold_amx_convolve(const intgold_strip *strip, int32_t *sums) {
    if (!amx_suits(strip))
        intgold_avx512_convolve(strip, sums);
    else if (strip->weights1)
        amx_tiles(strip, sums, 1);
    else
        amx_tiles(strip, sums, 0);
}

#else
typedef int intgold_no_amx; /* C99 wants a declaration in every file */
#endif
