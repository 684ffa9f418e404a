/* Runs compiled-in models on raw images, without Python.
 *
 *     runner VARIANT MODEL COUNT INPUT.bin ... [MODEL COUNT INPUT.bin ...] ...
 *
 * VARIANT: of the kernels, or auto; one file per input of a model, little-endian.  Prints for
 * every op `<model> <tensor> output <SHA-256>` and `<model> <tensor> accumulator <SHA-256>` over
 * all images, values in little-endian order: what intgold.digests computes.  Link with csrc/ and
 * a file of intgold.exporters.write_c. */
#include <stdio.h>
#include <stdlib.h>

#include "intgold.h"
#include "sha256.h"

extern const intgold_model *const intgold_models[];

static void *need(void *memory) {
    if (!memory) {
        fprintf(stderr, "runner: out of memory\n");
        exit(2);
    }
    return memory;
}

static const intgold_model *find(const char *name) {
    int i;
    for (i = 0; intgold_models[i]; i++)
        if (strcmp(intgold_models[i]->name, name) == 0) return intgold_models[i];
    fprintf(stderr, "runner: no model %s\n", name);
    exit(2);
}

static intgold_isa isa_of(const char *name) {
    int isa;
    if (strcmp(name, "auto") == 0) return INTGOLD_ISA_AUTO;
    for (isa = 1; isa < 64; isa++) {
        const char *own = intgold_isa_name((intgold_isa)isa);
        if (own && strcmp(own, name) == 0) return (intgold_isa)isa;
    }
    fprintf(stderr, "runner: no variant %s\n", name);
    exit(2);
}

static size_t width(const intgold_tensor *tensor) {
    return tensor->dtype == INTGOLD_INT32 ? 4 : 1;
}

static void *buffer_for(const intgold_tensor *tensor) {
    return need(malloc((size_t)tensor->size * width(tensor)));
}

/* Read one image; int32 values are stored little-endian. */
static void read_image(FILE *file, const intgold_tensor *tensor, void *image) {
    int32_t i;
    for (i = 0; i < tensor->size; i++) {
        unsigned char bytes[4] = {0, 0, 0, 0};
        if (fread(bytes, 1, width(tensor), file) != width(tensor)) {
            fprintf(stderr, "runner: the file of input %s is too short\n", tensor->name);
            exit(2);
        }
        if (tensor->dtype == INTGOLD_INT8) {
            ((unsigned char *)image)[i] = bytes[0];
        } else {
            const uint32_t value = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 |
                                   (uint32_t)bytes[1] << 8 | bytes[0];
            memcpy((int32_t *)image + i, &value, 4);
        }
    }
}

static void add_int32(sha256 *hash, const int32_t *values, int32_t count) {
    int32_t i;
    for (i = 0; i < count; i++) {
        const uint32_t value = (uint32_t)values[i];
        unsigned char bytes[4];
        bytes[0] = (unsigned char)value;
        bytes[1] = (unsigned char)(value >> 8);
        bytes[2] = (unsigned char)(value >> 16);
        bytes[3] = (unsigned char)(value >> 24);
        sha256_add(hash, bytes, 4);
    }
}

/* Everything that a run holds, one image at a time. */
typedef struct job {
    const intgold_model *model;
    intgold_context *context;
    void *arena;
    FILE **files;                /* per input */
    void **inputs, **outputs;    /* per input and output of the model */
    void **traced;               /* per op */
    int32_t **accumulators;      /* per op, NULL where it has none */
    sha256 *hashes;              /* two per op */
} job;

static const intgold_tensor *made_by(const job *s, int32_t op) {
    return &s->model->tensors[s->model->ops[op].output];
}

static void open_inputs(job *s, char **paths) {
    int32_t i;
    s->inputs = need(calloc((size_t)s->model->n_inputs, sizeof *s->inputs));
    s->files = need(calloc((size_t)s->model->n_inputs, sizeof *s->files));
    for (i = 0; i < s->model->n_inputs; i++) {
        s->inputs[i] = buffer_for(&s->model->tensors[s->model->inputs[i]]);
        s->files[i] = fopen(paths[i], "rb");
        if (!s->files[i]) {
            fprintf(stderr, "runner: cannot read %s\n", paths[i]);
            exit(2);
        }
    }
}

