"""transpose_conv2d (SPEC 5.20)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from ._integers import take
from .requantize import requantize as requantized
from .windows import valid_taps


def transpose_conv2d(
    x: IntArray,
    *,
    x_zero_point: int,
    weights: IntArray,
    weight_zero_point: IntArray,
    bias: IntArray,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    requantize: Requantize | None,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Add each input, times the kernel, to the outputs from ``stride`` times its place on.

    ``acc = bias + sum (w - weight_zero_point) * (x - x_zero_point)`` over the taps that meet an
    input.  `padding` is what is cut off the full result.

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, in_c)
    weights : ndarray of int8, shape (out_c, kernel_h, kernel_w, in_c)
    weight_zero_point : ndarray of int8, shape (1,) or (out_c,)
    bias : ndarray of int32, shape (out_c,)
    stride : (int, int)
        Height, then width.
    padding : (int, int, int, int)
        Top, bottom, left, right; bottom and right may be negative.
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
    kernel = (w.shape[1], w.shape[2])
    acc = np.empty((len(x), *out_shape(x, kernel, stride, padding), len(bias)), np.int32)
    acc[...] = bias
    for ky, kx, inputs, outputs in meetings(x, kernel, stride, padding):
        acc[outputs] += centred[inputs] @ w[:, ky, kx].T

    if requantize is None:
        return acc, acc
    y = requantized(acc, requantize, y_zero_point=y_zero_point, act_min=act_min, act_max=act_max)
    return y, acc


def out_shape(
    x: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> tuple[int, int]:
    """Return height and width of the output."""
    (_, in_h, in_w, _), (top, bottom, left, right) = x.shape, padding
    height = (in_h - 1) * stride[0] + kernel[0] - top - bottom
    return height, (in_w - 1) * stride[1] + kernel[1] - left - right


def meetings(
    x: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> Iterator[tuple[int, int, tuple[slice, ...], tuple[slice, ...]]]:
    """Yield (ky, kx, inputs, outputs): which inputs a tap takes to which outputs.

    Input i meets output ``i * stride - padding + k``: a window that slides over the output.

    Parameters
    ----------
    x : ndarray, shape (n, in_h, in_w, channels)
    kernel, stride, padding
        As in `transpose_conv2d`.

    Yields
    ------
    (int, int, tuple of slice, tuple of slice)
        Indices of `x` and of an output, of the same shape.
    """
    (_, in_h, in_w, _), (out_h, out_w) = x.shape, out_shape(x, kernel, stride, padding)
    every = slice(None)
    for ky, of_y, to_y in valid_taps(out_h, in_h, kernel[0], stride[0], 1, padding[0]):
        for kx, of_x, to_x in valid_taps(out_w, in_w, kernel[1], stride[1], 1, padding[2]):
            yield ky, kx, (every, of_y, of_x), (every, to_y, to_x)


def met_inputs(
    x: IntArray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    fill: int,
) -> IntArray:
    """Return what each tap meets at each output, `fill` where that is no input.

    Parameters
    ----------
    x : ndarray, shape (n, in_h, in_w, channels)
    kernel, stride, padding
        As in `transpose_conv2d`.
    fill : int

    Returns
    -------
    ndarray of the dtype of `x`, shape (n, out_h, out_w, kernel_h * kernel_w, channels)
    """
    n, channels = len(x), x.shape[3]
    shape = (kernel[0] * kernel[1], n, *out_shape(x, kernel, stride, padding), channels)
    met: IntArray = np.full(shape, fill, x.dtype)
    for ky, kx, inputs, outputs in meetings(x, kernel, stride, padding):
        met[ky * kernel[1] + kx][outputs] = x[inputs]
    return np.moveaxis(met, 0, 3)
