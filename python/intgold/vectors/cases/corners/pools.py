"""Corners of max_pool2d, avg_pool2d and global_avg_pool."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from ....ops.fields import FORMS, Requantize
from .case import FULL, QUARTERS, UNIT, Case, Fields, each_form, one_op
from .windows import every_pixel

AVG_FORMS = ("raw_away", "centred_away", "raw_up")
_NO_PADDING = (0, 0, 0, 0)


def _window(kernel: tuple[int, int], **other: Any) -> Fields:
    return {"kernel": kernel, "stride": (1, 1), "padding": _NO_PADDING, **FULL, **other}


def _filled(shape: tuple[int, ...], *values: int) -> np.ndarray:
    """Return an image of each value."""
    return np.stack([np.full(shape, v, np.int8) for v in values])


def max_pool2d_cases() -> Iterator[Case]:
    """Yield the cases of max_pool2d."""
    corner = _window((3, 3), stride=(3, 3), padding=(2, 2, 2, 2))
    yield _max(
        "one_valid_cell",
        "padding kernel - 1: corner windows of one valid cell; one hot pixel at every place",
        corner, every_pixel(5, 5, -128), x=-128,
    )  # fmt: skip
    yield _max(
        "all_lowest", "all -128 under padding, zero point 127: a padded cell must never win",
        corner, _filled((5, 5, 2), -128), x=127, y=127,
    )  # fmt: skip
    yield _max(
        "uneven_padding", "four different paddings under a kernel 4x5; one pixel at every place",
        _window((4, 5), padding=(0, 1, 3, 2)), every_pixel(4, 5, -20), x=90,
    )  # fmt: skip
    yield _max(
        "stride_beyond_kernel",
        "stride 3 by 4 over a kernel 1x2: one pixel at every place, most of them not read",
        _window((1, 2), stride=(3, 4)), every_pixel(7, 9, 100),
    )  # fmt: skip
    ends = _filled((2, 3, 2), -128, 127, -1, 0)
    ends[2, 1, 2], ends[3, 0, 0] = -128, -128
    yield _max("whole_image", "one window over all of it; both ends of int8", _window((2, 3)), ends)
    channels = np.array([[-128, 127, 0], [5, -5, 1], [-1, -2, -3], [4, 3, 2]], np.int8)
    yield _max(
        "channels", "each channel has its largest value at another place",
        _window((2, 2)), channels.reshape(1, 2, 2, 3),
    )  # fmt: skip
    values = np.array([-128, -4, -3, -2, 0, 4, 5, 6, 127], np.int8).reshape(9, 1, 1, 1)
    for name, reason, lo, hi in _CLAMPS:
        yield _max(name, reason, _window((1, 1), act_min=lo, act_max=hi), values)


_CLAMPS = (
    ("narrow_clamp", "act_min -3 and act_max 5, values one inside and outside", -3, 5),
    ("one_value_clamp", "act_min = act_max = 7: nothing else comes out", 7, 7),
)


def _max(name: str, reason: str, fields: Fields, x: np.ndarray, /, **points: int) -> Case:
    return one_op("max_pool2d", name, reason, fields, {"x": x}, points)


def avg_pool2d_cases() -> Iterator[Case]:
    """Yield the cases of avg_pool2d, each in its three forms."""
    for form in AVG_FORMS:
        yield from _avg_cases(form)


def _avg_cases(form: str) -> Iterator[Case]:
    def case(name: str, reason: str, fields: Fields, x: np.ndarray, /, **points: int) -> Case:
        fields = {**fields, "form": form}
        return one_op("avg_pool2d", f"{form}_{name}", reason, fields, {"x": x}, points)

    rows = np.arange(20).reshape(4, 5, 1)
    x = np.stack([rows * 13 - 128, 127 - rows * 13, rows % 3 - 100, rows * 0 + 127])
    yield case(
        "divisors", "windows of 1, 2, 3, 4, 6, 8, 9 and 12 valid cells under padding kernel - 1",
        _window((3, 4), padding=(2, 2, 3, 3)), x, x=3, y=-2,
    )  # fmt: skip
    for cells in (2, 4, 6, 12):
        yield case(
            f"ties_{cells}",
            f"{cells} cells: one below, at and above a tie, of both signs and parities",
            _window((2, cells // 2)), _tied(cells), x=1, y=1,
        )  # fmt: skip
    for x_zero, y_zero in product((-128, 127), repeat=2):
        yield case(
            f"zero_points_{'low' if x_zero < 0 else 'high'}_{'low' if y_zero < 0 else 'high'}",
            f"zero points {x_zero} of x and {y_zero} of y; they count in centred_away only",
            _window((2, 2)), _filled((2, 2, 1), -128, -1, 0, 1, 127), x=x_zero, y=y_zero,
        )  # fmt: skip
    yield case(
        "sum_ends", "64 cells of -128 and of 127: the ends of the sum",
        _window((8, 8)), _filled((8, 8, 2), -128, 127),
    )  # fmt: skip
    yield case(
        "stride_beyond_kernel", "stride 3 by 4 over a kernel 1x2: one pixel at every place",
        _window((1, 2), stride=(3, 4)), every_pixel(7, 9, 0),
    )  # fmt: skip
    values = np.array([-128, -4, -3, -2, 0, 4, 5, 6, 127], np.int8).reshape(9, 1, 1, 1)
    for name, reason, lo, hi in _CLAMPS:
        yield case(name, reason, _window((1, 1), act_min=lo, act_max=hi), values)


def _tied(cells: int) -> np.ndarray:
    """Return images of 2 by cells/2 whose sum is n*q + n/2 + d, also less n zero points of 1."""
    images = []
    for q in (-128, -4, -3, -2, -1, 0, 1, 2, 3, 126):
        for d in (-1, 0, 1):
            raised = cells // 2 + d
            images.append([q + 1] * raised + [q] * (cells - raised))
    return np.array(images, np.int8).reshape(len(images), 2, cells // 2, 1)


def global_avg_pool_cases() -> Iterator[Case]:
    """Yield the cases of global_avg_pool."""
    count = len(FORMS)

    def case(
        name: str, reason: str, x: np.ndarray, by: Requantize, x_zero: int = 0, y_zero: int = 0,
        **clamp: int,
    ) -> Case:  # fmt: skip
        fields = {"requantize": by, **FULL, **clamp}
        points = {"x": x_zero, "y": y_zero}
        return one_op("global_avg_pool", name, reason, fields, {"x": x}, points)

    def pairs(sums: Any) -> np.ndarray:
        """Return images of 1x2 whose sum is each of these, in a channel per form."""
        halves = [[v // 2, v - v // 2] for v in sums]
        images = np.array(halves, np.int8).reshape(len(halves), 1, 2, 1)
        return np.repeat(images, count, axis=3)

    every = np.arange(-128, 128).reshape(256, 1, 1, 1)
    yield case("one_pixel", "the mean of one pixel, every value", every, UNIT)
    yield case(
        "ties", "halves of odd sums, of both signs and parities, a channel per form",
        pairs(range(-15, 16, 2)), each_form(2**30, 31),
    )  # fmt: skip
    yield case(
        "second_ties", "quarters: ties in the one or in the second rounding, a channel per form",
        pairs(QUARTERS), each_form(2**30, 32),
    )  # fmt: skip
    yield case(
        "saturation", "both saturations, by one and by far",
        np.array([[-128, -128], [-64, -65], [-64, -64], [63, 64], [64, 64], [127, 127]]).reshape(
            6, 1, 2, 1
        ), UNIT,
    )  # fmt: skip
    for x_zero in (-128, 127):
        yield case(
            f"zero_points_{'low' if x_zero < 0 else 'high'}",
            f"zero points {x_zero} of x and y; sums of 49 times 255",
            _filled((7, 7, 2), -128, 127), Requantize.of(2**30, 36), x_zero, x_zero,
        )  # fmt: skip
    yield case(
        "hot_pixels", "one hot pixel at every place of 3x4: each counts once",
        every_pixel(3, 4, -7), UNIT, -7,
    )  # fmt: skip
    channels = np.arange(17) * 3 - 20
    yield case(
        "per_channel", "17 channels, each with a right_shift of its own",
        np.broadcast_to(channels, (1, 2, 2, 17)),
        Requantize.of(2**30, [30 + c % 5 for c in range(17)]),
    )  # fmt: skip
    yield case(
        "per_tensor", "one requantize entry for 17 channels",
        np.broadcast_to(channels, (1, 2, 2, 17)), Requantize.of(2**30, 32),
    )  # fmt: skip
    yield case(
        "dead_channel", "multiplier 0: the zero point, whatever the sum, a channel per form",
        pairs((-256, 0, 254)), each_form(0, 31), 0, -3,
    )  # fmt: skip
    values = np.array([-128, -4, -3, -2, 0, 4, 5, 6, 127]).reshape(9, 1, 1, 1)
    for name, reason, lo, hi in _CLAMPS:
        yield case(name, reason, values, UNIT, act_min=lo, act_max=hi)
