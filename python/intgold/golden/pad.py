"""pad (SPEC 5.15)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import take


def pad(
    x: IntArray, *, before: tuple[int, int, int], after: tuple[int, int, int], value: int
) -> IntArray:
    """Set a tensor into a larger one of a constant.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ...)
    before, after : (int, int, int)
        Cells before and after each dimension, 0 for those that `x` does not have.
    value : int
        In [-128, 127].

    Returns
    -------
    y : ndarray of int8
    """
    take("x", x, "int8")
    sides = [(0, 0), *zip(before, after, strict=True)][: x.ndim]
    return np.pad(x, sides, constant_values=np.int8(value))
