/* depthwise_conv2d for a variant of the kernels: the plan, and packing of its weights. */
#include <string.h>

#include "depthwise_plan.h"

typedef intgold_depthwise_plan plan;

enum { STRIP_BYTES = 32768 }; /* what the first cache holds */

static int32_t rows_at_once(const intgold_depthwise_conv2d *op, const plan *by, int32_t group) {
    int32_t rows = 1;
    while (by->unit == 1 && rows < op->out_h &&
           (size_t)intgold_word_rows(op, by, group, rows + 1) * by->row_words * 4 <= STRIP_BYTES)
        rows++;
    return rows;
}

plan intgold_depthwise_plan_of(const intgold_depthwise_conv2d *op,
                               const intgold_kernels *kernels) {
    const size_t lanes = (size_t)kernels->lanes;
    plan made;
    made.groups = intgold_blocks(op->kernel_h, kernels->group);
    made.parts = kernels->group == 4
                     ? intgold_weight_parts(op->weight_zero_point, op->weight_zero_point_count)
                     : 1;
    made.segments = made.parts * made.groups * op->kernel_w;
    made.blocks = intgold_blocks(op->out_c, kernels->lanes);
    made.row_words = (size_t)(op->in_w + op->pad_left + op->pad_right) * (size_t)op->out_c;
    made.unit = op->dilation_h == 1 ? 1 : kernels->group;
    made.rows = rows_at_once(op, &made, kernels->group);
    made.offsets = intgold_align(sizeof(plan));
    made.bias = made.offsets + intgold_align((size_t)made.segments * sizeof(size_t));
    made.weights = made.bias + intgold_align((size_t)made.blocks * lanes * sizeof(int32_t));
    made.tail = made.weights +
                intgold_align((size_t)made.blocks * (size_t)made.segments * lanes * 4);
    made.size = made.tail + intgold_align(kernels->tail_packed_size(op->out_c));
    return made;
}

size_t intgold_depthwise_packed_size(const void *fields, const intgold_kernels *kernels) {
    return intgold_depthwise_plan_of(fields, kernels).size;
}

/* What meets kernel row ky, column kx of channel c; 0 beyond the kernel. */
static int weight_at(const intgold_depthwise_conv2d *op, const plan *by, int32_t c, int32_t ky,
                     int32_t kx, int32_t part) {
    const size_t tap = (size_t)ky * (size_t)op->kernel_w + (size_t)kx;
    int value;
    if (ky >= op->kernel_h) return 0;
    value = op->weights[tap * (size_t)op->out_c + (size_t)c] -
            op->weight_zero_point[op->weight_zero_point_count == 1 ? 0 : c];
    return by->parts == 1 ? value : intgold_weight_part(value, part);
}

/* Pack the words of channel c; returns the sum of its weights. */
static int32_t pack_channel(const intgold_depthwise_conv2d *op, const intgold_kernels *kernels,
                            const plan *by, int32_t c, char *weights) {
    const int32_t lanes = kernels->lanes, group = kernels->group;
    const size_t first = (size_t)(c / lanes) * (size_t)by->segments;
    int32_t s, j, sum = 0;
    for (s = 0; s < by->segments; s++) {
        const int32_t rows = s / op->kernel_w;
        char *word = weights + ((first + (size_t)s) * (size_t)lanes + (size_t)(c % lanes)) * 4;
        for (j = 0; j < group; j++) {
            const int value = weight_at(op, by, c, rows % by->groups * group + j,
                                        s % op->kernel_w, rows / by->groups);
            if (group == 4)
                ((int8_t *)word)[j] = (int8_t)value;
            else
                ((int16_t *)(void *)word)[j] = (int16_t)value;
            sum += value;
        }
    }
    return sum;
}

void intgold_depthwise_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_depthwise_conv2d *op = fields;
    const plan by = intgold_depthwise_plan_of(op, kernels);
    const intgold_tail tail =
        intgold_tail_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max, NULL);
    char *at = packed;
    size_t *offsets = (size_t *)(void *)(at + by.offsets);
    int32_t *bias = (int32_t *)(void *)(at + by.bias);
    int32_t s, c;
    memset(packed, 0, by.size);
    memcpy(packed, &by, sizeof by);
    for (s = 0; s < by.segments; s++) {
        const int32_t tap = s % op->kernel_w * op->dilation_w;
        const int32_t row = s / op->kernel_w % by.groups * (kernels->group / by.unit);
        offsets[s] = ((size_t)row * by.row_words + (size_t)tap * (size_t)op->out_c) * 4;
    }
    for (c = 0; c < op->out_c; c++) {
        const int32_t sum = pack_channel(op, kernels, &by, c, at + by.weights);
        bias[c] = intgold_start(op->bias[c], kernels->flipped, op->x_zero_point, sum);
    }
    if (op->requantize.count) kernels->tail_pack(&tail, op->out_c, at + by.tail);
}
