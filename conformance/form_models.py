"""Less usual forms of ops: other axes, rows, groups, different scales; random models of one op."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import draws
import numpy as np
import tflite
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

_AXES = ([1, 2], [1], [2], [3], [2, 3], [1, 3], [1, 2, 3])


def _mean_axes(rng: Rng, dtype: str) -> Made:
    return _mean(rng, dtype, batch=False)


def _mean_batch(rng: Rng, dtype: str) -> Made:
    """The batch is among the axes, and kept."""
    return _mean(rng, dtype, batch=True)


def _sum(rng: Rng, dtype: str) -> Made:
    return _mean(rng, dtype, batch=rng.random() < 0.1, kind="SUM")


def _mean(rng: Rng, dtype: str, *, batch: bool, kind: str = "MEAN") -> Made:
    w, shape, scale, keep = Writer(), draws.image(rng), draws.scale(rng), bool(rng.integers(0, 2))
    if rng.random() < 0.2:
        shape = (shape[0], *shape[2:])
    chosen = [a for a in _AXES[int(rng.integers(len(_AXES)))] if a < len(shape)] or [1]
    if batch:
        chosen, keep = [0, *chosen], True
    zero = draws.zero_point(rng, dtype)
    x = w.tensor(shape, dtype, scale, zero)
    negative = rng.random() < 0.5
    held = np.array([a - len(shape) for a in chosen] if negative else chosen)
    axes = w.tensor(held.shape, "int32", data=held)
    kept = ((1 if i in chosen else n, i in chosen) for i, n in enumerate(shape))
    out = tuple(n for n, gone in kept if keep or not gone)
    y_scale, y_zero = draws.mean_scale(rng, scale), draws.zero_point(rng, dtype)
    if kind == "SUM":
        y_scale = FLOAT(y_scale * (math.prod(shape) // math.prod(out)) ** rng.uniform(0.3, 1))
    if rng.random() < 0.2:
        y_scale, y_zero = scale, zero
    y = w.tensor(out, dtype, y_scale, y_zero)
    w.op(kind, [x, axes], y, 2, "ReducerOptions", KeepDims=keep)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _mean_large(rng: Rng, dtype: str, kind: str = "MEAN") -> Made:
    """A large image of few channels, the mean of each next to a half of the output's scale."""
    w, scale = Writer(), draws.scale(rng)
    shape = (1, int(rng.integers(9, 65)), int(rng.integers(9, 65)), int(rng.integers(1, 9)))
    n, offset = shape[1] * shape[2], 128 if dtype == "uint8" else 0
    zero, y_zero = draws.zero_point(rng, dtype), draws.zero_point(rng, dtype)
    x = w.tensor(shape, dtype, scale, zero)
    axes = w.tensor((2,), "int32", data=np.array([1, 2]))
    y_scale, count = draws.mean_scale(rng, scale), n if kind == "MEAN" else 1
    if kind == "SUM":
        y_scale = FLOAT(y_scale * n ** rng.uniform(0.5, 1))
    y = w.tensor((1, 1, 1, shape[3]), dtype, y_scale, y_zero)
    w.op(kind, [x, axes], y, 2, "ReducerOptions", KeepDims=True)
    halves = rng.integers(-128, 127, (draws.IMAGES, 1, shape[3])) + 0.5 + offset
    sums = n * zero + count * (halves - y_zero) * float(y_scale) / float(scale)
    sums = np.rint(sums).astype(np.int64)
    sums = np.clip(sums + rng.integers(-1, 2, sums.shape), (offset - 128) * n, (offset + 127) * n)
    values = sums // n + (np.arange(n)[:, None] < sums % n)
    batch = rng.permuted(values, axis=1).reshape(draws.IMAGES, *shape[1:]).astype(dtype)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype, batch)


def _sum_large(rng: Rng, dtype: str) -> Made:
    return _mean_large(rng, dtype, "SUM")


