/* Values of float32 as integers, SPEC clauses 5.17 and 5.27. */
#include "arithmetic/float32_value.h"

/* 36 bits stay below the greater term; a lesser one that they miss is below half of its last. */
static int64_t float32_aligned(intgold_float32_value v, int top) {
    const int down = top - v.exponent < 62 ? top - v.exponent : 62;
    return intgold_round_zero(v.significand * ((int64_t)1 << 36), down);
}

/* `exact` * 2^(exponent - 149) to 24 significant bits, exactly as many unless it is 0. */
static intgold_float32_value float32_rounded(int64_t exact, int exponent) {
    const int excess = intgold_bit_length(intgold_magnitude(exact)) - 24;
    intgold_float32_value made = {0, 0};
    if (exact == 0) return made;
    made.significand =
        excess > 0 ? intgold_round_even(exact, excess) : exact * ((int64_t)1 << -excess);
    made.exponent = exponent + excess;
    return made;
}

intgold_float32_value intgold_float32_plus(intgold_float32_value a, intgold_float32_value b) {
    const int top = a.exponent > b.exponent ? a.exponent : b.exponent;
    return float32_rounded(float32_aligned(a, top) + float32_aligned(b, top), top - 36);
}

/* The same of values that are not negative and, where they have fewer than 24 significant bits, of
 * exponent 0.  Without a branch: which one is greater cannot be foreseen.  Exponents more than 38
 * from each other count as 38: the lesser value is below half of the last bit either way. */
static inline intgold_float32_value plus_positive(intgold_float32_value a,
                                                  intgold_float32_value b) {
    const int is_less = a.exponent < b.exponent;
    const int64_t greater = is_less ? b.significand : a.significand;
    const int64_t other = is_less ? a.significand : b.significand;
    const int distance = is_less ? b.exponent - a.exponent : a.exponent - b.exponent;
    const int up = distance < 38 ? distance : 38;
    const int64_t exact = (greater << up) + other;
    const int excess = up + (int)(exact >> (24 + up)); /* a carry: one more */
    intgold_float32_value made;
    made.significand = intgold_round_even_positive(exact, excess);
    made.exponent = (is_less ? b.exponent : a.exponent) - up + excess;
    return made;
}

intgold_float32_value intgold_float32_times(intgold_float32_value a, int32_t n) {
    return float32_rounded(a.significand * n, a.exponent);
}

intgold_float32_value intgold_float32_exp_sum(const int32_t *table, const int8_t *x, int32_t depth,
                                              int32_t max) {
    intgold_float32_value total = {0, 0};
    int32_t i;
    for (i = 0; i < depth; i++)
        total = plus_positive(total, intgold_float32_of(table[255 + x[i] - max]));
    return total;
}

/* floor(a * b / 2^58) of values below 2^60 in magnitude, by halves of 29 bits. */
static int64_t product_58(int64_t a, int64_t b) {
    const int64_t unit = (int64_t)1 << 29;
    const int64_t a_high = intgold_round_down(a, 29), b_high = intgold_round_down(b, 29);
    const int64_t a_low = a - a_high * unit, b_low = b - b_high * unit;
    const int64_t middle = a_high * b_low + a_low * b_high + ((a_low * b_low) >> 29);
    return a_high * b_high + intgold_round_down(middle, 29);
}

/* Of sixteen centres c of significands, with 58 fraction bits. */
static const struct {
    int64_t inverse, logarithm;
} float32_centres[16] = {
    {403207537546817408, -96756439276236256}, {386319263048273728, -84423846346022320},
    {370788839817751552, -72597350984689264}, {356458835818373440, -61237047579453256},
    {343195250759117120, -50307571856423616}, {330883313090930688, -39777436906555392},
    {319424150354333632, -29618486291478904}, {308732128243838592, -19805440296907568},
    {298732706777278912, -10315516921124924}, {288230376151711744, 0},
    {273613054968132992, 15001001067328264},  {257996434376053760, 31940051115490000},
    {244327748420476096, 47629931991455808},  {232034527784289696, 62509642983553920},
    {220919100795796896, 76658760458169872},  {210819941461986368, 90145683372171408},
};

intgold_float32_value intgold_float32_log(intgold_float32_value a) {
    const int64_t cube = 96112369020745376, square = -72315105438085952;
    const int64_t half = -144115115609035312, ln_2 = 199786072581291488;
    const int carried = a.significand >> 24 ? 1 : 0;
    const int64_t significand = a.significand >> carried;
    const int64_t part = significand - 0x800000 - 0x330000;
    const int is_lower = part >= 0; /* below 1, as half of the significand */
    const int at = (int)((is_lower ? part : part + 0x800000) >> 19);
    const int64_t z = significand * ((int64_t)1 << (is_lower ? 34 : 35));
    const int64_t r = product_58(z, float32_centres[at].inverse) - ((int64_t)1 << 58);
    const int64_t r2 = product_58(r, r);
    const int64_t series = product_58(cube, r) + half + product_58(square, r2);
    const int64_t power = a.exponent + carried - 126 + is_lower;
    return float32_rounded(
        float32_centres[at].logarithm + power * ln_2 + r + product_58(series, r2), 149 - 58);
}
