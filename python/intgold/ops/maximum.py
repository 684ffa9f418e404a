"""The op maximum (SPEC 5.22)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .kind import OpKind
from .shapes import Fields, Shape, count_dims, need_equal


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    need_equal(shapes)
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    (lo1, hi1), (lo2, hi2) = inputs.raw
    return Bounds((max(lo1, lo2), max(hi1, hi2)))


OP = OpKind(
    name="maximum",
    clause="5.22",
    summary="the larger of two values, elementwise",
    inputs=("x1", "x2"),
    fields={},
    since="1.5",
    shape=_shape,
    dims=count_dims,
    bounds=_bounds,
)
