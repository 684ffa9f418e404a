"""The op resize_bilinear (SPEC 5.21): addresses and weights of rows and columns are tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bounds import Bounds, InputRanges
from .fields import Array, Choice, Integer
from .kind import OpKind
from .shapes import Fields, Shape, image, image_dims, need

AXES = ("row", "column")
"""What the names of tables begin with, in the order of the axes."""


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    in_shape = image(shapes)
    extents = (_extent(fields, axis, n) for axis, n in zip(AXES, in_shape, strict=False))
    return (*extents, in_shape[2])


def _extent(fields: Fields, axis: str, in_size: int) -> int:
    """Return the output's extent along an axis, whose tables are checked."""
    weight, one = fields[f"{axis}_weight"], 1 << fields["frac_bits"]
    _need_within(f"{axis}_weight", weight, one)
    for name in (f"{axis}0", f"{axis}1"):
        lengths = f"{name} and {axis}_weight of {fields[name].size} and {weight.size} entries"
        need(fields[name].size == weight.size, lengths)
        _need_within(name, fields[name], in_size - 1)
    return int(weight.size)


def _need_within(name: str, table: np.ndarray, most: int) -> None:
    odd = np.flatnonzero((table < 0) | (table > most))
    if odd.size:
        need(False, f"{name} entry {odd[0]} is {table[odd[0]]}, outside [0, {most}]")


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    (lo, hi), one = inputs.raw[0], 1 << 2 * fields["frac_bits"]
    ends = (min(lo, 0) * one - one // 2, max(hi, 0) * one + one // 2)
    return Bounds((lo, hi), *(np.array([end], np.int64) for end in ends))


OP = OpKind(
    name="resize_bilinear",
    clause="5.21",
    summary="an image of another size, each value between four, by tables of addresses and weights",
    inputs=("x",),
    fields={
        "row0": Array("int32", 1),
        "row1": Array("int32", 1),
        "row_weight": Array("int16", 1),
        "column0": Array("int32", 1),
        "column1": Array("int32", 1),
        "column_weight": Array("int16", 1),
        "frac_bits": Integer(0, 11),
        "form": Choice(("up", "away")),
    },
    accumulator=True,
    scratch=True,
    since="1.5",
    shape=_shape,
    dims=lambda fields, shapes, out: image_dims(shapes, out),
    bounds=_bounds,
)
