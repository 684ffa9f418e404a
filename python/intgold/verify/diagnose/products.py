"""The sums of conv2d for the many bugs of a search: the golden model's integers, by float64.

NumPy multiplies matrices of float64 several times as fast as matrices of integers.  Products and
sums are integers below 2^53, which float64 holds exactly; beyond, and for images so large that what
is gathered of one would take much memory, the golden model computes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import golden
from ...golden.windows import out_size, taps
from ...support.array_types import IntArray

_EXACT = 2.0**53
_COLUMNS = 2**21
"""Values under windows that are gathered at a time."""
_SMALL, _MIN_ROWS = 2**18, 64
"""Products of a matrix that BLAS does without threads, which wait by spinning; rows at least."""


def conv2d_sums(x: IntArray, arguments: dict[str, Any]) -> IntArray:
    """Return the accumulators of `intgold.golden.conv2d` (SPEC 5.1), the same int32 values.

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, in_c)
    arguments : dict
        Of the golden function.

    Returns
    -------
    ndarray of int32, shape (n, out_h, out_w, out_c)
    """
    a = arguments
    out_c, kernel_h, kernel_w, _ = a["weights"].shape
    zero_points = a["weight_zero_point"].astype(np.float64).reshape(-1, 1)
    w = a["weights"].reshape(out_c, -1) - zero_points
    zero_point = np.float64(a["x_zero_point"])
    largest = np.abs(w).max(initial=0) * (128 + abs(zero_point)) * w.shape[1]
    gathered = kernel_h * kernel_w * x[:1].size
    if largest >= _EXACT or gathered > _COLUMNS:
        acc: IntArray = golden.FUNCTIONS["conv2d"](x, **{**a, "requantize": None})[1]
        return acc
    sums: list[np.ndarray] = []
    rows = max(_MIN_ROWS, _SMALL // max(1, w.size))
    step = max(1, _COLUMNS // max(1, gathered))
    for first in range(0, len(x), step):
        part = x[first : first + step] - zero_point
        columns = _columns(part, (kernel_h, kernel_w), a["stride"], a["padding"], a["dilation"])
        flat, shape = columns.reshape(-1, w.shape[1]), columns.shape[1:3]
        sums += [flat[row : row + rows] @ w.T for row in range(0, len(flat), rows)]
    total: IntArray = np.concatenate(sums).astype(np.int64) + a["bias"]
    return total.astype(np.int32).reshape(len(x), *shape, out_c)


def _columns(
    x: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
) -> np.ndarray:
    """Return what is under each window, padded with 0; last dimensions (ky, kx, channel)."""
    (n, h, w, _), (top, bottom, left, right) = x.shape, padding
    out_h = out_size(h, kernel[0], stride[0], dilation[0], top, bottom)
    out_w = out_size(w, kernel[1], stride[1], dilation[1], left, right)
    if min(*padding, out_h - 1, out_w - 1) < 0:  # a bug moved the windows off the image
        cells = [cells for _, _, cells in taps(x, kernel, stride, padding, dilation, 0)]
        return np.concatenate(cells, axis=3)
    if any(padding):
        padded = np.zeros((n, h + top + bottom, w + left + right, x.shape[3]), x.dtype)
        padded[:, top : top + h, left : left + w] = x
        x = padded
    of_image, of_row, of_column, of_channel = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        (n, out_h, out_w, *kernel, x.shape[3]),
        (of_image, of_row * stride[0], of_column * stride[1], of_row * dilation[0],
         of_column * dilation[1], of_channel),
        writeable=False,
    )  # fmt: skip
