"""ARG_MAX and ARG_MIN, over any axis of an image."""

from __future__ import annotations

import math

from ..addresses.address_walk import AddressWalk
from ..file.reader import FileTensor
from .layout_ops import complemented
from .op_context import OpContext, extents, image_of, inner


def arg_extreme(context: OpContext) -> None:
    """Add argmax on rows of the axis; of a minimum on values in reverse order."""
    x, y = context.file(0), context.y
    axis = _axis(context)
    if x.shape[:axis] + x.shape[axis + 1 :] != y.shape:
        raise context.fail(f"output {y.name} has shape {y.shape}; axis {axis} of {x.shape}")
    name = context.x()
    if context.op.kind == "ARG_MIN":
        name = complemented(context, name, last=False)
    depth = x.shape[axis]
    rows = (*indices_shape(y)[:-1], depth)
    outer, within = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    if within > 1 and depth > 1:
        walk = AddressWalk.over((outer, depth, within)).ordered((0, 2, 1))
        fields = walk.fields()
        name = context.add("strided_copy", name, last=False, like=x, shape=extents(rows), **fields)
    elif inner(x) != rows:
        name = context.add("reshape", name, last=False, like=x, shape=extents(rows))
    context.add("argmax", name)


def indices_shape(y: FileTensor) -> tuple[int, ...]:
    """Return the shape that a tensor of indices has in the model: its own, and 1 last."""
    own = y.shape[1:] if y.shape[:1] == (1,) else y.shape
    return image_of((1, *own, 1))


def _axis(context: OpContext) -> int:
    rank, held = len(context.file(0).shape), context.constant(1, ("int32", "int64"))
    axis = int(held.ravel()[0]) if held.size == 1 else rank
    if not -rank <= axis < rank:
        raise context.fail(f"axes {held.ravel()[:8].tolist()} of {rank} dimensions; one is read")
    if axis % rank == 0 and context.file(0).shape[0] == 1:
        raise context.fail("over the batch")
    return axis % rank
