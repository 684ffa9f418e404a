/* intgold: pure-integer int8 inference, bit-exact to SPEC.md.
 *
 * C99, no heap, no stdio, no floating point, no mutable globals.  The caller owns all memory.
 * A model is plain constant data: it can be compiled in, and it is never parsed here.
 *
 *     size_t size = intgold_arena_size(&model, INTGOLD_ISA_AUTO);
 *     intgold_context *context;
 *     intgold_prepare(&model, INTGOLD_ISA_AUTO, buffer, size, &context);
 *     intgold_run(context, n, inputs, outputs, NULL);
 *
 * Activations are NHWC, one image after another; an op works on one image.  "Clause" means
 * SPEC.md.
 *
 * Models come from Python (intgold.exporters.write_c) or are made by hand: intgold_prepare checks
 * every number, index, offset and array entry of a model, and proves that no accumulator leaves
 * int32.  It cannot see how long arrays are: they have as many entries as the structure says.
 * Functions of single ops (intgold_<op>_...) check nothing.
 *
 * Threads: a model is only read, by any number of contexts and threads at the same time; neither it
 * nor what it points to may change while a context for it is in use.  A context serves one thread
 * at a time; different contexts share nothing that is written.
 */
#ifndef INTGOLD_H
#define INTGOLD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a shared library of the engine exports, where the compiler hides the rest
 * (-fvisibility=hidden).  Define it before this header for another compiler or a static library. */
#ifndef INTGOLD_API
#if defined(__GNUC__)
#define INTGOLD_API __attribute__((visibility("default")))
#else
#define INTGOLD_API
#endif
#endif

/* The version of the package; setup.py reads it here. */
#define INTGOLD_VERSION_MAJOR 0
#define INTGOLD_VERSION_MINOR 2
#define INTGOLD_VERSION_PATCH 0

/* The version of SPEC.md. */
#define INTGOLD_SPEC_MAJOR 1
#define INTGOLD_SPEC_MINOR 5

/* The layout of the structures and numbers that a model consists of: another one has another
 * number.  Files of write_c compile with the one that they were written for only. */
#define INTGOLD_ABI 2

/* Ops after a convolution that may run together with it, at most. */
#define INTGOLD_MAX_FUSED 2

typedef enum intgold_status {
    INTGOLD_OK = 0,
    INTGOLD_ERROR_ARGUMENT = 1, /* a null pointer, also among buffers, or a negative count */
    INTGOLD_ERROR_UNKNOWN_OP = 2,  /* an op kind that this engine does not know */
    INTGOLD_ERROR_ISA = 3,      /* a variant that is not in this build or not on this CPU */
    INTGOLD_ERROR_BUFFER_TOO_SMALL = 4, /* the buffer is smaller than intgold_arena_size */
    INTGOLD_ERROR_SIZE = 5,     /* beyond SIZE_MAX / 2 bytes, or tensors beyond clause 6.2 */
    /* What else SPEC.md forbids a model; intgold_check_model says which op it is. */
    INTGOLD_ERROR_NULL = 6,       /* an array of the model is NULL */
    INTGOLD_ERROR_COUNT = 7,      /* how many tensors, ops, inputs, outputs, entries, segments */
    INTGOLD_ERROR_GRAPH = 8,      /* an index of a tensor: clause 6.2 fixes their order */
    INTGOLD_ERROR_DTYPE = 9,      /* a tensor is not of the dtype that its op takes or gives */
    INTGOLD_ERROR_SHAPE = 10,     /* extents that do not fit each other or a tensor's size */
    INTGOLD_ERROR_OFFSET = 11,    /* a tensor's place: alignment, end, overlap with another */
    INTGOLD_ERROR_FORM = 12,      /* a rounding form, or the form of an op */
    INTGOLD_ERROR_PARAMETER = 13, /* another number out of its range */
    INTGOLD_ERROR_ACCUMULATOR = 14 /* an accumulator could leave int32, clause 7 */
} intgold_status;

