/* The epilogue in whole vectors, but for the arithmetic: how the packed scales of a block lie in
 * memory, and which code requantises which block.  For a file that has defined NAME(), TARGET and
 * LANES. */
#include <string.h>

#include "kernels/generic/lane_forms.h"
#include "kernels/kernels.h"
#include "kernels/weights.h"

#define lane_epilogue NAME(lane_epilogue)
#define lane_epilogues_size NAME(lane_epilogues_size)
#define lane_epilogues_pack NAME(lane_epilogues_pack)
#define is_simple NAME(is_simple)
#define settle_lanes NAME(settle_lanes)
#define epilogue_of_blocks NAME(epilogue_of_blocks)
#define epilogue_by_form NAME(epilogue_by_form)

/* The scales of a block, lane by lane. */
typedef struct lane_epilogue {
    int32_t multiplier[LANES], multiplier_low[LANES], right_shift[LANES];
    int32_t form; /* enum intgold_form, or one of lane_forms.h */
    int32_t unused[LANES - 1]; /* each block as far from a cache line's start as the first */
} lane_epilogue;

static size_t lane_epilogues_size(int32_t channels) {
    return (size_t)intgold_blocks(channels, LANES) * sizeof(lane_epilogue);
}

static void lane_epilogues_pack(const intgold_lane_rules *rules, const intgold_epilogue *epilogue,
                                int32_t channels, void *packed) {
    const intgold_requantize *by = epilogue->by;
    lane_epilogue *blocks = (lane_epilogue *)packed;
    int32_t c;
    memset(packed, 0, lane_epilogues_size(channels));
    for (c = 0; c < channels; c++) {
        lane_epilogue *block = blocks + c / LANES;
        const int32_t channel = epilogue->fold && c >= epilogue->fold ? c - epilogue->fold : c;
        const int32_t lane = c % LANES, i = by->count == 1 ? 0 : channel;
        int32_t multiplier = by->multiplier[i];
        /* A multiplier of 0 gives 0 in every form and with every shift. */
        int32_t shift = multiplier ? by->right_shift[i] : rules->min_shift;
        if (by->form[i] == INTGOLD_FORM_SINGLE)
            intgold_scale_up_single(rules, &multiplier, &shift);
        if (lane == 0) block->form = INTGOLD_LANES_DEAD;
        if (multiplier) block->form = intgold_joint_form(rules, block->form, by->form[i], shift);
        block->multiplier[lane] = multiplier;
        block->multiplier_low[lane] = by->multiplier_low[i];
        block->right_shift[lane] = shift;
    }
}

static int is_simple(const lane_epilogue *block) {
    return block->form == INTGOLD_LANES_SIMPLE || block->form == INTGOLD_LANES_DEAD;
}

/* R(acc), clamped to int16, of the lanes that bits of `lanes` name: where a vector is in doubt.
 * Bits from LANES on are passed over: GCC 12 stores a mask of 16 bits and loads 32. */
static inline void settle_lanes(const lane_epilogue *block, uint32_t lanes, const int32_t *acc,
                                int32_t *scaled) {
    intgold_scale by;
    int32_t i;
    by.form = block->form;
    for (i = 0; i < LANES && lanes; i++, lanes >>= 1) {
        if (!(lanes & 1)) continue;
        by.multiplier = block->multiplier[i];
        by.multiplier_low = block->multiplier_low[i];
        by.right_shift = block->right_shift[i];
        scaled[i] = (int32_t)intgold_clamp(intgold_scale_acc(acc[i], &by), INT16_MIN, INT16_MAX);
    }
}

typedef void epilogue_of_blocks(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                                int32_t channels, const intgold_pixels *at);

/* Channels first .. first+channels-1, at most two blocks.  simple: takes one simple block or two;
 * any: one block of one form, and, where `pairs` says so, two of one. */
static void epilogue_by_form(const intgold_epilogue *epilogue, int32_t first, int32_t channels,
                             const intgold_pixels *at, epilogue_of_blocks *simple,
                             epilogue_of_blocks *any, const int pairs) {
    const lane_epilogue *blocks = (const lane_epilogue *)epilogue->packed + first / LANES;
    intgold_pixels part = *at;
    int32_t c, done;
    if (is_simple(blocks) && (channels <= LANES || is_simple(blocks + 1))) {
        simple(epilogue, blocks, channels, at);
        return;
    }
    if (pairs && channels > LANES && blocks->form == blocks[1].form &&
        blocks->form != INTGOLD_LANES_MIXED) {
        any(epilogue, blocks, channels, at);
        return;
    }
    for (done = 0; done < channels; done += LANES, blocks++) {
        const int32_t own = channels - done < LANES ? channels - done : LANES;
        if (is_simple(blocks))
            simple(epilogue, blocks, own, &part);
        else if (blocks->form == INTGOLD_LANES_MIXED)
            for (c = 0; c < own; c++)
                intgold_epilogue_channel(epilogue, first + done + c, c, &part);
        else
            any(epilogue, blocks, own, &part);
        part.sums += LANES;
        if (part.below) part.below += LANES;
        part.y += LANES;
    }
}