def _without_bias(rng: Rng, held: list[int]) -> list[int]:
    """Leave the bias out now and then, in either way that files do it."""
    ways = [held, held[:1], [held[0], -1]]
    return ways[int(rng.integers(3))]


def _rows(rng: Rng, dtype: str) -> Made:
    w, x_scale, in_c, out_c = (
        Writer(),
        draws.scale(rng),
        int(rng.integers(1, 99)),
        draws.channels(rng),
    )
    shape = (1, *(int(n) for n in rng.integers(1, 6, int(rng.integers(0, 3)))), in_c)
    x = w.tensor(shape, dtype, x_scale, draws.zero_point(rng, dtype))
    held, product = draws.weights(rng, w, dtype, (out_c, in_c), 0, x_scale)
    scale = draws.output_scale(rng, product * 4900 * in_c**0.5)
    y = w.tensor((*shape[:-1], out_c), dtype, scale, draws.zero_point(rng, dtype))
    w.op(
        "FULLY_CONNECTED", [x, *_without_bias(rng, held)], y, 6, "FullyConnectedOptions",
        FusedActivationFunction=draws.activation(rng), WeightsFormat=0, KeepNumDims=True,
    )  # fmt: skip
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _groups(rng: Rng, dtype: str) -> Made:
    w, x_scale, groups = Writer(), draws.scale(rng), int(rng.integers(2, 5))
    own, out_c = int(rng.integers(1, 9)), groups * int(rng.integers(1, 9))
    shape = (1, int(rng.integers(2, 7)), int(rng.integers(2, 7)), own * groups)
    x = w.tensor(shape, dtype, x_scale, draws.zero_point(rng, dtype))
    held, product = draws.weights(rng, w, dtype, (out_c, 2, 2, own), 0, x_scale)
    scale = draws.output_scale(rng, product * 4900 * (4 * own) ** 0.5)
    y = w.tensor((*shape[:3], out_c), dtype, scale, draws.zero_point(rng, dtype))
    w.op(
        "CONV_2D", [x, *held], y, 6, "Conv2DOptions",
        Padding=tflite.Padding.SAME, FusedActivationFunction=draws.activation(rng),
        **dict.fromkeys(("StrideH", "StrideW", "DilationHFactor", "DilationWFactor"), 1),
    )  # fmt: skip
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _other_scale(rng: Rng, scale: Any) -> Any:
    """Return a ratio of many bits, or one at which sums of halves are ties."""
    return FLOAT(scale * rng.choice([1.0, 0.5, 2.0, 0.75, 10 ** rng.uniform(-1, 0.5)]))


def _concatenation(rng: Rng, dtype: str) -> Made:
    w, shape, axis, scale = Writer(), draws.image(rng), int(rng.integers(1, 4)), draws.scale(rng)
    inputs = []
    for extent in (int(n) for n in rng.integers(1, 9, int(rng.integers(1, 4)))):
        own = (*shape[:axis], extent, *shape[axis + 1 :])
        tensor = w.tensor(own, dtype, _other_scale(rng, scale), draws.zero_point(rng, dtype))
        inputs.append((tensor, own))
    depth = sum(own[axis] for _, own in inputs)
    out = (*shape[:axis], depth, *shape[axis + 1 :])
    y = w.tensor(out, dtype, scale, draws.zero_point(rng, dtype))
    w.op(
        "CONCATENATION", [i for i, _ in inputs], y, 2, "ConcatenationOptions",
        Axis=axis, FusedActivationFunction=0,
    )  # fmt: skip
    return Made(w.finish([i for i, _ in inputs], [y]), tuple(inputs), y, dtype)


