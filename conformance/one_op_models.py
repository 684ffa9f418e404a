"""Random TFLite models of one op: shapes, scales, zero points, options, from a seed.

The generator is kept, not the files: the same seed gives the same file on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import draws
import factor_models
import float_chain_models
import form_models
import index_models
import layout_models
import numpy as np
import operand_models
import resize_models
import root_models
import shape_models
import softmax_models
import transposed_models
import two_operand_models
from draws import FLOAT, Made, Rng
from tflite_writer import Writer


def made(op: str, seed: int, dtype: str = "int8") -> tuple[Made, list[np.ndarray]]:
    """Return a model of this op and a stimulus for it, both from the seed."""
    rng = np.random.default_rng([seed, *op.encode(), dtype == "uint8"])
    model = MODELS[op](rng, dtype)
    return model, model.stimulus(rng)


def _convolution(depthwise: bool) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        kind = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        while True:
            shape, kernel = draws.image(rng), draws.pair(rng, 1, 5)
            stride, dilation = [int(v) for v in rng.choice([1, 1, 2, 3], 2)], [1, 1]
            if rng.random() < 0.2:
                stride, dilation = [1, 1], draws.pair(rng, 1, 3)
            padding = int(rng.integers(0, 2))
            sizes = draws.windows(shape, kernel, stride, dilation, padding)
            if min(sizes) > 0:
                break
        w, x_scale = Writer(), draws.scale(rng)
        x = w.tensor(shape, dtype, x_scale, draws.zero_point(rng, dtype))
        times = int(rng.choice([1, 1, 1, 2])) if depthwise else 1
        out_c = shape[3] * times if depthwise else draws.channels(rng)
        of = (1, *kernel, out_c) if depthwise else (out_c, *kernel, shape[3])
        held, product = draws.weights(rng, w, dtype, of, 3 if depthwise else 0, x_scale)
        depth = kernel[0] * kernel[1] * (1 if depthwise else shape[3])
        scale = draws.output_scale(rng, product * 4900 * depth**0.5, product)
        y = w.tensor((1, *sizes, out_c), dtype, scale, draws.zero_point(rng, dtype))
        fields = dict(
            Padding=padding, StrideH=stride[0], StrideW=stride[1], DilationHFactor=dilation[0],
            DilationWFactor=dilation[1], FusedActivationFunction=draws.activation(rng),
        )  # fmt: skip
        if depthwise:
            fields["DepthMultiplier"] = times
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        w.op(name, [x, *held], y, 3, kind, **fields)
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


def _fully_connected(rng: Rng, dtype: str) -> Made:
    w, x_scale, in_c, out_c = (
        Writer(),
        draws.scale(rng),
        int(rng.integers(1, 200)),
        draws.channels(rng),
    )
    x = w.tensor((1, in_c), dtype, x_scale, draws.zero_point(rng, dtype))
    held, product = draws.weights(rng, w, dtype, (out_c, in_c), 0, x_scale)
    scale = draws.output_scale(rng, product * 4900 * in_c**0.5, product)
    y = w.tensor((1, out_c), dtype, scale, draws.zero_point(rng, dtype))
    w.op(
        "FULLY_CONNECTED", [x, *held], y, 4, "FullyConnectedOptions",
        FusedActivationFunction=draws.activation(rng), WeightsFormat=0, KeepNumDims=False,
    )  # fmt: skip
    return Made(w.finish([x], [y]), ((x, (1, in_c)),), y, dtype)


def _two(kind: str, options: str, version: int) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        w, first = Writer(), draws.scale(rng)
        shape = draws.image(rng) if rng.random() < 0.7 else (1, draws.channels(rng))
        second = FLOAT(first * 10 ** rng.uniform(-1, 1))
        inputs = [w.tensor(shape, dtype, s, draws.zero_point(rng, dtype)) for s in (first, second)]
        reach = float(first * second) * 10**4 if kind == "MUL" else float(max(first, second)) * 128
        unit = 5 * float(first * second) if kind == "MUL" else None
        y_scale = draws.output_scale(rng, reach, unit)
        y = w.tensor(shape, dtype, y_scale, draws.zero_point(rng, dtype))
        w.op(kind, inputs, y, version, options, FusedActivationFunction=draws.activation(rng))
        return Made(w.finish(inputs, [y]), tuple((i, shape) for i in inputs), y, dtype)

    return make


def _pool(kind: str) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        while True:
            shape, kernel, stride = draws.image(rng), draws.pair(rng, 1, 5), draws.pair(rng, 1, 4)
            padding = int(rng.integers(0, 2))
            sizes = draws.windows(shape, kernel, stride, [1, 1], padding)
            if min(sizes) > 0:
                break
        w, scale, zero = Writer(), draws.scale(rng), draws.zero_point(rng, dtype)
        x = w.tensor(shape, dtype, scale, zero)
        y = w.tensor((1, *sizes, shape[3]), dtype, scale, zero)
        w.op(
            kind, [x], y, 2, "Pool2DOptions", Padding=padding, StrideH=stride[0],
            StrideW=stride[1], FilterHeight=kernel[0], FilterWidth=kernel[1],
            FusedActivationFunction=draws.activation(rng),
        )  # fmt: skip
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


def _mean(rng: Rng, dtype: str) -> Made:
    w, shape, scale, keep = Writer(), draws.image(rng), draws.scale(rng), bool(rng.integers(0, 2))
    x = w.tensor(shape, dtype, scale, draws.zero_point(rng, dtype))
    axes = w.tensor((2,), "int32", data=np.array([1, 2]))
    out = (1, 1, 1, shape[3]) if keep else (1, shape[3])
    y = w.tensor(out, dtype, draws.mean_scale(rng, scale), draws.zero_point(rng, dtype))
    w.op("MEAN", [x, axes], y, 2, "ReducerOptions", KeepDims=keep)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _concatenation(rng: Rng, dtype: str) -> Made:
    w, shape, axis = Writer(), list(draws.image(rng)), int(rng.integers(1, 4))
    scale, zero, inputs = draws.scale(rng), draws.zero_point(rng, dtype), []
    extents = [int(n) for n in rng.integers(1, 9, int(rng.integers(1, 5)))]
    for extent in extents:
        own = (*shape[:axis], extent, *shape[axis + 1 :])
        inputs.append((w.tensor(own, dtype, scale, zero), own))
    y = w.tensor((*shape[:axis], sum(extents), *shape[axis + 1 :]), dtype, scale, zero)
    w.op(
        "CONCATENATION", [i for i, _ in inputs], y, 2, "ConcatenationOptions",
        Axis=axis if rng.random() < 0.5 else axis - 4, FusedActivationFunction=0,
    )  # fmt: skip
    return Made(w.finish([i for i, _ in inputs], [y]), tuple(inputs), y, dtype)


def _pad(rng: Rng, dtype: str) -> Made:
    w, shape, scale, zero = (
        Writer(),
        draws.image(rng),
        draws.scale(rng),
        draws.zero_point(rng, dtype),
    )
    sides = rng.integers(0, 4, (4, 2))
    sides[0] = 0
    x = w.tensor(shape, dtype, scale, zero)
    held = w.tensor((4, 2), "int32", data=sides)
    y = w.tensor([n + s for n, s in zip(shape, sides.sum(axis=1), strict=True)], dtype, scale, zero)
    w.op("PAD", [x, held], y, 2, "PadOptions")
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _reshape(rng: Rng, dtype: str) -> Made:
    w, shape, scale, zero = (
        Writer(),
        draws.image(rng),
        draws.scale(rng),
        draws.zero_point(rng, dtype),
    )
    out = (1, shape[1] * shape[2], shape[3]) if rng.random() < 0.5 else (1, int(np.prod(shape)))
    x = w.tensor(shape, dtype, scale, zero)
    held = w.tensor((len(out),), "int32", data=np.array(out))
    y = w.tensor(out, dtype, scale, zero)
    w.op("RESHAPE", [x, held], y)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _unary(
    kind: str, version: int = 2, options: str = "", fixed: tuple[float, int] | None = None,
    **fields: Callable[[Rng], Any],
) -> Callable[[Rng, str], Made]:  # fmt: skip
    def make(rng: Rng, dtype: str) -> Made:
        w, scale = Writer(), draws.scale(rng)
        shape = draws.image(rng) if rng.random() < 0.5 else (1, 256)
        x = w.tensor(shape, dtype, scale, draws.zero_point(rng, dtype))
        chosen = {name: draw(rng) for name, draw in fields.items()}
        y_scale, zero = FLOAT(scale * 10 ** rng.uniform(-0.3, 0.4)), draws.zero_point(rng, dtype)
        if rng.random() < 0.25:
            y_scale = draws.tied(rng, scale)
        if fixed:
            y_scale, zero = FLOAT(fixed[0]), fixed[1] + (128 if dtype == "uint8" else 0)
        y = w.tensor(shape, dtype, y_scale, zero)
        w.op(kind, [x], y, version, options, **chosen)
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


def _alpha(rng: Rng) -> float:
    return float(FLOAT(rng.choice([0.01, 0.1, 0.2, 0.3, rng.uniform(-1, 1.5)])))


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "CONV_2D": _convolution(depthwise=False),
    "DEPTHWISE_CONV_2D": _convolution(depthwise=True),
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _two("ADD", "AddOptions", 2),
    "SUB": _two("SUB", "SubOptions", 3),
    "MUL": _two("MUL", "MulOptions", 2),
    "AVERAGE_POOL_2D": _pool("AVERAGE_POOL_2D"),
    "MAX_POOL_2D": _pool("MAX_POOL_2D"),
    "MEAN": _mean,
    "RESHAPE": _reshape,
    "PAD": _pad,
    "CONCATENATION": _concatenation,
    "QUANTIZE": _unary("QUANTIZE", options="QuantizeOptions"),
    "RELU": _unary("RELU"),
    "RELU6": _unary("RELU6"),
    "RELU_N1_TO_1": _unary("RELU_N1_TO_1", 1),
    "LEAKY_RELU": _unary("LEAKY_RELU", options="LeakyReluOptions", Alpha=_alpha),
    "LOGISTIC": _unary("LOGISTIC", fixed=(1 / 256, -128)),
    "TANH": _unary("TANH", fixed=(1 / 128, 0)),
    "GELU": _unary("GELU", options="GeluOptions", Approximate=lambda rng: bool(rng.integers(2))),
    "ELU": _unary("ELU", 1),
    "HARD_SWISH": _unary("HARD_SWISH", 1),
    "ABS": _unary("ABS", options="AbsOptions"),
    "EXP": _unary("EXP", options="ExpOptions"),
    "LOG": _unary("LOG"),
    **operand_models.MODELS,
    **factor_models.MODELS,
    **float_chain_models.MODELS,
    **form_models.MODELS,
    **resize_models.MODELS,
    **root_models.MODELS,
    **shape_models.MODELS,
    **softmax_models.MODELS,
    **layout_models.MODELS,
    **index_models.MODELS,
    **transposed_models.MODELS,
    **two_operand_models.MODELS,
}
"""By the name of the op: from a generator and a type, a model."""
