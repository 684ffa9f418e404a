/* The engine, SPEC clause 6: runs a graph op by op, image by image, in a caller-owned arena.
 *
 * The arena, from its first 64-byte boundary: context, three tables, packed weights of every
 * op, activations (as planned in the model), scratch of the op that needs most. */
#include <string.h>

#include "fuse.h"

struct intgold_context {
    const intgold_model *model;
    const intgold_kernels *kernels;
    const void **tensors; /* where each tensor of the current image lies */
    const void **packed;  /* packed weights of each op, or NULL */
    intgold_fusion *fusions; /* of each op, for runs without a trace */
    char *activations;
    void *scratch;
};

/* In the order of enum intgold_kind. */
static const intgold_op_table *const tables[] = {
    &intgold_conv2d_table,     &intgold_depthwise_conv2d_table, &intgold_fully_connected_table,
    &intgold_lut_table,        &intgold_pwl_table,              &intgold_max_pool2d_table,
    &intgold_avg_pool2d_table, &intgold_global_avg_pool_table,  &intgold_add_table,
    &intgold_softmax_table,    &intgold_rescale_table,          &intgold_argmax_table,
    &intgold_mul_table,        &intgold_concat_table,           &intgold_pad_table,
    &intgold_reshape_table,    &intgold_softmax_float32_table,
};

enum { N_KINDS = sizeof tables / sizeof tables[0], BOUNDARY = 64 };

static const intgold_op_table *table_of(const intgold_op *op) { return tables[op->kind]; }

int32_t intgold_inputs_of(const intgold_op *op) { return table_of(op)->n_inputs; }

int intgold_accumulates(intgold_kind kind) {
    return (unsigned)kind < (unsigned)N_KINDS && tables[kind]->accumulates;
}

static int kinds_are_known(const intgold_model *model) {
    int32_t i;
    for (i = 0; i < model->n_ops; i++)
        if (model->ops[i].kind < 0 || model->ops[i].kind >= N_KINDS) return 0;
    return 1;
}

static size_t packed_size(const intgold_op *op, const intgold_kernels *kernels) {
    const intgold_op_table *table = table_of(op);
    return table->packed_size ? intgold_align(table->packed_size(op->fields, kernels)) : 0;
}

static size_t scratch_size(const intgold_model *model, const intgold_kernels *kernels) {
    size_t most = 0;
    int32_t i;
    for (i = 0; i < model->n_ops; i++) {
        const intgold_op_table *table = table_of(&model->ops[i]);
        const size_t size = table->work_size ? table->work_size(model->ops[i].fields, kernels) : 0;
        most = size > most ? size : most;
    }
    return intgold_align(most);
}

static size_t pointers_size(int32_t count) { return intgold_align((size_t)count * sizeof(void *)); }

static size_t fusions_size(int32_t count) {
    return intgold_align((size_t)count * sizeof(intgold_fusion));
}

size_t intgold_arena_size(const intgold_model *model, intgold_isa isa) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    size_t size = BOUNDARY + intgold_align(sizeof(intgold_context));
    int32_t i;
    if (!model || !kernels || !kinds_are_known(model)) return 0;
    size += pointers_size(model->n_tensors) + pointers_size(model->n_ops);
    size += fusions_size(model->n_ops);
    for (i = 0; i < model->n_ops; i++) size += packed_size(&model->ops[i], kernels);
    return size + intgold_align((size_t)model->activations_size) +
           scratch_size(model, kernels);
}

/* Pack the weights of every op at `at`; returns what lies behind them. */
static char *pack_all(intgold_context *context, char *at) {
    const intgold_model *model = context->model;
    int32_t i;
    for (i = 0; i < model->n_ops; i++) {
        const intgold_op_table *table = table_of(&model->ops[i]);
        context->packed[i] = table->pack ? at : NULL;
        if (table->pack) table->pack(model->ops[i].fields, context->kernels, at);
        at += packed_size(&model->ops[i], context->kernels);
    }
    return at;
}

