/* depthwise_conv2d for a variant of the kernels: the plan, and packing of its weights. */
#include <string.h>

#include "ops/depthwise_plan.h"

/* What a strip may take: of the second cache where vectors wait for loads less than they redo the
 * rows that strips share, else of the first, which is what small machines have. */
enum { DEPTHWISE_STRIP_BYTES = 32768, DEPTHWISE_VECTOR_STRIP_BYTES = 196608, FEW_LANES = 4 };

/* Bytes of the words under `rows` output rows. */
static size_t words_bytes(const intgold_depthwise_conv2d *op, const intgold_depthwise_plan *by,
                          const intgold_kernels *kernels, int32_t rows) {
    const size_t words = intgold_word_rows(op, by, kernels->depthwise.group, rows);
    return intgold_times(intgold_times(words, by->row_words), (size_t)kernels->depthwise.bytes);
}

static int32_t rows_at_once(const intgold_depthwise_conv2d *op, const intgold_depthwise_plan *by,
                            const intgold_kernels *kernels) {
    const size_t most = kernels->lanes > FEW_LANES ? DEPTHWISE_VECTOR_STRIP_BYTES
                                                   : DEPTHWISE_STRIP_BYTES;
    int32_t rows = 1;
    while (op->dilation_h == 1 && rows < op->out_h &&
           words_bytes(op, by, kernels, rows + 1) <= most)
        rows++;
    return rows;
}

/* Scratch: rows of words (read and written up to three vectors beyond their end), repeated
 * inputs, sums.  The margin keeps that off what follows, whatever is needed there. */
static void place_scratch(const intgold_depthwise_conv2d *op, const intgold_kernels *kernels,
                          intgold_depthwise_plan *by) {
    const size_t vector = (size_t)kernels->depthwise.lanes * 4;
    const size_t group = (size_t)kernels->depthwise.group;
    const size_t row = intgold_times((size_t)op->in_w, (size_t)op->out_c);
    const size_t words = words_bytes(op, by, kernels, by->rows);
    const size_t copies = op->in_c == op->out_c ? 0 : intgold_times(group, row);
    by->repeated = intgold_align(intgold_plus(words, 4 * vector));
    by->sums = intgold_plus(by->repeated, intgold_align(copies));
    by->work = intgold_plus(by->sums, INTGOLD_DEPTHWISE_CHUNK * vector);
}

/* Words that an image takes, and looks at those that it does not. */
static uint64_t depthwise_plan_loaded_inputs(const intgold_depthwise_conv2d *op,
                                             const intgold_depthwise_plan *by, int32_t group) {
    const uint64_t rows = intgold_word_rows(op, by, group, by->rows);
    const uint64_t looks = (uint64_t)intgold_min(by->rows, by->groups);
    return (uint64_t)intgold_blocks(op->out_h, by->rows) * rows * (by->row_words + looks);
}

intgold_depthwise_plan intgold_depthwise_plan_of(const intgold_depthwise_conv2d *op,
                                                 const intgold_kernels *kernels) {
    const int32_t group = kernels->depthwise.group;
    const size_t lanes = (size_t)kernels->depthwise.lanes;
    const intgold_direct direct = intgold_direct_of_depthwise(op);
    intgold_depthwise_plan made;
    memset(&made, 0, sizeof made);
    made.size = sizeof made;
    made.direct = intgold_direct_needed(&direct);
    if (made.direct) return made;
    made.groups = intgold_blocks(op->kernel_h, group);
    made.parts = group == 4
                     ? intgold_weight_parts(op->weight_zero_point, op->weight_zero_point_count)
                     : 1;
    made.segments = made.parts * made.groups * op->kernel_w;
    made.weight_words =
        kernels->depthwise.bytes == 1 ? intgold_blocks(made.segments, 2) : made.segments;
    made.blocks = intgold_blocks(op->out_c, kernels->depthwise.lanes);
    made.row_words =
        intgold_times((size_t)(op->in_w + op->pad_left + op->pad_right), (size_t)op->out_c);
    made.unit = op->dilation_h == 1 ? 1 : group;
    made.rows = rows_at_once(op, &made, kernels);
    place_scratch(op, kernels, &made);
    made.direct = intgold_direct_suits(&direct, made.work,
                                       depthwise_plan_loaded_inputs(op, &made, group));
    if (made.direct) return made;
    made.offsets = intgold_align(sizeof(intgold_depthwise_plan));
    made.bias = intgold_after(made.offsets, (size_t)made.segments, sizeof(size_t));
    made.weights = intgold_after(made.bias, (size_t)made.blocks * lanes, sizeof(int32_t));
    made.epilogue = intgold_after(made.weights, (size_t)made.blocks * lanes,
                                  intgold_times((size_t)made.weight_words, 4));
    made.size = intgold_after(made.epilogue, 1, kernels->epilogue_packed_size(op->out_c));
    return made;
}

