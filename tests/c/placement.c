/* Runs compiled-in models by every variant of the kernels with every buffer beside a guard page.
 *
 *     placement IMAGES SEED
 *
 * Inputs, outputs, traced tensors, accumulators and the arena lie once right after a page that
 * may not be touched and once right before one; a read or write outside them ends the program.
 * What is made must be what the portable kernels make in plain memory, traced and not.  Prints
 * `<variant> <models> <differing>`.  With sanitizers the same program checks what they see. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "intgold.h"

extern const intgold_model *const intgold_models[];

enum {
    MOST = 64,     /* inputs, outputs or ops of a model */
    ALIGNMENT = 64 /* of what lies in an arena */
};

typedef enum placement { AFTER_GUARD, BEFORE_GUARD } placement;

/* A buffer between two guard pages. */
typedef struct guarded {
    char *map;
    size_t length;
    void *data;
} guarded;

static void *need(void *memory) {
    if (!memory || memory == MAP_FAILED) {
        fprintf(stderr, "placement: out of memory\n");
        exit(2);
    }
    return memory;
}

static guarded guard(size_t size, placement where) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (size + page - 1) / page * page;
    guarded made;
    made.length = inner + 2 * page;
    made.map = need(mmap(NULL, made.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (inner && mprotect(made.map + page, inner, PROT_READ | PROT_WRITE)) need(NULL);
    made.data = made.map + page + (where == AFTER_GUARD ? 0 : inner - size);
    return made;
}

static void release(guarded *buffer) { munmap(buffer->map, buffer->length); }

static size_t bytes_of(const intgold_model *model, int32_t tensor, int32_t images) {
    const intgold_tensor *t = &model->tensors[tensor];
    return (size_t)t->size * (t->dtype == INTGOLD_INT32 ? 4 : 1) * (size_t)images;
}

/* All that a run touches. */
typedef struct run {
    guarded arena, inputs[MOST], outputs[MOST], traced[MOST], accumulators[MOST];
} run;

static void place(run *r, const intgold_model *model, int32_t images, size_t arena,
                  placement where) {
    int32_t i;
    /* Its size has room to align it: begun one byte past that, what is used ends at the guard. */
    r->arena = guard(arena, where);
    if (where == BEFORE_GUARD) r->arena.data = (char *)r->arena.data + ALIGNMENT - 1;
    for (i = 0; i < model->n_inputs; i++)
        r->inputs[i] = guard(bytes_of(model, model->inputs[i], images), where);
    for (i = 0; i < model->n_outputs; i++)
        r->outputs[i] = guard(bytes_of(model, model->outputs[i], images), where);
    for (i = 0; i < model->n_ops; i++) {
        const int32_t made = model->ops[i].output;
        r->traced[i] = guard(bytes_of(model, made, images), where);
        r->accumulators[i] = guard((size_t)model->tensors[made].size * 4 * (size_t)images, where);
    }
}

static void unplace(run *r, const intgold_model *model) {
    int32_t i;
    release(&r->arena);
    for (i = 0; i < model->n_inputs; i++) release(&r->inputs[i]);
    for (i = 0; i < model->n_outputs; i++) release(&r->outputs[i]);
    for (i = 0; i < model->n_ops; i++) release(&r->traced[i]), release(&r->accumulators[i]);
}

static void fill_inputs(run *r, const intgold_model *model, int32_t images, unsigned seed) {
    uint32_t state = seed * 2654435761u + 1;
    int32_t i;
    for (i = 0; i < model->n_inputs; i++) {
        const int wide = model->tensors[model->inputs[i]].dtype == INTGOLD_INT32;
        const size_t count = bytes_of(model, model->inputs[i], images) / (wide ? 4 : 1);
        size_t k;
        for (k = 0; k < count; k++) {
            state = state * 1664525u + 1013904223u;
            if (wide)
                ((int32_t *)r->inputs[i].data)[k] = (int32_t)(state >> 12) - (1 << 19);
            else
                ((unsigned char *)r->inputs[i].data)[k] = (unsigned char)(state >> 24);
        }
    }
}

static void go(run *r, const intgold_model *model, intgold_isa isa, int32_t images, int traced) {
    void *inputs[MOST], *outputs[MOST], *kept[MOST];
    int32_t *accumulators[MOST];
    intgold_context *context;
    intgold_trace trace;
    int32_t i;
    trace.outputs = kept;
    trace.accumulators = accumulators;
    for (i = 0; i < model->n_inputs; i++) inputs[i] = r->inputs[i].data;
    for (i = 0; i < model->n_outputs; i++) outputs[i] = r->outputs[i].data;
    for (i = 0; i < model->n_ops; i++) {
        kept[i] = r->traced[i].data;
        accumulators[i] = r->accumulators[i].data;
    }
    if (intgold_prepare(model, isa, r->arena.data, intgold_arena_size(model, isa), &context) ||
        intgold_run(context, images, (const void *const *)inputs, outputs,
                    traced ? &trace : NULL)) {
        fprintf(stderr, "placement: %s does not run\n", model->name);
        exit(2);
    }
}

/* Tensors that differ. */
static int compare(const run *a, const run *b, const intgold_model *model, int32_t images,
                   int traced) {
    int differing = 0;
    int32_t i;
    for (i = 0; i < model->n_outputs; i++)
        differing += memcmp(a->outputs[i].data, b->outputs[i].data,
                            bytes_of(model, model->outputs[i], images)) != 0;
    for (i = 0; traced && i < model->n_ops; i++) {
        const int32_t made = model->ops[i].output;
        differing += memcmp(a->traced[i].data, b->traced[i].data,
                            bytes_of(model, made, images)) != 0;
        differing += memcmp(a->accumulators[i].data, b->accumulators[i].data,
                            (size_t)model->tensors[made].size * 4 * (size_t)images) != 0;
    }
    return differing;
}

static int differences(const intgold_model *model, intgold_isa isa, int32_t images,
                       unsigned seed) {
    const placement places[2] = {AFTER_GUARD, BEFORE_GUARD};
    run want, got;
    int differing = 0, i, traced;
    if (model->n_inputs > MOST || model->n_outputs > MOST || model->n_ops > MOST) exit(2);
    place(&want, model, images, intgold_arena_size(model, INTGOLD_ISA_PORTABLE), AFTER_GUARD);
    fill_inputs(&want, model, images, seed);
    go(&want, model, INTGOLD_ISA_PORTABLE, images, 1);
    for (i = 0; i < 2; i++)
        for (traced = 0; traced < 2; traced++) {
            place(&got, model, images, intgold_arena_size(model, isa), places[i]);
            fill_inputs(&got, model, images, seed);
            go(&got, model, isa, images, traced);
            differing += compare(&want, &got, model, images, traced);
            unplace(&got, model);
        }
    unplace(&want, model);
    return differing;
}

int main(int argc, char **argv) {
    int isa, i;
    if (argc != 3) return fprintf(stderr, "placement IMAGES SEED\n"), 2;
    for (isa = 1; isa < 64; isa++) {
        int differing = 0;
        if (!intgold_isa_name((intgold_isa)isa)) continue;
        for (i = 0; intgold_models[i]; i++)
            differing += differences(intgold_models[i], (intgold_isa)isa, atoi(argv[1]),
                                     (unsigned)atoi(argv[2]) + (unsigned)i);
        printf("%s %d %d\n", intgold_isa_name((intgold_isa)isa), i, differing);
        fflush(stdout);
    }
    return 0;
}
