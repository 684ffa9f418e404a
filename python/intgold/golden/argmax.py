"""argmax (SPEC 5.12)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import take


def argmax(x: IntArray) -> IntArray:
    """Return the index of the largest value of the last dimension, ties to the lowest index.

    Parameters
    ----------
    x : ndarray of int8 or int32, shape (n, ..., depth)

    Returns
    -------
    ndarray of int32, shape (n, ..., 1)
    """
    take("x", x, ("int32", "int8"))
    at: IntArray = np.argmax(x, axis=-1, keepdims=True)
    return at.astype(np.int32)
