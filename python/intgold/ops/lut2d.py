"""The op lut2d (SPEC 5.24): a table of 256 x 256 entries, one for each pair of values."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import Array
from .kind import OpKind
from .shapes import Fields, Shape, count_dims, need, need_equal


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    need_equal(shapes)
    shape = fields["table"].shape
    need(shape == (256, 256), f"table of shape {shape} instead of (256, 256)")
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    rows, columns = (slice(lo + 128, hi + 129) for lo, hi in inputs.raw)
    reached = fields["table"][rows, columns]
    return Bounds((int(reached.min()), int(reached.max())))


OP = OpKind(
    name="lut2d",
    clause="5.24",
    summary="any function of two values by a table of 65,536 entries",
    inputs=("x1", "x2"),
    fields={"table": Array("int8", 2)},
    since="1.5",
    shape=_shape,
    dims=count_dims,
    bounds=_bounds,
)
