/* Sizes next to 2^31 and 2^32: what intgold_arena_size says, and that nothing wraps.
 *
 * Prints `<op> <dims> <arena> <status>` for every case: the status of intgold_prepare with a buffer
 * that claims to be as large as size_t allows (arena 0), or one byte too small.  Neither may be
 * written.  Images that no model may have are ops by themselves: their scratch in place of an arena,
 * 0 where it does not fit, and the status that this would be.  Then it runs ops whose packed weights sum to more than int32 holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intgold.h"

static const int8_t no_zero_point[1] = {0}, some[1] = {0}; /* some: sizes read no array */
static const int8_t table[256] = {0};
static const int32_t words[1] = {0};
static const uint8_t bytes[1] = {1};
static const intgold_requantize same = {1, bytes, words, bytes, words};
static const int32_t inputs[1] = {0}, outputs[1] = {1};

/* A model of one op, or of the same op twice. */
typedef struct single {
    intgold_tensor tensors[3];
    intgold_op ops[2];
    intgold_model model;
} single;

static intgold_tensor tensor_of(int32_t size, int32_t dtype) {
    intgold_tensor made;
    made.name = "t";
    made.dtype = dtype;
    made.size = size;
    made.offset = -1;
    return made;
}

static void set(single *s, intgold_kind kind, const void *fields, int32_t in, int32_t out) {
    memset(s, 0, sizeof *s);
    s->tensors[0] = tensor_of(in, INTGOLD_INT8);
    s->tensors[1] = tensor_of(out, INTGOLD_INT32);
    s->ops[0].kind = (int32_t)kind;
    s->ops[0].fields = fields;
    s->ops[0].inputs = inputs;
    s->ops[0].output = 1;
    s->model.name = "single";
    s->model.n_tensors = 2;
    s->model.n_ops = s->model.n_inputs = s->model.n_outputs = 1;
    s->model.tensors = s->tensors;
    s->model.ops = s->ops;
    s->model.inputs = inputs;
    s->model.outputs = outputs;
}

static void report(const char *name, const single *s) {
    const size_t size = intgold_arena_size(&s->model, INTGOLD_ISA_PORTABLE);
    char *buffer = malloc(1);
    intgold_context *context = NULL;
    int status;
    if (!buffer) exit(2);
    buffer[0] = 'x';
    status = (int)intgold_prepare(&s->model, INTGOLD_ISA_PORTABLE, buffer,
                                  size ? size - 1 : (size_t)-1, &context);
    if (buffer[0] != 'x' || context) exit(3);
    printf("%s %llu %d\n", name, (unsigned long long)size, status);
    free(buffer);
}

static void convolution(int32_t channels, int32_t pad, int32_t kernel_h, int32_t out_c) {
    char name[80];
    intgold_conv2d op;
    single s;
    memset(&op, 0, sizeof op);
    op.in_h = op.in_w = op.kernel_w = op.out_h = 1;
    op.in_c = channels;
    op.out_c = out_c;
    op.kernel_h = kernel_h;
    op.stride_h = op.stride_w = op.dilation_h = op.dilation_w = 1;
    op.pad_left = op.pad_right = pad;
    op.pad_top = kernel_h - 1;
    op.out_w = 1 + 2 * pad;
    op.weight_zero_point_count = 1;
    op.weight_zero_point = no_zero_point;
    op.weights = some;
    op.bias = words;
    set(&s, INTGOLD_CONV2D, &op, channels, op.out_w * out_c);
    sprintf(name, "conv2d %d,%d,%d,%d", (int)channels, (int)pad, (int)kernel_h, (int)out_c);
    report(name, &s);
}

static void depthwise(int32_t channels, int32_t pad, int32_t kernel_h) {
    intgold_depthwise_conv2d op;
    size_t size;
    memset(&op, 0, sizeof op);
    op.in_h = kernel_h;
    op.in_w = op.kernel_w = op.out_h = 1;
    op.in_c = op.out_c = channels;
    op.kernel_h = kernel_h;
    op.stride_h = op.stride_w = op.dilation_h = op.dilation_w = 1;
    op.pad_left = op.pad_right = pad;
    op.out_w = 1 + 2 * pad;
    op.weight_zero_point_count = 1;
    op.weight_zero_point = no_zero_point;
    size = intgold_depthwise_conv2d_scratch_size(&op);
    if (size > (size_t)-1 / 2) size = 0;
    printf("depthwise_conv2d %d,%d,%d %llu %d\n", (int)channels, (int)pad, (int)kernel_h,
           (unsigned long long)size,
           (int)(size ? INTGOLD_ERROR_BUFFER_TOO_SMALL : INTGOLD_ERROR_SIZE));
}

