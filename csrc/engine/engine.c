/* The engine, SPEC clause 6: runs a graph op by op, image by image, in a caller-owned arena.
 *
 * The arena, from its first 64-byte boundary: context, three tables, packed weights of every
 * op, activations (as planned in the model), scratch of the op that needs most. */
#include <string.h>

#include "engine/dispatch.h"
#include "engine/fuse.h"
#include "engine/op_tables.h"
#include "engine/validate.h"

struct intgold_context {
    const intgold_model *model;
    const intgold_kernels *kernels;
    const void **tensors; /* where each tensor of the current image lies */
    const void **packed;  /* packed weights of each op, or NULL */
    intgold_fusion *fusions; /* of each op, for runs without a trace */
    char *activations;
    void *scratch;
    size_t widest_end, widest_made; /* bytes an image: of an input or output, of an op's output */
};

enum { BOUNDARY = 64 };

static size_t engine_greater(size_t a, size_t b) { return a > b ? a : b; }

static size_t engine_bytes_of(const intgold_tensor *tensor) {
    return intgold_times((size_t)tensor->size,
                         tensor->dtype == INTGOLD_INT32 ? sizeof(int32_t) : 1);
}

static size_t engine_packed_size(const intgold_op *op, const intgold_kernels *kernels) {
    const intgold_op_table *table = intgold_op_table_of(op->kind);
    return table->packed_size ? intgold_align(table->packed_size(op->fields, kernels)) : 0;
}

static size_t scratch_size(const intgold_op *op, const intgold_kernels *kernels) {
    const intgold_op_table *table = intgold_op_table_of(op->kind);
    return table->work_size ? intgold_align(table->work_size(op->fields, kernels)) : 0;
}

static size_t pointers_size(int32_t count) {
    return intgold_align(intgold_times((size_t)count, sizeof(void *)));
}

static size_t fusions_size(int32_t count) {
    return intgold_align(intgold_times((size_t)count, sizeof(intgold_fusion)));
}

/* What a check works in.  No more than the tables: a pointer and a fusion per op are larger. */
static size_t ranges_size(const intgold_model *model) {
    return intgold_times((size_t)model->n_ops, sizeof(intgold_range));
}

/* What lies before the packed weights. */
static size_t tables_size(const intgold_model *model) {
    size_t size = intgold_align(sizeof(intgold_context));
    size = intgold_plus(size, pointers_size(model->n_tensors));
    size = intgold_plus(size, pointers_size(model->n_ops));
    return intgold_plus(size, fusions_size(model->n_ops));
}

/* Bytes of the arena, any number where it does not fit. */
static size_t whole_size(const intgold_model *model, const intgold_kernels *kernels) {
    size_t size = intgold_plus(BOUNDARY, tables_size(model)), scratch = 0;
    int32_t i;
    for (i = 0; i < model->n_ops; i++) {
        size = intgold_plus(size, engine_packed_size(&model->ops[i], kernels));
        scratch = engine_greater(scratch, scratch_size(&model->ops[i], kernels));
    }
    size = intgold_plus(size, intgold_align((size_t)model->activations_size));
    return intgold_plus(size, scratch);
}

size_t intgold_arena_size(const intgold_model *model, intgold_isa isa) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    const intgold_kernels *refused = intgold_dispatch_without_tiles(isa);
    size_t size;
    int32_t op;
    if (!model || !kernels || intgold_check_structure(model, &op)) return 0;
    size = whole_size(model, kernels);
    if (refused && refused != kernels) size = engine_greater(size, whole_size(model, refused));
    return intgold_fits(size) ? size : 0;
}

/* Whether there are such an op, as it may be, and kernels for it. */
static int has_op(const intgold_model *model, const intgold_kernels *kernels, int32_t op) {
    return model && kernels && !intgold_check_op(model, op);
}

