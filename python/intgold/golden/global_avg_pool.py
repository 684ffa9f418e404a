"""global_avg_pool (SPEC 5.8)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized


def global_avg_pool(
    x: IntArray,
    *,
    x_zero_point: int,
    requantize: Requantize,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Sum each channel over height and width and requantize; 1/n is in the multiplier.

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, channels)
    requantize : Requantize
        One entry, or one per channel.
    x_zero_point, y_zero_point, act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    y : ndarray of int8, shape (n, 1, 1, channels)
    acc : ndarray of int32, the same shape
    """
    take("x", x, "int8", 4)
    centred = x.astype(np.int32) - np.int32(x_zero_point)
    acc = centred.sum(axis=(1, 2), keepdims=True, dtype=np.int32)
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