static void fully_connected(int32_t in_c, int32_t out_c, int32_t activations) {
    char name[80];
    intgold_fully_connected op;
    single s;
    memset(&op, 0, sizeof op);
    op.in_c = in_c;
    op.out_c = out_c;
    op.weight_zero_point_count = 1;
    op.weight_zero_point = no_zero_point;
    op.weights = some;
    op.bias = words;
    set(&s, INTGOLD_FULLY_CONNECTED, &op, in_c, out_c);
    s.model.activations_size = activations;
    sprintf(name, "fully_connected %d,%d,%d", (int)in_c, (int)out_c, (int)activations);
    report(name, &s);
}

static void global_avg_pool(int32_t channels) {
    char name[80];
    intgold_global_avg_pool op;
    single s;
    memset(&op, 0, sizeof op);
    op.in_h = op.in_w = 1;
    op.in_c = channels;
    op.requantize = same;
    set(&s, INTGOLD_GLOBAL_AVG_POOL, &op, channels, channels);
    s.tensors[1].dtype = INTGOLD_INT8;
    sprintf(name, "global_avg_pool %d", (int)channels);
    report(name, &s);
}

/* Two luts or rescales, the tensor between them of `size` values at `offset` in `activations`
 * bytes of them. */
static void placed(int32_t size, int32_t dtype, int32_t offset, int32_t activations) {
    static const int32_t second[1] = {1}, last[1] = {2};
    char name[80];
    intgold_lut lut;
    intgold_rescale rescale;
    const int wide = dtype == INTGOLD_INT32;
    single s;
    int i;
    lut.count = rescale.rows = size;
    lut.table = table;
    rescale.depth = 1;
    rescale.requantize = same;
    set(&s, wide ? INTGOLD_RESCALE : INTGOLD_LUT, wide ? (const void *)&rescale : &lut, size, size);
    for (i = 0; i < 3; i++) s.tensors[i] = tensor_of(size, dtype);
    s.tensors[1].offset = offset;
    s.ops[1] = s.ops[0];
    s.ops[1].inputs = second;
    s.ops[1].output = 2;
    s.model.n_tensors = 3;
    s.model.n_ops = 2;
    s.model.outputs = last;
    s.model.activations_size = activations;
    sprintf(name, "placed %d,%d,%d,%d", (int)size, (int)dtype, (int)offset, (int)activations);
    report(name, &s);
}

static void sizes(void) {
    const int32_t big = 1 << 15;
    int32_t d, k;
    for (d = -2; d <= 2; d++) {
        for (k = 1; k <= 3; k += 2) {
            convolution(big / 2 + d, big, k, 1);
            convolution(big + d, big - 1, k, 2);
            convolution(2 * big + d, big, k, 1);
            depthwise(big / 4 + d, big, k);
            depthwise(big / 2 + d, big - 1, k);
            depthwise(big + d, big, k);
            depthwise(2 * big + d, big, k);
        }
        fully_connected(big, big / 2 + d, 0);
        fully_connected(big + d, big, 0);
        fully_connected(big, 2 * big + d, 0);
        fully_connected(1 << 24, 128 + 4 * d, 0);
        fully_connected((1 << 28) - 2 + d, 1, 0);
        fully_connected((1 << 28) - 2 + d, 3, 0);
        fully_connected(8, 8, INT32_MAX - 64 * (d + 2));
        fully_connected(4, 4, INT32_MAX - 4096 * (d + 2));
        depthwise((1 << 20) + d, 0, 512);
        depthwise((1 << 21) + d, 0, 512);
        global_avg_pool((1 << 24) - 2 + d);
    }
    convolution(33000, big, 1, 1);
    convolution(40000, big, 1, 1);
    placed(64, INTGOLD_INT8, 64, 128);
    placed(64, INTGOLD_INT8, 64, 127);
    placed(16, INTGOLD_INT32, 64, 128);
    placed(17, INTGOLD_INT32, 64, 128);
    placed(64, INTGOLD_INT8, 32, 128);
    placed(64, INTGOLD_INT8, -64, 128);
    placed(0, INTGOLD_INT8, 0, 128);
    placed(-1, INTGOLD_INT8, 0, 128);
    placed(64, INTGOLD_INT8, 0, -1);
    placed(1 << 28, INTGOLD_INT32, INT32_MAX - 63, INT32_MAX);
    placed(1 << 30, INTGOLD_INT32, 0, INT32_MAX);
}

