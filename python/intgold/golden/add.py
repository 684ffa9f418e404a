"""add (SPEC 5.9)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized
from .requantize import scale


def add(
    x1: IntArray,
    x2: IntArray,
    *,
    x1_zero_point: int,
    x2_zero_point: int,
    form: str,
    left_shift: int,
    requantize1: Requantize,
    requantize2: Requantize,
    requantize: Requantize,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Add, subtract or square a difference after bringing both inputs to a shared, finer scale.

    Parameters
    ----------
    x1, x2 : ndarray of int8, shape (n, ...)
    form : str
        ``shared_scale``: u_i = R_i((x_i - zero_point_i) * 2^left_shift), acc = u_1 + u_2;
        ``shared_scale_difference``: acc = u_1 - u_2;
        ``shared_scale_squared_difference``: acc = (u_1 - u_2)^2.
    left_shift : int
        In [0, 22].
    requantize1, requantize2, requantize : Requantize
        One entry each: to the shared scale, and from it.
    x1_zero_point, x2_zero_point, y_zero_point, act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    y : ndarray of int8, shape of `x1`
    acc : ndarray of int32, shape of `x1`
    """
    take("x1", x1, "int8"), take("x2", x2, "int8")
    u1 = scale((x1.astype(np.int64) - x1_zero_point) << left_shift, requantize1)
    u2 = scale((x2.astype(np.int64) - x2_zero_point) << left_shift, requantize2)
    acc = (u1 + u2 if form == "shared_scale" else u1 - u2).astype(np.int32)
    if form == "shared_scale_squared_difference":
        acc = acc * acc
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
