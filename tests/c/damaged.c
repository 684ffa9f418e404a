/* Damages compiled-in models at random: each is refused with a status, or runs.
 *
 *     damaged COUNT SEED
 *
 * A damage overwrites numbers of the model, its tensors, ops and structures, entries of arrays, and
 * pointers by NULL.  Every array has exactly as many entries as the damaged model states, in memory
 * of its own, so that the sanitizers see a read or write beyond it.  What is accepted runs by the
 * portable kernels and the fastest ones, traced and not, and gives the same bits.  Prints
 * `<status> <models>` for each status that was seen, and `ran <models>`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intgold.h"

extern const intgold_model *const intgold_models[];

enum {
    MOST_ARRAYS = 16,
    MOST_LISTED = 64,       /* tensors, ops, inputs or outputs that a damaged count may state */
    MOST_ENTRIES = 1 << 20, /* of an array; more are not made */
    MOST_WORK = 1 << 23,    /* products and values of a run */
    N_STATUSES = 32
};

/* ---- Random numbers and memory. ---- */

static uint64_t state;

static uint32_t draw(void) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32);
}

static uint32_t below(uint32_t n) { return draw() % n; }

static void *kept[4096];
static int n_kept;

/* Exactly `bytes` bytes, until drop_all(). */
static void *keep(size_t bytes) {
    void *made = malloc(bytes ? bytes : 1);
    if (!made || n_kept == (int)(sizeof kept / sizeof *kept)) {
        fprintf(stderr, "damaged: out of memory\n");
        exit(2);
    }
    kept[n_kept++] = made;
    return made;
}

static void *copy_of(const void *from, size_t bytes) { return memcpy(keep(bytes), from, bytes); }

static void drop_all(void) {
    while (n_kept) free(kept[--n_kept]);
}

/* ---- The arrays of an op. ---- */

static const size_t size_of[] = {sizeof(intgold_conv2d),
                                 sizeof(intgold_depthwise_conv2d),
                                 sizeof(intgold_fully_connected),
                                 sizeof(intgold_lut),
                                 sizeof(intgold_pwl),
                                 sizeof(intgold_max_pool2d),
                                 sizeof(intgold_avg_pool2d),
                                 sizeof(intgold_global_avg_pool),
                                 sizeof(intgold_add),
                                 sizeof(intgold_softmax),
                                 sizeof(intgold_rescale),
                                 sizeof(intgold_argmax),
                                 sizeof(intgold_mul),
                                 sizeof(intgold_concat),
                                 sizeof(intgold_pad),
                                 sizeof(intgold_reshape),
                                 sizeof(intgold_softmax_float32),
                                 sizeof(intgold_strided_copy),
                                 sizeof(intgold_gather),
                                 sizeof(intgold_transpose_conv2d),
                                 sizeof(intgold_resize_bilinear),
                                 sizeof(intgold_maximum),
                                 sizeof(intgold_minimum),
                                 sizeof(intgold_lut2d),
                                 sizeof(intgold_matmul),
                                 sizeof(intgold_log_softmax),
                                 sizeof(intgold_log_softmax_float32)};

enum { N_KINDS = sizeof size_of / sizeof *size_of };

typedef struct array {
    const void **at; /* the pointer */
    size_t entry; /* bytes of one */
    int64_t count; /* as the structure states; beyond MOST_ENTRIES: more than that */
} array;

typedef struct arrays {
    array of[MOST_ARRAYS];
    int n;
} arrays;

static int64_t times(int64_t a, int64_t b) {
    if (a <= 0 || b <= 0) return 0;
    return a > MOST_ENTRIES / b ? MOST_ENTRIES + 1 : a * b;
}

static void list(arrays *all, const void *pointer, size_t entry, int64_t count) {
    array *made = &all->of[all->n++];
    made->at = (const void **)(uintptr_t)pointer;
    made->entry = entry;
    made->count = count < 0 ? 0 : count;
}

static void list_entries(arrays *all, const intgold_requantize *by) {
    list(all, &by->form, 1, by->count);
    list(all, &by->multiplier, 4, by->count);
    list(all, &by->right_shift, 1, by->count);
    list(all, &by->multiplier_low, 4, by->count);
}

