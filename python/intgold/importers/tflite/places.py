"""A tensor cut in two behind a number of its values, where a kernel computes them otherwise."""

from __future__ import annotations

import numpy as np

from ...fields import Requantize
from .reader import FileTensor
from .step import Step

_MOST = 2**15
"""Of a dilation."""


def halves(step: Step, x: str, like: FileTensor, size: int, whole: int) -> list[str]:
    """Add what cuts the `size` values of `x` and return the first `whole` of them, and the rest.

    A depthwise_conv2d of two taps, one of them 0: the distance of the taps is how many values it
    leaves out, before those that it keeps or behind them.

    Parameters
    ----------
    x : str
        A tensor of scale and zero point of `like`.

    Returns
    -------
    list of str
        Rows, of shape (1, values, 1).
    """
    row = step.add("reshape", x, last=False, like=like, shape=(1, size, 1))
    front = _without(step, row, like, size - whole, behind=True)
    return [front, _without(step, row, like, whole, behind=False)]


def _without(step: Step, x: str, like: FileTensor, count: int, *, behind: bool) -> str:
    """Leave out `count` values of a row, behind or before the others."""
    taps = np.array([1, 0] if behind else [0, 1], np.int8).reshape(1, 2, 1)
    while count:
        distance = min(count, _MOST)
        x = step.add(
            "depthwise_conv2d", x, last=False, like=like, weights=taps, bias=np.zeros(1, np.int32),
            stride=(1, 1), dilation=(1, distance), requantize=Requantize.of(2**30, 30),
        )  # fmt: skip
        count -= distance
    return x
