"""Small graphs of one op that distinguish rules: every output depends on few values, and all the
256 or 65,536 of them occur."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...importers.tflite.file.reader import FileGraph, FileOp, FileTensor
from ...importers.tflite.graph.float_chains import FLOAT32_CHAIN
from ...support.quoting import short_repr

_FLOAT = np.float32
_EVERY = np.arange(-128, 128)
_CHANNELS = 23  # whole groups of 8 and of 16, and a rest
Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class OpProbe:
    """A graph of one op and what it is fed with: a batch for each input."""

    __repr__ = short_repr

    graph: FileGraph
    inputs: list[np.ndarray]


class _GraphBuilder:
    """Tensors as they are added, and one op after them."""

    def __init__(self) -> None:
        self.tensors: list[FileTensor] = []

    def tensor(
        self, shape: tuple[int, ...], dtype: str = "int8", scale: Any = (), zero_point: int = 0,
        data: np.ndarray | None = None, axis: int = 0,
    ) -> int:  # fmt: skip
        scales = np.atleast_1d(np.asarray(scale, _FLOAT))
        zeros = np.full(scales.size, zero_point, np.int64)
        index = len(self.tensors)
        self.tensors.append(
            FileTensor(index, f"t{index}", shape, dtype, scales, zeros, axis, data)
        )  # fmt: skip
        return index

    def op(
        self, kind: str, held: list[int], y: int, batches: list[np.ndarray], **options: Any
    ) -> OpProbe:
        op = FileOp(0, kind, tuple(held), (y,), options)
        inputs = tuple(i for i in held if self.tensors[i].data is None)
        return OpProbe(FileGraph(tuple(self.tensors), (op,), inputs, (y,)), batches)


def probe(op: str, seed: int) -> OpProbe:
    """Return the probe of an op (a name of the TFLite schema) from a seed."""
    return PROBES[op](np.random.default_rng([seed, *op.encode()]))


def _zero(rng: Rng) -> int:
    return int(rng.integers(-128, 128))


def _scale(rng: Rng, low: float, high: float) -> Any:
    return _FLOAT(10 ** rng.uniform(low, high))


def _even_powers(rng: Rng, *scales: Any) -> list[Any]:
    """Return scales as they are, or, every fourth time, as powers of two: then halves occur."""
    if rng.random() < 0.75:
        return list(scales)
    return [_FLOAT(np.exp2(np.rint(np.log2(s)))) for s in scales]


def _weighted(op: str) -> Callable[[Rng], OpProbe]:
    """A sum of one product and a bias, which brings it where the form matters."""

    def make(rng: Rng) -> OpProbe:
        g, count, x_scale = _GraphBuilder(), _CHANNELS, _scale(rng, -2.5, -0.5)
        flat, depthwise = op == "FULLY_CONNECTED", op == "DEPTHWISE_CONV_2D"
        transposed = op == "TRANSPOSE_CONV"
        values = _EVERY.astype(np.int8)
        batch = values.reshape(256, 1) if flat else values.reshape(1, 16, 16, 1)
        if depthwise:
            batch = np.repeat(batch, count, axis=3)
        scales = (10 ** rng.uniform(-3, -1.5, count)).astype(_FLOAT)
        y_scale = _FLOAT(float(np.median(x_scale * scales)) * 10 ** rng.uniform(2, 2.8))
        x_scale, scales, y_scale = _even_powers(rng, x_scale, scales, y_scale)
        shape = (count, 1) if flat else (1, 1, 1, count) if depthwise else (count, 1, 1, 1)
        x = g.tensor((1, *batch.shape[1:]), scale=x_scale, zero_point=_zero(rng))
        data = rng.integers(-127, 128, shape).astype(np.int8)
        w = g.tensor(shape, "int8", scales, 0, data, 3 if depthwise else 0)
        bias = rng.integers(-20_000, 20_000, count).astype(np.int32)
        b = g.tensor((count,), "int32", x_scale * scales, 0, bias)
        out = (*((1,) if flat else (1, 16, 16)), count)
        y = g.tensor(out, "int8", y_scale, _zero(rng))
        held = [x, w, b]
        if transposed:
            held = [g.tensor((4,), "int32", data=np.array(out, np.int32)), w, x, b]
        slide = {
            "Padding": 1, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1,
            "DepthMultiplier": 1, "WeightsFormat": 0, "KeepNumDims": False,
        }  # fmt: skip
        return g.op(op, held, y, [batch], FusedActivationFunction=0, **slide)

    return make


def _two(op: str) -> Callable[[Rng], OpProbe]:
    """Every pair of values, and some after the last whole group."""

    def make(rng: Rng) -> OpProbe:
        g, first = _GraphBuilder(), _scale(rng, -2.5, -0.5)
        second = _FLOAT(first * 10 ** rng.uniform(-1, 1))
        reach = {
            "MUL": float(first * second) * 100,
            "DIV": float(first / second) / 10,
            "SQUARED_DIFFERENCE": float(max(first, second)) ** 2 * 100,
        }.get(op, float(max(first, second)))
        y_scale = _FLOAT(reach * 10 ** rng.uniform(-0.3, 0.6))
        first, second, y_scale = _even_powers(rng, first, second, y_scale)
        pairs = [np.repeat(_EVERY, 256), np.tile(_EVERY, 256)]
        batches = [np.append(p, p[-9:]).astype(np.int8)[None] for p in pairs]
        shape = batches[0].shape
        x = [g.tensor(shape, scale=s, zero_point=_zero(rng)) for s in (first, second)]
        y = g.tensor(shape, "int8", y_scale, _zero(rng))
        return g.op(op, x, y, batches, FusedActivationFunction=0)

    return make


def _batch_matmul(rng: Rng) -> OpProbe:
    """Every pair of values, as the products of a column by a row."""
    g, first, second = _GraphBuilder(), _scale(rng, -2.5, -0.5), _scale(rng, -2.5, -0.5)
    y_scale = _FLOAT(float(first * second) * 100 * 10 ** rng.uniform(-0.3, 0.6))
    first, second, y_scale = _even_powers(rng, first, second, y_scale)
    values = _EVERY.astype(np.int8)
    x1 = g.tensor((1, 256, 1), scale=first, zero_point=_zero(rng))
    zero = 0 if rng.random() < 0.5 else _zero(rng)
    x2 = g.tensor((1, 1, 256), scale=second, zero_point=zero)
    y = g.tensor((1, 256, 256), "int8", y_scale, _zero(rng))
    batches = [values.reshape(1, 256, 1), values.reshape(1, 1, 256)]
    return g.op("BATCH_MATMUL", [x1, x2], y, batches, AdjX=False, AdjY=False)


def _reduction(op: str) -> Callable[[Rng], OpProbe]:
    """MEAN or SUM of images, of means from end to end."""

    def make(rng: Rng) -> OpProbe:
        g, scale = _GraphBuilder(), _scale(rng, -2.5, -0.5)
        shape = (1, int(rng.integers(1, 9)), int(rng.integers(1, 9)), _CHANNELS)
        places = shape[1] * shape[2] if op == "SUM" else 1
        y_scale = _FLOAT(scale * places * 10 ** rng.uniform(-0.8, 0.3))
        scale, y_scale = _even_powers(rng, scale, y_scale)
        x = g.tensor(shape, scale=scale, zero_point=_zero(rng))
        axes = g.tensor((2,), "int32", data=np.array([1, 2], np.int32))
        y = g.tensor((1, 1, 1, _CHANNELS), "int8", y_scale, _zero(rng))
        around = rng.integers(-128, 128, (64, 1, 1, _CHANNELS))
        batch = np.clip(around + rng.integers(-9, 10, (64, *shape[1:])), -128, 127).astype(np.int8)
        return g.op(op, [x, axes], y, [batch], KeepDims=True)

    return make


def _softmax(rng: Rng) -> OpProbe:
    return _rows(rng, "SOFTMAX", (1 / 256, -128), Beta=1.0)


def _log_softmax(rng: Rng) -> OpProbe:
    return _rows(rng, "LOG_SOFTMAX", (1 / 16, 127))


def _rows(rng: Rng, kind: str, output: tuple[float, int], **options: float) -> OpProbe:
    """Short rows of values near each other, so that all of them have a share."""
    g, depth = _GraphBuilder(), int(rng.integers(2, 9))
    shape = (1, 2048, depth)
    x = g.tensor(shape, scale=_scale(rng, -2.5, -0.5), zero_point=_zero(rng))
    y = g.tensor(shape, "int8", _FLOAT(output[0]), output[1])
    spread = int(rng.integers(2, 120))
    batch = rng.integers(-spread, spread, shape).astype(np.int8)
    return g.op(kind, [x], y, [batch], **options)


def _max_pool(rng: Rng) -> OpProbe:
    """Every value, clamped where 6.0 lies between two."""
    g, half = _GraphBuilder(), int(rng.integers(2, 100)) + 0.5
    batch, scale, zero = _EVERY.astype(np.int8).reshape(1, 16, 16, 1), _FLOAT(6 / half), _zero(rng)
    x, y = (g.tensor(batch.shape, scale=scale, zero_point=zero) for _ in range(2))
    slide = {"StrideH": 1, "StrideW": 1, "FilterHeight": 1, "FilterWidth": 1, "Padding": 1}
    return g.op("MAX_POOL_2D", [x], y, [batch], FusedActivationFunction=3, **slide)


def _prelu(rng: Rng) -> OpProbe:
    """Every value with each of some slopes."""
    g, scale, count = _GraphBuilder(), _scale(rng, -2.5, -0.5), _CHANNELS
    slope, y_scale = _scale(rng, -3, -1.5), _FLOAT(scale * 10 ** rng.uniform(-0.3, 0.4))
    scale, slope, y_scale = _even_powers(rng, scale, slope, y_scale)
    batch = np.repeat(_EVERY.astype(np.int8).reshape(1, 16, 16, 1), count, axis=3)
    x = g.tensor(batch.shape, scale=scale, zero_point=_zero(rng))
    data = rng.integers(-128, 128, (1, 1, count)).astype(np.int8)
    alpha = g.tensor(data.shape, "int8", slope, _zero(rng), data)
    y = g.tensor(batch.shape, "int8", y_scale, _zero(rng))
    return g.op("PRELU", [x, alpha], y, [batch])


def _resize_bilinear(rng: Rng) -> OpProbe:
    """Images of 2 x 2 random values, made larger."""
    g, scale, zero = _GraphBuilder(), _scale(rng, -2.5, -0.5), _zero(rng)
    shape, size = (1, 2, 2, _CHANNELS), rng.integers(2, 24, 2)
    x = g.tensor(shape, scale=scale, zero_point=zero)
    held = g.tensor((2,), "int32", data=size.astype(np.int32))
    y = g.tensor((1, *size.tolist(), _CHANNELS), "int8", scale, zero)
    batch = rng.integers(-128, 128, (4, *shape[1:])).astype(np.int8)
    corners = int(rng.integers(3))
    return g.op(
        "RESIZE_BILINEAR", [x, held], y, [batch], AlignCorners=corners == 1,
        HalfPixelCenters=corners == 2,
    )  # fmt: skip


def _root(op: str) -> Callable[[Rng], OpProbe]:
    """Every value from the zero point -128 on."""

    def make(rng: Rng) -> OpProbe:
        g, scale = _GraphBuilder(), _scale(rng, -4, 0)
        batch = _EVERY.astype(np.int8)[None]
        reach = _FLOAT(255 * scale) ** _FLOAT(0.5 if op == "SQRT" else -0.5)
        y_scale = _FLOAT(reach * 10 ** rng.uniform(-0.7, 0.3) / 128)
        x = g.tensor(batch.shape, scale=scale, zero_point=-128)
        return g.op(op, [x], g.tensor(batch.shape, "int8", y_scale, _zero(rng)), [batch])

    return make


def _one(
    op: str, fixed: tuple[float, int] | None = None, low: float = -2.5
) -> Callable[[Rng], OpProbe]:
    """Every value, and some after the last whole group."""

    def make(rng: Rng) -> OpProbe:
        g, scale = _GraphBuilder(), _scale(rng, low, -0.5)
        batch = np.append(_EVERY, _EVERY[-9:]).astype(np.int8)[None]
        x = g.tensor(batch.shape, scale=scale, zero_point=_zero(rng))
        made = fixed or (_FLOAT(scale * 10 ** rng.uniform(-0.3, 0.4)), _zero(rng))
        if fixed is None and rng.random() < 0.25:  # q values are halves, to within float32
            q = int(rng.integers(3, 60))
            made = _FLOAT(float(scale) * q / (int(rng.integers(0, 2 * q)) + 0.5)), _zero(rng)
        y = g.tensor(batch.shape, "int8", *made)
        alpha = float(_FLOAT(rng.uniform(0.01, 0.5)))
        return g.op(op, [x], y, [batch], Alpha=alpha, Approximate=False)

    return make


def _float_chain(rng: Rng) -> OpProbe:
    """Every value, made negative in float, and some after the last whole group."""
    made = _one(FLOAT32_CHAIN)(rng)
    op, floats = made.graph.ops[0], (len(made.graph.tensors), len(made.graph.tensors) + 1)
    ops = (
        FileOp(0, "DEQUANTIZE", op.inputs, floats[:1], {}),
        FileOp(1, "NEG", floats[:1], floats[1:], {}),
    )
    graph = replace(made.graph, ops=(replace(op, options={"ops": ops}),))
    return OpProbe(graph, made.inputs)


def _space_to_batch(rng: Rng) -> OpProbe:
    """A block of one place, so that only the padded cells are new."""
    g, scale, zero = _GraphBuilder(), _scale(rng, -2.5, -0.5), _zero(rng)
    x = g.tensor((1, 16, 16, 1), scale=scale, zero_point=zero)
    block = g.tensor((2,), "int32", data=np.array([1, 1], np.int32))
    sides = g.tensor((2, 2), "int32", data=np.array([[1, 0], [0, 2]], np.int32))
    y = g.tensor((1, 17, 18, 1), "int8", scale, zero)
    batch = _EVERY.astype(np.int8).reshape(1, 16, 16, 1)
    return g.op("SPACE_TO_BATCH_ND", [x, block, sides], y, [batch])


_WEIGHTED_OPS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
PROBES: Mapping[str, Callable[[Rng], OpProbe]] = {
    **{op: _weighted(op) for op in _WEIGHTED_OPS},
    **{op: _two(op) for op in ("ADD", "SUB", "MUL", "DIV", "SQUARED_DIFFERENCE")},
    "BATCH_MATMUL": _batch_matmul,
    **{op: _reduction(op) for op in ("MEAN", "SUM")},
    "MAX_POOL_2D": _max_pool,
    "SOFTMAX": _softmax,
    "LOG_SOFTMAX": _log_softmax,
    **{
        op: _one(op)
        for op in (
            "QUANTIZE",
            "LEAKY_RELU",
            "RELU",
            "RELU6",
            "RELU_N1_TO_1",
            "HARD_SWISH",
            "ABS",
        )
    },
    **{op: _root(op) for op in ("SQRT", "RSQRT")},
    "PRELU": _prelu,
    FLOAT32_CHAIN: _float_chain,
    "RESIZE_BILINEAR": _resize_bilinear,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "ELU": _one("ELU", low=-5),  # float32 steps show where exp(x) is next to 1
    "LOGISTIC": _one("LOGISTIC", (1 / 256, -128)),
    "TANH": _one("TANH", (1 / 128, 0)),
}
"""Of the ops that some two contracts compute differently."""
DIRECTED: Mapping[str, tuple[int, ...]] = {
    "ADD": (250, 296), "LOGISTIC": (753, 1965), "TANH": (5872, 10611), "HARD_SWISH": (6027,),
}  # fmt: skip
"""Seeds whose probes distinguish rules that the first hundreds do not; found by search."""