static void list_weights(arrays *all, const int8_t *const *weights, int64_t count,
                         const int8_t *const *zero_point, int32_t zero_points,
                         const int32_t *const *bias, int32_t out_c,
                         const intgold_requantize *requantize) {
    list(all, weights, 1, count);
    list(all, zero_point, 1, zero_points);
    list(all, bias, 4, out_c);
    list_entries(all, requantize);
}

static arrays arrays_of(int32_t kind, const void *fields) {
    arrays all;
    all.n = 0;
    if (kind == INTGOLD_CONV2D) {
        const intgold_conv2d *op = fields;
        const int64_t window = times(op->kernel_h, op->kernel_w);
        list_weights(&all, &op->weights, times(times(window, op->in_c), op->out_c),
                     &op->weight_zero_point, op->weight_zero_point_count, &op->bias, op->out_c,
                     &op->requantize);
    } else if (kind == INTGOLD_DEPTHWISE_CONV2D) {
        const intgold_depthwise_conv2d *op = fields;
        list_weights(&all, &op->weights, times(times(op->kernel_h, op->kernel_w), op->out_c),
                     &op->weight_zero_point, op->weight_zero_point_count, &op->bias, op->out_c,
                     &op->requantize);
    } else if (kind == INTGOLD_TRANSPOSE_CONV2D) {
        const intgold_transpose_conv2d *op = fields;
        const int64_t window = times(op->kernel_h, op->kernel_w);
        list_weights(&all, &op->weights, times(times(window, op->in_c), op->out_c),
                     &op->weight_zero_point, op->weight_zero_point_count, &op->bias, op->out_c,
                     &op->requantize);
    } else if (kind == INTGOLD_FULLY_CONNECTED) {
        const intgold_fully_connected *op = fields;
        list_weights(&all, &op->weights, times(op->in_c, op->out_c), &op->weight_zero_point,
                     op->weight_zero_point_count, &op->bias, op->out_c, &op->requantize);
    } else if (kind == INTGOLD_LUT) {
        list(&all, &((const intgold_lut *)fields)->table, 1, 256);
    } else if (kind == INTGOLD_PWL) {
        const intgold_pwl *op = fields;
        list(&all, &op->breakpoints, 1, op->segments);
        list(&all, &op->slope, 2, op->segments);
        list(&all, &op->offset, 4, op->segments);
    } else if (kind == INTGOLD_GLOBAL_AVG_POOL) {
        list_entries(&all, &((const intgold_global_avg_pool *)fields)->requantize);
    } else if (kind == INTGOLD_ADD) {
        list_entries(&all, &((const intgold_add *)fields)->requantize1);
        list_entries(&all, &((const intgold_add *)fields)->requantize2);
        list_entries(&all, &((const intgold_add *)fields)->requantize);
    } else if (kind == INTGOLD_RESCALE) {
        list_entries(&all, &((const intgold_rescale *)fields)->requantize);
    } else if (kind == INTGOLD_MUL) {
        list_entries(&all, &((const intgold_mul *)fields)->requantize);
    } else if (kind == INTGOLD_RESIZE_BILINEAR) {
        const intgold_resize_bilinear *op = fields;
        list(&all, &op->row0, 4, op->out_h);
        list(&all, &op->row1, 4, op->out_h);
        list(&all, &op->row_weight, 2, op->out_h);
        list(&all, &op->column0, 4, op->out_w);
        list(&all, &op->column1, 4, op->out_w);
        list(&all, &op->column_weight, 2, op->out_w);
    } else if (kind == INTGOLD_SOFTMAX_FLOAT32) {
        list(&all, &((const intgold_softmax_float32 *)fields)->table, 4, 256);
    } else if (kind == INTGOLD_LOG_SOFTMAX_FLOAT32) {
        list(&all, &((const intgold_log_softmax_float32 *)fields)->table, 4, 256);
    } else if (kind == INTGOLD_LUT2D) {
        list(&all, &((const intgold_lut2d *)fields)->table, 1, 65536);
    } else if (kind == INTGOLD_MATMUL) {
        const intgold_matmul *op = fields;
        list(&all, &op->bias, 4, op->columns);
        list_entries(&all, &op->requantize);
    } else if (kind == INTGOLD_GATHER) {
        list(&all, &((const intgold_gather *)fields)->indices, 4,
             ((const intgold_gather *)fields)->out_extent);
    }
    return all;
}