/* Rounding forms of requantize, clause 4.2. */
typedef enum intgold_form {
    INTGOLD_FORM_SINGLE = 0,
    INTGOLD_FORM_SINGLE_AWAY = 1,
    INTGOLD_FORM_SINGLE_EVEN = 2,
    INTGOLD_FORM_SINGLE_DOWN = 3,
    INTGOLD_FORM_SINGLE_ZERO = 4,
    INTGOLD_FORM_DOUBLE = 5,
    INTGOLD_FORM_DOUBLE_UP = 6,
    INTGOLD_FORM_FLOAT32 = 7,
    INTGOLD_FORM_FLOAT64 = 8
} intgold_form;

/* Clause 4.1.  Arrays of `count` entries: 1, or one per channel.  count == 0: no requantize,
 * the op leaves its int32 accumulator. */
typedef struct intgold_requantize {
    int32_t count;
    const uint8_t *form; /* enum intgold_form */
    const int32_t *multiplier;
    const uint8_t *right_shift;
    const int32_t *multiplier_low;
} intgold_requantize;

typedef enum intgold_dtype { INTGOLD_INT8 = 0, INTGOLD_INT32 = 1 } intgold_dtype;

/* ---- Ops.  One structure and one function each; the functions are the portable ones. ----
 *
 * x, y: input and output of one image.  acc: the int32 accumulators, one per output value, or
 * NULL when they are not wanted.  Where requantize.count is 0, y is NULL and acc is the output.
 * scratch: intgold_<op>_scratch_size() bytes, aligned to 8; SIZE_MAX: more than fits. */

/* Clause 5.1.  weights: (out_c, kernel_h, kernel_w, in_c). */
typedef struct intgold_conv2d {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w;
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t x_zero_point, y_zero_point, act_min, act_max;
    int32_t weight_zero_point_count;  /* 1 or out_c */
    const int8_t *weight_zero_point;
    const int8_t *weights;
    const int32_t *bias;
    intgold_requantize requantize;
} intgold_conv2d;

INTGOLD_API size_t intgold_conv2d_scratch_size(const intgold_conv2d *op);
INTGOLD_API void intgold_conv2d_s8(const intgold_conv2d *op, const int8_t *x, int8_t *y,
                                   int32_t *acc, void *scratch);

/* Clause 5.2.  weights: (kernel_h, kernel_w, out_c); out_c is a multiple of in_c. */
typedef struct intgold_depthwise_conv2d {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w;
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t x_zero_point, y_zero_point, act_min, act_max;
    int32_t weight_zero_point_count;
    const int8_t *weight_zero_point;
    const int8_t *weights;
    const int32_t *bias;
    intgold_requantize requantize;
} intgold_depthwise_conv2d;

INTGOLD_API size_t intgold_depthwise_conv2d_scratch_size(const intgold_depthwise_conv2d *op);
INTGOLD_API void intgold_depthwise_conv2d_s8(const intgold_depthwise_conv2d *op, const int8_t *x,
                                             int8_t *y, int32_t *acc, void *scratch);

/* Clause 5.3.  weights: (out_c, in_c). */
typedef struct intgold_fully_connected {
    int32_t in_c, out_c;
    int32_t x_zero_point, y_zero_point, act_min, act_max;
    int32_t weight_zero_point_count;
    const int8_t *weight_zero_point;
    const int8_t *weights;
    const int32_t *bias;
    intgold_requantize requantize;
} intgold_fully_connected;

INTGOLD_API size_t intgold_fully_connected_scratch_size(const intgold_fully_connected *op);
INTGOLD_API void intgold_fully_connected_s8(const intgold_fully_connected *op, const int8_t *x,
                                            int8_t *y, int32_t *acc, void *scratch);

/* Clause 5.4.  table: 256 entries, entry i for the value i - 128. */
typedef struct intgold_lut {
    int32_t count;
    const int8_t *table;
} intgold_lut;

INTGOLD_API void intgold_lut_s8(const intgold_lut *op, const int8_t *x, int8_t *y);

/* Clause 5.5. */
typedef struct intgold_pwl {
    int32_t count, segments;
    int32_t frac_bits, act_min, act_max;
    const int8_t *breakpoints;
    const int16_t *slope;
    const int32_t *offset;
} intgold_pwl;

