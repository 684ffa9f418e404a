"""log_softmax (SPEC 5.26): the logarithm of a softmax, in its fixed point."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import below_largest, give, take
from .fixed_point import log, scaled_differences


def log_softmax(x: IntArray, *, multiplier: int, left_shift: int) -> IntArray:
    """Return x - max - log(sum of exp(x - max)) over the last dimension.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ..., depth)
    multiplier : int
        In [2^30, 2^31-1], with `left_shift` the input scale in Q5.26.
    left_shift : int
        In [0, 31].

    Returns
    -------
    ndarray of int8, shape of `x`
        Scale 1/16 and zero point 127.
    """
    take("x", x, "int8")
    a, e, counts = scaled_differences(below_largest(x), multiplier, left_shift)
    total = rounding.away(e, 12).sum(axis=-1, keepdims=True)  # Q12.19
    y = rounding.away(a - log(total), 22) + 127
    return np.where(counts, give(y, -128, 127), np.int8(-128))
