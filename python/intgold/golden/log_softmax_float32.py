"""log_softmax_float32 (SPEC 5.27): the logarithm of a softmax in float32, in integers."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import below_largest, give, take
from .float32_values import entries_and_sum, log_float32, plus, times, to_integer, unpacked


def log_softmax_float32(x: IntArray, *, form: str, scale_bits: int, table: IntArray) -> IntArray:
    """Return s*x - (s*max + log(sum of exp(s*(x - max)))) over the last dimension.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ..., depth)
    form : str
        What s is multiplied by: ``signed``: x; ``unsigned``: x + 128.
    scale_bits : int
        In [1, 2013265920]: the bits of the float32 s.
    table : ndarray of int32, shape (256,)
        Entry i: the bits of the float32 exp of the difference i - 255.

    Returns
    -------
    ndarray of int8, shape of `x`
        Scale 1/16 and zero point 127.
    """
    take("x", x, "int8")
    take("table", table, "int32", 1)
    _, total = entries_and_sum(below_largest(x), table)
    bytes_ = x.astype(np.int64) + (128 if form == "unsigned" else 0)
    s = unpacked(np.array(scale_bits, np.int64))
    subtracted = plus(times(s, bytes_.max(axis=-1, keepdims=True)), log_float32(total))
    y = plus(times(s, bytes_), (-subtracted[0], subtracted[1]))
    return give(to_integer(y, 4) + 127, -128, 127)
