"""conv2d (SPEC 5.1)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized
from .windows import sum_of_taps


def conv2d(
    x: IntArray,
    *,
    x_zero_point: int,
    weights: IntArray,
    weight_zero_point: IntArray,
    bias: IntArray,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    requantize: Requantize | None,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Convolve; ``acc = bias + sum (w - weight_zero_point) * (x - x_zero_point)``.

    A padded tap contributes 0: the sum goes over the valid ones.

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, in_c)
    weights : ndarray of int8, shape (out_c, kernel_h, kernel_w, in_c)
    weight_zero_point : ndarray of int8, shape (1,) or (out_c,)
    bias : ndarray of int32, shape (out_c,)
    stride, dilation : (int, int)
        Height, then width.
    padding : (int, int, int, int)
        Top, bottom, left, right.
    requantize : Requantize or None
        None leaves the accumulator.
    x_zero_point, y_zero_point, act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    y : ndarray of int8 (int32 without requantize), shape (n, out_h, out_w, out_c)
    acc : ndarray of int32, the same shape
    """
    take("x", x, "int8", 4), take("weights", weights, "int8", 4), take("bias", bias, "int32", 1)
    w = weights.astype(np.int32) - weight_zero_point.astype(np.int32).reshape(-1, 1, 1, 1)
    centred = x.astype(np.int32) - np.int32(x_zero_point)
    acc = sum_of_taps(
        centred, weights.shape[1:3], stride, padding, dilation, bias,
        lambda cells, ky, kx: cells @ w[:, ky, kx].T,
    )  # fmt: skip

    if requantize is None:
        return acc, acc
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
