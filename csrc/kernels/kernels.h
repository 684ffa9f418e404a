/* The narrow waist: the few inner loops that profit from SIMD, as one table per variant.
 *
 * Everything else (geometry, padding, pools, the graph) is written once and calls these.  A new
 * ISA is one file that fills a table and one row in dispatch.c.
 *
 * Inputs are loaded once into *words* of 32 bits, which hold the `group` neighbouring values
 * that one instruction multiplies and adds: four bytes or two int16.  Sums live in vectors of
 * `lanes` output channels, a *block*.  Packed weights hold, per block, for every word under an
 * output pixel, the `lanes` words of weights that meet it:
 *
 *     block 0: word 0: [c0: w w w w][c1: w w w w] ... [c15: w w w w]
 *              word 1: ...
 *     block 1: ...
 *
 * so that one broadcast input word and one vector of weights make `lanes` partial sums. */
#ifndef INTGOLD_KERNELS_H
#define INTGOLD_KERNELS_H

#include "arithmetic/size.h"
#include "intgold.h"

enum { INTGOLD_MAX_LANES = 16, INTGOLD_MAX_GROUP = 4, INTGOLD_BLEND_BEYOND = 8 };

/* What an input x is in a word. */
enum {
    INTGOLD_INPUT_CENTRED = 0, /* x - zero point */
    INTGOLD_INPUT_OFFSET_BINARY = 1, /* x + 128, an unsigned byte */
    INTGOLD_INPUT_PLAIN = 2 /* x, a signed byte */
};

/* Two vectors of sums for each of some output pixels that lie side by side.
 *
 * Under a pixel lie runs of words: the kernel's rows.  Run s starts segments[s] bytes after the
 * pixel's first value.  The first vector sums runs 0 .. n_segments-1 with weights0, the second
 * runs shift .. shift+n_segments-1 with weights1.  With shift 0 the two are neighbouring blocks
 * of one pixel; else one block of two pixels, one below the other, that share most inputs.
 * weights1 == NULL: there is no second vector, and its sums are not written. */
typedef struct intgold_strip {
    const char *x;            /* first value under the first pixel */
    size_t column_step;       /* bytes from there to the next pixel's */
    int32_t columns;          /* pixels */
    const size_t *segments;
    int32_t n_segments, shift, run; /* run: words */
    const void *weights0, *weights1;
    const int32_t *bias0, *bias1;   /* a vector each, where the sums start */
} intgold_strip;

/* The weights of a convolution, as its op holds them: per output channel n_runs runs of
 * `run_values` values, which meet inputs that lie side by side.
 *
 * Packed they may look different.  folded: the lanes hold `out_c` channels of one row of pixels,
 * then those of the row below, which meets the inputs `fold_shift` runs later.  parts: a weight
 * less its zero point may need nine bits; then the runs come two or three times, each with a part
 * of the weight. */
typedef struct intgold_weights {
    int32_t out_c, n_runs, run_values;
    const int8_t *values, *zero_point;
    int32_t zero_point_count; /* 1 or out_c */
    int32_t folded, fold_shift, parts;
} intgold_weights;

/* How sums become outputs, clause 4.3. */
typedef struct intgold_epilogue {
    const intgold_requantize *by;
    int32_t y_zero_point, act_min, act_max;
    int32_t fold; /* channels, where lanes hold those of the row below after them; else 0 */
    const void *packed; /* what epilogue_pack made */
} intgold_epilogue;

/* Sums of pixels that lie side by side, and where their outputs go. */
typedef struct intgold_pixels {
    const int32_t *sums;  /* of pixel i from sums[i*step] on, whole vectors */
    const int32_t *below; /* NULL; or sums of the pixels below: each 2x2 gives its maximum */
    size_t step;
    int32_t count;        /* pixels per row; pooled: a value for every two */
    int8_t *y;            /* of output i from y[i*y_step] on */
    int8_t *y_below;      /* folded: of the row below, or NULL where there is none */
    size_t y_step;
} intgold_pixels;

/* Windows of an image, side by side and of one size: of window w the cell of row i and column j is
 * at x[w*step + i*row_step + j*column_step]. */
