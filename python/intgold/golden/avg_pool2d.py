"""avg_pool2d (SPEC 5.7)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import give, take
from .windows import over_windows


def avg_pool2d(
    x: IntArray,
    *,
    x_zero_point: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    form: str,
    y_zero_point: int,
    act_min: int,
    act_max: int,
) -> tuple[IntArray, IntArray]:
    """Return the rounded mean of the n valid cells of each window.

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, channels)
    kernel, stride, padding
        As in `max_pool2d`.
    form : str
        ``raw_away`` (sum of the raw values, half away), ``raw_up`` (the same, half up) or
        ``centred_away`` (sum less n zero points, half away, plus the zero point of the output).
    x_zero_point, y_zero_point, act_min, act_max : int
        In [-128, 127]; the zero points take part in ``centred_away`` only.

    Returns
    -------
    y : ndarray of int8, shape (n, out_h, out_w, channels)
    acc : ndarray of int32, the same shape
        The sum that is divided.
    """
    take("x", x, "int8", 4)
    centre = x_zero_point if form == "centred_away" else 0
    cells = x.astype(np.int64) - centre
    valid = np.ones((1, *x.shape[1:3], 1), np.int64)
    acc = over_windows(cells, kernel, stride, padding, 0, np.add)
    n = over_windows(valid, kernel, stride, padding, 0, np.add)

    if form == "raw_up":
        mean = rounding.divide_up(acc, n)
    elif form == "raw_away":
        mean = rounding.divide_away(acc, n)
    else:
        mean = rounding.divide_away(acc, n) + y_zero_point
    return give(mean, act_min, act_max), acc.astype(np.int32)
