"""lut (SPEC 5.4)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import take


def lut(x: IntArray, *, table: IntArray) -> IntArray:
    """Look every value up; entry i of the table answers q = i - 128.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ...)
    table : ndarray of int8, shape (256,)

    Returns
    -------
    ndarray of int8, shape of `x`
    """
    take("x", x, "int8"), take("table", table, "int8", 1)
    return table[x.astype(np.int16) + 128]
