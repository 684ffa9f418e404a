"""The op softmax_float32 (SPEC 5.17): entries are bits of float32, from 0 to 1, the last one 1."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import Array, Choice
from .kind import OpKind
from .shapes import Fields, Shape, need, rows_dims


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    table, one = fields["table"], 127 << 23
    need(table.size == 256, f"table of {table.size} entries instead of 256")
    for i, bits in enumerate(table.tolist()):
        need(0 <= bits <= one, f"table entry {i} is {bits}, not the bits of a float32 from 0 to 1")
    need(int(table[255]) == one, f"table ends with {table[255]} instead of {one}, the bits of 1")
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return Bounds((-128, 127))


OP = OpKind(
    name="softmax_float32",
    clause="5.17",
    summary="softmax over the last dimension by a table of float32 exponentials",
    inputs=("x",),
    fields={"form": Choice(("rounded", "half_added")), "table": Array("int32", 1)},
    since="1.4",
    shape=_shape,
    dims=rows_dims,
    bounds=_bounds,
)
