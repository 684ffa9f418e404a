"""Integer helpers of the golden model: dtype checks at every op's boundary, bit lengths."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ..errors import InputError
from ..support.array_types import IntArray

Int: TypeAlias = int | IntArray


def take(name: str, value: Any, dtype: str | tuple[str, ...], ndim: int | None = None) -> IntArray:
    """Return `value` if it is an array of exactly this dtype (and rank), else raise InputError."""
    dtypes = (dtype,) if isinstance(dtype, str) else dtype
    if not isinstance(value, np.ndarray) or value.dtype not in map(np.dtype, dtypes):
        found = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise InputError(f"{name}: {found} instead of an array of {' or '.join(dtypes)}")
    if ndim is not None and value.ndim != ndim:
        raise InputError(f"{name}: shape {value.shape} instead of {ndim} dimensions")
    return value


def below_largest(x: IntArray) -> IntArray:
    """Return x less the largest of its row, the last dimension, as int64."""
    wide = x.astype(np.int64)
    return np.asarray(wide - wide.max(axis=-1, keepdims=True))


def give(y: IntArray, act_min: int, act_max: int) -> IntArray:
    """Clamp int64 values to [act_min, act_max] within int8 and return them as int8."""
    return np.clip(y, act_min, act_max).astype(np.int8)


def bit_length(p: IntArray) -> IntArray:
    """Return the number of bits of each value in [0, 2^63), as int64; 0 for 0."""
    rest = np.array(p, np.int64)
    bits = np.zeros(rest.shape, np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        big = rest >= np.int64(1) << step
        bits += big * step
        rest = np.where(big, rest >> step, rest)
    return bits + rest
