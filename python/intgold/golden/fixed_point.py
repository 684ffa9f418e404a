"""Functions of fixed-point values (SPEC 5.10): product, exp, reciprocal.

Qa.b has a integer and b fraction bits besides the sign.
"""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import Int

_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8), Q0.31
_ONE_THIRD = 715827883  # 1/3, Q0.31
_EXP_OF_MINUS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-1/4), exp(-1/2), exp(-1) ... exp(-16) in Q0.31."""
_48_OVER_17, _MINUS_32_OVER_17 = 1515870810, -1010580540  # Q2.29


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


def saturate(a: IntArray) -> IntArray:
    """Return the value kept in int32."""
    return np.clip(a, -(2**31), 2**31 - 1)
