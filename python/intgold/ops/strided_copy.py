"""The op strided_copy (SPEC 5.18)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import unchanged
from .fields import Integer, Integers
from .kind import OpKind
from .shapes import Fields, Shape, need, size, stated_shape

MAX_COUNTERS = 6
_MAX_VALUES = 2**28


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    shape, counts = stated_shape(fields), fields["counts"]
    need(size(counts) == size(shape), f"counts {counts} do not make the values of shape {shape}")
    reach = [(n - 1) * step for n, step in zip(counts, fields["strides"], strict=True)]
    first = fields["offset"] + sum(min(0, r) for r in reach)
    last = fields["offset"] + sum(max(0, r) for r in reach)
    have = size(shapes[0])
    need(first >= 0 and last < have, f"addresses {first} to {last}; x has {have} values")
    return shape


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Values of the input."""
    return {"in_count": size(shapes[0])}


OP = OpKind(
    name="strided_copy",
    clause="5.18",
    summary="values at the addresses of six nested counters",
    inputs=("x",),
    fields={
        "shape": Integers(("shape0", "shape1", "shape2"), 0, 2**24),
        "counts": Integers(tuple(f"count{k}" for k in range(MAX_COUNTERS)), 1, _MAX_VALUES),
        "strides": Integers(
            tuple(f"stride{k}" for k in range(MAX_COUNTERS)), -_MAX_VALUES, _MAX_VALUES
        ),
        "offset": Integer(0, _MAX_VALUES - 1),
    },
    since="1.5",
    shape=_shape,
    dims=_dims,
    bounds=unchanged,
)
