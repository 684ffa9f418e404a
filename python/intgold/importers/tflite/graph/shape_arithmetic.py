"""Shapes that ops of the file compute: what converters write for a network of a free batch.

Such a file holds SHAPE -> STRIDED_SLICE -> PACK -> RESHAPE, and the like, on integers.  With the
batch of 1 that a file is read for they are constants, so these ops are computed here and left out.
A converter that could not tell an extent wrote 1 for it.  Most engines work the shape of an op's
output out and do not look at what the file says of it; so do these functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ....contracts import Contract
from ....errors import ImportFileError
from ..addresses.layouts import LAYOUT_OPS, layouts
from ..file.reader import FileGraph, FileOp, FileTensor

_Shape = tuple[int, ...]
_INTEGERS = ("int32", "int64")
_MAX_VALUES = 64
"""Values of a tensor that is computed; shapes have a few."""


def fold_shapes(graph: FileGraph, contract: Contract) -> FileGraph:
    """Return a graph without ops that compute shapes, and with the shapes that its engine has.

    Only a RESHAPE or TRANSPOSE_CONV may have a shape that is computed, which is then missing from
    its inputs: other ops may run on other kernels where such an operand is no constant.

    Raises
    ------
    ImportFileError
        Naming another op that reads what is computed, an op of integers that the engine lacks, or
        a shape that it refuses.
    """
    known: dict[int, np.ndarray] = {}
    tensors, ops = list(graph.tensors), []
    made, moved = set(graph.inputs), set[int]()
    for op in graph.ops:
        value = _computed(op, tensors, known, made)
        if value is not None and op.outputs[0] not in graph.outputs:
            if f"{op.kind} integers" in contract.unsupported:
                raise ImportFileError(f"{op}: {contract.engine}: no kernel for it on integers")
            known[op.outputs[0]] = value
            continue
        if op.kind in LAYOUT_OPS:
            for at in known.keys() & set(op.inputs):
                tensors[at] = replace(tensors[at], data=known[at].astype(np.int32))
        for i, at in enumerate(op.inputs):
            may_be = (op.kind, i) in _MAY_BE_COMPUTED or op.kind in LAYOUT_OPS
            if at in known and not may_be:
                name = tensors[at].name
                raise ImportFileError(
                    f"{op}: input {name} is computed; only the shape of a RESHAPE or "
                    "TRANSPOSE_CONV may be"
                )
        if op.kind in _BY_SHAPE and moved.intersection(op.inputs) and contract.delegates:
            raise ImportFileError(
                f"{op}: the file says a wrong shape of its input, by which the delegate may leave "
                "it to another kernel"
            )
        if op.kind in LAYOUT_OPS and contract.resizes:
            _reshape_outputs(op, tensors, moved)
        stands = op.kind in _IN_ORDER and not contract.resizes  # checked later
        shape = None if stands else _shape(op, tensors, known)
        if shape is not None and shape != (y := tensors[op.outputs[0]]).shape:
            if not contract.resizes:
                raise ImportFileError(
                    f"{op}: output {y.name} has shape {y.shape} in the file, by which "
                    f"{contract.engine} goes; it produces {shape}"
                )
            moved.add(y.index)
            tensors[y.index] = replace(y, shape=shape)
        made.update(op.outputs)
        folds = op.kind not in LAYOUT_OPS
        kept = tuple(-1 if at in known and folds else at for at in op.inputs)
        ops.append(replace(op, inputs=kept))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _reshape_outputs(op: FileOp, tensors: list[FileTensor], moved: set[int]) -> None:
    """Give the outputs of a layout op the shapes that it produces."""
    for at, plan in zip(op.outputs, layouts(op, tensors), strict=True):
        if tensors[at].shape != plan.shape:
            moved.add(at)
            tensors[at] = replace(tensors[at], shape=plan.shape)


def _computed(
    op: FileOp,
    tensors: Sequence[FileTensor],
    known: Mapping[int, np.ndarray],
    made_before: set[int],
) -> np.ndarray | None:
    """Return what an op of integers produces, where that is known."""
    if op.kind not in COMPUTED or len(op.inputs) > _MAX_VALUES:
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
        made = COMPUTED[op.kind](op, *values)
    except (IndexError, ValueError, TypeError, OverflowError):
        return None
    inside = made is not None and made.size <= _MAX_VALUES and (np.abs(made) < 2**31).all()
    return made if inside else None


def _value(tensor: FileTensor, known: Mapping[int, np.ndarray]) -> np.ndarray | None:
    if tensor.index in known:
        return known[tensor.index]
    if tensor.data is None or tensor.dtype not in _INTEGERS or tensor.data.size > _MAX_VALUES:
        return None
    return tensor.data.astype(np.int64)


def _strided_slice(
    op: FileOp, x: np.ndarray, begin: np.ndarray, end: np.ndarray, stride: np.ndarray
) -> np.ndarray | None:
    o = op.options
    if x.ndim != 1 or o["EllipsisMask"] or o["NewAxisMask"] or o["Offset"] or stride.item() < 1:
        return None
    first = None if o["BeginMask"] & 1 else begin.item()  # a bit for each axis: there is one
    if o["ShrinkAxisMask"] & 1:  # one value, whatever the end is
        return np.asarray(x[first or 0])
    return x[first : None if o["EndMask"] & 1 else end.item() : stride.item()]


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


COMPUTED: Mapping[str, Callable[..., np.ndarray | None]] = {
    "SHAPE": lambda op, shape: shape,
    "STRIDED_SLICE": _strided_slice,
    "GATHER": _gather,
    "REDUCE_PROD": _product,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
}
"""What is computed of integers, by op."""


def _shape(
    op: FileOp, tensors: Sequence[FileTensor], known: Mapping[int, np.ndarray]
) -> _Shape | None:
    """Return the shape that an engine gives to an op's output; None: it is checked later."""
    x = tensors[op.inputs[0]].shape
    second = tensors[op.inputs[1]] if len(op.inputs) > 1 and op.inputs[1] >= 0 else None
    if op.kind == "RESHAPE":
        return _reshaped(op, x, None if second is None else _value(second, known))
    if op.kind == "SQUEEZE":
        return _squeezed(op, x)
    if op.kind == "TRANSPOSE_CONV":
        wanted = _value(tensors[op.inputs[0]], known)
        return None if wanted is None else tuple(wanted.ravel().tolist())
    if op.kind in _ALIKE:
        return x
    return _OF_TWO[op.kind](op, x, second) if second and op.kind in _OF_TWO else None


