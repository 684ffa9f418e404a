"""Files of a batch other than 1: as the file of one image, where no op mixes images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ....errors import ImportFileError
from ..file.reader import FileGraph, FileOp, FileTensor
from ..file.wellformed import INDEX_OPS


class _Batched:
    """An op of a file whose tensors have a batch first."""

    def __init__(self, op: FileOp, tensors: Sequence[FileTensor], batch: int) -> None:
        self.op, self.tensors, self.batch, self.options = op, tensors, batch, op.options
        self.y = tensors[op.outputs[0]]

    def file(self, i: int) -> FileTensor:
        return self.tensors[self.op.inputs[i]]

    def values(self, i: int) -> list[int]:
        data = self.file(i).data
        return [] if data is None else np.ravel(data)[:64].tolist()

    def rank(self, i: int = 0) -> int:
        return len(self.file(i).shape)

    def along(self, axis: Any, rank: int) -> bool:
        """Return whether an axis is one of the image's."""
        return axis % rank != 0 if rank else False


def _always(of: _Batched) -> bool:
    return True


def _held_weights(of: _Batched) -> bool:
    """The weights are constants: none of an image, which all images would meet."""
    return of.file(1).data is not None


def _not_repeated(of: _Batched) -> bool:
    """No constant has a value for each image, and no image meets the values of another.

    An input of lower rank than the output has its batch along an axis of the images.
    """
    rank = len(of.y.shape)
    inputs = [of.tensors[at] for at in of.op.inputs]
    return all(
        len(t.shape) == rank if t.data is None else len(t.shape) < rank or t.shape[:1] == (1,)
        for t in inputs
    )


def _axes(i: int) -> Callable[[_Batched], bool]:
    return lambda of: bool(of.values(i)) and all(of.along(a, of.rank()) for a in of.values(i))


def _takes_all(of: _Batched) -> bool:
    """STRIDED_SLICE takes every image, in their order."""
    o = of.options
    if (
        any(o[name] & 1 for name in ("EllipsisMask", "NewAxisMask", "ShrinkAxisMask"))
        or o["Offset"]
    ):
        return False
    begin, end, stride = (of.values(i)[:1] for i in (1, 2, 3))
    starts, ends = o["BeginMask"] & 1 or begin == [0], o["EndMask"] & 1 or end == [of.batch]
    return bool(starts and ends and stride == [1])


_SEPARATE: Mapping[str, Callable[[_Batched], bool]] = {
    **dict.fromkeys(
        ("AVERAGE_POOL_2D", "MAX_POOL_2D", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "CAST",
         "RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "LOGISTIC", "TANH", "GELU", "ELU",
         "HARD_SWISH", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "RESIZE_NEAREST_NEIGHBOR",
         "RESIZE_BILINEAR", "FLOAT32_CHAIN"),
        _always,
    ),
    **dict.fromkeys(
        ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"), _held_weights
    ),
    **dict.fromkeys(
        ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "DIV", "FLOOR_DIV",
         "FLOOR_MOD", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL",
         "SELECT_V2", "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT"),
        _not_repeated,
    ),
    "BATCH_MATMUL": lambda of: len(of.y.shape) > 2 and _not_repeated(of),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REVERSE_V2"), _axes(1)),
    **dict.fromkeys(
        ("CONCATENATION", "PACK"), lambda of: of.along(of.options["Axis"], len(of.y.shape))
    ),
    **dict.fromkeys(INDEX_OPS, _axes(1)),
    **dict.fromkeys(("UNPACK", "GATHER"), lambda of: of.along(of.options["Axis"], of.rank())),
    **dict.fromkeys(("SOFTMAX", "LOG_SOFTMAX"), lambda of: of.rank() > 1),
    "SPLIT": lambda of: all(of.along(a, of.rank(1)) for a in of.values(0)),
    "SPLIT_V": lambda of: all(of.along(a, of.rank()) for a in of.values(2)),
    "TRANSPOSE": lambda of: of.values(1)[:1] == [0],
    "SLICE": lambda of: of.values(1)[:1] == [0],
    "STRIDED_SLICE": _takes_all,
    "BROADCAST_TO": lambda of: len(of.values(1)) == of.rank(),
    "TILE": lambda of: of.values(1)[:1] == [1],
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), lambda of: of.values(1)[:2] == [0, 0]),
}  # fmt: skip
"""Whether an op computes each image from that image; its output has the batch first."""
_SHAPES = {"RESHAPE": 1, "SLICE": 2, "BROADCAST_TO": 1, "TRANSPOSE_CONV": 0}
"""Ops with an operand that begins with the batch, and which it is."""


