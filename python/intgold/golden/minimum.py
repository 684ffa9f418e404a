"""minimum (SPEC 5.23)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import take


def minimum(x1: IntArray, x2: IntArray) -> IntArray:
    """Take the smaller of two values, elementwise.

    Parameters
    ----------
    x1, x2 : ndarray of int8, shape (n, ...)

    Returns
    -------
    y : ndarray of int8, shape of `x1`
    """
    take("x1", x1, "int8"), take("x2", x2, "int8")
    return np.minimum(x1, x2)
