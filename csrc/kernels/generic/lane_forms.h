/* Which rounding form the lanes of a block have in common.
 *
 * A block is one vector of channels.  Where all of them have one form, one piece of vector code
 * requantises the block. */
#ifndef INTGOLD_LANE_FORMS_H
#define INTGOLD_LANE_FORMS_H

#include "arithmetic/requantize.h"

/* The form of a block, or an enum intgold_form.  SIMPLE: the short way of `single`; MIXED: channel
 * by channel; DEAD: no multiplier but 0. */
enum { INTGOLD_LANES_SIMPLE = -1, INTGOLD_LANES_MIXED = -2, INTGOLD_LANES_DEAD = -3 };

/* How the blocks of a call are requantised by x86 vectors: each way is compiled separately. */
enum {
    INTGOLD_WAY_SHORT,
    INTGOLD_WAY_DOUBLE,
    INTGOLD_WAY_DOUBLE_UP,
    INTGOLD_WAY_NEAREST,
    INTGOLD_WAY_LONG
};

/* What a variant can do: right_shifts of its short way, and the smallest one of the float forms
 * that its vectors do; 0: they do none. */
typedef struct intgold_lane_rules {
    int32_t min_shift, max_shift, floats;
} intgold_lane_rules;

/* What a block's form becomes when it takes one more lane.  A form that no vector code has yet
 * goes channel by channel, to the scalar code: raise the limit when every variant supports it. */
enum { INTGOLD_LAST_LANE_FORM = INTGOLD_FORM_FLOAT64 };

static inline int32_t intgold_joint_form(const intgold_lane_rules *rules, int32_t form,
                                         int32_t own, int32_t shift) {
    const int simple = own == INTGOLD_FORM_SINGLE && shift >= rules->min_shift &&
                       shift <= rules->max_shift;
    const int32_t one = simple ? INTGOLD_LANES_SIMPLE : own;
    if (own > INTGOLD_LAST_LANE_FORM) return INTGOLD_LANES_MIXED;
    if ((own == INTGOLD_FORM_FLOAT32 || own == INTGOLD_FORM_FLOAT64) &&
        (!rules->floats || shift < rules->floats))
        return INTGOLD_LANES_MIXED;
    if (form == INTGOLD_LANES_DEAD || one == form) return one;
    if ((form == INTGOLD_LANES_SIMPLE || form == INTGOLD_FORM_SINGLE) &&
        own == INTGOLD_FORM_SINGLE)
        return INTGOLD_FORM_SINGLE;
    return INTGOLD_LANES_MIXED;
}

/* Multiplier and 2^right_shift doubled until the short way of `single` takes them, where it can:
 * product and half double with them, so that every R stays.  add on scales of float32 multiplies
 * by 1 and shifts by 20 or so. */
static inline void intgold_scale_up_single(const intgold_lane_rules *rules, int32_t *multiplier,
                                           int32_t *shift) {
    while (*shift < rules->min_shift && *multiplier <= INT32_MAX / 2) {
        *multiplier *= 2;
        *shift += 1;
    }
}

#endif