def images_at_once(graph: FileGraph) -> int:
    """Return the batch that all inputs of a file have first; 1 where they have none in common."""
    firsts = {graph.tensors[at].shape[:1] for at in graph.inputs}
    if len(firsts) != 1 or () in firsts:
        return 1
    ((batch,),) = firsts
    return max(batch, 1)  # less is a shape that is not fixed: refused later


def one_image(graph: FileGraph) -> FileGraph:
    """Return the graph of one image, of a file whose inputs have a batch of several.

    Other files stay as they are.

    Raises
    ------
    ImportFileError
        Naming the op that may mix images.
    """
    batch = images_at_once(graph)
    if batch == 1:
        return graph
    for op in graph.ops:
        _check(op, graph.tensors, batch)
    made = {*graph.inputs, *(at for op in graph.ops for at in op.outputs)}
    tensors = [tensor_of_one_image(t) if t.index in made and t.shape[:1] == (batch,) else t
               for t in graph.tensors]  # fmt: skip
    ops = []
    for op in graph.ops:
        inputs = list(op.inputs)
        at = _SHAPES.get(op.kind, len(inputs))
        held = tensors[inputs[at]].data if at < len(inputs) and inputs[at] >= 0 else None
        if held is not None and held.ravel()[:1].tolist() == [batch]:
            changed = replace(tensors[inputs[at]], index=len(tensors), data=_of_one_image(held))
            inputs[at] = changed.index
            tensors.append(changed)
        options = _options(op, graph.tensors, batch)
        ops.append(replace(op, inputs=tuple(inputs), options=options))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _check(op: FileOp, tensors: Sequence[FileTensor], batch: int) -> None:
    integers = all(tensors[at].dtype in ("int32", "int64") for at in op.outputs)
    if integers and op.kind not in INDEX_OPS:
        return  # of shapes, computed with a batch of 1
    separate = op.kind in _SEPARATE and _SEPARATE[op.kind](_Batched(op, tensors, batch))
    if not separate or any(tensors[at].shape[:1] != (batch,) for at in op.outputs):
        raise ImportFileError(f"{op}: it may mix the {batch} images of the file's batch")


def tensor_of_one_image(tensor: FileTensor) -> FileTensor:
    """Return a tensor that has a batch first with one of 1."""
    signature = tensor.shape_signature
    signature = (1, *signature[1:]) if signature else signature
    return replace(tensor, shape=(1, *tensor.shape[1:]), shape_signature=signature)


def _of_one_image(shape: np.ndarray) -> np.ndarray:
    """Return a shape of a batch of 1."""
    made = shape.copy()
    made.reshape(-1)[0] = 1
    return made


def _options(op: FileOp, tensors: Sequence[FileTensor], batch: int) -> Mapping[str, Any]:
    """Return options that say the same of a batch of 1."""
    if op.kind == "RESHAPE" and op.options["NewShape"][:1] == (batch,):
        return {**op.options, "NewShape": (1, *op.options["NewShape"][1:])}
    if op.kind == "SQUEEZE" and not op.options["SqueezeDims"]:
        shape = tensors[op.inputs[0]].shape
        return {**op.options, "SqueezeDims": tuple(a for a, n in enumerate(shape) if n == 1)}
    return op.options
