/* Prints of each model compiled in its name, and the bytes of its arena by the portable kernels. */
#include <stdio.h>

#include "intgold.h"

extern const intgold_model *const intgold_models[];

int main(void) {
    int i;
    for (i = 0; intgold_models[i]; i++)
        printf("%s %lu\n", intgold_models[i]->name,
               (unsigned long)intgold_arena_size(intgold_models[i], INTGOLD_ISA_PORTABLE));
    return 0;
}
