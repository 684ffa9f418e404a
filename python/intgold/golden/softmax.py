"""softmax (SPEC 5.10): fixed point, the arithmetic of the TFLite family.

Integers stand for reals with a stated number of fraction bits; Qa.b has a integer and b
fraction bits besides the sign.
"""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import below_largest, bit_length, give, take
from .fixed_point import product, reciprocal, scaled_differences


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
    _, e, counts = scaled_differences(below_largest(x), multiplier, left_shift)
    total = rounding.away(e, 12).sum(axis=-1, keepdims=True)  # Q12.19
    leading = 32 - bit_length(total)
    g = reciprocal((total << leading) - 2**31)
    y = rounding.away(product(g, e), 12 - leading + 23) - 128
    return np.where(counts, give(y, -128, 127), np.int8(-128))