typedef struct intgold_windows {
    const int8_t *x;
    int32_t rows, columns;
    size_t row_step, column_step;
    int32_t count;
    size_t step;
} intgold_windows;

/* Two straight lines, for the inputs of add. */
typedef struct intgold_lines {
    int32_t slope1, slope2;
    uint32_t base;
} intgold_lines;

/* The whole of add as two straight lines and a shift; every sum fits int32.  Those whose last
 * right_shift bits are less than `doubtful` may be off by one: the tables, of input + 128, and
 * requantize say what they are. */
typedef struct intgold_line_sums {
    intgold_lines lines;
    int32_t right_shift, doubtful;
    int32_t y_zero_point, act_min, act_max;
    const int32_t *table1, *table2;
    const intgold_requantize *requantize;
} intgold_line_sums;

/* A straight line in int16, of which the high half of a product is one instruction:
 * floor((256*x + fraction) * slope / 2^16) + base, saturated at int16. */
typedef struct intgold_table_line {
    int32_t slope, fraction, base; /* slope, base: int16; fraction: 0 to 255 */
} intgold_table_line;

/* y = floor(sum / 2^shift), between min and max; sum is the largest of the lines. */
typedef struct intgold_table_lines {
    int32_t count; /* 1 or 2 */
    intgold_table_line line[2];
    int32_t shift, min, max;
} intgold_table_lines;

/* How resize_bilinear produces a row of outputs out of a row of words, clause 5.21. */
typedef struct intgold_blend {
    int32_t channels, out_w;
    const int32_t *column0, *column1;
    const int16_t *column_weight;
    int32_t frac_bits, away; /* away: ties away from zero, else up */
} intgold_blend;

/* What depthwise_conv2d multiplies.  Words of four bytes hold `group` rows of an input and meet
 * words of weights; words of one byte hold an input as it is, and weights are int16, those of two
 * words in one of theirs.  Either way a sum takes a word for each channel of a vector. */
typedef struct intgold_depthwise_words {
    int32_t group, bytes;
    int32_t lanes;          /* channels at once, one vector of sums or two */
    int32_t input_encoding; /* INTGOLD_INPUT_... */
    const uint8_t *places;  /* where among packed weights those of each lane are; NULL: in order */
} intgold_depthwise_words;

typedef struct intgold_kernels {
    const char *name;
    int32_t group;    /* input values per word: 4 (bytes) or 2 (int16) */
    int32_t lanes;    /* output channels per vector of sums */
    int32_t columns;  /* pixels that convolve takes at once */
    int32_t input_encoding; /* INTGOLD_INPUT_...: how words hold inputs */
    intgold_depthwise_words depthwise;

    /* Weights as convolve takes them, all blocks one after another. */
    size_t (*pack_size)(const intgold_weights *weights);
    void (*pack)(const intgold_weights *weights, void *packed);

    /* Write `count` inputs as words, one after another. */
    void (*load_inputs)(const int8_t *x, int32_t zero_point, size_t count, void *words);

    /* Depthwise: word i holds input i of depthwise.group rows, one below the other; NULL: a row of
     * padding.  multiply() sums words and weights lane by lane, with weights0 and bias0 of the strip
     * and runs of one word: sums[depthwise.lanes*i] for pixel i. */
    void (*load_rows)(const int8_t *const *rows, int32_t zero_point, size_t count, void *words);
    void (*multiply)(const intgold_strip *strip, int32_t *sums);

    /* Outputs of channels first .. first+channels-1, at most two vectors of them, from their
     * sums; first is a multiple of lanes. */
    size_t (*epilogue_packed_size)(int32_t channels);
    void (*epilogue_pack)(const intgold_epilogue *epilogue, int32_t channels, void *packed);
    void (*epilogue)(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                     const intgold_pixels *pixels);

    /* Pools: sums[c] += x[i*step + c] for i < cells, wrapping; y[w*channels + c] = the maximum of
     * `min` and channel c of the cells of window w. */
    void (*window_sum)(const int8_t *x, int32_t cells, size_t step, int32_t channels,
                       uint32_t *sums);
    void (*window_max)(const intgold_windows *windows, int32_t min, int32_t channels, int8_t *y);

    /* mul: sums[i] = (x1[i] - zero_point1) * (x2[i] - zero_point2). */
    void (*mul_products)(const int8_t *x1, int32_t zero_point1, const int8_t *x2,
                         int32_t zero_point2, int32_t count, int32_t *sums);

    /* add: sums[i] = slope1 * x1[i] + slope2 * x2[i] + base + rest1[i] + rest2[i], wrapping, with
     * bytes of rest that are not signed; sums: whole vectors.  NULL: look_up() of add.c. */
    void (*affine_sum)(const intgold_lines *by, const int8_t *x1, const int8_t *x2,
                       const uint8_t *rest1, const uint8_t *rest2, int32_t count, int32_t *sums);

    /* The whole of add.  NULL: affine_sum() and epilogue(). */
    void (*add_lines)(const intgold_line_sums *by, const int8_t *x1, const int8_t *x2,
                      int32_t count, int8_t *y);

    /* resize_bilinear: the outputs of a row, which is followed by INTGOLD_BLEND_BEYOND words that
     * are read and do not count.  NULL: resize_row() of resize_bilinear.c. */
    void (*blend)(const intgold_blend *by, const int32_t *row, int8_t *y);

    /* y[i] = table[x[i] + 128]. */
    void (*lut)(const int8_t *table, const int8_t *x, int32_t count, int8_t *y);

    /* The same of a table that is a line; y may be x.  NULL: lut(). */
    void (*lut_lines)(const intgold_table_lines *lines, const int8_t *x, int32_t count, int8_t *y);

    /* sums[2*lanes*i], sums[2*lanes*i + lanes]: the two vectors of pixel i. */
    void (*convolve)(const intgold_strip *strip, int32_t *sums);

    /* Called before and after convolve() takes strips like this one, which may differ from it in x
     * and weights; in columns only where both have 16 or more.  NULL: no need. */
    void (*begin)(const intgold_strip *strip);
    void (*end)(void);
} intgold_kernels;

