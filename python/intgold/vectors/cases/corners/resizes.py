"""Corners of resize_bilinear: addresses and weights of each axis, ties, the ends of int32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .case import Case, Fields, one_op

_FORMS = ("up", "away")
_STILL: Fields = {
    f"{axis}{part}": np.array([0], np.int16 if part == "_weight" else np.int32)
    for axis in ("row", "column")
    for part in ("0", "1", "_weight")
}
"""Of one output place: the first pixel."""


def _axis(axis: str, first: Any, second: Any, weight: Any) -> Fields:
    return {
        f"{axis}0": np.array(first, np.int32),
        f"{axis}1": np.array(second, np.int32),
        f"{axis}_weight": np.array(weight, np.int16),
    }


def resize_bilinear_cases() -> Iterator[Case]:
    """Yield the cases of resize_bilinear."""
    for axis in ("row", "column"):
        shape = (1, 256, 1, 1) if axis == "row" else (1, 1, 256, 1)
        x = {"x": np.arange(-128, 128).reshape(shape)}
        below = [*range(255)]
        for form in _FORMS:
            tables = _axis(axis, below, [i + 1 for i in below], [1] * 255)
            yield _resize(
                f"ties_{axis}_{form}", f"halves between neighbours along {axis}s, form {form}",
                x, 1, form, **tables,
            )  # fmt: skip
        weights = [0, 1, 1023, 1024, 1025, 2047, 2048]
        yield _resize(
            f"weights_{axis}", f"weights of {axis}s from 0 to 2^11, those next to the ends as well",
            {"x": np.array([-128, 127]).reshape((1, 2, 1, 1) if axis == "row" else (1, 1, 2, 1))},
            11, "up", **_axis(axis, [0] * 7, [1] * 7, weights),
        )  # fmt: skip
        yield _resize(
            f"addresses_{axis}", f"{axis}s in any order: backwards, twice, the same one as both",
            x, 2, "away", **_axis(axis, [255, 0, 7, 255, 9], [0, 255, 7, 254, 3], [1, 1, 3, 2, 4]),
        )  # fmt: skip
    corners = {"x": np.array([[-128, 127, 5], [3, -128, 127], [127, 1, 0], [0, 0, 9]])
               .reshape(1, 2, 2, 3)}  # fmt: skip
    both = _axis("row", [0, 0, 1], [1, 1, 0], [1, 300, 1024]) | _axis(
        "column", [0, 1], [1, 0], [200, 1023]
    )
    yield _resize("four_values", "four values with four weights, by channel", corners, 10, "away",
                  **both)  # fmt: skip
    for form in _FORMS:
        quarters = {"x": np.arange(-9, 9).repeat(4).reshape(18, 1, 1, 4)}
        quarters["x"] = np.concatenate([quarters["x"], quarters["x"] + 1], axis=2)
        tables = _axis("row", [0], [0], [0]) | _axis("column", [0] * 5, [1] * 5, [0, 1, 2, 3, 4])
        yield _resize(f"quarters_{form}", f"quarters of both signs, form {form}", quarters, 2, form,
                      **tables)  # fmt: skip
    for value, end in ((-128, "low"), (127, "high")):
        full = {"x": np.full((1, 2, 2, 1), value)}
        tables = _axis("row", [0], [1], [1024]) | _axis("column", [0], [1], [1024])
        yield _resize(f"sum_{end}", f"four values of {value}, eleven bits: the sum is {value}*2^22",
                      full, 11, "away", **tables)  # fmt: skip
    yield _resize("no_fraction", "no fraction bit: weight 1 takes the second value, 0 the first",
                  corners, 0, "up", **_axis("row", [0, 0], [1, 1], [0, 1]),
                  **_axis("column", [0, 0], [1, 1], [0, 1]))  # fmt: skip
    points = {"x": 127, "y": -128}
    fields = {**_STILL, **_axis("column", [0], [1], [1]), "frac_bits": 1, "form": "up"}
    yield one_op("resize_bilinear", "zero_points", "zero points that differ take no part", fields,
                 corners, points)  # fmt: skip


def _resize(
    name: str, reason: str, x: dict[str, np.ndarray], frac_bits: int, form: str, **tables: Any
) -> Case:
    fields = {**_STILL, **tables, "frac_bits": frac_bits, "form": form}
    return one_op("resize_bilinear", name, reason, fields, x)
