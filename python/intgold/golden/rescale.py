"""rescale (SPEC 5.11)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import INT32_MAX, INT32_MIN, Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import scale


def rescale(x: IntArray, *, requantize: Requantize) -> IntArray:
    """Bring int32 values to another scale by R, saturating to int32.

    Parameters
    ----------
    x : ndarray of int32, shape (n, ..., channels)
    requantize : Requantize
        One entry, or one per channel of the last dimension.

    Returns
    -------
    ndarray of int32, shape of `x`
    """
    take("x", x, "int32")
    return np.clip(scale(x, requantize), INT32_MIN, INT32_MAX).astype(np.int32)