static int is_known(int32_t kind) { return kind >= 0 && kind < N_KINDS; }

static int inputs_of(int32_t kind) {
    return kind == INTGOLD_ADD || kind == INTGOLD_MUL || kind == INTGOLD_CONCAT ||
                   kind == INTGOLD_MAXIMUM || kind == INTGOLD_MINIMUM ||
                   kind == INTGOLD_LUT2D || kind == INTGOLD_MATMUL
               ? 2
               : 1;
}

/* ---- A copy that can be damaged. ---- */

typedef struct victim {
    intgold_model model;
    const intgold_model *original;
    int too_long; /* 1: an array is stated that is not made */
} victim;

static intgold_op *op_of(const victim *v, int32_t i) { return (intgold_op *)v->model.ops + i; }

static intgold_tensor *tensor_of(const victim *v, int32_t i) {
    return (intgold_tensor *)v->model.tensors + i;
}

static void copy_model(victim *v, const intgold_model *from) {
    int32_t i;
    v->model = *from;
    v->original = from;
    v->too_long = 0;
    v->model.tensors = copy_of(from->tensors, (size_t)from->n_tensors * sizeof *from->tensors);
    v->model.ops = copy_of(from->ops, (size_t)from->n_ops * sizeof *from->ops);
    v->model.inputs = copy_of(from->inputs, (size_t)from->n_inputs * sizeof *from->inputs);
    v->model.outputs = copy_of(from->outputs, (size_t)from->n_outputs * sizeof *from->outputs);
    for (i = 0; i < from->n_ops; i++) {
        const intgold_op *op = &from->ops[i];
        op_of(v, i)->fields = copy_of(op->fields, size_of[op->kind]);
        op_of(v, i)->inputs = copy_of(op->inputs, (size_t)inputs_of(op->kind) * sizeof(int32_t));
    }
}

/* A list of the stated length, its entries repeated. */
static void *relisted(const void *from, size_t entry, int32_t had, int32_t stated) {
    char *made;
    int32_t i;
    if (!from || stated == had || stated < 1 || stated > MOST_LISTED)
        return (void *)(uintptr_t)from;
    made = keep((size_t)stated * entry);
    for (i = 0; i < stated; i++)
        memcpy(made + (size_t)i * entry, (const char *)from + (size_t)(i % had) * entry, entry);
    return made;
}

/* An array of `count` entries: what the original op has, repeated, or random bytes. */
static void *entries(const array *of, const array *original) {
    char *made = keep((size_t)of->count * of->entry);
    size_t i, bytes = (size_t)of->count * of->entry;
    const size_t had = original ? (size_t)original->count * original->entry : 0;
    for (i = 0; i < bytes; i++)
        made[i] = had ? ((const char *)*original->at)[i % had] : (char)draw();
    return made;
}

/* Give every array of an op its stated length. */
static void make_arrays(victim *v, int32_t i) {
    const intgold_op *op = &v->model.ops[i], *from = NULL;
    arrays own, had;
    int k;
    if (!op->fields || !is_known(op->kind)) return;
    if (i < v->original->n_ops && v->original->ops[i].kind == op->kind)
        from = &v->original->ops[i];
    own = arrays_of(op->kind, op->fields);
    had.n = 0;
    if (from) had = arrays_of(from->kind, from->fields);
    for (k = 0; k < own.n; k++) {
        if (own.of[k].count > MOST_ENTRIES) own.of[k].count = 1, v->too_long = 1;
        if (from && !*own.of[k].at && had.of[k].count) continue; /* NULL is a damage */
        *own.of[k].at = entries(&own.of[k], from ? &had.of[k] : NULL);
    }
}

/* ---- Damages. ---- */

