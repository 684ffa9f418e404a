"""Adds ops that only move values to the model: copies by counters, gathers, joins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....contracts import Algorithm
from ..addresses.address_walk import AddressWalk, Shape
from ..addresses.layouts import Gathering, OutputPlan, Padding, layouts, moved_input
from ..file.reader import FileTensor
from .op_context import OpContext, extents, image_of, inner

_MAX_WINDOW = 2**15
_PER_INDEX = 4
"""Bytes of an index."""


def layout(context: OpContext) -> None:
    """Add the steps to each output of an op that has a plan in `layouts`."""
    x = context.file(moved_input(context.op))
    name = context.x(moved_input(context.op))
    for number, plan in enumerate(layouts(context.op, context.tensors)):
        y = context.tensors[context.op.outputs[number]]
        if plan.shape != y.shape:
            raise context.fail(f"output {y.name} has shape {y.shape}; it produces {plan.shape}")
        _Chain(context, x).run(name, plan, number)


class _Chain:
    """The ops between the input and one output, as few as there can be."""

    def __init__(self, context: OpContext, x: FileTensor) -> None:
        self.context, self.x, self.shape = context, x, inner(x)
        self.ops: list[tuple[str, dict[str, Any]]] = []

    def run(self, name: str, plan: OutputPlan, number: int) -> None:
        for step in plan.steps:
            if isinstance(step, Gathering):
                self._gather(step)
            elif isinstance(step, Padding):
                self._pad(step)
            else:
                self._walk(step)
        target = image_of(plan.shape)
        if self.ops and self.ops[-1][0] in ("strided_copy", "reshape"):
            self.ops[-1][1]["shape"] = extents(target)
        elif not self.ops or self.shape != target:
            self._op("reshape", target, shape=extents(target))
        for place, (kind, fields) in enumerate(self.ops):
            last = place == len(self.ops) - 1
            like = None if last else self.x
            name = self.context.add(kind, name, last=last, like=like, number=number, **fields)

    def _op(self, kind: str, made: Shape, **fields: Any) -> None:
        self.ops.append((kind, fields))
        self.shape = made

    def _walk(self, walk: AddressWalk) -> None:
        made = image_of(walk.shape)
        if walk.is_plain(math.prod(self.shape)):
            return
        if not walk.fits:
            raise self.context.fail(f"{len(walk.joined())} nested counters: too many")
        self._op("strided_copy", made, shape=extents(made), **walk.fields())

    def _gather(self, step: Gathering) -> None:
        outer, extent = math.prod(step.shape[: step.axis]), step.shape[step.axis]
        fitting = [
            a for a, n in enumerate(self.shape)
            if n == extent and math.prod(self.shape[:a]) == outer
        ]  # fmt: skip
        if not fitting:
            shape = (outer, extent, math.prod(self.shape) // outer // extent)
            self._op("reshape", shape, shape=shape)
            fitting = [1]
        axis = fitting[0]
        self.context.spend(_PER_INDEX * step.indices.size)
        made = (*self.shape[:axis], step.indices.size, *self.shape[axis + 1 :])
        self._op("gather", made, axis=axis, indices=step.indices.astype(np.int32))

    def _pad(self, step: Padding) -> None:
        if step.shape[0] != 1:
            raise self.context.fail(f"padding of {step.shape[0]} images")
        before, after = ((*side[1:], 0, 0)[:3] for side in (step.before, step.after))
        made = tuple(b + n + a for b, n, a in zip(before, self.shape, after, strict=False))
        zeros = self.context.rule.algorithm is Algorithm.CELLS_OF_0
        value = 0 if zeros else self.context.zero_point(self.context.y)
        self._op("pad", made, before=before, after=after, value=value)


def pack(context: OpContext) -> None:
    """Add what joins the inputs along an axis of their own."""
    y, count = context.y, len(context.op.inputs)
    rank = len(y.shape)
    axis = context.op.options["Axis"]
    shapes = {context.file(i).shape for i in range(count)}
    if not -rank <= axis < rank or context.op.options["ValuesCount"] != count or len(shapes) > 1:
        raise context.fail(f"{count} inputs of shapes {sorted(shapes)} along axis {axis}")
    (shape,), axis = shapes, axis % rank
    if (*shape[:axis], count, *shape[axis:]) != y.shape:
        raise context.fail(f"output {y.name} has shape {y.shape}; it joins {count} of {shape}")
    if count == 1:
        context.add("reshape", context.x(), shape=extents(inner(y)))
        return
    rows = (math.prod(shape[:axis]), math.prod(shape[axis:]))
    join(context, [_rows(context, i, rows) for i in range(count)])


def _rows(context: OpContext, i: int, rows: tuple[int, int]) -> str:
    return context.add("reshape", context.x(i), last=False, like=context.file(i), shape=(*rows, 0))


def join(context: OpContext, parts: list[str]) -> None:
    """Add what joins rows, each input's values of a row beside those of the one before."""
    made = parts[0]
    for part in parts[1:]:
        made = context.add("concat", made, part, last=False, axis=1)
    context.add("reshape", made, shape=extents(inner(context.y)))


def reduce_extreme(context: OpContext) -> None:
    """Add max_pool2d whose window is all of the axes; of a minimum on values in reverse order."""
    x, y, kind = context.file(0), context.y, context.op.kind
    rank = len(x.shape)
    axes = context.constant(1, ("int32",)).ravel().tolist()
    if not axes or not all(-rank <= a < rank for a in axes):
        raise context.fail(f"axes {axes} of {rank} dimensions")
    gone = {a % rank for a in axes}
    keeps = context.op.options["KeepDims"]
    kept = tuple(1 if a in gone else n for a, n in enumerate(x.shape))
    made = kept if keeps else tuple(n for a, n in enumerate(x.shape) if a not in gone)
    if made != y.shape:
        raise context.fail(f"output {y.name} has shape {y.shape}; it produces {made}")
    name = context.x()
    if kind == "REDUCE_MIN":
        name = complemented(context, name, last=False)
    shape = list(x.shape)
    for first, last in _runs([a for a in sorted(gone) if x.shape[a] > 1]):
        outer, width = math.prod(shape[:first]), math.prod(shape[first : last + 1])
        if width > _MAX_WINDOW:
            raise context.fail(f"{width} values of axes {first} to {last}: too many")
        rows = (outer, width, math.prod(shape[last + 1 :]))
        name = context.add("reshape", name, last=False, like=x, shape=rows)
        name = context.add(
            "max_pool2d", name, last=False, like=x, kernel=(1, width), stride=(1, width)
        )
        shape[first : last + 1] = [1] * (last + 1 - first)
    if kind == "REDUCE_MIN":
        name = complemented(context, name, last=False)
    context.add("reshape", name, shape=extents(inner(y)))


def _runs(axes: list[int]) -> list[tuple[int, int]]:
    """Return the first and the last axis of each run of neighbours."""
    firsts = [a for a in axes if a - 1 not in axes]
    lasts = [a for a in axes if a + 1 not in axes]
    return list(zip(firsts, lasts, strict=True))


def complemented(context: OpContext, x: str, *, last: bool) -> str:
    """Add a lut of -1 - q, which reverses the order of values and keeps no zero point."""
    table = np.arange(-128, 128)[::-1].astype(np.int8)
    zero = -1 - context.zero_point(context.file(0))
    return context.add("lut", x, last=last, like=context.file(0), zero=zero, table=table)
