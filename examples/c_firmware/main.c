/* Classifies one picture with the shipped network, in portable C99, without heap.
 *
 * A device would take the picture from a camera and need no stdio; here it is drawn below. */
#include <stdio.h>

#include "intgold.h"

extern const intgold_model intgold_model_mnist_lut;

/* 28 x 28 pixels: '#' is white, '+' is grey, all else is black. */
static const char *const picture[28] = {
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "      +##############+      ",
    "      ################      ",
    "      +++++++++++####+      ",
    "                 ####       ",
    "                +###+       ",
    "                ####        ",
    "               +###+        ",
    "               ####         ",
    "              +###+         ",
    "              ####          ",
    "             +###+          ",
    "             ####           ",
    "            +###+           ",
    "            ####            ",
    "           +###+            ",
    "           ####             ",
    "          +###+             ",
    "          +##+              ",
    "                            ",
    "                            ",
    "                            ",
    "                            ",
};

/* What intgold_arena_size() says of this model and variant; intgold_prepare() checks it. */
static unsigned char arena[66624];

/* The model takes camera bytes with the top bit inverted. */
static void read_camera(int8_t image[784]) {
    for (int i = 0; i < 784; i++) {
        const char cell = picture[i / 28][i % 28];
        const int byte = cell == '#' ? 255 : cell == '+' ? 128 : 0;
        image[i] = (int8_t)(byte - 128);
    }
}

int main(void) {
    int8_t image[784];
    int32_t logits[10];
    const void *inputs[1] = {image};
    void *outputs[1] = {logits};
    intgold_context *context;
    int digit = 0;

    intgold_status status = intgold_prepare(&intgold_model_mnist_lut, INTGOLD_ISA_PORTABLE, arena,
                                            sizeof arena, &context);
    if (status == INTGOLD_OK) {
        read_camera(image);
        status = intgold_run(context, 1, inputs, outputs, NULL);
    }
    if (status != INTGOLD_OK) {
        fprintf(stderr, "%s\n", intgold_status_text(status));
        return 1;
    }
    for (int i = 1; i < 10; i++)
        if (logits[i] > logits[digit]) digit = i;
    printf("%d\n", digit);
    return 0;
}