INTGOLD_API void intgold_pwl_s8(const intgold_pwl *op, const int8_t *x, int8_t *y, int32_t *acc);

/* Clause 5.6. */
typedef struct intgold_max_pool2d {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t act_min, act_max;
} intgold_max_pool2d;

INTGOLD_API void intgold_max_pool2d_s8(const intgold_max_pool2d *op, const int8_t *x, int8_t *y);

/* Clause 5.7. */
typedef enum intgold_avg_pool2d_form {
    INTGOLD_AVG_POOL2D_RAW_AWAY = 0,
    INTGOLD_AVG_POOL2D_CENTRED_AWAY = 1,
    INTGOLD_AVG_POOL2D_RAW_UP = 2
} intgold_avg_pool2d_form;

typedef struct intgold_avg_pool2d {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t x_zero_point, y_zero_point, act_min, act_max;
    int32_t form; /* enum intgold_avg_pool2d_form */
} intgold_avg_pool2d;

INTGOLD_API void intgold_avg_pool2d_s8(const intgold_avg_pool2d *op, const int8_t *x, int8_t *y,
                                       int32_t *acc);

/* Clause 5.8. */
typedef struct intgold_global_avg_pool {
    int32_t in_h, in_w, in_c;
    int32_t x_zero_point, y_zero_point, act_min, act_max;
    intgold_requantize requantize;
} intgold_global_avg_pool;

INTGOLD_API void intgold_global_avg_pool_s8(const intgold_global_avg_pool *op, const int8_t *x,
                                            int8_t *y, int32_t *acc);

/* Clause 5.9. */
typedef enum intgold_add_form {
    INTGOLD_ADD_SHARED_SCALE = 0,
    INTGOLD_ADD_SHARED_SCALE_DIFFERENCE = 1,
    INTGOLD_ADD_SHARED_SCALE_SQUARED_DIFFERENCE = 2
} intgold_add_form;

typedef struct intgold_add {
    int32_t count;
    int32_t x1_zero_point, x2_zero_point, y_zero_point, act_min, act_max;
    int32_t form; /* enum intgold_add_form */
    int32_t left_shift;
    intgold_requantize requantize1, requantize2, requantize;
} intgold_add;

INTGOLD_API void intgold_add_s8(const intgold_add *op, const int8_t *x1, const int8_t *x2,
                                int8_t *y, int32_t *acc);

/* Clause 5.10.  Over each of `rows` rows of `depth` values. */
typedef struct intgold_softmax {
    int32_t rows, depth;
    int32_t multiplier, left_shift;
} intgold_softmax;

INTGOLD_API void intgold_softmax_s8(const intgold_softmax *op, const int8_t *x, int8_t *y);

/* Clause 5.11. */
typedef struct intgold_rescale {
    int32_t rows, depth;
    intgold_requantize requantize;
} intgold_rescale;

INTGOLD_API void intgold_rescale_s32(const intgold_rescale *op, const int32_t *x, int32_t *y);

/* Clause 5.12. */
typedef struct intgold_argmax {
    int32_t rows, depth;
} intgold_argmax;

INTGOLD_API void intgold_argmax_s32(const intgold_argmax *op, const int32_t *x, int32_t *y);
INTGOLD_API void intgold_argmax_s8(const intgold_argmax *op, const int8_t *x, int32_t *y);

/* Clause 5.13. */
typedef struct intgold_mul {
    int32_t count;
    int32_t x1_zero_point, x2_zero_point, y_zero_point, act_min, act_max;
    intgold_requantize requantize;
} intgold_mul;

INTGOLD_API void intgold_mul_s8(const intgold_mul *op, const int8_t *x1, const int8_t *x2,
                                int8_t *y, int32_t *acc);

/* Clause 5.14.  Each of `rows` rows: depth1 values of x1, then depth2 of x2. */
typedef struct intgold_concat {
    int32_t rows, depth1, depth2, axis;
} intgold_concat;

INTGOLD_API void intgold_concat_s8(const intgold_concat *op, const int8_t *x1, const int8_t *x2,
                                   int8_t *y);

