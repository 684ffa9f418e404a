"""mul (SPEC 5.13)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized


def mul(
    x1: IntArray,
    x2: IntArray,
    *,
    x1_zero_point: int,
    x2_zero_point: int,
    requantize: Requantize,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Multiply elementwise; ``acc = (x1 - x1_zero_point) * (x2 - x2_zero_point)``.

    Parameters
    ----------
    x1, x2 : ndarray of int8, shape (n, ...)
    requantize : Requantize
        One entry.
    x1_zero_point, x2_zero_point, y_zero_point, act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    y : ndarray of int8, shape of `x1`
    acc : ndarray of int32, shape of `x1`
    """
    take("x1", x1, "int8"), take("x2", x2, "int8")
    centred1 = x1.astype(np.int32) - np.int32(x1_zero_point)
    centred2 = x2.astype(np.int32) - np.int32(x2_zero_point)
    acc = centred1 * centred2
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
