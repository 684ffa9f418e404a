"""strided_copy (SPEC 5.18)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import take


def strided_copy(
    x: IntArray,
    *,
    shape: tuple[int, int, int],
    counts: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
) -> IntArray:
    """Copy the values at the addresses that six nested counters reach.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ...)
    shape : (int, int, int)
        Of `y`, without the batch; 0 for dimensions that it does not have.
    counts : six int
        How far each counter counts, the last one fastest; 1 for those that are not used.
    strides : six int
        What a step of each counter adds to the address; may be 0 or negative.
    offset : int
        The first address.

    Returns
    -------
    y : ndarray of int8, shape (n, ...)
    """
    take("x", x, "int8")
    at = np.full((1,) * len(counts), offset, np.int64)
    for k, (count, stride) in enumerate(zip(counts, strides, strict=True)):
        steps = np.arange(count, dtype=np.int64) * stride
        at = at + steps.reshape(count, *(1,) * (len(counts) - 1 - k))
    flat: IntArray = x.reshape(len(x), -1)[:, at.ravel()]
    return flat.reshape(len(x), *(n for n in shape if n))