intgold_status intgold_prepare(const intgold_model *model, intgold_isa isa, void *buffer,
                               size_t size, intgold_context **context) {
    intgold_context *made;
    char *at = buffer;
    int32_t i;
    if (!model || !buffer || !context) return INTGOLD_ERROR_ARGUMENT;
    if (!intgold_dispatch(isa)) return INTGOLD_ERROR_ISA;
    if (!kinds_are_known(model)) return INTGOLD_ERROR_KIND;
    if (size < intgold_arena_size(model, isa)) return INTGOLD_ERROR_MEMORY;

    at += (BOUNDARY - (uintptr_t)at % BOUNDARY) % BOUNDARY;
    made = (intgold_context *)(void *)at;
    at += intgold_align(sizeof *made);
    made->model = model;
    made->kernels = intgold_dispatch(isa);
    made->tensors = (const void **)(void *)at;
    at += pointers_size(model->n_tensors);
    made->packed = (const void **)(void *)at;
    at += pointers_size(model->n_ops);
    made->fusions = (intgold_fusion *)(void *)at;
    at += fusions_size(model->n_ops);
    made->activations = at = pack_all(made, at);
    made->scratch = at + intgold_align((size_t)model->activations_size);
    for (i = 0; i < model->n_ops; i++)
        made->fusions[i] = intgold_fuse(model, i, made->kernels, made->packed);
    *context = made;
    return INTGOLD_OK;
}

static size_t bytes_of(const intgold_tensor *tensor) {
    return (size_t)tensor->size * (tensor->dtype == INTGOLD_INT32 ? sizeof(int32_t) : 1);
}

/* The place of image i in the caller's buffer for `tensor`. */
static void *slot(void *buffer, const intgold_tensor *tensor, int32_t i) {
    return (char *)buffer + (size_t)i * bytes_of(tensor);
}

/* The caller's buffer for tensor t among the outputs of the model, or NULL. */
static void *output_buffer(const intgold_model *model, void *const *outputs, int32_t t) {
    int32_t i;
    for (i = 0; i < model->n_outputs; i++)
        if (model->outputs[i] == t) return outputs[i];
    return NULL;
}

/* Run op `index` with what it absorbs; returns the index of the last op that is done. */
static int32_t run_op(intgold_context *context, int32_t index, int32_t image, void *const *outputs,
                      const intgold_trace *trace) {
    const intgold_model *model = context->model;
    const intgold_op *op = &model->ops[index];
    const intgold_op_table *table = table_of(op);
    const intgold_fusion none = {0, 0, NULL};
    const intgold_fusion fusion = trace ? none : context->fusions[index];
    const int32_t last = index + fusion.absorbed, target = model->ops[last].output;
    const intgold_tensor *made = &model->tensors[target];
    void *const output = output_buffer(model, outputs, target);
    void *const traced = trace && trace->outputs ? trace->outputs[index] : NULL;
    int32_t *acc = trace && trace->accumulators ? trace->accumulators[index] : NULL;
    /* Without requantize the accumulators are the output. */
    const int bare = table->accumulates && made->dtype == INTGOLD_INT32;
    const void *inputs[INTGOLD_MAX_INPUTS];
    void *y;
    intgold_call call;
    int32_t i;

    for (i = 0; i < table->n_inputs; i++) inputs[i] = context->tensors[op->inputs[i]];
    if (acc) acc += (size_t)image * (size_t)made->size;
    y = output   ? slot(output, made, image)
        : traced ? slot(traced, made, image)
                 : (void *)(context->activations + made->offset);
    context->tensors[target] = y;

    call.fields = op->fields;
    call.kernels = context->kernels;
    call.packed = context->packed[index];
    call.inputs = inputs;
    call.output = bare ? NULL : y;
    call.acc = bare ? y : acc;
    call.scratch = context->scratch;
    call.table = fusion.table;
    call.pooled = fusion.pooled;
    table->run(&call);

    if (output && traced) memcpy(slot(traced, made, image), y, bytes_of(made));
    if (bare && acc) memcpy(acc, y, bytes_of(made));
    return last;
}

intgold_status intgold_run(intgold_context *context, int32_t n, const void *const *inputs,
                           void *const *outputs, const intgold_trace *trace) {
    const intgold_model *model;
    int32_t image, i;
    if (!context || !inputs || !outputs || n < 0) return INTGOLD_ERROR_ARGUMENT;
    model = context->model;
    for (image = 0; image < n; image++) {
        for (i = 0; i < model->n_inputs; i++) {
            const intgold_tensor *tensor = &model->tensors[model->inputs[i]];
            context->tensors[model->inputs[i]] =
                (const char *)inputs[i] + (size_t)image * bytes_of(tensor);
        }
        for (i = 0; i < model->n_ops; i++) i = run_op(context, i, image, outputs, trace);
    }
    return INTGOLD_OK;
}

int32_t intgold_absorbed(const intgold_context *context, int32_t op) {
    if (!context || op < 0 || op >= context->model->n_ops) return -1;
    return context->fusions[op].absorbed;
}