def _dense(op: FileOp, x: _Shape, weights: FileTensor) -> _Shape | None:
    if len(weights.shape) != 2 or not weights.shape[1]:
        return None
    out_c, in_c = weights.shape
    return (*(x[:-1] if op.options["KeepNumDims"] else (math.prod(x) // in_c,)), out_c)


def _means(op: FileOp, x: _Shape, axes: FileTensor) -> _Shape | None:
    gone, keeps = _axes(axes, len(x)), op.options["KeepDims"]
    if gone is None or (0 in gone and not keeps):  # over the batch: refused later
        return None
    if keeps:
        return tuple(1 if a in gone else n for a, n in enumerate(x))
    return tuple(n for a, n in enumerate(x) if a not in gone)


def _squeezed(op: FileOp, x: _Shape) -> _Shape | None:
    """Leave out extents of 1: those that are named, or all."""
    named = op.options["SqueezeDims"]
    if not all(-len(x) <= a < len(x) for a in named):
        return None
    gone = {a % len(x) for a in named} if named else {a for a, n in enumerate(x) if n == 1}
    return tuple(n for a, n in enumerate(x) if a not in gone)


def _expanded(op: FileOp, x: _Shape, axis: FileTensor) -> _Shape | None:
    at = _axes(axis, len(x) + 1)
    if at is None or len(at) != 1:
        return None
    place = at.pop()
    return (*x[:place], 1, *x[place:])


_BY_SHAPE = ("CONV_2D", "TRANSPOSE_CONV")
"""Ops that a delegate takes or leaves by the shape of their input."""
_MAY_BE_COMPUTED = (("RESHAPE", 1), ("TRANSPOSE_CONV", 0))
"""Operands, by their place, of which it is known how kernels go where they are computed."""


def _resized(op: FileOp, x: _Shape, size: FileTensor) -> _Shape | None:
    if len(x) != 4 or size.data is None or size.dtype != "int32" or size.data.size != 2:
        return None
    return (x[0], *size.data.ravel().tolist(), x[3])


_IN_ORDER = ("RESHAPE", "EXPAND_DIMS", "FULLY_CONNECTED")
"""Ops for which any shape of as many values does: engines that go by the file look at no other."""
_OF_TWO: Mapping[str, Callable[[FileOp, _Shape, FileTensor], _Shape | None]] = {
    "FULLY_CONNECTED": _dense,
    "MEAN": _means,
    "EXPAND_DIMS": _expanded,
    "RESIZE_BILINEAR": _resized,
}
"""Ops whose second input has a say."""


def _axes(tensor: FileTensor, rank: int) -> set[int] | None:
    """Return the axes that a constant names; None where that is none or it names no axis."""
    if tensor.data is None or tensor.dtype not in _INTEGERS or tensor.data.size > _MAX_VALUES:
        return None
    axes = tensor.data.ravel().tolist()
    return {a % rank for a in axes} if rank and all(-rank <= a < rank for a in axes) else None


_ALIKE = frozenset(
    ("QUANTIZE", "RELU", "RELU_N1_TO_1", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "GELU", "ELU",
     "HARD_SWISH", "SOFTMAX", "LOG_SOFTMAX", "ABS", "SQRT", "RSQRT", "EXP", "LOG", "PRELU")
)  # fmt: skip
"""Ops that make the shape of their input."""


def _reshaped(op: FileOp, shape: _Shape, operand: np.ndarray | None) -> _Shape | None:
    """Return the shape of an operand, or of the op's option without one, its one -1 worked out.

    Raises
    ------
    ImportFileError
        When it does not hold the values that there are.
    """
    if operand is not None and operand.ndim == 1:
        expected: list[int] = operand.tolist()
    else:
        expected = list(op.options["NewShape"])
    if not expected:
        return None
    named = tuple(expected)
    others = math.prod(n for n in expected if n != -1)
    if expected.count(-1) == 1 and others > 0:
        expected[expected.index(-1)] = math.prod(shape) // others
    if min(expected) < 1 or math.prod(expected) != math.prod(shape):
        raise ImportFileError(f"{op}: {shape} as {named}")
    return tuple(expected)
