"""reshape (SPEC 5.16)."""

from __future__ import annotations

from ..support.array_types import IntArray
from ._integers import take


def reshape(x: IntArray, *, shape: tuple[int, int, int]) -> IntArray:
    """Give a tensor another shape; the values stay in C order.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ...)
    shape : (int, int, int)
        Without the batch, of as many values; 0 for dimensions that `y` does not have.

    Returns
    -------
    y : ndarray of int8, shape (n, ...)
    """
    take("x", x, "int8")
    return x.reshape(len(x), *(n for n in shape if n))