static int32_t number(int32_t old) {
    static const int32_t ends[] = {0,         1,         -1,      2,       3,       4,      7,
                                   8,         16,        31,      32,      62,      63,     64,
                                   127,       128,       255,     256,     -128,    -129,   -64,
                                   INT32_MAX, INT32_MIN, 1 << 15, 1 << 24, 1 << 28, 1 << 30};
    switch (below(6)) {
    case 0: return (int32_t)((uint32_t)old + 1);
    case 1: return (int32_t)((uint32_t)old - 1);
    case 2: return (int32_t)draw();
    case 3: return (int32_t)below(20);
    default: return ends[below(sizeof ends / sizeof *ends)];
    }
}

static void change(int32_t *value) { *value = number(*value); }

/* A number of a structure, whatever lies there but a pointer. */
static void change_member(int32_t kind, void *fields) {
    const arrays all = arrays_of(kind, fields);
    const size_t at = below((uint32_t)(size_of[kind] / 4)) * 4;
    int32_t value;
    int k;
    for (k = 0; k < all.n; k++) {
        const size_t pointer = (size_t)((const char *)all.of[k].at - (const char *)fields);
        if (at >= pointer && at < pointer + sizeof(void *)) return;
    }
    memcpy(&value, (char *)fields + at, sizeof value);
    change(&value);
    memcpy((char *)fields + at, &value, sizeof value);
}

/* An entry of an array that is there. */
static void change_entry(int32_t kind, const void *fields) {
    const arrays all = arrays_of(kind, fields);
    const array *of;
    char *at;
    int32_t wide;
    if (!all.n) return;
    of = &all.of[below((uint32_t)all.n)];
    if (!*of->at || of->count < 1 || of->count > MOST_ENTRIES) return;
    at = (char *)(uintptr_t)*of->at + below((uint32_t)of->count) * of->entry;
    memcpy(&wide, at, of->entry < 4 ? of->entry : 4);
    wide = number(of->entry == 4 ? wide : *at);
    memcpy(at, &wide, of->entry);
}

static void change_kind(intgold_op *op) {
    char *fields;
    size_t i;
    const size_t had = is_known(op->kind) && op->fields ? size_of[op->kind] : 0;
    change(&op->kind);
    if (!is_known(op->kind)) return;
    fields = keep(size_of[op->kind]);
    for (i = 0; i < size_of[op->kind]; i++)
        fields[i] = i < had ? ((const char *)op->fields)[i] : (char)0;
    op->fields = fields;
    if (inputs_of(op->kind) == 2) op->inputs = relisted(op->inputs, sizeof(int32_t), 1, 2);
}

/* The tensors of an op as large as it states: what a check of only sizes lets pass. */
static void fit_tensors(victim *v, const intgold_op *op) {
    const int32_t n = v->original->n_tensors, x = op->inputs ? op->inputs[0] : -1;
    int32_t e[6] = {0, 0, 0, 0, 0, 0};
    if (!is_known(op->kind) || !op->fields || x < 0 || x >= n) return;
    if (op->output < 0 || op->output >= n) return;
    memcpy(e, op->fields, size_of[op->kind] < sizeof e ? size_of[op->kind] : sizeof e);
    if (op->kind <= INTGOLD_DEPTHWISE_CONV2D || op->kind == INTGOLD_MAX_POOL2D ||
        op->kind == INTGOLD_AVG_POOL2D || op->kind == INTGOLD_RESIZE_BILINEAR) {
        tensor_of(v, x)->size = (int32_t)times(times(e[0], e[1]), e[2]);
        tensor_of(v, op->output)->size = (int32_t)times(times(e[3], e[4]), e[5]);
    } else if (op->kind == INTGOLD_SOFTMAX || op->kind == INTGOLD_RESCALE ||
               op->kind == INTGOLD_SOFTMAX_FLOAT32 || op->kind == INTGOLD_LOG_SOFTMAX ||
               op->kind == INTGOLD_LOG_SOFTMAX_FLOAT32) {
        tensor_of(v, x)->size = tensor_of(v, op->output)->size = (int32_t)times(e[0], e[1]);
    } else if (op->kind == INTGOLD_FULLY_CONNECTED || op->kind == INTGOLD_ARGMAX) {
        tensor_of(v, x)->size = op->kind == INTGOLD_ARGMAX ? (int32_t)times(e[0], e[1]) : e[0];
        tensor_of(v, op->output)->size = op->kind == INTGOLD_ARGMAX ? e[0] : e[1];
    }
}

