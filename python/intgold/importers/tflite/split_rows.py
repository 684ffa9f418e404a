"""Rows of a tensor cut in two, where a kernel computes the last values of each differently."""

from __future__ import annotations

import numpy as np

from .op_context import IDENTITY, OpContext, extents, inner
from .reader import FileTensor

_MAX_DILATION = 2**15
"""Of a dilation."""


def split_rows(
    context: OpContext, x: str, like: FileTensor, rows: int, run: int, whole: int
) -> list[str]:
    """Add what cuts the rows of `x` and return their first `whole` values, and the rest.

    A depthwise_conv2d of two taps, one of them 0: the distance of the taps is how many values it
    leaves out, before those that it keeps or after them.

    Parameters
    ----------
    x : str
        A tensor of scale and zero point of `like`.
    rows, run : int
        Its values are `rows` rows of `run` values.

    Returns
    -------
    list of str
        Images of shape (rows, values, 1).
    """
    image = context.add("reshape", x, last=False, like=like, shape=(rows, run, 1))
    return [part_of_rows(context, image, like, run, whole, first=first) for first in (True, False)]


def part_of_rows(
    context: OpContext, image: str, like: FileTensor, run: int, whole: int, *, first: bool
) -> str:
    """Add what leaves the first `whole` of `run` values of each row of an image, or the others."""
    return _without(context, image, like, run - whole if first else whole, at_end=first)


def join_rows(context: OpContext, parts: list[str]) -> None:
    """Add what joins the two parts of rows, as the output of the op."""
    rows = context.add("concat", *parts, last=False, axis=1)
    context.add("reshape", rows, shape=extents(inner(context.y)))


def _without(context: OpContext, x: str, like: FileTensor, count: int, *, at_end: bool) -> str:
    """Leave out `count` values of each row, after or before the others."""
    taps = np.array([1, 0] if at_end else [0, 1], np.int8).reshape(1, 2, 1)
    while count:
        distance = min(count, _MAX_DILATION)
        x = context.add(
            "depthwise_conv2d", x, last=False, like=like, weights=taps, bias=np.zeros(1, np.int32),
            stride=(1, 1), dilation=(1, distance), requantize=IDENTITY,
        )  # fmt: skip
        count -= distance
    return x
