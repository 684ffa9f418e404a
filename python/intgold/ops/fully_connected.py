"""The op fully_connected (SPEC 5.3): weights (out_c, values of the input)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import XY_ZERO_POINTS
from .kind import OpKind
from .shapes import Fields, Shape, need, size
from .weighted import fields_of_weighted, need_weighted, weighted_bounds


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    out_c, in_c = fields["weights"].shape
    need(in_c == size(shapes[0]), f"weights for {in_c} inputs, the input has {size(shapes[0])}")
    need_weighted(fields, out_c)
    return (out_c,)


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    return {"in_c": size(shapes[0]), "out_c": out[0]}


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return weighted_bounds(fields, inputs.centred[0], fields["weights"])


OP = OpKind(
    name="fully_connected",
    clause="5.3",
    summary="matrix times the flattened input, weights OI",
    inputs=("x",),
    fields=fields_of_weighted(2, {}),
    zero_points=XY_ZERO_POINTS,
    accumulator=True,
    scratch=True,
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
