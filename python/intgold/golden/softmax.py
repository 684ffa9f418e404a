"""softmax (SPEC 5.10): fixed point, the arithmetic of the TFLite family.

Integers stand for reals with a stated number of fraction bits; Qa.b has a integer and b
fraction bits besides the sign.  `_product` is the high half of a doubled product.
"""

from __future__ import annotations

import numpy as np

from . import rounding
from ._integers import Int, IntArray, bit_length, give, take

_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8), Q0.31
_ONE_THIRD = 715827883  # 1/3, Q0.31
_EXP_OF_MINUS = (  # bit of the Q5.26 magnitude, exp(-2^(bit - 26)) in Q0.31
    (24, 1672461947),
    (25, 1302514674),
    (26, 790015084),
    (27, 290630308),
    (28, 39332535),
    (29, 720401),
    (30, 242),
)
_48_OVER_17, _MINUS_32_OVER_17 = 1515870810, -1010580540  # Q2.29


def softmax(x: IntArray, *, multiplier: int, left_shift: int) -> IntArray:
    """Return exp(x - max) / sum over the last dimension, scale 1/256 and zero point -128.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ..., depth)
    multiplier : int
        In [2^30, 2^31-1], with `left_shift` the input scale (times beta) in Q5.26.
    left_shift : int
        In [0, 31].

    Returns
    -------
    ndarray of int8, shape of `x`
    """
    take("x", x, "int8")
    wide = x.astype(np.int64)
    diff = wide - wide.max(axis=-1, keepdims=True)
    counts = diff >= -((31 << 26) >> left_shift)  # smaller ones would leave Q5.26
    a = _product(np.where(counts, diff, 0) << left_shift, multiplier)
    e = np.where(counts, _exp(a), 0)
    total = rounding.away(e, 12).sum(axis=-1, keepdims=True)  # Q12.19
    leading = 32 - bit_length(total)
    g = _reciprocal((total << leading) - 2**31)
    y = rounding.away(_product(g, e), 12 - leading + 23) - 128
    return np.where(counts, give(y, -128, 127), np.int8(-128))


def _product(a: Int, b: Int) -> IntArray:
    return rounding.up(np.asarray(a) * b, 31)


def _exp(a: IntArray) -> IntArray:
    """exp of a Q5.26 value <= 0 as Q0.31 (SPEC 5.10.2)."""
    quarter = 2**24
    r = (a & (quarter - 1)) - quarter  # in [-1/4, 0)
    result = _exp_quarter(r << 5)
    for bit, factor in _EXP_OF_MINUS:
        result = np.where((r - a) >> bit & 1 == 1, _product(result, factor), result)
    return np.where(a == 0, 2**31 - 1, result)


def _exp_quarter(a: IntArray) -> IntArray:
    """exp of a Q0.31 value in [-1/4, 0): a Taylor polynomial about -1/8 (SPEC 5.10.3)."""
    y = a + 2**28
    y2 = _product(y, y)
    y3 = _product(y2, y)
    quarter_y4 = rounding.away(_product(y2, y2), 2)
    rest = rounding.away(_product(quarter_y4 + y3, _ONE_THIRD) + y2, 1)
    return _EXP_MINUS_EIGHTH + _product(_EXP_MINUS_EIGHTH, y + rest)


def _reciprocal(a: IntArray) -> IntArray:
    """1 / (1 + a) for a Q0.31 value in [0, 1) as Q0.31: three Newton steps (SPEC 5.10.4)."""
    half_denominator = (a + 2**31) >> 1  # (a + (2^31 - 1) + 1) / 2, never negative
    x = _48_OVER_17 + _product(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        error = 2**29 - _product(half_denominator, x)
        x = x + _saturate(_product(x, error) << 2)
    return _saturate(x << 1)


def _saturate(a: IntArray) -> IntArray:
    return np.clip(a, -(2**31), 2**31 - 1)