static void damage(victim *v) {
    const intgold_model *from = v->original;
    const int32_t i = (int32_t)below((uint32_t)from->n_ops);
    intgold_op *op = op_of(v, i);
    intgold_tensor *tensor = tensor_of(v, (int32_t)below((uint32_t)from->n_tensors));
    int32_t *counts[5];
    counts[0] = &v->model.n_tensors, counts[1] = &v->model.n_ops, counts[2] = &v->model.n_inputs;
    counts[3] = &v->model.n_outputs, counts[4] = &v->model.activations_size;
    switch (below(16)) {
    case 0: change(counts[below(5)]); break;
    case 1: change(&tensor->dtype); break;
    case 2: change(&tensor->size); break;
    case 3: change(&tensor->offset); break;
    case 4: change_kind(op); break;
    case 5: change(below(4) ? (int32_t *)(uintptr_t)op->inputs : &op->output); break;
    case 6: change((int32_t *)(uintptr_t)v->model.outputs); break;
    case 7: change((int32_t *)(uintptr_t)v->model.inputs); break;
    case 8:
        if (is_known(op->kind) && op->fields) {
            const arrays all = arrays_of(op->kind, op->fields);
            if (all.n) *all.of[below((uint32_t)all.n)].at = NULL;
        }
        break;
    case 9: /* an offset that another tensor has */
        tensor->offset = v->model.tensors[below((uint32_t)from->n_tensors)].offset;
        break;
    default:
        if (is_known(op->kind) && op->fields)
            change_member(op->kind, (void *)(uintptr_t)op->fields);
        if (below(2)) fit_tensors(v, op);
    }
}

static void make_victim(victim *v, const intgold_model *from) {
    const uint32_t times_now = below(4), later = below(4);
    intgold_model *m = &v->model;
    uint32_t k;
    int32_t i, n_ops;
    copy_model(v, from);
    for (k = 0; k < times_now; k++) damage(v);
    m->tensors = relisted(m->tensors, sizeof *m->tensors, from->n_tensors, m->n_tensors);
    m->inputs = relisted(m->inputs, sizeof *m->inputs, from->n_inputs, m->n_inputs);
    m->outputs = relisted(m->outputs, sizeof *m->outputs, from->n_outputs, m->n_outputs);
    for (i = 0; i < from->n_ops; i++) make_arrays(v, i);
    n_ops = m->n_ops < from->n_ops ? m->n_ops : from->n_ops;
    for (k = 0; k < later && n_ops > 0; k++) {
        const intgold_op *op = op_of(v, (int32_t)below((uint32_t)n_ops));
        if (is_known(op->kind) && op->fields && !v->too_long) change_entry(op->kind, op->fields);
    }
    m->ops = relisted(m->ops, sizeof *m->ops, from->n_ops, m->n_ops);
}

/* ---- Runs of what is accepted. ---- */

static size_t bytes_of(const intgold_tensor *tensor) {
    return (size_t)tensor->size * (tensor->dtype == INTGOLD_INT32 ? 4 : 1);
}

static int64_t work_of(const intgold_model *model) {
    int64_t work = 0;
    int32_t i;
    for (i = 0; i < model->n_ops; i++) {
        const arrays all = arrays_of(model->ops[i].kind, model->ops[i].fields);
        const int64_t size = model->tensors[model->ops[i].output].size;
        int64_t each = 1;
        if (model->ops[i].kind <= INTGOLD_FULLY_CONNECTED) each = all.of[0].count;
        if (model->ops[i].kind == INTGOLD_MAX_POOL2D || model->ops[i].kind == INTGOLD_AVG_POOL2D)
            each = model->tensors[model->ops[i].inputs[0]].size;
        work += size + model->tensors[model->ops[i].inputs[0]].size;
        if (each > MOST_WORK / (size + 1)) return MOST_WORK + 1;
        work += each * size;
    }
    return work;
}

