/* How packed weights relate to those of an op: what every variant's pack() is made of. */
#ifndef INTGOLD_WEIGHTS_H
#define INTGOLD_WEIGHTS_H

#include <string.h>

#include "kernels/kernels.h"

/* Lanes that hold something, runs per lane, blocks of `lanes`. */
static inline int32_t intgold_packed_channels(const intgold_weights *weights) {
    return weights->folded ? 2 * weights->out_c : weights->out_c;
}

static inline int32_t intgold_packed_runs(const intgold_weights *weights) {
    return weights->parts * weights->n_runs + weights->fold_shift;
}

static inline int32_t intgold_blocks(int32_t channels, int32_t lanes) {
    return (channels + lanes - 1) / lanes;
}

/* A weight less its zero point is -255 .. 255: this many bytes, the parts, add up to each. */
static inline int32_t intgold_weight_parts(const int8_t *zero_point, int32_t count) {
    int32_t parts = 1, i;
    for (i = 0; i < count; i++) {
        if (zero_point[i] == -128) return 3; /* 127 + 128 = 127 + 127 + 1 */
        if (zero_point[i]) parts = 2;
    }
    return parts;
}

static inline int intgold_weight_part(int value, int32_t part) {
    int piece;
    for (;; part--, value -= piece) {
        piece = value < -128 ? -128 : value > 127 ? 127 : value;
        if (part == 0) return piece;
    }
}

/* The weight less its zero point in packed channel c, run r, place k; 0 where there is none. */
static inline int intgold_packed_weight(const intgold_weights *weights, int32_t c, int32_t r,
                                        int32_t k) {
    const int32_t second = c >= weights->out_c, oc = second ? c - weights->out_c : c;
    const int32_t run = second ? r - weights->fold_shift : r;
    size_t at;
    int value;
    if (c >= intgold_packed_channels(weights) || run < 0 ||
        run >= weights->parts * weights->n_runs || k >= weights->run_values)
        return 0;
    at = (size_t)oc * (size_t)weights->n_runs + (size_t)(run % weights->n_runs);
    value = weights->values[at * (size_t)weights->run_values + (size_t)k] -
            weights->zero_point[weights->zero_point_count == 1 ? 0 : oc];
    return weights->parts == 1 ? value : intgold_weight_part(value, run / weights->n_runs);
}

/* Sum of the packed weights of channel c.  It wraps where inputs of one value only keep a model
 * with that many weights within int32. */
static inline uint32_t intgold_packed_sum(const intgold_weights *weights, int32_t c) {
    uint32_t sum = 0;
    int32_t r, k;
    for (r = 0; r < intgold_packed_runs(weights); r++)
        for (k = 0; k < weights->run_values; k++)
            sum += (uint32_t)intgold_packed_weight(weights, c, r, k);
    return sum;
}

/* What the zero point is in a word: padding. */
static inline int32_t intgold_encoded_zero(int32_t input_encoding, int32_t x_zero_point) {
    switch (input_encoding) {
    case INTGOLD_INPUT_CENTRED: return 0;
    case INTGOLD_INPUT_OFFSET_BINARY: return x_zero_point + 128;
    default: return x_zero_point;
    }
}

/* Where sums start: a sum over words has that zero * sum(w) too much.  It may wrap on the way:
 * the true sum fits. */
static inline int32_t intgold_start(int32_t bias, int32_t input_encoding, int32_t x_zero_point,
                                    uint32_t sum_of_weights) {
    const int32_t zero = intgold_encoded_zero(input_encoding, x_zero_point);
    const uint32_t start = (uint32_t)bias - (uint32_t)zero * sum_of_weights;
    int32_t bits;
    memcpy(&bits, &start, sizeof bits);
    return bits;
}

/* Packed as kernels.h draws it, for groups of four bytes and of two int16. */
static inline size_t intgold_pack_words_size(const intgold_weights *weights, int32_t group,
                                             int32_t lanes) {
    const int32_t channels = intgold_blocks(intgold_packed_channels(weights), lanes) * lanes;
    const size_t runs = intgold_times((size_t)channels, (size_t)intgold_packed_runs(weights));
    const size_t run = (size_t)intgold_blocks(weights->run_values, group) * 4;
    return intgold_times(runs, run);
}

static inline void intgold_pack_bytes(const intgold_weights *weights, int32_t lanes,
                                      int8_t *packed) {
    const int32_t channels = intgold_packed_channels(weights);
    int32_t first, r, k, lane, i;
    for (first = 0; first < channels; first += lanes)
        for (r = 0; r < intgold_packed_runs(weights); r++)
            for (k = 0; k < weights->run_values; k += 4)
                for (lane = 0; lane < lanes; lane++)
                    for (i = 0; i < 4; i++)
                        *packed++ =
                            (int8_t)intgold_packed_weight(weights, first + lane, r, k + i);
}

static inline void intgold_pack_int16(const intgold_weights *weights, int32_t lanes,
                                      int16_t *packed) {
    const int32_t channels = intgold_packed_channels(weights);
    int32_t first, r, k, lane, i;
    for (first = 0; first < channels; first += lanes)
        for (r = 0; r < intgold_packed_runs(weights); r++)
            for (k = 0; k < weights->run_values; k += 2)
                for (lane = 0; lane < lanes; lane++)
                    for (i = 0; i < 2; i++)
                        *packed++ =
                            (int16_t)intgold_packed_weight(weights, first + lane, r, k + i);
}

#endif
