"""SQRT, RSQRT and PRELU: random models of one op."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer


def _root(kind: str) -> Callable[[Rng, str], Made]:
    """Of every value from the zero point on: engines end the run at others."""

    def make(rng: Rng, dtype: str) -> Made:
        w, scale, shape = Writer(), draws.scale(rng, -4, 0), (1, 256)
        zero, low = draws.zero_point(rng, dtype), 0 if dtype == "uint8" else -128
        zero = low if rng.random() < 0.6 else zero
        x = w.tensor(shape, dtype, scale, zero)
        reach = FLOAT(scale * max(low + 255 - zero, 1)) ** FLOAT(0.5)
        if kind == "RSQRT":
            reach = FLOAT(1) / FLOAT(scale) ** FLOAT(0.5)
        y_scale = FLOAT(reach * 10 ** rng.uniform(-0.7, 0.7) / 128)
        y = w.tensor(shape, dtype, y_scale, draws.zero_point(rng, dtype))
        w.op(kind, [x], y, 2)
        batch = np.maximum(np.arange(low, low + 256), zero).astype(dtype).reshape(shape)
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype, batch)

    return make


def _prelu(rng: Rng, dtype: str) -> Made:
    w, shape, scale = Writer(), draws.image(rng), draws.scale(rng)
    x = w.tensor(shape, dtype, scale, draws.zero_point(rng, dtype))
    own = [shape[3:], (1, 1, shape[3]), shape[1:], (1, 1, 1)][int(rng.integers(4))]
    low = 0 if dtype == "uint8" else -128
    slope = FLOAT(10 ** rng.uniform(-3, -1.5))
    alpha = w.tensor(
        own, dtype, slope, draws.zero_point(rng, dtype), rng.integers(low, low + 256, own)
    )
    y_scale = FLOAT(scale * 10 ** rng.uniform(-0.5, 0.5))
    if rng.random() < 0.25:
        y_scale = draws.tied(rng, scale)
    y = w.tensor(shape, dtype, y_scale, draws.zero_point(rng, dtype))
    w.op("PRELU", [x, alpha], y, 1)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "SQRT": _root("SQRT"),
    "RSQRT": _root("RSQRT"),
    "PRELU": _prelu,
}
"""By name: from a generator and a type, a model."""
