"""fully_connected (SPEC 5.3)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized


def fully_connected(
    x: IntArray,
    *,
    x_zero_point: int,
    weights: IntArray,
    weight_zero_point: IntArray,
    bias: IntArray,
    requantize: Requantize | None,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Multiply the input, flattened in C order, by a matrix.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ...), in_c values per image
    weights : ndarray of int8, shape (out_c, in_c)
    weight_zero_point : ndarray of int8, shape (1,) or (out_c,)
    bias : ndarray of int32, shape (out_c,)
    requantize, x_zero_point, y_zero_point, act_min, act_max
        As in `conv2d`.

    Returns
    -------
    y : ndarray of int8 (int32 without requantize), shape (n, out_c)
    acc : ndarray of int32, the same shape
    """
    take("x", x, "int8"), take("weights", weights, "int8", 2), take("bias", bias, "int32", 1)
    w = weights.astype(np.int32) - weight_zero_point.astype(np.int32).reshape(-1, 1)
    centred = x.reshape(x.shape[0], -1).astype(np.int32) - np.int32(x_zero_point)
    acc = centred @ np.ascontiguousarray(w.T) + bias

    if requantize is None:
        return acc, acc
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