size_t intgold_packed_size(const intgold_model *model, intgold_isa isa, int32_t op) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    return has_op(model, kernels, op) ? engine_packed_size(&model->ops[op], kernels) : 0;
}

size_t intgold_scratch_size(const intgold_model *model, intgold_isa isa, int32_t op) {
    const intgold_kernels *kernels = intgold_dispatch(isa);
    return has_op(model, kernels, op) ? scratch_size(&model->ops[op], kernels) : 0;
}

/* How wide the buffers of an image are: for counts of images that size_t holds. */
static void measure(intgold_context *context) {
    const intgold_model *model = context->model;
    int32_t i;
    context->widest_end = context->widest_made = 0;
    for (i = 0; i < model->n_inputs; i++)
        context->widest_end = engine_greater(context->widest_end,
                                             engine_bytes_of(&model->tensors[model->inputs[i]]));
    for (i = 0; i < model->n_outputs; i++)
        context->widest_end = engine_greater(context->widest_end,
                                             engine_bytes_of(&model->tensors[model->outputs[i]]));
    for (i = 0; i < model->n_ops; i++) /* accumulators have four bytes whatever the output has */
        context->widest_made =
            engine_greater(context->widest_made,
                           intgold_times((size_t)model->tensors[model->ops[i].output].size, 4));
}

/* Pack the weights of every op at `at`; returns what follows them. */
static char *pack_all(intgold_context *context, char *at) {
    const intgold_model *model = context->model;
    int32_t i;
    for (i = 0; i < model->n_ops; i++) {
        const intgold_op_table *table = intgold_op_table_of(model->ops[i].kind);
        context->packed[i] = table->pack ? at : NULL;
        if (table->pack) table->pack(model->ops[i].fields, context->kernels, at);
        at += engine_packed_size(&model->ops[i], context->kernels);
    }
    return at;
}

/* The next boundary in a buffer. */
static char *engine_aligned(void *buffer) {
    char *at = (char *)buffer;
    return at + (BOUNDARY - (uintptr_t)at % BOUNDARY) % BOUNDARY;
}

intgold_status intgold_check_model(const intgold_model *model, void *buffer, size_t size,
                                   int32_t *op) {
    intgold_status found;
    int32_t refused = -1;
    if (!model || !buffer) return INTGOLD_ERROR_ARGUMENT;
    found = intgold_check_structure(model, &refused);
    if (!found && intgold_plus(BOUNDARY, ranges_size(model)) > size)
        return INTGOLD_ERROR_BUFFER_TOO_SMALL;
    if (!found)
        found = intgold_check_values(model, (intgold_range *)(void *)engine_aligned(buffer),
                                     &refused);
    if (op) *op = refused;
    return found;
}

intgold_status intgold_prepare(const intgold_model *model, intgold_isa isa, void *buffer,
                               size_t size, intgold_context **context) {
    const intgold_kernels *kernels;
    intgold_context *made;
    intgold_status found;
    size_t need;
    char *at;
    int32_t i;
    if (!model || !buffer || !context) return INTGOLD_ERROR_ARGUMENT;
    isa = intgold_acquire_isa(isa);
    if (isa == INTGOLD_ISA_AUTO) return INTGOLD_ERROR_ISA;
    found = intgold_check_structure(model, &i);
    if (found) return found;
    kernels = intgold_dispatch(isa);
    need = whole_size(model, kernels);
    if (!intgold_fits(need)) return INTGOLD_ERROR_SIZE;
    if (size < need) return INTGOLD_ERROR_BUFFER_TOO_SMALL;
    found = intgold_check_values(model, (intgold_range *)(void *)engine_aligned(buffer), &i);
    if (found) return found;

    at = engine_aligned(buffer);
    made = (intgold_context *)(void *)at;
    at += intgold_align(sizeof *made);
    made->model = model;
    made->kernels = kernels;
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
    measure(made);
    *context = made;
    return INTGOLD_OK;
}

