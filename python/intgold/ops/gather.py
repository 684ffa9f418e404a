"""The op gather (SPEC 5.19)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import unchanged
from .fields import Array, Integer
from .kind import OpKind
from .shapes import Fields, Shape, need, size


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    (x,), axis, indices = shapes, fields["axis"], fields["indices"]
    need(axis < len(x), f"axis {axis} of shape {x}")
    lo, hi = int(indices.min()), int(indices.max())
    need(lo >= 0 and hi < x[axis], f"indices from {lo} to {hi}; axis {axis} has {x[axis]} places")
    return (*x[:axis], indices.size, *x[axis + 1 :])


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Rows before the axis, its places in x and in y, and the values of each."""
    (x,), axis = shapes, fields["axis"]
    extents = {"in_extent": x[axis], "out_extent": out[axis]}
    return {"rows": size(x[:axis]), **extents, "depth": size(x[axis + 1 :])}


OP = OpKind(
    name="gather",
    clause="5.19",
    summary="places along one axis, by a list of indices",
    inputs=("x",),
    fields={"axis": Integer(0, 2), "indices": Array("int32", 1)},
    since="1.5",
    shape=_shape,
    dims=_dims,
    bounds=unchanged,
)
