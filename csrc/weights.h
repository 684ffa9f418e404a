/* How packed weights relate to those of an op: what every variant's pack() is made of. */
#ifndef INTGOLD_WEIGHTS_H
#define INTGOLD_WEIGHTS_H

#include "kernels.h"

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

/* The weight less its zero point in packed channel c, run r, place k; 0 where there is none. */
static inline int intgold_packed_weight(const intgold_weights *weights, int32_t c, int32_t r,
                                        int32_t k) {
    const int32_t second = c >= weights->out_c, oc = second ? c - weights->out_c : c;
    const int32_t run = second ? r - weights->fold_shift : r;
    int value, part, parts;
    size_t at;
    if (c >= intgold_packed_channels(weights) || run < 0 ||
        run >= weights->parts * weights->n_runs || k >= weights->run_values)
        return 0;
    at = (size_t)oc * (size_t)weights->n_runs + (size_t)(run % weights->n_runs);
    value = weights->values[at * (size_t)weights->run_values + (size_t)k] -
            weights->zero_point[weights->zero_point_count == 1 ? 0 : oc];
    if (weights->parts == 1) return value;
    for (parts = run / weights->n_runs;; parts--, value -= part) {
        part = value < -128 ? -128 : value > 127 ? 127 : value;
        if (parts == 0) return part;
    }
}

/* Sum of the packed weights of channel c. */
static inline int32_t intgold_packed_sum(const intgold_weights *weights, int32_t c) {
    int32_t r, k, sum = 0;
    for (r = 0; r < intgold_packed_runs(weights); r++)
        for (k = 0; k < weights->run_values; k++) sum += intgold_packed_weight(weights, c, r, k);
    return sum;
}

/* Packed as kernels.h draws it, for groups of four bytes and of two int16. */
static inline size_t intgold_pack_words_size(const intgold_weights *weights, int32_t group,
                                             int32_t lanes) {
    const int32_t channels = intgold_blocks(intgold_packed_channels(weights), lanes) * lanes;
    return (size_t)channels * (size_t)intgold_packed_runs(weights) *
           (size_t)intgold_blocks(weights->run_values, group) * 4;
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
