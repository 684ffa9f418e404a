"""The op reshape (SPEC 5.16)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import Integers
from .kind import OpKind
from .shapes import Fields, Shape, count_dims, need, size


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    shape = tuple(n for n in fields["shape"] if n)
    need(fields["shape"][: len(shape)] == shape, f"shape {fields['shape']}: 0 before an extent")
    need(bool(shape), "shape without an extent")
    need(size(shape) == size(shapes[0]), f"shape {shape} does not hold the values {shapes[0]}")
    return shape


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return Bounds(inputs.raw[0])


OP = OpKind(
    name="reshape",
    clause="5.16",
    summary="the same values in another shape",
    inputs=("x",),
    fields={"shape": Integers(("shape0", "shape1", "shape2"), 0, 2**24)},
    since="1.3",
    shape=_shape,
    dims=count_dims,
    bounds=_bounds,
)
