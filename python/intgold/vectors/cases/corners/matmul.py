"""Corners of matmul: which row meets which, batches, ties, the ends of int32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ....ops.fields import FORMS, INT32_MAX, INT32_MIN, Requantize
from .case import FULL, QUARTERS, UNIT, Case, one_op


def matmul_cases() -> Iterator[Case]:
    """Yield the cases of matmul."""
    for depth in (1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 65):
        yield _hot(
            f"hot_{depth}", f"depth {depth}: each term of each pair of rows by itself", depth
        )
    for rows, columns in ((1, 1), (1, 9), (9, 1), (5, 17), (3, 33)):
        x1 = np.arange(rows * 3).reshape(1, rows, 3) - 7
        x2 = 5 - np.arange(columns * 3).reshape(1, columns, 3) % 11
        yield _matmul(
            f"rows_{rows}_columns_{columns}", f"{rows} rows by {columns} columns, no two alike",
            x1, x2, requantize=Requantize.of(2**30, 33), bias=np.arange(columns),
        )  # fmt: skip
    batches = np.arange(2 * 3 * 2 * 4).reshape(2, 3, 2, 4) % 13 - 6
    yield _matmul(
        "batches", "two images of three batches: each by its own", batches, batches[::-1, ::-1] + 1
    )
    for form in FORMS:
        quarters = np.array(QUARTERS).reshape(1, -1, 1)
        yield _matmul(
            f"ties_{form}", f"quarters, form {form}: ties of both signs and parities", quarters,
            np.ones((1, 1, 1)), requantize=Requantize.of(2**30, 32, form),
        )  # fmt: skip
    ends = np.array([-128, 127]).reshape(1, 2, 1)
    yield _matmul("saturation", "products -16256 to 16384: both saturations", ends, ends)
    for z1 in (-128, 127):
        for z2 in (-128, 127):
            yield _matmul(
                f"zero_points_{'low' if z1 < 0 else 'high'}_{'low' if z2 < 0 else 'high'}",
                f"zero points {z1} and {z2}: factors of 255, sums of 40 of them",
                np.repeat(ends, 40, axis=2), np.repeat(ends, 40, axis=2), x1=z1, x2=z2,
                requantize=Requantize.of(2**30, 44),
            )  # fmt: skip
    depth, one = 100, Requantize.of(2**30, 54)
    for name, z, start in (("high", 127, INT32_MAX - depth * 255 * 255), ("low", -128, INT32_MIN)):
        # Opposite zero points make every product negative: the other end of int32.
        x2_zero, smallest = (z, 0) if z > 0 else (127, depth * 255 * 255)
        yield _matmul(
            f"int32_{name}", f"the {'largest' if z > 0 else 'smallest'} accumulator of int32",
            np.full((1, 1, depth), -128 if z > 0 else 127), np.full((1, 1, depth), -128),
            x1=z, x2=x2_zero, bias=np.array([start + smallest]), requantize=one,
        )  # fmt: skip
    yield _matmul(
        "zero_operand", "rows at the zero point: the bias only, whatever the other",
        np.full((1, 2, 5), 3), np.arange(20).reshape(1, 4, 5), x1=3, x2=-4, y=-2,
        bias=np.array([-9, 0, 7, 100]),
    )  # fmt: skip
    same = np.arange(12).reshape(1, 3, 4) - 5
    yield one_op(
        "matmul", "one_tensor", "both inputs are one tensor: its rows by one another",
        {"bias": np.zeros(3, np.int32), "requantize": UNIT, **FULL}, {"x": same},
    )  # fmt: skip
    yield _matmul(
        "dead",
        "multiplier 0: the zero point of y",
        ends,
        ends,
        y=9,
        requantize=Requantize.of(0, 31),
    )
    around = np.arange(-5, 8).reshape(1, -1, 1)
    yield _matmul(
        "narrow_clamp", "act_min -3 and act_max 5, values one inside and outside", around,
        np.ones((1, 1, 1)), act_min=-3, act_max=5,
    )  # fmt: skip


def _hot(name: str, reason: str, depth: int) -> Case:
    """Rows with one value each, at every place of the depth."""
    x1 = np.diag(np.arange(depth) % 127 + 1)
    x2 = np.stack([np.arange(depth) % 7 - 3, np.arange(depth)[::-1] % 5 - 2])
    by = Requantize.of(2**30, 32)
    return _matmul(name, reason, x1[None], x2[None], requantize=by)


def _matmul(name: str, reason: str, rows: np.ndarray, columns: np.ndarray, **other: Any) -> Case:
    names: tuple[str, ...] = ("x1", "x2", "y")
    points = {n: other.pop(n) for n in names if n in other}
    bias = np.asarray(other.pop("bias", np.zeros(columns.shape[-2])), np.int32)
    fields = {"bias": bias, "requantize": UNIT, **FULL, **other}
    return one_op("matmul", name, reason, fields, {"x1": rows, "x2": columns}, points)
