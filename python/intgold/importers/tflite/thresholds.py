"""Any function of a sum that never falls, as thresholds: a channel for each of its steps.

Some engines round a sum as no form of SPEC 4.2 does.  The sum is then made once for each step of
its value, with a bias that tells which side of the step it is on, and the steps are counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .step import IDENTITY, Step, inner

Rounding = Callable[[np.ndarray], np.ndarray]
"""What is made of sums: int64 to int64, never falling; it counts between -128 and 127."""


def thresholds(rounding: Rounding, low: int, high: int) -> np.ndarray:
    """Return the least sums of [low, high] that reach -127 ... 127; high + 1 where none does."""
    values = np.arange(-127, 128)
    least, most = np.full(255, low), np.full(255, high + 1)
    for _ in range((high - low + 1).bit_length()):
        middle = (least + most) // 2
        below = rounding(middle) < values
        open_ = least < most
        least = np.where(open_ & below, middle + 1, least)
        most = np.where(open_ & ~below, middle, most)
    return most


def alike(rounding: Rounding, other: Rounding, low: int, high: int) -> bool:
    """Return whether both make the same of every sum: on either side of each threshold."""
    at = thresholds(rounding, low, high)
    sides = np.clip(np.concatenate([at - 1, at]), low, high)
    made, wanted = (np.clip(each(sides), -128, 127) for each in (other, rounding))
    return np.array_equal(made, wanted)


def by_thresholds(
    step: Step,
    kind: str,
    x: str,
    weights: np.ndarray,
    roundings: Sequence[Rounding],
    low: int,
    high: int,
) -> str:
    """Add an op and what rounds its sums, however that is done.

    Parameters
    ----------
    kind : str
        ``conv2d`` of one output channel, or ``depthwise_conv2d`` of as many as `x` has.
    weights : ndarray of int8
        Of the op that makes the sum.
    roundings : sequence of callable
        Of the sums, for each channel or for all of them.
    low, high : int
        The ends of the sums.

    Returns
    -------
    str
        A tensor of shape (places, 1, 1): the op's values in C order, of the step's zero point.
    """
    depthwise = kind == "depthwise_conv2d"
    channels = weights.shape[-1] if depthwise else 1
    at = np.stack([thresholds(each, low, high) for each in roundings])
    always, never = int((at == low).all(0).sum()), int((at > high).all(0).sum())
    if always + never == 255:
        always = never = 0
    count = 255 - always - never
    step.take_room(count * weights.size, count * channels)
    bias = -np.broadcast_to(at[:, always : 255 - never], (channels, count))
    # 0 from the threshold on, -1 below it.
    steps = step.add(
        kind, x, last=False, zero=0, requantize=IDENTITY, act_min=-1, act_max=0,
        bias=bias.astype(np.int32).ravel(),
        weights=np.repeat(weights, count, axis=-1 if depthwise else 0),
    )  # fmt: skip
    places = math.prod(inner(step.y))
    rows = step.add("reshape", steps, last=False, zero=0, shape=(places, count, 1))
    return step.add(
        "conv2d", rows, last=False, weights=np.ones((1, 1, count, 1), np.int8),
        bias=np.array([127 - never - step.zero_point(step.y)], np.int32), requantize=IDENTITY,
    )  # fmt: skip
