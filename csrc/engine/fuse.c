/* Which ops run together: a conv2d with the lut or pwl after it, and with the max_pool2d after
 * that.  The same integers come out; only tensors that nobody asked for are never written. */
#include "engine/fuse.h"

#include "engine/op_tables.h"

enum { TABLE_OPS = 1, POOL_OPS = 1 };

/* Where tensors lie is planned for as many (intgold.native.lowering): this does not compile for others. */
typedef char intgold_max_fused_is_right[TABLE_OPS + POOL_OPS == INTGOLD_MAX_FUSED ? 1 : -1];

/* How often op i's output is read, by ops or by the caller. */
static int32_t readers(const intgold_model *model, int32_t tensor) {
    int32_t count = 0, i, k;
    for (i = 0; i < model->n_ops; i++)
        for (k = 0; k < intgold_inputs_of(&model->ops[i]); k++)
            count += model->ops[i].inputs[k] == tensor;
    for (i = 0; i < model->n_outputs; i++) count += model->outputs[i] == tensor;
    return count;
}

/* Whether the next op reads op i's output and nobody else does. */
static int feeds_next(const intgold_model *model, int32_t i) {
    const int32_t made = model->ops[i].output;
    return i + 1 < model->n_ops && intgold_inputs_of(&model->ops[i + 1]) == 1 &&
           model->ops[i + 1].inputs[0] == made && readers(model, made) == 1;
}

static const int8_t *table_of(const intgold_op *op, const void *packed) {
    if (op->kind == INTGOLD_LUT) return ((const intgold_lut *)op->fields)->table;
    return (const int8_t *)(op->kind == INTGOLD_PWL ? packed : NULL);
}

static int rises(const int8_t *table) {
    int32_t i;
    for (i = 1; table && i < 256; i++)
        if (table[i] < table[i - 1]) return 0;
    return 1;
}

/* 2x2 with stride 2, nothing padded or clamped: the maximum of four neighbours. */
static int is_2x2(const intgold_op *op) {
    const intgold_max_pool2d *pool = (const intgold_max_pool2d *)op->fields;
    return op->kind == INTGOLD_MAX_POOL2D && pool->kernel_h == 2 && pool->kernel_w == 2 &&
           pool->stride_h == 2 && pool->stride_w == 2 && pool->pad_top == 0 &&
           pool->pad_bottom == 0 && pool->pad_left == 0 && pool->pad_right == 0 &&
           pool->act_min == -128 && pool->act_max == 127;
}

/* Models made by hand may give the last output the memory of the first input. */
static int fuse_overlap(const intgold_model *model, int32_t a, int32_t b) {
    const intgold_tensor *x = &model->tensors[a], *y = &model->tensors[b];
    if (x->offset < 0 || y->offset < 0) return 0;
    return x->offset < y->offset + y->size && y->offset < x->offset + x->size;
}

intgold_fusion intgold_fuse(const intgold_model *model, int32_t i, const intgold_kernels *kernels,
                            const void *const *packed) {
    const intgold_op *op = &model->ops[i];
    const intgold_conv2d *conv = (const intgold_conv2d *)op->fields;
    intgold_fusion none = {0, 0, NULL}, found = {0, 0, NULL};
    if (op->kind != INTGOLD_CONV2D || conv->requantize.count == 0) return none;
    if (feeds_next(model, i)) {
        found.table = table_of(&model->ops[i + 1], packed[i + 1]);
        found.fused_ops = found.table ? TABLE_OPS : 0;
    }
    /* A pool may come before what never falls: every form of requantize with a multiplier >= 0,
     * and a table that rises. */
    if (feeds_next(model, i + found.fused_ops) && is_2x2(&model->ops[i + found.fused_ops + 1]) &&
        rises(found.table) && intgold_conv2d_pools(conv, kernels)) {
        found.pooled = 1;
        found.fused_ops += POOL_OPS;
    }
    return fuse_overlap(model, op->inputs[0], model->ops[i + found.fused_ops].output) ? none
                                                                                      : found;
}
