"""matmul (SPEC 5.25)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized


def matmul(
    x1: IntArray,
    x2: IntArray,
    *,
    x1_zero_point: int,
    x2_zero_point: int,
    bias: IntArray,
    requantize: Requantize,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Multiply every row of `x1` by every row of `x2`, both less their zero points.

    Parameters
    ----------
    x1 : ndarray of int8, shape (n, rows, depth) or (n, batch, rows, depth)
    x2 : ndarray of int8, shape (n, columns, depth) or (n, batch, columns, depth)
    bias : ndarray of int32, shape (columns,)
    requantize : Requantize
        One entry.
    x1_zero_point, x2_zero_point, y_zero_point, act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    y : ndarray of int8, shape (n, rows, columns) or (n, batch, rows, columns)
    acc : ndarray of int32, the same shape
    """
    take("x1", x1, "int8"), take("x2", x2, "int8"), take("bias", bias, "int32", 1)
    rows = x1.astype(np.int32) - np.int32(x1_zero_point)
    columns = x2.astype(np.int32) - np.int32(x2_zero_point)
    acc = bias + rows @ columns.swapaxes(-1, -2)
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
