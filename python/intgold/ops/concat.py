"""The op concat (SPEC 5.14)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import Integer
from .kind import OpKind
from .shapes import Fields, Shape, need, size


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    (x1, x2), axis = shapes, fields["axis"]
    message = f"shapes {x1} and {x2} cannot be joined along axis {axis}"
    need(len(x1) == len(x2) and axis < len(x1), message)
    need(x1[:axis] + x1[axis + 1 :] == x2[:axis] + x2[axis + 1 :], message)
    return (*x1[:axis], x1[axis] + x2[axis], *x1[axis + 1 :])


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Rows before the axis, and the values that each input has of a row."""
    axis = fields["axis"]
    depth1, depth2 = (size(shape[axis:]) for shape in shapes)
    return {"rows": size(out[:axis]), "depth1": depth1, "depth2": depth2}


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    (lo1, hi1), (lo2, hi2) = inputs.raw
    return Bounds((min(lo1, lo2), max(hi1, hi2)))


OP = OpKind(
    name="concat",
    clause="5.14",
    summary="two tensors joined along one axis",
    inputs=("x1", "x2"),
    fields={"axis": Integer(0, 2)},
    since="1.2",
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
