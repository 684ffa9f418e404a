/* The rounding right shifts of SPEC clause 2: the only place in scalar C that shifts to round.
 *
 * p: an exact product, |p| <= 2^62; t: 0 to 62.  A negative value is never shifted: C99 leaves
 * that to the implementation.  Mirrors python/intgold/golden/rounding.py. */
#ifndef INTGOLD_ROUNDING_H
#define INTGOLD_ROUNDING_H

#include <stdint.h>

static inline int64_t intgold_magnitude(int64_t p) { return p < 0 ? -p : p; }

static inline int64_t intgold_half(int t) { return t > 0 ? (int64_t)1 << (t - 1) : 0; }

/* Clause 2.4: floor(p / 2^t).  ~p is not negative where p is. */
static inline int64_t intgold_round_down(int64_t p, int t) {
    return p < 0 ? ~(~p >> t) : p >> t;
}

/* Clause 2.1: nearest, ties up. */
static inline int64_t intgold_round_up(int64_t p, int t) {
    return intgold_round_down(p + intgold_half(t), t);
}

/* Clause 2.5: toward zero. */
static inline int64_t intgold_round_zero(int64_t p, int t) {
    return p < 0 ? -(-p >> t) : p >> t;
}

/* Clause 2.2: nearest, ties away from zero. */
static inline int64_t intgold_round_away(int64_t p, int t) {
    const int64_t magnitude = (intgold_magnitude(p) + intgold_half(t)) >> t;
    return p < 0 ? -magnitude : magnitude;
}

/* Clause 2.3: nearest, ties to even. */
static inline int64_t intgold_round_even(int64_t p, int t) {
    const int64_t magnitude = intgold_magnitude(p);
    const int64_t floor = magnitude >> t;
    const int64_t remainder = magnitude - (floor << t);
    const int64_t half = intgold_half(t);
    const int64_t rounded =
        floor + (t > 0 && (remainder > half || (remainder == half && (floor & 1))));
    return p < 0 ? -rounded : rounded;
}

/* The same of p >= 0 without a branch. */
static inline int64_t intgold_round_even_positive(int64_t p, int t) {
    const int64_t odd = p >> t & 1;
    return (p + (t > 0 ? intgold_half(t) - 1 + odd : 0)) >> t;
}

/* Clauses 2.1 and 2.2 where |p| + 2^(t-1) fits int32: a vector holds more of them. */
static inline int32_t intgold_round_up_32(int32_t p, int t) {
    const int32_t sum = p + (int32_t)intgold_half(t);
    return sum < 0 ? ~(~sum >> t) : sum >> t;
}

static inline int32_t intgold_round_away_32(int32_t p, int t) {
    const int32_t magnitude = ((p < 0 ? -p : p) + (int32_t)intgold_half(t)) >> t;
    return p < 0 ? -magnitude : magnitude;
}

/* Number of bits of a value >= 0.  Where there is no instruction for it, the builtin is a call. */
static inline int intgold_bit_length(int64_t p) {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__ARM_FEATURE_CLZ))
    return p ? 64 - __builtin_clzll((unsigned long long)p) : 0;
#else
    int bits = 0, step;
    for (step = 32; step > 0; step >>= 1) {
        if (p >> step) {
            p >>= step;
            bits += step;
        }
    }
    return bits + (int)p;
#endif
}

/* Clause 2.6: nearest value of at most `bits` significant bits, ties to even. */
static inline int64_t intgold_to_significand(int64_t p, int bits) {
    const int length = intgold_bit_length(intgold_magnitude(p));
    const int excess = length > bits ? length - bits : 0;
    return intgold_round_even(p, excess) * ((int64_t)1 << excess);
}

/* Clause 2.7: p / n, half-way cases away from zero, n >= 1. */
static inline int32_t intgold_divide_away(int32_t p, int32_t n) {
    return p > 0 ? (p + n / 2) / n : (p - n / 2) / n;
}

/* Clause 2.8: floor((p + floor(n/2)) / n), n >= 1. */
static inline int32_t intgold_divide_up(int32_t p, int32_t n) {
    const int32_t sum = p + n / 2;
    return sum < 0 ? ~(~sum / n) : sum / n;
}

/* The same for a larger p >= 0, n >= 1; separate, since a division of 64 bits takes longer. */
static inline int64_t intgold_divide_up_64(int64_t p, int64_t n) { return (p + n / 2) / n; }

#endif