/* Those of an ISA are compiled where INTGOLD_HAS_... says so, whatever the compiler's flags: none
 * with INTGOLD_PORTABLE_ONLY, one less with each INTGOLD_NO_... */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(INTGOLD_PORTABLE_ONLY)
#define INTGOLD_X86_64 1
#endif
#if defined(INTGOLD_X86_64) && !defined(INTGOLD_NO_AVX512VNNI)
#define INTGOLD_HAS_AVX512VNNI 1
#endif
#if defined(INTGOLD_X86_64) && !defined(INTGOLD_NO_AVX2)
#define INTGOLD_HAS_AVX2 1
#endif
/* Shares code with AVX2.  Compilers older than the instructions lack the header. */
#if defined(INTGOLD_HAS_AVX2) && !defined(INTGOLD_NO_AVXVNNI) && defined(__has_include)
#if __has_include(<avxvnniintrin.h>)
#define INTGOLD_HAS_AVXVNNI 1
#endif
#endif
#if defined(INTGOLD_HAS_AVX512VNNI) && defined(__linux__) && !defined(INTGOLD_NO_AMX) && \
    defined(__has_include)
#if __has_include(<amxint8intrin.h>) || __has_include(<amxintrin.h>) /* gcc, clang */
#define INTGOLD_HAS_AMX 1
#endif
#endif
#if defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) && \
    !defined(__AARCH64EB__) && !defined(INTGOLD_NO_NEON) && !defined(INTGOLD_PORTABLE_ONLY)
#define INTGOLD_HAS_NEON 1
#endif
#if defined(INTGOLD_HAS_NEON) && (defined(__clang__) || __GNUC__ >= 8) && \
    !defined(INTGOLD_NO_DOTPROD)
#define INTGOLD_HAS_DOTPROD 1
#endif
extern const intgold_kernels intgold_kernels_portable, intgold_kernels_avx2,
    intgold_kernels_avxvnni, intgold_kernels_avx512vnni, intgold_kernels_avx512vbmi,
    intgold_kernels_amx, intgold_kernels_neon, intgold_kernels_dotprod;

/* epilogue() of one channel in every form of requantize: what variants fall back on.  lane: that of
 * its sums. */
void intgold_epilogue_channel(const intgold_epilogue *epilogue, int32_t channel, int32_t lane,
                              const intgold_pixels *pixels);

#endif
