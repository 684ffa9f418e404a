"""Corners of rescale and argmax, which take int32."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....ops.fields import FORMS, INT32_MAX, INT32_MIN, INTEGER_FORMS, Requantize
from .case import QUARTERS, Case, each_form, most, one_op, requantize_entries

_COUNT = len(FORMS)
_WIDE = tuple(f for f in FORMS if not f.startswith("double"))
"""Forms that take the whole of int32 at a right_shift below 31."""
_ENDS = (INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX)


def rescale_cases() -> Iterator[Case]:
    """Yield the cases of rescale."""
    yield _rescale(
        "ends", "both ends of int32 by the largest multiplier of each form, nearly 1",
        _ENDS, [(f, most(f)[0], 31, most(f)[1]) for f in FORMS],
    )  # fmt: skip
    yield _rescale(
        "saturation", "twice each value: both saturations, by the smallest step and by far",
        (*_ENDS, -(2**30) - 1, -(2**30), 2**30 - 1, 2**30), [(f, 2**30, 29, 0) for f in _WIDE],
    )  # fmt: skip
    yield _rescale(
        "right_shift_1", "the smallest right_shift: products far beyond int32 saturate",
        _ENDS, [(f, most(f)[0], 1, most(f)[1]) for f in _WIDE],
    )  # fmt: skip
    yield _rescale(
        "right_shift_62", "the largest right_shift: -1, 0 or 1, and the tie -0.5 by 2^30",
        _ENDS,
        [(f, most(f)[0], 62, most(f)[1]) for f in FORMS] + [(f, 2**30, 62, 0) for f in FORMS],
    )  # fmt: skip
    odd = (*range(-15, 16, 2), INT32_MIN + 1, INT32_MAX)
    by = each_form(2**30, 31)
    yield _of("ties", "halves of odd values, int32's ends among them, a channel per form", odd, by)
    by = each_form(2**30, 32)
    yield _of("second_ties", "quarters: ties in the one or in the second rounding, a channel per "
              "form", QUARTERS, by)  # fmt: skip
    around = [s * (k * 256 + d) for k in (1, 3) for d in (-1, 0, 1) for s in (1, -1)]
    yield _of("near_ties", "one below, at and above a tie, a channel per form", around,
              each_form(2**30, 39))  # fmt: skip
    significands = [
        s * (b + d) for b in (2**24, 2**25, 2**30) for d in range(-2, 7) for s in (1, -1)
    ]
    yield _rescale(
        "significands", "factor 1: accumulators of 24 bits and more, which float32 rounds",
        significands, [("float32", 2**30, 30, 0), ("single", 2**30, 30, 0),
                       ("float64", 2**30, 30, 0)],
    )  # fmt: skip
    yield _rescale(
        "double_precision", "D of 53 bits: products that float64 rounds onto ties",
        (-9, -3, -1, 1, 3, 9),
        [("float64", 1431655765, 33, 1398101), ("single", 1431655765, 33, 0)],
    )  # fmt: skip
    yield _of("dead_channel", "multiplier 0: always 0, a channel per form", _ENDS, each_form(0, 31))
    yield _of(
        "multiplier_1", "multiplier 1, right_shift 31: int32 ends at -1 and just below 1", _ENDS,
        Requantize.of(1, 31, INTEGER_FORMS),
    )  # fmt: skip
    yield _of("per_tensor", "one entry for the whole of a row", _ENDS, Requantize.of(2**30, 33))


def _rescale(
    name: str, reason: str, values: tuple[int, ...] | list[int],
    parts: list[tuple[str, int, int, int]],
) -> Case:  # fmt: skip
    return _of(name, reason, values, requantize_entries(*parts))


def _of(name: str, reason: str, values: tuple[int, ...] | list[int], by: Requantize) -> Case:
    """Return a case in which every value meets every entry."""
    channels = by.count if by.count > 1 else 3
    x = np.repeat(np.array(values, np.int64), channels).reshape(1, len(values), channels)
    return one_op("rescale", name, reason, {"requantize": by}, {"x": x})


def argmax_cases() -> Iterator[Case]:
    """Yield the cases of argmax."""
    lo, hi = INT32_MIN, INT32_MAX
    for name, reason, rows in (
        ("ties", "the largest value twice and more: the lowest index",
         [[3, 9, 9, 1], [9, 9, 9, 9], [0, 0, 0, 7], [-5, -5, -6, -5], [1, 7, 2, 7]]),
        ("all_equal", "rows of one value, the ends of int32 among them: index 0",
         [[lo] * 5, [hi] * 5, [0] * 5, [-1] * 5]),
        ("ends", "the ends of int32 next to each other: no difference may wrap",
         [[lo, hi, 0], [hi, lo, 0], [lo, lo + 1, lo], [hi - 1, hi, hi], [-1, lo, hi], [0, lo, -1]]),
        ("each_index", "the largest value at every index of 17",
         (np.eye(17, dtype=np.int64) - 2).tolist()),
        ("one_value", "depth 1: always 0", [[lo], [0], [hi]]),
    ):  # fmt: skip
        yield one_op("argmax", name, reason, {}, {"x": np.array([rows])})
    x = np.array([[[[1, 2], [2, 1]], [[0, 0], [-1, 0]]]])
    yield one_op("argmax", "image", "a row for each pixel of an image", {}, {"x": x})
    yield from _argmax_of_int8()


def _argmax_of_int8() -> Iterator[Case]:
    ties = np.full((6, 600), -3)
    for row, places in enumerate(([0, 599], [255, 256], [257, 511, 512], [15, 16], [598, 599])):
        ties[row, places] = 5
    lo, hi = -128, 127
    for name, reason, rows in (
        ("int8_ties", "int8, the largest value twice and more: the lowest index",
         [[3, 9, 9, 1], [9, 9, 9, 9], [-1, -1, -1, 7], [-5, -5, -6, -5], [1, 7, 2, 7]]),
        ("int8_ends", "int8, the ends next to each other: no difference may wrap",
         [[lo, hi, 0], [hi, lo, 0], [lo, lo + 1, lo], [hi - 1, hi, hi], [-1, lo, hi], [lo] * 3]),
        ("int8_each_index", "int8, the largest value at every index of 21",
         (np.eye(21, dtype=np.int64) - 2).tolist()),
        ("int8_long", "int8, ties in rows of 600: indices of more than 8 bits", ties.tolist()),
    ):  # fmt: skip
        yield one_op("argmax", name, reason, {}, {"x": np.array([rows])}, dtype="int8")
