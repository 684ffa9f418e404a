"""The op mul (SPEC 5.13)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges, span
from .fields import ACT, Requantization
from .kind import OpKind
from .shapes import Fields, Shape, count_dims, need, need_clamp, need_equal


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    need_equal(shapes)
    count = fields["requantize"].count
    need(count == 1, f"requantize has {count} entries instead of 1")
    need_clamp(fields)
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    ends = [a * b for a in inputs.centred[0] for b in inputs.centred[1]]
    return span(fields, min(ends), max(ends))


OP = OpKind(
    name="mul",
    clause="5.13",
    summary="elementwise product of two tensors",
    inputs=("x1", "x2"),
    fields={"requantize": Requantization(), **ACT},
    zero_points=("x1_zero_point", "x2_zero_point", "y_zero_point"),
    accumulator=True,
    since="1.1",
    shape=_shape,
    dims=count_dims,
    bounds=_bounds,
)
