"""Rows that the corners of softmax and log_softmax, in every arithmetic, have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

EVERY = np.arange(-128, 128).reshape(256, 1)
"""Rows of one value."""
PAIRS = (np.array([[0, -d] for d in range(256)]) + 127).reshape(256, 2)
"""Two values at every difference."""
STEPS = np.array([[127 - d for d in range(0, 256, 5)], [d - 128 for d in range(0, 256, 5)]])
"""All of the range in steps of 5, down and up."""
DIFFERENCES = -np.arange(0, 125).reshape(1, 125)
"""Every difference that counts at a left_shift of 24."""
IMAGE = np.array([[[[5, 1, 2], [-9, -9, 0]], [[127, -128, 0], [3, 3, 3]]]])
"""Each pixel is a row of its own."""
ONE = 127 << 23
"""The bits of the float32 1; an exponent less by one: 2^23 less."""


def equal(depth: int) -> np.ndarray:
    """Return two rows of equal values, the smallest and the largest."""
    return np.array([[v] * depth for v in (-128, 127)])


def dominant() -> Iterator[tuple[str, np.ndarray]]:
    """Yield rows of the smallest value but for the largest one, by its place."""
    for place in ("first", "last"):
        x = np.full((1, 10), -128)
        x[0, 0 if place == "first" else -1] = 127
        yield place, x


def table_entries(of: Mapping[int, int]) -> list[int]:
    """Return a table of zeros but for entries at some differences, and for 1 at none."""
    return [ONE if i == 255 else of.get(255 - i, 0) for i in range(256)]