/* The outputs of a run, one after another. */
static char *run(const intgold_model *model, intgold_isa isa, const void *const *inputs,
                 int traced, size_t *bytes) {
    const size_t arena = intgold_arena_size(model, isa);
    void *outputs[MOST_LISTED], *made[MOST_LISTED];
    int32_t *accumulators[MOST_LISTED];
    intgold_context *context;
    intgold_trace trace;
    char *all, *at;
    int32_t i;
    trace.outputs = made;
    trace.accumulators = accumulators;
    *bytes = 0;
    for (i = 0; i < model->n_outputs; i++) {
        outputs[i] = keep(bytes_of(&model->tensors[model->outputs[i]]));
        *bytes += bytes_of(&model->tensors[model->outputs[i]]);
    }
    for (i = 0; i < model->n_ops; i++) {
        const intgold_tensor *tensor = &model->tensors[model->ops[i].output];
        made[i] = keep(bytes_of(tensor));
        accumulators[i] = keep((size_t)tensor->size * 4);
    }
    if (intgold_prepare(model, isa, keep(arena), arena, &context) ||
        intgold_run(context, 1, inputs, outputs, traced ? &trace : NULL)) {
        fprintf(stderr, "damaged: what was accepted does not run\n");
        exit(3);
    }
    all = at = keep(*bytes);
    for (i = 0; i < model->n_outputs; i++) {
        const size_t own = bytes_of(&model->tensors[model->outputs[i]]);
        memcpy(at, outputs[i], own);
        at += own;
    }
    return all;
}

static void run_all(const intgold_model *model) {
    const void *inputs[MOST_LISTED];
    const char *want;
    size_t bytes, i;
    int32_t k;
    int how;
    for (k = 0; k < model->n_inputs; k++) {
        const size_t own = bytes_of(&model->tensors[k]);
        char *x = keep(own);
        for (i = 0; i < own; i++) x[i] = (char)(below(3) ? draw() : below(2) ? 127 : 128);
        inputs[k] = x;
    }
    want = run(model, INTGOLD_ISA_PORTABLE, inputs, 1, &bytes);
    for (how = 0; how < 3; how++) {
        const intgold_isa isa = how ? INTGOLD_ISA_AUTO : INTGOLD_ISA_PORTABLE;
        if (memcmp(want, run(model, isa, inputs, how == 1, &bytes), bytes) != 0) {
            fprintf(stderr, "damaged: variants or traces differ\n");
            exit(4);
        }
    }
}

/* The status of a damaged model, by each function that says one. */
static int status_of(const victim *v) {
    const intgold_model *model = &v->model;
    const size_t arena = intgold_arena_size(model, INTGOLD_ISA_PORTABLE);
    const int fits = arena > 0 && arena < (size_t)1 << 26;
    const size_t size = fits ? arena : 4096;
    void *buffer = keep(size);
    intgold_context *context;
    int32_t op = -2;
    const intgold_status checked = intgold_check_model(model, buffer, size, &op);
    const intgold_status prepared =
        intgold_prepare(model, INTGOLD_ISA_PORTABLE, buffer, size, &context);
    if (fits ? checked != prepared : prepared == INTGOLD_OK) {
        fprintf(stderr, "damaged: statuses %d and %d\n", (int)checked, (int)prepared);
        exit(5);
    }
    return (int)prepared;
}

int main(int argc, char **argv) {
    long long seen[N_STATUSES] = {0}, ran = 0, i, count;
    int n = 0, k;
    if (argc != 3) return fprintf(stderr, "damaged COUNT SEED\n"), 2;
    count = atoll(argv[1]);
    state = strtoull(argv[2], NULL, 10) * 2 + 1;
    while (intgold_models[n]) n++;
    for (i = 0; i < count; i++) {
        victim v;
        int status;
        make_victim(&v, intgold_models[below((uint32_t)n)]);
        if (v.too_long) {
            intgold_arena_size(&v.model, INTGOLD_ISA_PORTABLE);
        } else {
            status = status_of(&v);
            seen[status]++;
            if (status == INTGOLD_OK && work_of(&v.model) <= MOST_WORK) run_all(&v.model), ran++;
        }
        drop_all();
    }
    for (k = 0; k < N_STATUSES; k++)
        if (seen[k]) printf("%d %lld\n", k, seen[k]);
    printf("ran %lld\n", ran);
    return 0;
}
