/* One constant model of each kind that is compiled in, run by several threads at once: each has a
 * context of its own, all read the same inputs.  Prints `<n> threads, <differing> differing`. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intgold.h"

extern const intgold_model *const intgold_models[];

enum { THREADS = 4, ROUNDS = 50, VALUES = 1024, BYTES = 4096 };

typedef struct job {
    const intgold_model *model;
    int8_t y[BYTES];
} job;

static int8_t x[VALUES]; /* written before the threads start */

static void *work(void *argument) {
    job *own = argument;
    const size_t size = intgold_arena_size(own->model, INTGOLD_ISA_AUTO);
    void *arena = malloc(size), *outputs[1];
    const void *inputs[1] = {x};
    intgold_context *context;
    int i;
    outputs[0] = own->y;
    if (!arena || intgold_prepare(own->model, INTGOLD_ISA_AUTO, arena, size, &context)) exit(3);
    for (i = 0; i < ROUNDS; i++)
        if (intgold_run(context, 1, inputs, outputs, NULL)) exit(4);
    free(arena);
    return NULL;
}

int main(void) {
    static job jobs[THREADS];
    int differing = 0, i, m;
    for (i = 0; i < VALUES; i++) x[i] = (int8_t)(i * 37 % 256 - 128);
    for (m = 0; intgold_models[m]; m++) {
        pthread_t threads[THREADS];
        memset(jobs, 0, sizeof jobs);
        for (i = 0; i < THREADS; i++) {
            jobs[i].model = intgold_models[m];
            if (pthread_create(&threads[i], NULL, work, &jobs[i])) return 2;
        }
        for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        for (i = 1; i < THREADS; i++)
            differing += memcmp(jobs[0].y, jobs[i].y, sizeof jobs[0].y) != 0;
    }
    printf("%d threads, %d differing\n", THREADS, differing);
    return 0;
}
