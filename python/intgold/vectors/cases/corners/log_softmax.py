"""Corners of log_softmax: sums, limits, what the last step rounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .case import Case, one_op


def log_softmax_cases() -> Iterator[Case]:
    """Yield the cases of log_softmax."""
    every = np.arange(-128, 128).reshape(256, 1)
    yield _case("one_value", "depth 1: the logarithm of 1, stored as 127", every)
    for depth in (2, 3, 255, 4095):
        yield _case(
            f"equal_{depth}", f"{depth} equal values: the logarithm of each is that of 1/{depth}",
            np.array([[v] * depth for v in (-128, 127)]),
        )  # fmt: skip
    for place in ("first", "last"):
        x = np.full((1, 10), -128)
        x[0, 0 if place == "first" else -1] = 127
        yield _case(f"dominant_{place}", f"one dominant value, the {place}: 127, else -128", x)
    places = np.arange(64)
    yield _case(
        "sums", "1 to 64 values that count: significands of the sum from 1/2 to 1",
        np.where(places <= places[:, None], 90, -128),
    )  # fmt: skip
    steps = np.array([[127 - d for d in range(0, 256, 5)], [d - 128 for d in range(0, 256, 5)]])
    yield _case("left_shift_0", "left_shift 0: every difference vanishes, all count", steps, 0)
    yield _case("left_shift_31", "left_shift 31: no difference but 0 counts", steps, 31)
    yield _case("multiplier_high", "the largest multiplier, 2^31-1", steps, 22, 2**31 - 1)
    yield _case("multiplier_low", "the smallest multiplier, 2^30", steps, 22)
    for name, count, multiplier in (("tie_to_odd", 1, 1452290560), ("tie_to_even", 2, 1504914432)):
        yield _case(
            name, "the last value lies between two units: away from zero",
            np.array([[70] * count + [69]]), 24, multiplier,
        )  # fmt: skip
    differences = -np.arange(0, 125).reshape(1, 125)
    yield _case(
        "every_difference", "every difference that counts: each constant of exp takes part",
        differences, 24, 2**31 - 1,
    )  # fmt: skip
    pairs = np.array([[0, -d] for d in range(256)]) + 127
    yield _case("pairs", "two values at every difference", pairs.reshape(256, 2), 23)
    rows = np.array([[[[5, 1, 2], [-9, -9, 0]], [[127, -128, 0], [3, 3, 3]]]])
    yield _case("rows", "an image: each pixel is a row of its own", rows, 25)


def _case(
    name: str, reason: str, x: np.ndarray, left_shift: int = 24, multiplier: int = 2**30
) -> Case:
    fields = {"multiplier": multiplier, "left_shift": left_shift}
    return one_op("log_softmax", name, reason, fields, {"x": x})
