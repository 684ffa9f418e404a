"""Shapes that ops of the file compute: what converters write for a network of a free batch.

Such a file holds SHAPE -> STRIDED_SLICE -> PACK -> RESHAPE, and the like, on integers.  With the
batch of 1 that a file is read for they are constants, so these ops are computed here and left out.
A converter that could not tell an extent wrote 1 for it: the shape that was computed stands, and
so do those of the ops behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...errors import ImportFileError
from .reader import FileGraph, FileOp, FileTensor

_Shape = tuple[int, ...]
_INTEGERS = ("int32", "int64")
_MOST = 64
"""Values of a tensor that is computed; shapes have a few."""


def settled(graph: FileGraph) -> FileGraph:
    """Return a graph without ops that compute shapes, and with the shapes that they give.

    Only RESHAPE may read what is computed: other ops may run on other kernels where such an
    operand is no constant.

    Raises
    ------
    ImportFileError
        Naming another op that reads it.
    """
    known: dict[int, np.ndarray] = {}
    tensors, ops = list(graph.tensors), []
    made, moved = set(graph.inputs), set[int]()
    for op in graph.ops:
        value = _computed(op, tensors, known, made)
        if value is not None and op.outputs[0] not in graph.outputs:
            known[op.outputs[0]] = value
            continue
        for i, at in enumerate(op.inputs):
            if at in known and (op.kind, i) != ("RESHAPE", 1):
                name = tensors[at].name
                raise ImportFileError(f"{op}: input {name} is computed; only RESHAPE may read it")
        shape = _shape(op, tensors, known, moved)
        if shape is not None and shape != tensors[op.outputs[0]].shape:
            moved.add(op.outputs[0])
            tensors[op.outputs[0]] = replace(tensors[op.outputs[0]], shape=shape)
        made.update(op.outputs)
        kept = tuple(at for at in op.inputs if at not in known)
        ops.append(replace(op, inputs=kept))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _computed(
    op: FileOp,
    tensors: Sequence[FileTensor],
    known: Mapping[int, np.ndarray],
    made_before: set[int],
) -> np.ndarray | None:
    """Return what an op of integers makes, where that can be told."""
    if op.kind not in _COMPUTED or len(op.outputs) != 1 or not 1 <= len(op.inputs) <= _MOST:
        return None
    if min((*op.inputs, *op.outputs)) < 0:
        return None
    y = tensors[op.outputs[0]]
    if y.dtype not in _INTEGERS or y.data is not None:
        return None
    values: list[np.ndarray | None] = [_value(tensors[at], known) for at in op.inputs]
    if op.kind == "SHAPE":
        values = [np.array(tensors[at].shape, np.int64) for at in op.inputs if at in made_before]
    if not values or any(value is None for value in values):
        return None
    try:
        made = _COMPUTED[op.kind](op, *values)
    except (IndexError, ValueError, TypeError, OverflowError):
        return None
    inside = made is not None and made.size <= _MOST and (np.abs(made) < 2**31).all()
    return made if inside else None


def _value(tensor: FileTensor, known: Mapping[int, np.ndarray]) -> np.ndarray | None:
    if tensor.index in known:
        return known[tensor.index]
    if tensor.data is None or tensor.dtype not in _INTEGERS or tensor.data.size > _MOST:
        return None
    return tensor.data.astype(np.int64)


def _strided_slice(
    op: FileOp, x: np.ndarray, begin: np.ndarray, end: np.ndarray, stride: np.ndarray
) -> np.ndarray | None:
    o = op.options
    if x.ndim != 1 or o["EllipsisMask"] or o["NewAxisMask"] or o["Offset"] or stride.item() < 1:
        return None
    if o["ShrinkAxisMask"]:
        return x[begin.item()]
    first = None if o["BeginMask"] else begin.item()
    return x[first : None if o["EndMask"] else end.item() : stride.item()]


def _gather(op: FileOp, x: np.ndarray, at: np.ndarray) -> np.ndarray | None:
    plain = x.ndim == 1 and op.options["Axis"] in (0, -1) and not op.options["BatchDims"]
    return x[at] if plain and (at >= 0).all() else None


def _product(op: FileOp, x: np.ndarray, axes: np.ndarray) -> np.ndarray | None:
    if x.ndim != 1 or axes.ravel().tolist() not in ([0], [-1]):
        return None
    made = np.array(math.prod(x.tolist()), np.int64)
    return made.reshape(1) if op.options["KeepDims"] else made


def _pack(op: FileOp, *values: np.ndarray) -> np.ndarray | None:
    return None if op.options["Axis"] else np.stack(values)


def _concatenation(op: FileOp, *values: np.ndarray) -> np.ndarray | None:
    return None if op.options["Axis"] not in (0, -1) else np.concatenate(values)


_COMPUTED: Mapping[str, Callable[..., np.ndarray | None]] = {
    "SHAPE": lambda op, shape: shape,
    "STRIDED_SLICE": _strided_slice,
    "GATHER": _gather,
    "REDUCE_PROD": _product,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
}


def _shape(
    op: FileOp, tensors: Sequence[FileTensor], known: Mapping[int, np.ndarray], moved: set[int]
) -> _Shape | None:
    """Return the shape of what an op makes; None: as the file says."""
    if len(op.outputs) != 1 or not op.inputs or min((*op.inputs[:2], *op.outputs)) < 0:
        return None
    shapes = [tensors[at].shape for at in op.inputs if at >= 0]
    if op.kind == "RESHAPE" and len(op.inputs) == 2:
        return _reshaped(shapes[0], _value(tensors[op.inputs[1]], known))
    if not moved.intersection(op.inputs):
        return None
    if op.kind == "FULLY_CONNECTED":
        return _dense(op, *shapes[:2])
    return shapes[0] if op.kind in _ALIKE else None


def _dense(op: FileOp, x: _Shape, weights: _Shape = ()) -> _Shape | None:
    if len(weights) != 2 or not weights[1]:
        return None
    rows = x[:-1] if op.options["KeepNumDims"] else (math.prod(x) // weights[1],)
    return (*rows, weights[0])


_ALIKE = frozenset(
    ("QUANTIZE", "RELU", "RELU_N1_TO_1", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "GELU", "ELU",
     "HARD_SWISH", "SOFTMAX")
)  # fmt: skip
"""Ops that make the shape of their input."""


def _reshaped(shape: _Shape, operand: np.ndarray | None) -> _Shape | None:
    """Return the shape of an operand, its one -1 worked out."""
    if operand is None or operand.ndim != 1 or not 1 <= operand.size <= 8:
        return None
    wanted: list[int] = operand.tolist()
    others = math.prod(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and others > 0:
        wanted[wanted.index(-1)] = math.prod(shape) // others
    return tuple(wanted) if min(wanted) > 0 and math.prod(wanted) == math.prod(shape) else None