/* Clause 5.15.  A tensor of fewer dimensions has extents 1 for those that it lacks. */
typedef struct intgold_pad {
    int32_t in0, in1, in2;
    int32_t before0, before1, before2, after0, after1, after2;
    int32_t value;
} intgold_pad;

INTGOLD_API void intgold_pad_s8(const intgold_pad *op, const int8_t *x, int8_t *y);

/* Clause 5.16. */
typedef struct intgold_reshape {
    int32_t count;
    int32_t shape0, shape1, shape2; /* metadata: the values stay as they lie */
} intgold_reshape;

INTGOLD_API void intgold_reshape_s8(const intgold_reshape *op, const int8_t *x, int8_t *y);

/* Clause 5.17.  table: 256 entries, the bits of a float32, entry i for the difference i - 255. */
typedef enum intgold_softmax_float32_form {
    INTGOLD_SOFTMAX_FLOAT32_ROUNDED = 0,
    INTGOLD_SOFTMAX_FLOAT32_HALF_ADDED = 1
} intgold_softmax_float32_form;

typedef struct intgold_softmax_float32 {
    int32_t rows, depth;
    int32_t form; /* enum intgold_softmax_float32_form */
    const int32_t *table;
} intgold_softmax_float32;

INTGOLD_API void intgold_softmax_float32_s8(const intgold_softmax_float32 *op, const int8_t *x,
                                            int8_t *y);

/* Clause 5.18.  count0 to count5: six nested counters, the last counts fastest; value n of y is
 * value `offset` + the sum of counter * stride of x, which has in_count values. */
typedef struct intgold_strided_copy {
    int32_t in_count;
    int32_t shape0, shape1, shape2; /* metadata: the values of y are in C order */
    int32_t count0, count1, count2, count3, count4, count5;
    int32_t stride0, stride1, stride2, stride3, stride4, stride5;
    int32_t offset;
} intgold_strided_copy;

INTGOLD_API void intgold_strided_copy_s8(const intgold_strided_copy *op, const int8_t *x,
                                         int8_t *y);

/* Clause 5.19.  Each of `rows` rows: of in_extent pieces of `depth` values, those that the
 * out_extent indices name. */
typedef struct intgold_gather {
    int32_t rows, in_extent, out_extent, depth, axis;
    const int32_t *indices;
} intgold_gather;

INTGOLD_API void intgold_gather_s8(const intgold_gather *op, const int8_t *x, int8_t *y);

/* Clause 5.20.  weights: (out_c, kernel_h, kernel_w, in_c).  pad_...: what is cut off the full
 * result; pad_bottom and pad_right may be negative. */
typedef struct intgold_transpose_conv2d {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t x_zero_point, y_zero_point, act_min, act_max;
    int32_t weight_zero_point_count;
    const int8_t *weight_zero_point;
    const int8_t *weights;
    const int32_t *bias;
    intgold_requantize requantize;
} intgold_transpose_conv2d;

INTGOLD_API size_t intgold_transpose_conv2d_scratch_size(const intgold_transpose_conv2d *op);
INTGOLD_API void intgold_transpose_conv2d_s8(const intgold_transpose_conv2d *op, const int8_t *x,
                                             int8_t *y, int32_t *acc, void *scratch);

/* Clause 5.21.  Tables of rows have out_h entries, tables of columns out_w; out_c is in_c. */
typedef enum intgold_resize_bilinear_form {
    INTGOLD_RESIZE_BILINEAR_UP = 0,
    INTGOLD_RESIZE_BILINEAR_AWAY = 1
} intgold_resize_bilinear_form;

typedef struct intgold_resize_bilinear {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c;
    const int32_t *row0, *row1;
    const int16_t *row_weight;
    const int32_t *column0, *column1;
    const int16_t *column_weight;
    int32_t frac_bits;
    int32_t form; /* enum intgold_resize_bilinear_form */
} intgold_resize_bilinear;

INTGOLD_API size_t intgold_resize_bilinear_scratch_size(const intgold_resize_bilinear *op);
INTGOLD_API void intgold_resize_bilinear_s8(const intgold_resize_bilinear *op, const int8_t *x,
                                            int8_t *y, int32_t *acc, void *scratch);

