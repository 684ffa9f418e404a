"""The op softmax (SPEC 5.10); its sum is exact up to 4095 values."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import Integer
from .kind import OpKind
from .shapes import Fields, Shape, need, rows_dims


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    depth = shapes[0][-1]
    need(depth <= 4095, f"a row of {depth} values; the exact sum allows 4095")
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return Bounds((-128, 127))


OP = OpKind(
    name="softmax",
    clause="5.10",
    summary="fixed-point softmax over the last dimension",
    inputs=("x",),
    fields={"multiplier": Integer(2**30, 2**31 - 1), "left_shift": Integer(0, 31)},
    shape=_shape,
    dims=rows_dims,
    bounds=_bounds,
)