def _concatenation_of_constants(rng: Rng, dtype: str) -> Made:
    """Tensors among constants, which are of one value or of many."""
    w, shape, scale = Writer(), draws.image(rng), draws.scale(rng)
    shape = shape if rng.random() < 0.7 else (1, shape[3])
    axis, low = int(rng.integers(1, len(shape))), 0 if dtype == "uint8" else -128
    zero, held, inputs = draws.zero_point(rng, dtype), [], []
    extents = [int(n) for n in rng.integers(1, 9, int(rng.integers(2, 5)))]
    given = int(rng.integers(len(extents)))
    for i, extent in enumerate(extents):
        own = (*shape[:axis], extent, *shape[axis + 1 :])
        if i == given or rng.random() < 0.3:
            held.append(w.tensor(own, dtype, scale, zero))
            inputs.append((held[-1], own))
            continue
        of = [(), own[-1:], own][int(rng.integers(3))]
        data = np.broadcast_to(rng.integers(low, low + 256, of), own)
        other = dtype == "uint8" and rng.random() < 0.3  # which kernels bring to the output's
        own_scale = _other_scale(rng, scale) if other else scale
        held.append(w.tensor(own, dtype, own_scale, zero, data))
    y = w.tensor((*shape[:axis], sum(extents), *shape[axis + 1 :]), dtype, scale, zero)
    w.op(
        "CONCATENATION", held, y, 2, "ConcatenationOptions", Axis=axis, FusedActivationFunction=0
    )  # fmt: skip
    return Made(w.finish([i for i, _ in inputs], [y]), tuple(inputs), y, dtype)


_LEAST = FLOAT(2.0**-32)
"""Below it a factor makes 0 of every accumulator."""


def _tiny(kind: str) -> Callable[[Rng, str], Made]:
    """Channels whose factor is around 2^-32 or below, beside usual ones; biases fill int32."""

    def make(rng: Rng, dtype: str) -> Made:
        w, n, offset = Writer(), int(rng.integers(2, 20)), 128 if dtype == "uint8" else 0
        near = [np.nextafter(_LEAST, FLOAT(to)) for to in (0, 1)]
        drawn = [_LEAST, *near, *(FLOAT(10 ** rng.uniform(-37, -9)) for _ in range(4))]
        scales = [FLOAT(v) for v in rng.choice([*drawn, 10 ** rng.uniform(-4, -1)], n)]
        scales = scales if dtype == "int8" else scales[:1]
        dense, depthwise = kind == "FULLY_CONNECTED", kind == "DEPTHWISE_CONV_2D"
        shape = (1, n) if dense else (1, 2, 2, n)
        of = (n, n) if dense else (1, 1, 1, n) if depthwise else (n, 1, 1, n)
        x = w.tensor(shape, dtype, 1, draws.zero_point(rng, dtype))
        held = rng.integers(-127, 128, of) + offset
        k = w.tensor(of, dtype, scales, offset, held, 3 if depthwise else 0)
        most = 2**31 - 1 - 255 * 127 * n
        b = w.tensor((n,), "int32", scales, 0, rng.choice([most, -most, 0], n))
        y = w.tensor(shape, dtype, 1, draws.zero_point(rng, dtype))
        fields: dict[str, Any] = {"FusedActivationFunction": 0}
        if dense:
            fields |= {"WeightsFormat": 0, "KeepNumDims": False}
        else:
            steps = ("StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
            fields |= {"Padding": tflite.Padding.VALID, **dict.fromkeys(steps, 1)}
        if depthwise:
            fields["DepthMultiplier"] = 1
        options = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}
        w.op(kind, [x, k, b], y, 4, options.get(kind, "FullyConnectedOptions"), **fields)
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