/* Clause 5.22. */
typedef struct intgold_maximum {
    int32_t count;
} intgold_maximum;

INTGOLD_API void intgold_maximum_s8(const intgold_maximum *op, const int8_t *x1, const int8_t *x2,
                                    int8_t *y);

/* Clause 5.23. */
typedef struct intgold_minimum {
    int32_t count;
} intgold_minimum;

INTGOLD_API void intgold_minimum_s8(const intgold_minimum *op, const int8_t *x1, const int8_t *x2,
                                    int8_t *y);

/* Clause 5.24.  table: (256, 256), a row for each value of x1 + 128. */
typedef struct intgold_lut2d {
    int32_t count;
    const int8_t *table;
} intgold_lut2d;

INTGOLD_API void intgold_lut2d_s8(const intgold_lut2d *op, const int8_t *x1, const int8_t *x2,
                                  int8_t *y);

/* Clause 5.25.  x1: (batch, rows, depth), x2: (batch, columns, depth), bias: (columns). */
typedef struct intgold_matmul {
    int32_t batch, rows, columns, depth;
    int32_t x1_zero_point, x2_zero_point, y_zero_point, act_min, act_max;
    const int32_t *bias;
    intgold_requantize requantize;
} intgold_matmul;

INTGOLD_API size_t intgold_matmul_scratch_size(const intgold_matmul *op);
INTGOLD_API void intgold_matmul_s8(const intgold_matmul *op, const int8_t *x1, const int8_t *x2,
                                   int8_t *y, int32_t *acc, void *scratch);

/* Clause 5.26.  Over each of `rows` rows of `depth` values. */
typedef struct intgold_log_softmax {
    int32_t rows, depth;
    int32_t multiplier, left_shift;
} intgold_log_softmax;

INTGOLD_API void intgold_log_softmax_s8(const intgold_log_softmax *op, const int8_t *x, int8_t *y);

/* Clause 5.27.  scale_bits: of a float32.  table: as of a softmax_float32. */
typedef enum intgold_log_softmax_float32_form {
    INTGOLD_LOG_SOFTMAX_FLOAT32_SIGNED = 0,
    INTGOLD_LOG_SOFTMAX_FLOAT32_UNSIGNED = 1
} intgold_log_softmax_float32_form;

typedef struct intgold_log_softmax_float32 {
    int32_t rows, depth;
    int32_t form; /* enum intgold_log_softmax_float32_form */
    int32_t scale_bits;
    const int32_t *table;
} intgold_log_softmax_float32;

INTGOLD_API void intgold_log_softmax_float32_s8(const intgold_log_softmax_float32 *op,
                                                const int8_t *x, int8_t *y);

/* ---- A model and its engine, clause 6. ---- */

typedef enum intgold_kind {
    INTGOLD_CONV2D = 0,
    INTGOLD_DEPTHWISE_CONV2D = 1,
    INTGOLD_FULLY_CONNECTED = 2,
    INTGOLD_LUT = 3,
    INTGOLD_PWL = 4,
    INTGOLD_MAX_POOL2D = 5,
    INTGOLD_AVG_POOL2D = 6,
    INTGOLD_GLOBAL_AVG_POOL = 7,
    INTGOLD_ADD = 8,
    INTGOLD_SOFTMAX = 9,
    INTGOLD_RESCALE = 10,
    INTGOLD_ARGMAX = 11,
    INTGOLD_MUL = 12,
    INTGOLD_CONCAT = 13,
    INTGOLD_PAD = 14,
    INTGOLD_RESHAPE = 15,
    INTGOLD_SOFTMAX_FLOAT32 = 16,
    INTGOLD_STRIDED_COPY = 17,
    INTGOLD_GATHER = 18,
    INTGOLD_TRANSPOSE_CONV2D = 19,
    INTGOLD_RESIZE_BILINEAR = 20,
    INTGOLD_MAXIMUM = 21,
    INTGOLD_MINIMUM = 22,
    INTGOLD_LUT2D = 23,
    INTGOLD_MATMUL = 24,
    INTGOLD_LOG_SOFTMAX = 25,
    INTGOLD_LOG_SOFTMAX_FLOAT32 = 26
} intgold_kind;