static void open_outputs(job *s) {
    const intgold_model *model = s->model;
    const size_t n_ops = (size_t)model->n_ops;
    int32_t i;
    s->outputs = need(calloc((size_t)model->n_outputs, sizeof *s->outputs));
    s->traced = need(calloc(n_ops, sizeof *s->traced));
    s->accumulators = need(calloc(n_ops, sizeof *s->accumulators));
    s->hashes = need(calloc(n_ops * 2, sizeof *s->hashes));
    for (i = 0; i < model->n_outputs; i++)
        s->outputs[i] = buffer_for(&model->tensors[model->outputs[i]]);
    for (i = 0; i < model->n_ops; i++) {
        s->traced[i] = buffer_for(made_by(s, i));
        if (intgold_has_accumulator((intgold_kind)model->ops[i].kind))
            s->accumulators[i] = need(malloc((size_t)made_by(s, i)->size * 4));
        sha256_start(&s->hashes[2 * i]);
        sha256_start(&s->hashes[2 * i + 1]);
    }
}

static void prepare(job *s, intgold_isa isa) {
    const size_t size = intgold_arena_size(s->model, isa);
    s->arena = need(malloc(size));
    if (intgold_prepare(s->model, isa, s->arena, size, &s->context) != INTGOLD_OK) {
        fprintf(stderr, "runner: %s cannot be prepared\n", s->model->name);
        exit(2);
    }
}

static void one_image(job *s) {
    intgold_trace trace;
    int32_t i;
    for (i = 0; i < s->model->n_inputs; i++)
        read_image(s->files[i], &s->model->tensors[s->model->inputs[i]], s->inputs[i]);
    trace.outputs = s->traced;
    trace.accumulators = s->accumulators;
    if (intgold_run(s->context, 1, (const void *const *)s->inputs, s->outputs, &trace)) exit(2);
    for (i = 0; i < s->model->n_ops; i++) {
        const intgold_tensor *tensor = made_by(s, i);
        if (tensor->dtype == INTGOLD_INT32)
            add_int32(&s->hashes[2 * i], s->traced[i], tensor->size);
        else
            sha256_add(&s->hashes[2 * i], s->traced[i], (size_t)tensor->size);
        if (s->accumulators[i])
            add_int32(&s->hashes[2 * i + 1], s->accumulators[i], tensor->size);
    }
}

static void report(job *s) {
    char hex[65];
    int32_t i;
    for (i = 0; i < s->model->n_ops; i++) {
        sha256_finish(&s->hashes[2 * i], hex);
        printf("%s %s output %s\n", s->model->name, made_by(s, i)->name, hex);
        if (!s->accumulators[i]) continue;
        sha256_finish(&s->hashes[2 * i + 1], hex);
        printf("%s %s accumulator %s\n", s->model->name, made_by(s, i)->name, hex);
    }
}

static void release(job *s) {
    int32_t i;
    for (i = 0; i < s->model->n_inputs; i++) {
        fclose(s->files[i]);
        free(s->inputs[i]);
    }
    for (i = 0; i < s->model->n_outputs; i++) free(s->outputs[i]);
    for (i = 0; i < s->model->n_ops; i++) {
        free(s->traced[i]);
        free(s->accumulators[i]);
    }
    free(s->files);
    free(s->inputs);
    free(s->outputs);
    free(s->traced);
    free(s->accumulators);
    free(s->hashes);
    free(s->arena);
}

static void run(const intgold_model *model, intgold_isa isa, long count, char **paths) {
    job s;
    s.model = model;
    open_inputs(&s, paths);
    open_outputs(&s);
    prepare(&s, isa);
    for (; count > 0; count--) one_image(&s);
    report(&s);
    release(&s);
}

int main(int argc, char **argv) {
    int at = 2;
    if (argc < 5) {
        fprintf(stderr, "usage: runner VARIANT MODEL COUNT INPUT.bin ...\n");
        return 2;
    }
    while (at < argc) {
        const intgold_model *model = find(argv[at]);
        const long count = at + 1 < argc ? strtol(argv[at + 1], NULL, 10) : 0;
        if (argc - at - 2 < model->n_inputs || count < 1) {
            fprintf(stderr, "runner: %s takes %d inputs, and at least one image\n", model->name,
                    (int)model->n_inputs);
            return 2;
        }
        run(model, isa_of(argv[1]), count, argv + at + 2);
        at += 2 + model->n_inputs;
    }
    return 0;
}
