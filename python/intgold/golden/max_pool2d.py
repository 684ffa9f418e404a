"""max_pool2d (SPEC 5.6)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from ._integers import give, take
from .windows import over_windows


def max_pool2d(
    x: IntArray,
    *,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    act_min: int,
    act_max: int,
) -> IntArray:
    """Return the largest valid cell of each window; padded cells do not take part.

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, channels)
    kernel, stride : (int, int)
        Height, then width.
    padding : (int, int, int, int)
        Top, bottom, left, right, each less than the kernel.
    act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    ndarray of int8, shape (n, out_h, out_w, channels)
    """
    take("x", x, "int8", 4)
    # The smallest int8 never wins against a valid cell, and every window has one.
    largest = over_windows(x, kernel, stride, padding, -128, np.maximum)
    return give(largest, act_min, act_max)
