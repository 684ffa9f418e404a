"""pwl (SPEC 5.5)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import give, take


def pwl(
    x: IntArray,
    *,
    breakpoints: IntArray,
    slope: IntArray,
    offset: IntArray,
    frac_bits: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Evaluate the segment k of the last breakpoint b_k <= q: ``slope[k]*q + offset[k]``.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ...)
        Raw values; both zero points are folded into the offsets.
    breakpoints : ndarray of int8, shape (segments,)
        Rising, the first one -128.
    slope : ndarray of int16, shape (segments,)
    offset : ndarray of int32, shape (segments,)
    frac_bits : int
        In [0, 15]: fraction bits of slope and offset.
    act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    y : ndarray of int8, shape of `x`
    acc : ndarray of int32, shape of `x`
        The value of the segment before rounding.
    """
    take("x", x, "int8"), take("slope", slope, "int16", 1), take("offset", offset, "int32", 1)
    q = x.astype(np.int64)
    k = np.searchsorted(breakpoints, x.ravel(), side="right").reshape(x.shape) - 1
    acc = slope.astype(np.int64)[k] * q + offset.astype(np.int64)[k]
    return give(rounding.up(acc, frac_bits), act_min, act_max), acc.astype(np.int32)
