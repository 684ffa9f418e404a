"""A model as the plain constant data of csrc/intgold.h: what the binding and the C exporter write.

Knows the op table only, no op by name: structure members come from an op's fields, dimensions and
zero points; the place of each tensor in the arena from the lifetimes in the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model.graph import Model
from ..ops.fields import Array, Choice, Integers, Requantize, Scales
from ..ops.kind import OpKind
from ..ops.shapes import Shape
from ..ops.table import OPS
from ..support.quoting import short_repr
from .compiled import lib

Member = int | np.ndarray | Requantize | None
"""An int member, an array that a pointer refers to, or a requantize structure (None: empty)."""


@dataclass(frozen=True)
class LoweredTensor:
    """One row of the tensor table: ``intgold_tensor``."""

    name: str
    dtype: int
    size: int
    offset: int


@dataclass(frozen=True)
class LoweredOp:
    """One row of the op list: ``intgold_op`` and the structure that it refers to."""

    name: str
    kind: int
    struct: str
    members: Mapping[str, Member]
    inputs: tuple[int, ...]
    output: int

    __repr__ = short_repr


@dataclass(frozen=True)
class Lowered:
    """A whole model: ``intgold_model``."""

    name: str
    tensors: tuple[LoweredTensor, ...]
    ops: tuple[LoweredOp, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    activations_size: int

    __repr__ = short_repr


def lower(model: Model) -> Lowered:
    """Return `model` as C data."""
    index = {tensor.name: i for i, tensor in enumerate(model.tensors)}
    offsets, activations_size = plan(model)
    tensors = tuple(
        LoweredTensor(t.name, ("int8", "int32").index(t.dtype), t.size, offsets.get(t.name, -1))
        for t in model.tensors
    )
    ops = []
    for op in model.ops:
        shapes = [model.tensor(n).shape for n in op.inputs]
        points = {
            f"{argument}_zero_point": model.tensor(tensor).zero_point
            for argument, tensor in zip(
                (*op.spec.inputs, "y"), (*op.inputs, op.output), strict=True
            )
        }
        ops.append(
            LoweredOp(
                op.name,
                list(OPS).index(op.kind),
                f"intgold_{op.kind}",
                struct_members(op.spec, op.fields, shapes, model.tensor(op.output).shape, points),
                tuple(index[n] for n in op.inputs),
                index[op.output],
            )
        )
    ends = [tuple(index[n] for n in names) for names in (model.inputs, model.outputs)]
    return Lowered(model.name, tensors, tuple(ops), ends[0], ends[1], activations_size)


def struct_members(
    spec: OpKind,
    fields: Mapping[str, Any],
    shapes: Sequence[Shape],
    out_shape: Shape,
    zero_points: Mapping[str, int],
) -> dict[str, Member]:
    """Return every member of the op's C structure by name.

    Parameters
    ----------
    spec : OpKind
    fields : mapping
        Checked values of the op's fields.
    shapes, out_shape
        Of the inputs and the output, without the batch.
    zero_points : mapping of str to int
        ``<argument>_zero_point`` of every tensor; those that the op uses are taken.
    """
    result: dict[str, Member] = dict(spec.dims(fields, shapes, out_shape))
    result.update({name: zero_points[name] for name in spec.zero_points})
    for name, kind in spec.fields.items():
        value = fields[name]
        if isinstance(kind, Scales):
            continue
        if isinstance(kind, Integers):
            result.update(zip(kind.members, value, strict=True))
        elif isinstance(kind, Choice):
            result[name] = kind.values.index(value)
        else:
            result[name] = value
        if isinstance(kind, Array) and name == "weight_zero_point":
            result["weight_zero_point_count"] = value.size
    return result


def _together(model: Model, index: int) -> int:
    """Return the last op that the engine may run in one go with op `index`.

    It may fuse an op that has weights with up to ``INTGOLD_MAX_FUSED`` after it that read only what
    the one before made (csrc/engine/fuse.c).
    """
    if "weights" not in model.ops[index].fields:
        return index
    furthest: int = min(index + lib.INTGOLD_MAX_FUSED, len(model.ops) - 1)
    for i in range(index, furthest):
        if model.ops[i + 1].inputs != (model.ops[i].output,):
            return i
    return furthest


def plan(model: Model) -> tuple[dict[str, int], int]:
    """Return the byte offset of each tensor between ops, and the bytes that all of them need.

    A tensor lives from the op that produces it to the last one that reads it, or that may run
    together with that one; the largest tensors are placed first, each at the lowest offset
    that is free as long as it lives.
    """
    made = {op.output: i for i, op in enumerate(model.ops)}
    last = {n: _together(model, i) for i, op in enumerate(model.ops) for n in op.inputs}
    last.update({op.output: i for i, op in enumerate(model.ops) if op.output not in last})
    ends = {*model.inputs, *model.outputs}
    between = [t for t in model.tensors if t.name not in ends]
    # Per op, start and end of what is placed and lives while it runs.
    occupied: list[set[tuple[int, int]]] = [set() for _ in model.ops]
    offsets: dict[str, int] = {}
    size = 0
    for tensor in sorted(between, key=lambda t: -t.span):
        length, start = tensor.span, 0
        life = occupied[made[tensor.name] : last[tensor.name] + 1]
        for other_start, other_end in sorted(set().union(*life)):
            if other_start < start + length and start < other_end:
                start = other_end
        for places in life:
            places.add((start, start + length))
        offsets[tensor.name] = start
        # At most the sum that SPEC 6.2 limits, so that it fits the C structure.
        size = max(size, start + length)
    return offsets, size