static void *filled(size_t bytes, int value) {
    void *made = malloc(bytes);
    if (!made) exit(2);
    memset(made, value, bytes);
    return made;
}

/* 2^24 + 2^20 weights of 127, and of 127 + 128, on inputs at the zero point: acc is the bias. */
static int32_t large_sums(int kind, int32_t height, int32_t width, int8_t zero_point) {
    const size_t count = (size_t)height * (size_t)width;
    const int32_t bias[1] = {-12345};
    int8_t *x = filled(count, 7), *weights = filled(count, 127);
    int32_t acc = 0;
    intgold_depthwise_conv2d op;
    intgold_fully_connected dense;
    size_t need;
    void *scratch;
    memset(&op, 0, sizeof op);
    op.in_h = op.kernel_h = height;
    op.in_w = op.kernel_w = width;
    op.in_c = op.out_c = op.out_h = op.out_w = 1;
    op.stride_h = op.stride_w = op.dilation_h = op.dilation_w = 1;
    op.x_zero_point = 7;
    op.weight_zero_point_count = 1;
    op.weight_zero_point = &zero_point;
    op.weights = weights;
    op.bias = bias;
    memset(&dense, 0, sizeof dense);
    dense.in_c = height * width;
    dense.out_c = 1;
    dense.x_zero_point = 7;
    dense.weight_zero_point_count = 1;
    dense.weight_zero_point = &zero_point;
    dense.weights = weights;
    dense.bias = bias;
    need = kind ? intgold_depthwise_conv2d_scratch_size(&op)
                : intgold_fully_connected_scratch_size(&dense);
    scratch = filled(need, 0);
    if (kind)
        intgold_depthwise_conv2d_s8(&op, x, NULL, &acc, scratch);
    else
        intgold_fully_connected_s8(&dense, x, NULL, &acc, scratch);
    free(scratch);
    free(weights);
    free(x);
    return acc;
}

/* Counts of images whose buffers cannot exist: refused before anything is read. */
static void images(void) {
    static char values[1];
    const void *ins[1] = {values}, *no_input[1] = {NULL};
    void *outs[1] = {values}, *no_output[1] = {NULL};
    intgold_context *context;
    intgold_lut op;
    size_t size;
    void *arena;
    single s;
    op.count = 1 << 28;
    op.table = table;
    set(&s, INTGOLD_LUT, &op, 1 << 28, 1 << 28);
    s.tensors[1].dtype = INTGOLD_INT8;
    size = intgold_arena_size(&s.model, INTGOLD_ISA_PORTABLE);
    arena = filled(size, 0);
    if (intgold_prepare(&s.model, INTGOLD_ISA_PORTABLE, arena, size, &context)) exit(4);
    if (sizeof(size_t) == 4) {
        printf("images 8 0 %d\n", (int)intgold_run(context, 8, ins, outs, NULL));
        printf("images 16 0 %d\n", (int)intgold_run(context, 16, ins, outs, NULL));
        printf("images 2147483647 0 %d\n", (int)intgold_run(context, INT32_MAX, ins, outs, NULL));
    }
    printf("null 0 %d 0\n", (int)intgold_run(context, 1, no_input, outs, NULL));
    printf("null 1 %d 0\n", (int)intgold_run(context, 1, ins, no_output, NULL));
    free(arena);
}

int main(void) {
    sizes();
    images();
    printf("sums 0,0 %d 0\n", (int)large_sums(0, 4112, 4112, 0));
    printf("sums 1,0 %d 0\n", (int)large_sums(1, 4112, 4112, 0));
    printf("sums 0,-128 %d 0\n", (int)large_sums(0, 3000, 3000, -128));
    printf("sums 1,-128 %d 0\n", (int)large_sums(1, 3000, 3000, -128));
    return 0;
}