def _moved(kind: str) -> Callable[[Rng, str], Made]:
    """An op that moves values as they are, to an output of another scale and zero point."""

    def make(rng: Rng, dtype: str) -> Made:
        w, shape, scale = Writer(), draws.image(rng), draws.scale(rng)
        x = w.tensor(shape, dtype, scale, draws.zero_point(rng, dtype))
        sides = np.array([[0, 0], [1, 0], [0, 2], [1, 1]])
        out = {"RESHAPE": (1, int(np.prod(shape))), "PAD": np.add(shape, sides.sum(axis=1))}
        y_scale, zero = _other_scale(rng, scale), draws.zero_point(rng, dtype)
        y = w.tensor(out.get(kind, shape), dtype, y_scale, zero)
        if kind in out:
            how = {"RESHAPE": out["RESHAPE"], "PAD": sides}[kind]
            held = w.tensor(np.shape(how), "int32", data=np.array(how))
            w.op(kind, [x, held], y, 2 if kind == "PAD" else 1, "PadOptions" * (kind == "PAD"))
        else:
            w.op(
                kind, [x], y, 2, "Pool2DOptions", Padding=tflite.Padding.SAME, StrideH=1,
                StrideW=1, FilterHeight=2, FilterWidth=3,
                FusedActivationFunction=draws.activation(rng),
            )  # fmt: skip
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


def _expand_dims(rng: Rng, dtype: str) -> Made:
    w, shape, scale = Writer(), draws.image(rng)[:3], draws.scale(rng)
    zero, axis = draws.zero_point(rng, dtype), int(rng.integers(1, 4))
    x = w.tensor(shape, dtype, scale, zero)
    held = w.tensor((1,), "int32", data=np.array([axis]))
    y = w.tensor((*shape[:axis], 1, *shape[axis:]), dtype, scale, zero)
    w.op("EXPAND_DIMS", [x, held], y, 1, "ExpandDimsOptions")
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _squeeze(rng: Rng, dtype: str) -> Made:
    w, image, scale = Writer(), draws.image(rng), draws.scale(rng)
    zero = draws.zero_point(rng, dtype)
    out = (1, *image[int(rng.integers(2, 4)) :])
    axis = int(rng.integers(1, len(out) + 1))
    shape = (*out[:axis], 1, *out[axis:])
    x = w.tensor(shape, dtype, scale, zero)
    y = w.tensor(out, dtype, scale, zero)
    dims = [axis if rng.random() < 0.5 else axis - len(shape)]
    w.op("SQUEEZE", [x], y, 1, "SqueezeOptions", SqueezeDims=dims)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _padded_with(rng: Rng, dtype: str) -> Made:
    w, shape, scale = Writer(), draws.image(rng), draws.scale(rng)
    zero, sides = draws.zero_point(rng, dtype), rng.integers(0, 4, (4, 2))
    sides[0] = 0
    value = rng.integers(0, 256) - (0 if dtype == "uint8" else 128)
    x = w.tensor(shape, dtype, scale, zero)
    held = [
        w.tensor((4, 2), "int32", data=sides),
        w.tensor((1,), dtype, scale, zero, np.array([value])),
    ]
    out = [n + s for n, s in zip(shape, sides.sum(axis=1), strict=True)]
    y = w.tensor(out, dtype, scale, zero)
    w.op("PADV2", [x, *held], y, 2, "PadV2Options")
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "MEAN_AXES": _mean_axes,
    "MEAN_BATCH": _mean_batch,
    "SUM": _sum,
    "SUM_LARGE": _sum_large,
    "MEAN_LARGE": _mean_large,
    "CONV_2D_TINY": _tiny("CONV_2D"),
    "DEPTHWISE_CONV_2D_TINY": _tiny("DEPTHWISE_CONV_2D"),
    "FULLY_CONNECTED_TINY": _tiny("FULLY_CONNECTED"),
    "FULLY_CONNECTED_ROWS": _rows,
    "CONV_2D_GROUPS": _groups,
    "CONCATENATION_SCALES": _concatenation,
    "CONCATENATION_CONSTANTS": _concatenation_of_constants,
    "AVERAGE_POOL_2D_SCALES": _moved("AVERAGE_POOL_2D"),
    "MAX_POOL_2D_SCALES": _moved("MAX_POOL_2D"),
    "PAD_SCALES": _moved("PAD"),
    "RESHAPE_SCALES": _moved("RESHAPE"),
    "EXPAND_DIMS": _expand_dims,
    "SQUEEZE": _squeeze,
    "PADV2": _padded_with,
}
"""By name: from a generator and a type, a model."""