/* The place of image i in the caller's buffer for `tensor`. */
static void *slot(void *buffer, const intgold_tensor *tensor, int32_t i) {
    return (char *)buffer + (size_t)i * engine_bytes_of(tensor);
}

/* The caller's buffer for tensor t among the outputs of the model, or NULL. */
static void *output_buffer(const intgold_model *model, void *const *outputs, int32_t t) {
    int32_t i;
    for (i = 0; i < model->n_outputs; i++)
        if (model->outputs[i] == t) return outputs[i];
    return NULL;
}

/* Run op `index` with the ops that are fused to it; returns the index of the last op that is done. */
static int32_t run_op(intgold_context *context, int32_t index, int32_t image, void *const *outputs,
                      const intgold_trace *trace) {
    const intgold_model *model = context->model;
    const intgold_op *op = &model->ops[index];
    const intgold_op_table *table = intgold_op_table_of(op->kind);
    const intgold_fusion none = {0, 0, NULL};
    const intgold_fusion fusion = trace ? none : context->fusions[index];
    const int32_t last = index + fusion.fused_ops, target = model->ops[last].output;
    const intgold_tensor *made = &model->tensors[target];
    void *const output = output_buffer(model, outputs, target);
    void *const traced = trace && trace->outputs ? trace->outputs[index] : NULL;
    int32_t *acc = trace && trace->accumulators ? trace->accumulators[index] : NULL;
    /* Without requantize the accumulators are the output. */
    const int bare = table->has_accumulator && made->dtype == INTGOLD_INT32;
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
    call.x_dtype = model->tensors[op->inputs[0]].dtype;
    call.output = bare ? NULL : y;
    call.acc = (int32_t *)(bare ? y : acc);
    call.scratch = context->scratch;
    call.table = fusion.table;
    call.pooled = fusion.pooled;
    table->run(&call);

    if (output && traced) memcpy(slot(traced, made, image), y, engine_bytes_of(made));
    if (bare && acc) memcpy(acc, y, engine_bytes_of(made));
    return last;
}

/* Whether buffers for n images can exist. */
static int images_fit(const intgold_context *context, int32_t n, const intgold_trace *trace) {
    const size_t widest =
        trace ? engine_greater(context->widest_end, context->widest_made) : context->widest_end;
    return intgold_fits(intgold_times((size_t)n, widest));
}

static int buffers_are_given(const intgold_model *model, const void *const *inputs,
                             void *const *outputs) {
    int32_t i;
    for (i = 0; i < model->n_inputs; i++)
        if (!inputs[i]) return 0;
    for (i = 0; i < model->n_outputs; i++)
        if (!outputs[i]) return 0;
    return 1;
}

intgold_status intgold_run(intgold_context *context, int32_t n, const void *const *inputs,
                           void *const *outputs, const intgold_trace *trace) {
    const intgold_model *model;
    int32_t image, i;
    if (!context || !inputs || !outputs || n < 0) return INTGOLD_ERROR_ARGUMENT;
    if (!buffers_are_given(context->model, inputs, outputs)) return INTGOLD_ERROR_ARGUMENT;
    if (!images_fit(context, n, trace)) return INTGOLD_ERROR_SIZE;
    model = context->model;
    for (image = 0; image < n; image++) {
        for (i = 0; i < model->n_inputs; i++) {
            const intgold_tensor *tensor = &model->tensors[model->inputs[i]];
            context->tensors[model->inputs[i]] =
                (const char *)inputs[i] + (size_t)image * engine_bytes_of(tensor);
        }
        for (i = 0; i < model->n_ops; i++) i = run_op(context, i, image, outputs, trace);
    }
    return INTGOLD_OK;
}

int32_t intgold_fused_ops(const intgold_context *context, int32_t op) {
    if (!context || op < 0 || op >= context->model->n_ops) return -1;
    return context->fusions[op].fused_ops;
}