/* Tensors between ops share one piece of memory.  Where each lies in it is planned when the model
 * is made (intgold.native.lowering), so that the engine needs no heap: two tensors that are alive at
 * the same time never overlap.  Inputs and outputs live in the caller's buffers.
 *
 * Their order is that of clause 6.2: the inputs of the model, then the output of each op. */
typedef struct intgold_tensor {
    const char *name;
    int32_t dtype;  /* enum intgold_dtype */
    int32_t size;   /* values of one image */
    int32_t offset; /* in the activations, in bytes, a multiple of 64; -1: input or output of the
                     * model */
} intgold_tensor;

typedef struct intgold_op {
    int32_t kind;          /* enum intgold_kind */
    const void *fields;    /* intgold_conv2d, ... */
    const int32_t *inputs; /* indices of tensors, as many as the kind takes */
    int32_t output;        /* index of a tensor */
} intgold_op;

/* Files of intgold.exporters.write_c define `const intgold_model intgold_model_<name>`, and where
 * INTGOLD_MODEL_TABLE is defined when they are compiled also `const intgold_model *const
 * intgold_models[]`, all of the file, ended by NULL: one file of a program at most. */
typedef struct intgold_model {
    const char *name;
    int32_t n_tensors, n_ops, n_inputs, n_outputs;
    int32_t activations_size; /* bytes that the tensors between ops need */
    const intgold_tensor *tensors;
    const intgold_op *ops;  /* in execution order */
    const int32_t *inputs;  /* indices of tensors: 0, 1, ... */
    const int32_t *outputs; /* indices of tensors that ops make, none twice */
} intgold_model;

/* A variant of the kernels.  It can change the speed, never a bit. */
typedef enum intgold_isa {
    INTGOLD_ISA_AUTO = 0, /* the fastest that this CPU has */
    INTGOLD_ISA_PORTABLE = 1,
    INTGOLD_ISA_AVX2 = 2,
    INTGOLD_ISA_AVXVNNI = 3,
    INTGOLD_ISA_AVX512VNNI = 4,
    INTGOLD_ISA_AVX512VBMI = 5, /* AVX512VNNI, and VBMI for tables */
    INTGOLD_ISA_NEON = 6,
    INTGOLD_ISA_DOTPROD = 7, /* NEON, and its dot products */
    /* AVX512VBMI, and AMX tiles for convolutions.  intgold_prepare requests permission
     * from Linux for the tiles of this process: signal stacks (sigaltstack) of less than about
     * 12 KB are refused from then on, and where one is in use, AUTO is another variant.  Queries
     * request nothing. */
    INTGOLD_ISA_AMX = 8
} intgold_isa;

/* What variants need of a CPU and its operating system: bits of a mask. */
typedef enum intgold_feature {
    INTGOLD_FEATURE_AVX2 = 1,
    INTGOLD_FEATURE_AVXVNNI = 2,
    INTGOLD_FEATURE_AVX512VNNI = 4, /* and AVX-512 F, BW, CD, DQ, VL */
    INTGOLD_FEATURE_AVX512VBMI = 8,
    INTGOLD_FEATURE_NEON = 16,
    INTGOLD_FEATURE_DOTPROD = 32,
    INTGOLD_FEATURE_AMX = 64 /* AMX-TILE and AMX-INT8, saved by the system */
} intgold_feature;

/* Where a traced run writes what each op produces: one entry per op, NULL or a buffer for n images
 * (output in its own dtype, int32 accumulators).  Every buffer is optional; that of the
 * accumulators of an op that has none stays untouched. */
typedef struct intgold_trace {
    void *const *outputs;
    int32_t *const *accumulators;
} intgold_trace;

typedef struct intgold_context intgold_context;

/* 1 when ops of this kind have an int32 accumulator per output value, else 0 (unknown: 0). */
INTGOLD_API int intgold_has_accumulator(intgold_kind kind);

/* The features of this CPU for which this build has kernels. */
INTGOLD_API uint32_t intgold_cpu_features(void);

/* The variant that AUTO means on a CPU with these features. */
INTGOLD_API intgold_isa intgold_best_isa(uint32_t features);

