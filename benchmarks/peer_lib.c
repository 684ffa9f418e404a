/* The engine as a shared library that any harness can time without Python.
 *
 *     int peer_init(const char *model);      lut, pwl or relu, compiled in; 0 when fine
 *     void peer_run(const unsigned char *images, int n, int *logits);
 *
 * images: n x 784 camera bytes; logits: n x 10.  One caller at a time.  Linked with csrc/ and a
 * file of intgold.exporters.write_c (see benchmarks/peer_lib.py). */
#include <stdlib.h>
#include <string.h>

#include "intgold.h"

enum { PIXELS = 784, BATCH = 64 };

extern const intgold_model *const intgold_models[];
int peer_init(const char *model);
void peer_run(const unsigned char *images, int n, int *logits);

static intgold_context *context;
static void *arena;

/* The shipped models are called mnist_<name>. */
static const intgold_model *find(const char *name) {
    int i;
    for (i = 0; intgold_models[i]; i++)
        if (strncmp(intgold_models[i]->name, "mnist_", 6) == 0 &&
            strcmp(intgold_models[i]->name + 6, name) == 0)
            return intgold_models[i];
    return NULL;
}

int peer_init(const char *name) {
    const intgold_model *model = find(name);
    size_t size;
    if (!model) return 1;
    size = intgold_arena_size(model, INTGOLD_ISA_AUTO);
    free(arena);
    arena = malloc(size);
    if (!arena) return 2;
    return intgold_prepare(model, INTGOLD_ISA_AUTO, arena, size, &context) == INTGOLD_OK ? 0 : 3;
}

void peer_run(const unsigned char *images, int n, int *logits) {
    int8_t input[BATCH * PIXELS];
    int first, i;
    for (first = 0; first < n; first += BATCH) {
        const int count = n - first < BATCH ? n - first : BATCH;
        const void *inputs[1];
        void *outputs[1];
        for (i = 0; i < count * PIXELS; i++)
            input[i] = (int8_t)(images[first * PIXELS + i] ^ 0x80); /* SPEC clause 8.2 */
        inputs[0] = input;
        outputs[0] = logits + 10 * first;
        intgold_run(context, count, inputs, outputs, NULL);
    }
}
