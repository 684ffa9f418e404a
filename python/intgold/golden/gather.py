"""gather (SPEC 5.19)."""

from __future__ import annotations

from ..support.array_types import IntArray
from ._integers import take


def gather(x: IntArray, *, axis: int, indices: IntArray) -> IntArray:
    """Take places along one axis, in the order of a list.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ...)
    axis : int
        Counted without the batch.
    indices : ndarray of int32, shape (places of `y`,)
        Places of `x`, each in [0, its extent along `axis` - 1].

    Returns
    -------
    y : ndarray of int8, shape (n, ...)
    """
    take("x", x, "int8"), take("indices", indices, "int32")
    return x.take(indices, axis=axis + 1)