/* Name of the variant that runs for `isa` here, or NULL when there is none. */
INTGOLD_API const char *intgold_isa_name(intgold_isa isa);

/* What intgold_prepare does first: the variant that runs for `isa`, ready to run, with AMX
 * permission requested where it needs that; INTGOLD_ISA_AUTO when there is none or it is
 * refused. */
INTGOLD_API intgold_isa intgold_acquire_isa(intgold_isa isa);

/* Version of the engine that is linked, such as "0.2.0", and its INTGOLD_ABI. */
INTGOLD_API const char *intgold_version(void);
INTGOLD_API int32_t intgold_abi(void);

/* A status in words, without a full stop; of another number "an unknown status". */
INTGOLD_API const char *intgold_status_text(intgold_status status);

/* Name and version of the compiler that built the engine. */
INTGOLD_API const char *intgold_compiler(void);

/* Bytes that intgold_prepare needs; of these, scratch is bounded by clause 6.3.  0 when it refuses
 * the model, or `isa`, whatever the buffer: its status says why.  (A model that only array entries
 * make illegal has a size.) */
INTGOLD_API size_t intgold_arena_size(const intgold_model *model, intgold_isa isa);

/* What op number `op` adds to an arena: bytes of packed weights, and of the scratch that it shares
 * with all others.  SIZE_MAX: more than fits; 0: no such op, an op that intgold_prepare refuses, or
 * no such variant. */
INTGOLD_API size_t intgold_packed_size(const intgold_model *model, intgold_isa isa, int32_t op);
INTGOLD_API size_t intgold_scratch_size(const intgold_model *model, intgold_isa isa, int32_t op);

/* Whether a model is legal: INTGOLD_OK, or what intgold_prepare says of it.  *op: number of the op
 * that is refused, or -1 where it is the model or nothing; NULL: not wanted.  Works in `buffer`
 * (any alignment), for which intgold_arena_size is enough; INTGOLD_ERROR_BUFFER_TOO_SMALL: it is
 * smaller.
 * Built with INTGOLD_NO_CHECK, the engine takes every model for legal. */
INTGOLD_API intgold_status intgold_check_model(const intgold_model *model, void *buffer,
                                               size_t size, int32_t *op);

/* Check the model, then pack its weights into `buffer` (any alignment), which stays in use, with
 * the model, as long as the context is.  *context is written on success only.  There is nothing to
 * free: a context ends when its buffer is used for something else, such as another model. */
INTGOLD_API intgold_status intgold_prepare(const intgold_model *model, intgold_isa isa,
                                           void *buffer, size_t size, intgold_context **context);

/* Run n images, 0 or more.  inputs, outputs: one buffer for n images per input and output of the
 * model, in its order, none of them NULL: n times model->tensors[model->inputs[i]].size values (of
 * outputs alike) of the tensor's dtype.  int32 buffers are aligned as int32_t, also in the trace.
 * trace: NULL, or where to keep what the ops make.  INTGOLD_ERROR_SIZE, and nothing is written,
 * where a buffer for n images would be larger than SIZE_MAX / 2.
 *
 * No buffer that is written (outputs, trace) may overlap another buffer, an input or the arena: ops
 * read inputs after the first outputs are written.  Inputs are only read and may overlap.  Neither
 * overlap nor alignment is checked. */
INTGOLD_API intgold_status intgold_run(intgold_context *context, int32_t n,
                                       const void *const *inputs, void *const *outputs,
                                       const intgold_trace *trace);

/* How many ops after op number `op` run together with it where there is no trace; -1: no such
 * op. */
INTGOLD_API int32_t intgold_fused_ops(const intgold_context *context, int32_t op);

#if !defined(INTGOLD_NO_DEPRECATED) /* older names, kept until version 0.3 */
#define INTGOLD_ERROR_KIND INTGOLD_ERROR_UNKNOWN_OP
#define INTGOLD_ERROR_MEMORY INTGOLD_ERROR_BUFFER_TOO_SMALL
#define intgold_accumulates intgold_has_accumulator
#define intgold_absorbed intgold_fused_ops
#endif

#ifdef __cplusplus
}
#endif

#endif
