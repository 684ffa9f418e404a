"""Sliding windows of convolutions and pools (SPEC 5.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..support.array_types import IntArray

Number = TypeVar("Number", bound=np.generic)


def out_size(in_size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> int:
    """Return how many windows fit along one axis."""
    return (in_size + before + after - (kernel - 1) * dilation - 1) // stride + 1


def taps(
    x: NDArray[Number],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    fill: int,
) -> Iterator[tuple[int, int, NDArray[Number]]]:
    """Yield (ky, kx, cells): for each kernel position the input value under every output.

    Parameters
    ----------
    x : ndarray, shape (n, in_h, in_w, channels)
    kernel, stride, dilation : (int, int)
        Height, then width.
    padding : (int, int, int, int)
        Top, bottom, left, right.
    fill : int
        The value of padded cells.

    Yields
    ------
    (int, int, ndarray of shape (n, out_h, out_w, channels))
    """
    top, bottom, left, right = padding
    out_h = out_size(x.shape[1], kernel[0], stride[0], dilation[0], top, bottom)
    out_w = out_size(x.shape[2], kernel[1], stride[1], dilation[1], left, right)
    for ky in range(kernel[0]):
        to_y, from_y = _valid(x.shape[1], out_h, stride[0], ky * dilation[0] - top)
        for kx in range(kernel[1]):
            to_x, from_x = _valid(x.shape[2], out_w, stride[1], kx * dilation[1] - left)
            cells = np.full((x.shape[0], out_h, out_w, x.shape[3]), fill, x.dtype)
            cells[:, to_y, to_x] = x[:, from_y, from_x]
            yield ky, kx, cells


def valid_taps(
    in_size: int, out: int, kernel: int, stride: int, dilation: int, before: int
) -> Iterator[tuple[int, slice, slice]]:
    """Yield (tap, outputs, inputs) along one axis: the outputs whose tap is valid, what they read.

    Taps that are padded under every output do not come.
    """
    for tap in range(kernel):
        outputs, inputs = _valid(in_size, out, stride, tap * dilation - before)
        if outputs.stop > 0:
            yield tap, outputs, inputs


def sum_of_taps(
    x: IntArray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    bias: IntArray,
    product: Callable[[IntArray, int, int], IntArray],
) -> IntArray:
    """Return the accumulators of a convolution: the bias and what each valid tap adds.

    Parameters
    ----------
    x : ndarray of int32, shape (n, in_h, in_w, channels)
    kernel, stride, padding, dilation
        As in `taps`.
    bias : ndarray of int32, shape (out_c,)
    product : callable
        Takes the inputs under some outputs, ky and kx; returns what this tap adds to each channel
        of these outputs.

    Returns
    -------
    ndarray of int32, shape (n, out_h, out_w, out_c)
    """
    (n, in_h, in_w, _), (top, bottom, left, right) = x.shape, padding
    out_h = out_size(in_h, kernel[0], stride[0], dilation[0], top, bottom)
    out_w = out_size(in_w, kernel[1], stride[1], dilation[1], left, right)
    acc = np.empty((n, out_h, out_w, len(bias)), np.int32)
    acc[...] = bias
    for ky, to_y, of_y in valid_taps(in_h, out_h, kernel[0], stride[0], dilation[0], top):
        for kx, to_x, of_x in valid_taps(in_w, out_w, kernel[1], stride[1], dilation[1], left):
            acc[:, to_y, to_x] += product(x[:, of_y, of_x], ky, kx)
    return acc


def over_windows(
    x: IntArray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    start: int,
    join: Callable[[IntArray, IntArray], IntArray],
) -> IntArray:
    """Join the valid cells of each window of a pool: its columns first, then its rows.

    Parameters
    ----------
    x : ndarray, shape (n, in_h, in_w, channels)
    kernel, stride, padding
        As in `taps`.
    start : int
        What `join` begins with.
    join : ufunc
        Of two arrays; its order must not matter.

    Returns
    -------
    ndarray of the dtype of `x`, shape (n, out_h, out_w, channels)
    """
    n, in_h, in_w, channels = x.shape
    out_h = out_size(in_h, kernel[0], stride[0], 1, *padding[:2])
    out_w = out_size(in_w, kernel[1], stride[1], 1, *padding[2:])
    rows = np.full((n, in_h, out_w, channels), start, x.dtype)
    for _, to, of in valid_taps(in_w, out_w, kernel[1], stride[1], 1, padding[2]):
        rows[:, :, to] = join(rows[:, :, to], x[:, :, of])
    joined = np.full((n, out_h, out_w, channels), start, x.dtype)
    for _, to, of in valid_taps(in_h, out_h, kernel[0], stride[0], 1, padding[0]):
        joined[:, to] = join(joined[:, to], rows[:, of])
    return joined


def _valid(in_size: int, out: int, stride: int, offset: int) -> tuple[slice, slice]:
    """Return the outputs whose tap, at ``o * stride + offset``, is valid, and their inputs."""
    first = max(0, -(offset // stride))
    last = min(out, (in_size - 1 - offset) // stride + 1)
    if last <= first:
        return slice(0), slice(0)
    at = first * stride + offset
    return slice(first, last), slice(at, at + (last - first - 1) * stride + 1, stride)
