"""The op argmax (SPEC 5.12)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import INT32_MAX
from .kind import OpKind
from .shapes import Fields, Shape, rows_dims


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    return (*shapes[0][:-1], 1)


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return Bounds((0, INT32_MAX))


OP = OpKind(
    name="argmax",
    clause="5.12",
    summary="index of the largest value of the last dimension, ties to the lowest",
    inputs=("x",),
    input_dtypes=("int32", "int8"),
    dtypes_since={"int8": "1.5"},
    fields={},
    shape=_shape,
    dims=rows_dims,
    bounds=_bounds,
)
