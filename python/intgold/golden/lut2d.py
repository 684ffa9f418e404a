"""lut2d (SPEC 5.24)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import take


def lut2d(x1: IntArray, x2: IntArray, *, table: IntArray) -> IntArray:
    """Look every pair of values up; entry (i, j) answers x1 = i - 128 and x2 = j - 128.

    Parameters
    ----------
    x1, x2 : ndarray of int8, shape (n, ...)
    table : ndarray of int8, shape (256, 256)

    Returns
    -------
    ndarray of int8, shape of `x1`
    """
    take("x1", x1, "int8"), take("x2", x2, "int8"), take("table", table, "int8", 2)
    return table[x1.astype(np.int16) + 128, x2.astype(np.int16) + 128]
