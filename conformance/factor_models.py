"""Weighted ops whose sums lie where the order and precision of s_x * s_w / s_y show.

Two ways to compute a factor differ by less than one part in ten million: random sums never see it.
Here each channel has a bias at which two ways, under some form of R, give different integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

from intgold.golden.requantize import scale as scaled
from intgold.host.multiplier import requantize_for
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
        axis = 3 if depthwise else 0
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


_OPTIONS = {
    "CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions", "TRANSPOSE_CONV": "TransposeConvOptions",
}  # fmt: skip
MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    f"{kind}_FACTORS": _weighted(kind) for kind in _OPTIONS
}
"""By name: from a generator and a type, a model."""
