"""softmax_float32 (SPEC 5.17): a table of float32 exponentials, summed and divided, in integers."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import below_largest, give, take
from .float32_values import entries_and_sum


def softmax_float32(x: IntArray, *, form: str, table: IntArray) -> IntArray:
    """Return exp(x - max) / sum over the last dimension, scale 1/256 and zero point -128.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ..., depth)
    form : str
        ``rounded``: the quotient to the nearest, halves up; ``half_added``: 1/2 is added in
        float32, then the fraction dropped.
    table : ndarray of int32, shape (256,)
        Entry i: the bits of the float32 exp of the difference i - 255.

    Returns
    -------
    ndarray of int8, shape of `x`
    """
    take("x", x, "int8")
    take("table", table, "int32", 1)
    (e, exponent), (total, total_exponent) = entries_and_sum(below_largest(x), table)
    inverse = rounding.divide_up(np.full_like(total, 2**47), total)  # of 1/256 of the sum
    p = rounding.to_significand(e * inverse, 24)
    shift = np.minimum(39 + total_exponent - exponent, 62)  # 62: p vanishes
    if form == "half_added":
        r = rounding.down(rounding.to_significand(p + (np.int64(1) << shift - 1), 24), shift)
    else:
        r = rounding.up(p, shift)
    return give(r - 128, -128, 127)
