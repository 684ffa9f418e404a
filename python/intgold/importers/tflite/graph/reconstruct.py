"""An op of an imported model as the op of a file that it came from, for another contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ....model.graph import Model, Op, Tensor
from ..file.reader import FileGraph, FileOp, FileTensor

_SAME = 0
_OFFSET = {"int8": 0, "uint8": 128}
"""What is added to a zero point as in the model: uint8 is stored as x ^ 0x80."""
_UNARY = (
    "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "TANH", "ELU", "GELU", "HARD_SWISH",
)  # fmt: skip
_ALPHAS = (0.3, 0.2, 0.1, 0.01, 0.05, 0.25)
"""Slopes of LEAKY_RELU that networks have."""
_WEIGHTED = {
    "conv2d": "CONV_2D", "depthwise_conv2d": "DEPTHWISE_CONV_2D",
    "fully_connected": "FULLY_CONNECTED", "transpose_conv2d": "TRANSPOSE_CONV",
}  # fmt: skip
_SUMS = {
    "shared_scale": "ADD", "shared_scale_difference": "SUB",
    "shared_scale_squared_difference": "SQUARED_DIFFERENCE",
}  # fmt: skip
_PLAIN = {
    "FusedActivationFunction": 0, "Padding": _SAME, "WeightsFormat": 0, "KeepNumDims": False,
    "KeepDims": True, "Approximate": False,
    **dict.fromkeys(("StrideH", "StrideW", "DilationHFactor", "DilationWFactor"), 1),
}  # fmt: skip


def candidates(model: Model, op: Op, dtype: str) -> Iterator[FileGraph]:
    """Yield graphs of one op on int8 or uint8 that a model's op may have come from.

    A table may be that of any unary op; which of them produces the same table decides.
    Padding, stride and fused activation are left out: no contract scales by them.
    """
    tensors = [model.tensor(name) for name in (*op.inputs, op.output)]
    if any(t.scale is None or t.dtype != "int8" for t in tensors):
        return
    held = [_tensor(i, t, dtype) for i, t in enumerate(tensors)]
    if op.kind in _WEIGHTED and op.fields["weight_scale"] is not None:
        yield _weighted(op, held, dtype)
    elif op.kind == "add":
        yield _graph(_SUMS[op.fields["form"]], held)
    elif op.kind == "matmul":
        yield _graph("BATCH_MATMUL", held, AdjX=False, AdjY=True)
    elif op.kind == "lut2d":
        yield _graph("DIV", held)
    elif op.kind == "mul":
        yield _graph("MUL", held)
    elif op.kind == "global_avg_pool":
        axes = _constant(2, np.array([1, 2], np.int32), "int32")
        yield _graph("MEAN", [held[0], held[1], axes], inputs=(0, 2))
    elif op.kind in ("softmax", "softmax_float32"):
        for beta in _betas(op, held[0].scale[0]):
            yield _graph("SOFTMAX", held, Beta=beta)
    elif op.kind in ("log_softmax", "log_softmax_float32"):
        yield _graph("LOG_SOFTMAX", held)
    elif op.kind == "lut":
        for kind in _UNARY:
            yield _graph(kind, held)
        for alpha in _ALPHAS:
            yield _graph("LEAKY_RELU", held, Alpha=alpha)


def _betas(op: Op, scale: np.float32) -> list[float]:
    """Return what SOFTMAX may multiply its input by: the float32 next to what its numbers say."""
    if op.kind == "softmax":
        product = float(op.fields["multiplier"]) * 2.0 ** (op.fields["left_shift"] - 57)
    else:
        powers = op.fields["table"].view(np.float32)
        far = int(np.argmax(powers >= np.finfo(np.float32).tiny))  # has the most bits of it
        with np.errstate(divide="ignore"):  # no entry has all bits
            product = -float(np.log(powers[far], dtype=np.float64)) / max(255 - far, 1)
    with np.errstate(over="ignore"):
        nearest = np.float32(product / float(scale))
    return [float(nearest), *(float(np.nextafter(nearest, np.float32(to))) for to in (0, np.inf))]


def _tensor(index: int, tensor: Tensor, dtype: str) -> FileTensor:
    scale = np.array([tensor.scale], np.float32)
    zero = np.array([tensor.zero_point + _OFFSET[dtype]], np.int64)
    return FileTensor(index, tensor.name, (1, *tensor.shape), dtype, scale, zero, 0, None)


def _constant(
    index: int, data: np.ndarray, dtype: str, scale: Any = (), zero: Any = (), axis: int = 0
) -> FileTensor:
    scales, zeros = np.asarray(scale, np.float32), np.asarray(zero, np.int64)
    return FileTensor(index, f"c{index}", data.shape, dtype, scales, zeros, axis, data)


def _weighted(op: Op, held: list[FileTensor], dtype: str) -> FileGraph:
    weights, zero = op.fields["weights"], op.fields["weight_zero_point"]
    depthwise = op.kind == "depthwise_conv2d"
    data = weights[None] if depthwise else weights
    if dtype == "uint8":
        data = data.view(np.uint8) ^ np.uint8(0x80)
    axis = data.ndim - 1 if depthwise else 0
    scales, zeros = op.fields["weight_scale"], zero[:1].astype(np.int64) + _OFFSET[dtype]
    constants = [
        _constant(2, data, dtype, scales, zeros, axis if len(scales) > 1 else 0),
        _constant(3, op.fields["bias"], "int32"),
    ]
    if op.kind == "transpose_conv2d":  # of stride 1: an output of the input's size
        y = replace(held[1], shape=(*held[0].shape[:3], len(data)))
        shape = _constant(4, np.array(y.shape, np.int32), "int32")
        return _graph("TRANSPOSE_CONV", [held[0], y, *constants, shape], inputs=(4, 2, 0, 3))
    times = {"DepthMultiplier": weights.shape[-1] // held[0].shape[-1]} if depthwise else {}
    return _graph(_WEIGHTED[op.kind], [*held, *constants], inputs=(0, 2, 3), **times)


def _graph(
    kind: str, tensors: list[FileTensor], inputs: tuple[int, ...] | None = None, **options: Any
) -> FileGraph:
    """Return a graph of the op: the output is the last tensor that is no constant."""
    given = [t.index for t in tensors if t.data is None]
    read = tuple(given[:-1]) if inputs is None else inputs
    op = FileOp(0, kind, read, (given[-1],), _PLAIN | options)
    return FileGraph(tuple(tensors), (op,), tuple(given[:-1]), (given[-1],))
