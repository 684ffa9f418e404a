"""maximum (SPEC 5.22)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import take


def maximum(x1: IntArray, x2: IntArray) -> IntArray:
    """Take the larger of two values, elementwise.

    Parameters
    ----------
    x1, x2 : ndarray of int8, shape (n, ...)

    Returns
    -------
    y : ndarray of int8, shape of `x1`
    """
    take("x1", x1, "int8"), take("x2", x2, "int8")
    return np.maximum(x1, x2)