size_t intgold_depthwise_packed_size(const void *fields, const intgold_kernels *kernels) {
    return intgold_depthwise_plan_of((const intgold_depthwise_conv2d *)fields, kernels).size;
}

/* What meets kernel row ky, column kx of channel c; 0 beyond the kernel. */
static int weight_at(const intgold_depthwise_conv2d *op, const intgold_depthwise_plan *by,
                     int32_t c, int32_t ky, int32_t kx, int32_t part) {
    const size_t tap = (size_t)ky * (size_t)op->kernel_w + (size_t)kx;
    int value;
    if (ky >= op->kernel_h) return 0;
    value = op->weights[tap * (size_t)op->out_c + (size_t)c] -
            op->weight_zero_point[op->weight_zero_point_count == 1 ? 0 : c];
    return by->parts == 1 ? value : intgold_weight_part(value, part);
}

/* Pack the words of channel c; returns the sum of its weights, wrapped as intgold_packed_sum. */
static uint32_t pack_channel(const intgold_depthwise_conv2d *op,
                             const intgold_depthwise_words *words,
                             const intgold_depthwise_plan *by, int32_t c, char *weights) {
    const int32_t lane = c % words->lanes, place = words->places ? words->places[lane] : lane;
    const int32_t held = words->bytes == 1 ? 2 : 1; /* segments in a word of weights */
    const size_t first = (size_t)(c / words->lanes) * (size_t)by->weight_words;
    uint32_t sum = 0;
    int32_t s, j;
    for (s = 0; s < by->segments; s++) {
        const int32_t rows = s / op->kernel_w;
        const size_t at = (first + (size_t)(s / held)) * (size_t)words->lanes + (size_t)place;
        char *word = weights + at * 4;
        for (j = 0; j < words->group; j++) {
            const int value = weight_at(op, by, c, rows % by->groups * words->group + j,
                                        s % op->kernel_w, rows / by->groups);
            if (words->group == 4)
                ((int8_t *)word)[j] = (int8_t)value;
            else
                ((int16_t *)(void *)word)[j + s % held] = (int16_t)value;
            sum += (uint32_t)value;
        }
    }
    return sum;
}

void intgold_depthwise_pack(const void *fields, const intgold_kernels *kernels, void *packed) {
    const intgold_depthwise_conv2d *op = (const intgold_depthwise_conv2d *)fields;
    const intgold_depthwise_plan by = intgold_depthwise_plan_of(op, kernels);
    const intgold_depthwise_words *words = &kernels->depthwise;
    const intgold_epilogue epilogue =
        intgold_epilogue_of(&op->requantize, op->y_zero_point, op->act_min, op->act_max, NULL);
    char *at = (char *)packed;
    size_t *offsets = (size_t *)(void *)(at + by.offsets);
    int32_t *bias = (int32_t *)(void *)(at + by.bias);
    int32_t s, c;
    memset(packed, 0, by.size);
    memcpy(packed, &by, sizeof by);
    if (by.direct) return;
    for (s = 0; s < by.segments; s++) {
        const int32_t tap = s % op->kernel_w * op->dilation_w;
        const int32_t row = s / op->kernel_w % by.groups * (words->group / by.unit);
        offsets[s] = ((size_t)row * by.row_words + (size_t)tap * (size_t)op->out_c) *
                     (size_t)words->bytes;
    }
    for (c = 0; c < op->out_c; c++) {
        const uint32_t sum = pack_channel(op, words, &by, c, at + by.weights);
        bias[c] = intgold_start(op->bias[c], words->input_encoding, op->x_zero_point, sum);
    }
    if (op->requantize.count) kernels->epilogue_pack(&epilogue, op->out_c, at + by.epilogue);
}
