"""The op minimum (SPEC 5.23)."""

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
    return Bounds((min(lo1, lo2), min(hi1, hi2)))


OP = OpKind(
    name="minimum",
    clause="5.23",
    summary="the smaller of two values, elementwise",
    inputs=("x1", "x2"),
    fields={},
    since="1.5",
    shape=_shape,
    dims=count_dims,
    bounds=_bounds,
)
