"""A function of a sum that never falls is given by its thresholds: where it reaches each int8."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rounding = Callable[[np.ndarray], np.ndarray]
"""What is made of sums: int64 to int64, never falling; it counts between -128 and 127."""


def thresholds(rounding: Rounding, low: int, high: int) -> np.ndarray:
    """Return the smallest sums of [low, high] that reach -127 ... 127; high + 1 where none does."""
    values = np.arange(-127, 128)
    lowest, highest = np.full(255, low), np.full(255, high + 1)
    for _ in range((high - low + 1).bit_length()):
        middle = (lowest + highest) // 2
        below = rounding(middle) < values
        open_ = lowest < highest
        lowest = np.where(open_ & below, middle + 1, lowest)
        highest = np.where(open_ & ~below, middle, highest)
    return highest


def alike(rounding: Rounding, other: Rounding, low: int, high: int) -> bool:
    """Return whether both make the same of every sum: on either side of each threshold."""
    at = thresholds(rounding, low, high)
    sides = np.clip(np.concatenate([at - 1, at]), low, high)
    made, expected = (np.clip(each(sides), -128, 127) for each in (other, rounding))
    return np.array_equal(made, expected)
