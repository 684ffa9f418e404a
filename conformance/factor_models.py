"""Ops whose values lie where the order and precision of s_x * s_w / s_y show.

Two ways to compute a factor differ by less than one part in ten million: random values never see
it.  Here two ways, under some form of R, give different integers: of a weighted op by the bias of
each channel, of another op by its scales.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

from intgold.golden.requantize import scale as scaled
from intgold.host.multiplier import requantize_for
from intgold.importers.tflite.formulas.hard_swish import hard_swish_table
from intgold.importers.tflite.formulas.scales import FACTORS

_FORMS = ("double", "double_up", "single", "float32")
_EVERY = np.arange(-128, 128)


def _where_ways_differ(rng: Rng, x: np.float32, w: np.float32, y: np.float32) -> int:
    """Return a sum near which two ways give different integers; 0 where none is found."""
    ways = rng.permutation(list(FACTORS))[:2]
    form = _FORMS[int(rng.integers(len(_FORMS)))]
    reals = [FACTORS[way](x, w, y) for way in ways]
    halves = np.rint((_EVERY + 0.5) / reals[0]).astype(np.int64)
    sums = np.unique(halves[:, None] + np.arange(-2, 3))
    made = [scaled(sums, requantize_for([real], form)) for real in reals]
    found = np.flatnonzero(made[0] != made[1])
    return int(sums[rng.choice(found)]) if found.size else 0


def _weighted(kind: str) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        w, x_scale, shift = Writer(), draws.scale(rng), 128 if dtype == "uint8" else 0
        count, zero = draws.channels(rng), draws.zero_point(rng, dtype)
        flat, depthwise = kind == "FULLY_CONNECTED", kind == "DEPTHWISE_CONV_2D"
        transposed = kind == "TRANSPOSE_CONV"
        per_channel = dtype == "int8" and rng.random() < 0.6
        scales = (10 ** rng.uniform(-3, -1.5, count if per_channel else 1)).astype(FLOAT)
        y_scale = FLOAT(float(np.median(x_scale * scales)) * 2.0 ** rng.uniform(11, 16))
        biases = []
        for own in np.broadcast_to(scales, count):
            at = int(rng.integers(256)) + shift - 128  # the value at which the sum is met
            biases.append(_where_ways_differ(rng, x_scale, own, y_scale) - (at - zero))
        shape = (1, 16) if flat else (1, 16, 16, count if depthwise else 1)
        x = w.tensor((1, 1) if flat else shape, dtype, x_scale, zero)
        zero_w = int(rng.integers(255)) if shift else 0
        held = (1, 1, 1, count) if depthwise else (count, 1) if flat else (count, 1, 1, 1)
        axis = 3 if depthwise and (per_channel or rng.random() < 0.5) else 0
        weights = w.tensor(held, dtype, scales, zero_w, np.full(held, zero_w + 1), axis)
        bias = w.tensor((count,), "int32", x_scale * scales, 0, np.array(biases), 0)
        y = w.tensor(
            (1, count) if flat else (1, 16, 16, count), dtype, y_scale,
            draws.zero_point(rng, dtype),
        )  # fmt: skip
        fields = dict(FusedActivationFunction=0)
        if flat:
            fields |= dict(WeightsFormat=0, KeepNumDims=False)
        else:
            fields |= dict(Padding=1, StrideH=1, StrideW=1)
        if not (flat or transposed):
            fields |= dict(DilationHFactor=1, DilationWFactor=1)
        if depthwise:
            fields["DepthMultiplier"] = 1
        inputs = [x, weights, bias]
        if transposed:
            size = w.tensor((4,), "int32", data=np.array([1, 16, 16, count]))
            inputs = [size, weights, x, bias]
        w.op(kind, inputs, y, 3 if transposed else 4 if flat else 3, _OPTIONS[kind], **fields)
        values = (_EVERY + shift).astype(dtype)
        batch = values[:, None] if flat else values.reshape(1, 16, 16, 1)
        batch = np.repeat(batch, count, axis=3) if depthwise else batch
        return Made(w.finish([x], [y]), ((x, (1, 1) if flat else shape),), y, dtype, batch)

    return make


def _scales_that_tell(
    rng: Rng, most: int, most_w: int = 1, *, second: bool = False
) -> list[np.float32]:
    """Return scales of x, of w and of y; of w 1 unless there is a `second`.

    Two ways give different integers for a product of integers, at most `most` and `most_w`.
    """
    while True:
        q = int(rng.integers(1, most + 1)) * int(rng.integers(1, most_w + 1))
        tie = int(rng.integers(127)) + 0.5
        ways = rng.permutation(list(FACTORS))[:2]
        form = str(rng.choice([*_FORMS, "double", "float32"]))
        if form.startswith("double"):  # what the first of two roundings makes a tie
            tie -= 2.0 ** (min(math.frexp(tie / q)[1], 0) - 1)
        x, w = draws.scale(rng), draws.scale(rng) if second else FLOAT(1)
        y = FLOAT(float(x) * float(w) * q / tie)
        one, other = (
            scaled(np.array([q, -q]), requantize_for([FACTORS[way](x, w, y)], form)) for way in ways
        )
        if (one != other).any():
            return [x, w, y]


def _hard_swish_scales(rng: Rng) -> list[np.float32]:
    """Scales by which a multiplier of 15 bits is next to a tie, and the table tells."""
    while True:
        x, ratio = draws.scale(rng), (int(rng.integers(2**14, 2**15)) + 0.5) / 2**15
        y = FLOAT(float(x) / 128 / ratio * 2.0 ** rng.integers(4, 9))
        one, other = (hard_swish_table(x, 0, y, 0, in_float32=f) for f in (False, True))
        if (one != other).any():
            return [x, FLOAT(1), y]


def _unary(kind: str, options: str = "") -> Callable[[Rng, str], Made]:
    """All values."""

    def make(rng: Rng, dtype: str) -> Made:
        w, shift, fields = Writer(), 128 if dtype == "uint8" else 0, {}
        if kind == "HARD_SWISH":
            x_scale, _, y_scale = _hard_swish_scales(rng)
        else:
            x_scale, alpha, y_scale = _scales_that_tell(rng, 255, second=kind == "LEAKY_RELU")
        if kind == "LEAKY_RELU":
            fields["Alpha"] = float(alpha)
        x = w.tensor((1, 256), dtype, x_scale, draws.zero_point(rng, dtype))
        y = w.tensor((1, 256), dtype, y_scale, draws.zero_point(rng, dtype))
        w.op(kind, [x], y, 1, options, **fields)
        batch = (_EVERY + shift).astype(dtype)[None]
        return Made(w.finish([x], [y]), ((x, (1, 256)),), y, dtype, batch)

    return make


def multiplied_scales(rng: Rng) -> list[np.float32]:
    """Return scales of two operands and of their product, which int16 holds before the clamp."""
    while True:
        a, b, y = _scales_that_tell(rng, 128, 128, second=True)
        if 255 * 255 * float(a) * float(b) / float(y) < 2**15 - 256:
            return [a, b, y]


def middle(rng: Rng, dtype: str) -> int:
    """Return a zero point by which few products are clamped."""
    return int(rng.integers(-20, 21)) + (128 if dtype == "uint8" else 0)


def _prelu(rng: Rng, dtype: str) -> Made:
    """All values by all slopes."""
    w, shift = Writer(), 128 if dtype == "uint8" else 0
    x_scale, w_scale, y_scale = multiplied_scales(rng)
    every = (_EVERY + shift).astype(dtype)
    x = w.tensor((1, 256, 256), dtype, x_scale, draws.zero_point(rng, dtype))
    slopes = w.tensor((256,), dtype, w_scale, draws.zero_point(rng, dtype), every)
    y = w.tensor((1, 256, 256), dtype, y_scale, middle(rng, dtype))
    w.op("PRELU", [x, slopes], y, 1)
    batch = np.repeat(every[None, :, None], 256, axis=2)
    return Made(w.finish([x], [y]), ((x, (1, 256, 256)),), y, dtype, batch)


def _batch_matmul(rng: Rng, dtype: str) -> Made:
    """Of depth 1: all products."""
    w, shift = Writer(), 128 if dtype == "uint8" else 0
    a_scale, b_scale, y_scale = multiplied_scales(rng)
    shapes, every = ((1, 256, 1), (1, 1, 256)), (_EVERY + shift).astype(dtype)
    made = [
        w.tensor(shape, dtype, scale, draws.zero_point(rng, dtype))
        for shape, scale in zip(shapes, (a_scale, b_scale), strict=True)
    ]
    y = w.tensor((1, 256, 256), dtype, y_scale, middle(rng, dtype))
    w.op("BATCH_MATMUL", made, y, 4, "BatchMatMulOptions", AdjX=False, AdjY=False)
    return Made(
        w.finish(made, [y]), tuple(zip(made, shapes, strict=True)), y, dtype,
        batches=tuple(every.reshape(shape) for shape in shapes),
    )  # fmt: skip


def _reduced(kind: str) -> Callable[[Rng, str], Made]:
    """All sums of a few values."""

    def make(rng: Rng, dtype: str) -> Made:
        w, shift, n = Writer(), 128 if dtype == "uint8" else 0, int(rng.choice([2, 4, 8]))
        x_scale, _, y_scale = _scales_that_tell(rng, 255 * n)
        shape = (1, n, 1, 255 * n + 1)
        x = w.tensor(shape, dtype, x_scale, draws.zero_point(rng, dtype))
        axes = w.tensor((2,), "int32", data=np.array([1, 2]))
        if kind == "MEAN":
            y_scale = FLOAT(y_scale / n)
        y = w.tensor((1, 1, 1, shape[3]), dtype, y_scale, draws.zero_point(rng, dtype))
        w.op(kind, [x, axes], y, 2, "ReducerOptions", KeepDims=True)
        whole, rest = np.divmod(np.arange(shape[3]), n)
        batch = whole + (np.arange(n)[:, None] < rest) + shift - 128
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype, batch.reshape(shape).astype(dtype))

    return make


_OPTIONS = {
    "CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions", "TRANSPOSE_CONV": "TransposeConvOptions",
}  # fmt: skip
MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    **{f"{kind}_FACTORS": _weighted(kind) for kind in _OPTIONS},
    **{f"{kind}_FACTORS": _unary(kind) for kind in ("RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH")},
    "QUANTIZE_FACTORS": _unary("QUANTIZE", "QuantizeOptions"),
    "LEAKY_RELU_FACTORS": _unary("LEAKY_RELU", "LeakyReluOptions"),
    "ABS_FACTORS": _unary("ABS", "AbsOptions"),
    "PRELU_FACTORS": _prelu,
    "BATCH_MATMUL_FACTORS": _batch_matmul,
    "MEAN_FACTORS": _reduced("MEAN"),
    "SUM_FACTORS": _reduced("SUM"),
}
"""By name: from a generator and a type, a model."""
