"""The op reshape (SPEC 5.16)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import unchanged
from .fields import Integers
from .kind import OpKind
from .shapes import Fields, Shape, count_dims, need, size, stated_shape


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    shape = stated_shape(fields)
    need(size(shape) == size(shapes[0]), f"shape {shape} does not hold the values {shapes[0]}")
    return shape


OP = OpKind(
    name="reshape",
    clause="5.16",
    summary="the same values in another shape",
    inputs=("x",),
    fields={"shape": Integers(("shape0", "shape1", "shape2"), 0, 2**24)},
    since="1.3",
    shape=_shape,
    dims=count_dims,
    bounds=unchanged,
)
