"""Functions of fixed-point values (SPEC 5.10, 5.26): product, exp, reciprocal, logarithm.

Qa.b has a integer and b fraction bits besides the sign.
"""

from __future__ import annotations

import numpy as np

from ..support.array_types import BoolArray, IntArray
from . import rounding
from ._integers import Int, bit_length

_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8), Q0.31
_ONE_THIRD = 715827883  # 1/3, Q0.31
_EXP_OF_MINUS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-1/4), exp(-1/2), exp(-1) ... exp(-16) in Q0.31."""
_48_OVER_17, _MINUS_32_OVER_17 = 1515870810, -1010580540  # Q2.29
_SQRT_HALF, _FOURTH_ROOT_OF_HALF, _LN_2 = 1518500250, 1805811301, 1488522236  # Q0.31
_NUMERATOR = 117049297
_DENOMINATOR = (1057819769, 638450708, 127690142)
"""Of the rational function next to the logarithm (SPEC 5.26.1), Q0.31."""


def product(a: Int, b: Int) -> IntArray:
    """Return the high half of a doubled product, rounded up."""
    return rounding.up(np.asarray(a, np.int64) * b, 31)


def exp(a: IntArray, fraction: int) -> IntArray:
    """Return exp of a value <= 0 of `fraction` fraction bits as Q0.31 (SPEC 5.10.2 for 26)."""
    quarter = 1 << (fraction - 2)
    r = (a & (quarter - 1)) - quarter  # in [-1/4, 0)
    result = _exp_quarter(r << (31 - fraction))
    for i, factor in enumerate(_EXP_OF_MINUS[: 33 - fraction]):
        bit = fraction - 2 + i
        result = np.where((r - a) >> bit & 1 == 1, product(result, factor), result)
    return np.where(a == 0, 2**31 - 1, result)


def _exp_quarter(a: IntArray) -> IntArray:
    """exp of a Q0.31 value in [-1/4, 0): a Taylor polynomial about -1/8 (SPEC 5.10.3)."""
    y = a + 2**28
    y2 = product(y, y)
    y3 = product(y2, y)
    quarter_y4 = rounding.away(product(y2, y2), 2)
    rest = rounding.away(product(quarter_y4 + y3, _ONE_THIRD) + y2, 1)
    return _EXP_MINUS_EIGHTH + product(_EXP_MINUS_EIGHTH, y + rest)


def scaled_differences(
    diff: IntArray, multiplier: int, left_shift: int
) -> tuple[IntArray, IntArray, BoolArray]:
    """Return differences <= 0 in Q5.26, their exp, and which of them count (SPEC 5.10.1).

    One that does not count would leave Q5.26: both are 0 there.
    """
    counts: BoolArray = diff >= -((31 << 26) >> left_shift)
    a = product(np.where(counts, diff, 0) << left_shift, multiplier)
    return a, np.where(counts, exp(a, 26), 0), counts


def reciprocal(a: IntArray) -> IntArray:
    """Return 1 / (1 + a) for a Q0.31 value in [0, 1) as Q0.31 (SPEC 5.10.4)."""
    return saturate(halved_reciprocal(a) << 1)


def halved_reciprocal(a: IntArray) -> IntArray:
    """Return 2 / (1 + a), Q2.29, by three Newton steps, for a Q0.31 value in [0, 1)."""
    half_denominator = (a + 2**31) >> 1  # (a + (2^31 - 1) + 1) / 2, never negative
    x = _48_OVER_17 + product(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        error = 2**29 - product(half_denominator, x)
        x = x + saturate(product(x, error) << 2)
    return np.asarray(x)


def log(x: IntArray) -> IntArray:
    """Return the logarithm of a Q12.19 value >= 1 as Q5.26 (SPEC 5.26.1)."""
    bits = bit_length(x)
    top = x << (31 - bits)
    upper = bit_length(product(x, _SQRT_HALF)) == bits  # in [sqrt(1/2), 1) as it is
    r = np.where(upper, top, product(top, _SQRT_HALF) << 1)
    exponent = ((bits - 20) << 25) + np.where(upper, 3 << 23, 1 << 23)  # Q6.25
    p = (r + _FOURTH_ROOT_OF_HALF + 1) >> 1
    q = (r - _FOURTH_ROOT_OF_HALF) << 1
    q2 = product(q, q)
    numerator = product(q, r) + product(product(q, q2), _NUMERATOR)
    one, times_q, times_q2 = _DENOMINATOR
    denominator = product(p, one + q + product(q2, times_q2)) + product(q, times_q)
    quotient = product(rounding.away(numerator, 6), reciprocal(denominator))
    return np.asarray((product(exponent, _LN_2) + quotient) << 1)


def saturate(a: IntArray) -> IntArray:
    """Return the value kept in int32."""
    return np.clip(a, -(2**31), 2**31 - 1)
