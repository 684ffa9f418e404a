"""The op lut (SPEC 5.4): a table of 256 entries, entry i for the value i - 128."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import Array
from .kind import OpKind
from .shapes import Fields, Shape, count_dims, need


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    need(fields["table"].size == 256, f"table of {fields['table'].size} entries instead of 256")
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    lo, hi = inputs.raw[0]
    reached = fields["table"][lo + 128 : hi + 129]
    return Bounds((int(reached.min()), int(reached.max())))


OP = OpKind(
    name="lut",
    clause="5.4",
    summary="any unary function by a table of 256 entries",
    inputs=("x",),
    fields={"table": Array("int8", 1)},
    shape=_shape,
    dims=count_dims,
    bounds=_bounds,
)
