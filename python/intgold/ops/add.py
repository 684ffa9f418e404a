"""The op add (SPEC 5.9): a sum, a difference or its square, of two tensors of different scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bounds import Bounds, InputRanges, Range, need_int32, need_pre_shift, span
from .fields import ACT, Choice, Integer, Requantization, Requantize
from .kind import OpKind
from .shapes import Fields, Shape, count_dims, need, need_clamp, need_equal


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    need_equal(shapes)
    for name in ("requantize1", "requantize2", "requantize"):
        need(fields[name].count == 1, f"{name} has {fields[name].count} entries instead of 1")
    need_clamp(fields)
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    lo = hi = 0
    difference = fields["form"] != "shared_scale"
    for name, x in zip(("requantize1", "requantize2"), inputs.centred, strict=True):
        ends = [np.array([v << fields["left_shift"]], np.int64) for v in x]
        need_int32(ends[0], ends[1], f"shifted input of {name}")
        need_pre_shift(fields[name], ends[0], ends[1], f"input of {name}")
        smallest = min(_scaled(int(ends[0][0]), fields[name])[0], 0)
        largest = max(_scaled(int(ends[1][0]), fields[name])[1], 0)
        if difference and name == "requantize2":
            smallest, largest = -largest, -smallest
        lo, hi = lo + smallest, hi + largest
    if fields["form"] == "shared_scale_squared_difference":
        lo, hi = 0, max(-lo, hi) ** 2
        # Python's integers: int64 need not hold it.
        need_int32(np.array([lo], object), np.array([hi], object), "squared difference")
    return span(fields, lo, hi)


def _scaled(acc: int, by: Requantize) -> Range:
    """Bounds of R(acc) for one entry: the exact quotient, and what its form can add to it."""
    # Every form as a float64 one: 22 more bits of multiplier, 0 elsewhere.
    multiplier = (int(by.multiplier[0]) << 22) + int(by.multiplier_low[0])
    product, t = acc * multiplier, int(by.right_shift[0]) + 22
    lo, hi = product >> t, -(-product >> t)
    # Form float32 rounds to 24 significant bits twice; every form rounds to an integer.
    slack = 1 + (max(abs(lo), abs(hi)) >> 22 if by.form[0] == "float32" else 0)
    return lo - slack, hi + slack


OP = OpKind(
    name="add",
    clause="5.9",
    summary="sum, difference or squared difference of two tensors of different scales",
    inputs=("x1", "x2"),
    fields={
        "form": Choice(
            ("shared_scale", "shared_scale_difference", "shared_scale_squared_difference"),
            {"shared_scale_difference": "1.3", "shared_scale_squared_difference": "1.5"},
        ),
        "left_shift": Integer(0, 22),
        "requantize1": Requantization(),
        "requantize2": Requantization(),
        "requantize": Requantization(),
        **ACT,
    },
    zero_points=("x1_zero_point", "x2_zero_point", "y_zero_point"),
    accumulator=True,
    shape=_shape,
    dims=count_dims,
    bounds=_bounds,
)
