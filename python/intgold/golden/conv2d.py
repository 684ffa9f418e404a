"""conv2d (SPEC 5.1)."""

from __future__ import annotations

import numpy as np

from ..fields import Requantize
from ._integers import IntArray, take
from .requantize import requantize as requantized
from .windows import taps


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

    Padded cells hold the zero point of the input, so they contribute 0.

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
    out_c, kernel_h, kernel_w, in_c = weights.shape
    w = weights.astype(np.int32) - weight_zero_point.astype(np.int32).reshape(-1, 1, 1, 1)
    centred = x.astype(np.int32) - np.int32(x_zero_point)

    # One row of `patches` per output pixel, in the order of the weights: ky, kx, ic.
    under = taps(centred, (kernel_h, kernel_w), stride, padding, dilation, 0)
    patches = np.stack([cells for _, _, cells in under], axis=3)
    depth = kernel_h * kernel_w * in_c
    shape = patches.shape[:3]
    acc = patches.reshape(-1, depth) @ np.ascontiguousarray(w.reshape(out_c, depth).T)
    acc = (acc + bias).reshape(*shape, out_c)

    if requantize is None:
        return acc, acc
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc
