"""depthwise_conv2d (SPEC 5.2)."""

from __future__ import annotations

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized
from .windows import sum_of_taps


def depthwise_conv2d(
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
    """Convolve each channel by itself; output channel oc reads input channel oc // (out_c/in_c).

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, in_c)
    weights : ndarray of int8, shape (kernel_h, kernel_w, out_c)
    weight_zero_point : ndarray of int8, shape (1,) or (out_c,)
    bias : ndarray of int32, shape (out_c,)
    stride, dilation, padding, requantize, x_zero_point, y_zero_point, act_min, act_max
        As in `conv2d`.

    Returns
    -------
    y : ndarray of int8 (int32 without requantize), shape (n, out_h, out_w, out_c)
    acc : ndarray of int32, the same shape
    """
    take("x", x, "int8", 4), take("weights", weights, "int8", 3), take("bias", bias, "int32", 1)
    w = weights.astype(np.int32) - weight_zero_point.astype(np.int32)
    centred = x.astype(np.int32) - np.int32(x_zero_point)
    spread = np.repeat(centred, weights.shape[2] // x.shape[3], axis=3)
    acc = sum_of_taps(
        spread, weights.shape[:2], stride, padding, dilation, bias,
        lambda cells, ky, kx: cells * w[ky, kx],
    )  # fmt: skip

    if requantize is None:
        return acc, acc
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
