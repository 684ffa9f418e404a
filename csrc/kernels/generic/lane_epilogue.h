/* How the vector kernels keep a tail: the lanes of a block side by side, and one way to requantise
 * all of them.  Included where LANES is known. */
#ifndef INTGOLD_BLOCK_TAIL_H
#define INTGOLD_BLOCK_TAIL_H

#include <string.h>

#include "arithmetic/requantize.h"
#include "kernels/kernels.h"

/* block_tail.form, or an enum intgold_form.  SIMPLE: the short way of `single`; MIXED: channel by
 * channel; DEAD: no multiplier but 0. */
enum { SIMPLE = -1, MIXED = -2, DEAD = -3 };

typedef struct block_tail {
    int32_t multiplier[LANES], multiplier_low[LANES], right_shift[LANES];
    int32_t form;
    int32_t unused[LANES - 1]; /* each block as far from a cache line's start as the first */
} block_tail;

/* What a variant can do: right_shifts of its short way, and the least one of the float forms that
 * its vectors do; 0: they do none. */
typedef struct block_rules {
    int32_t least_shift, most_shift, floats;
} block_rules;

static size_t block_tails_size(int32_t channels) {
    return (size_t)intgold_blocks(channels, LANES) * sizeof(block_tail);
}

/* What a block's form becomes when it takes one more lane. */
static int32_t joint_form(const block_rules *rules, int32_t form, int32_t own, int32_t shift) {
    const int simple = own == INTGOLD_FORM_SINGLE && shift >= rules->least_shift &&
                       shift <= rules->most_shift;
    const int32_t one = simple ? SIMPLE : own;
    if ((own == INTGOLD_FORM_FLOAT32 || own == INTGOLD_FORM_FLOAT64) &&
        (!rules->floats || shift < rules->floats))
        return MIXED;
    if (form == DEAD || one == form) return one;
    return (form == SIMPLE || form == INTGOLD_FORM_SINGLE) && own == INTGOLD_FORM_SINGLE
               ? INTGOLD_FORM_SINGLE
               : MIXED;
}

/* Multiplier and 2^right_shift doubled until the short way of `single` takes them, where it can:
 * product and half double with them, so that every R stays.  add on scales of float32 multiplies
 * by 1 and shifts by 20 or so. */
static void widen_single(const block_rules *rules, int32_t *multiplier, int32_t *shift) {
    while (*shift < rules->least_shift && *multiplier <= INT32_MAX / 2) {
        *multiplier *= 2;
        *shift += 1;
    }
}

static void block_tails_pack(const block_rules *rules, const intgold_tail *tail, int32_t channels,
                             void *packed) {
    const intgold_requantize *by = tail->by;
    block_tail *blocks = packed;
    int32_t c;
    memset(packed, 0, block_tails_size(channels));
    for (c = 0; c < channels; c++) {
        block_tail *block = blocks + c / LANES;
        const int32_t channel = tail->fold && c >= tail->fold ? c - tail->fold : c;
        const int32_t lane = c % LANES, i = by->count == 1 ? 0 : channel;
        int32_t multiplier = by->multiplier[i];
        /* A multiplier of 0 gives 0 in every form and with every shift. */
        int32_t shift = multiplier ? by->right_shift[i] : rules->least_shift;
        if (by->form[i] == INTGOLD_FORM_SINGLE) widen_single(rules, &multiplier, &shift);
        if (lane == 0) block->form = DEAD;
        if (multiplier) block->form = joint_form(rules, block->form, by->form[i], shift);
        block->multiplier[lane] = multiplier;
        block->multiplier_low[lane] = by->multiplier_low[i];
        block->right_shift[lane] = shift;
    }
}

static int is_simple(const block_tail *block) {
    return block->form == SIMPLE || block->form == DEAD;
}

/* R(acc), clamped to int16, of the lanes that bits of `lanes` name: where a vector is in doubt. */
static inline void settle_lanes(const block_tail *block, uint32_t lanes, const int32_t *acc,
                                int32_t *scaled) {
    intgold_scale by;
    int32_t i;
    by.form = block->form;
    for (i = 0; lanes; i++, lanes >>= 1) {
        if (!(lanes & 1)) continue;
        by.multiplier = block->multiplier[i];
        by.multiplier_low = block->multiplier_low[i];
        by.right_shift = block->right_shift[i];
        scaled[i] = (int32_t)intgold_clamp(intgold_scale_acc(acc[i], &by), INT16_MIN, INT16_MAX);
    }
}

typedef void finish_blocks_of(const intgold_tail *tail, const block_tail *blocks, int32_t channels,
                              const intgold_pixels *at);

/* Channels first .. first+channels-1, at most two blocks.  simple: takes one simple block or two;
 * any: one block of one form, and, where `pairs` says so, two of one. */
static void finish_by_form(const intgold_tail *tail, int32_t first, int32_t channels,
                           const intgold_pixels *at, finish_blocks_of *simple,
                           finish_blocks_of *any, const int pairs) {
    const block_tail *blocks = (const block_tail *)tail->packed + first / LANES;
    intgold_pixels part = *at;
    int32_t c, done;
    if (is_simple(blocks) && (channels <= LANES || is_simple(blocks + 1))) {
        simple(tail, blocks, channels, at);
        return;
    }
    if (pairs && channels > LANES && blocks->form == blocks[1].form && blocks->form != MIXED) {
        any(tail, blocks, channels, at);
        return;
    }
    for (done = 0; done < channels; done += LANES, blocks++) {
        const int32_t own = channels - done < LANES ? channels - done : LANES;
        if (is_simple(blocks))
            simple(tail, blocks, own, &part);
        else if (blocks->form == MIXED)
            for (c = 0; c < own; c++)
                intgold_finish_channel(tail, first + done + c, c, &part);
        else
            any(tail, blocks, own, &part);
        part.sums += LANES;
        if (part.below) part.below += LANES;
        part.y += LANES;
    }
}

#endif
