"""Sliding windows of convolutions and pools (SPEC 5.0), as strided views of the input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ._integers import IntArray


def out_size(in_size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> int:
    """Return how many windows fit along one axis."""
    return (in_size + before + after - (kernel - 1) * dilation - 1) // stride + 1


def taps(
    x: IntArray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    fill: int,
) -> Iterator[tuple[int, int, IntArray]]:
    """Yield (ky, kx, view): for each kernel position the input value under every output.

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
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            y0, x0 = ky * dilation[0], kx * dilation[1]
            rows = slice(y0, y0 + (out_h - 1) * stride[0] + 1, stride[0])
            columns = slice(x0, x0 + (out_w - 1) * stride[1] + 1, stride[1])
            yield ky, kx, padded[:, rows, columns, :]
