"""Random models of SOFTMAX: short rows, rows of thousands, a float32 just below one half."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

from intgold.importers.tflite.formulas.expf import expf


def _model(
    rng: Rng, dtype: str, depth: int, scale: np.float32, beta: float, x: np.ndarray | None = None
) -> Made:
    w = Writer()
    held = w.tensor((1, depth), dtype, scale, draws.zero_point(rng, dtype))
    y = w.tensor((1, depth), dtype, 1 / 256, 0 if dtype == "uint8" else -128)
    w.op("SOFTMAX", [held], y, 2, "SoftmaxOptions", Beta=beta)
    batch = None if x is None else (x + (128 if dtype == "uint8" else 0)).astype(dtype)
    return Made(w.finish([held], [y]), ((held, (1, depth)),), y, dtype, batch)


def _short(rng: Rng, dtype: str) -> Made:
    depth = int(rng.integers(1, 500 if rng.random() < 0.3 else 70))
    beta = float(FLOAT(rng.choice([1, 1, 0.5, 2, rng.uniform(0.1, 3)])))
    return _model(rng, dtype, depth, draws.scale(rng, -2.5, 0), beta)


def _wide(rng: Rng, dtype: str) -> Made:
    """Rows whose values are equal or near each other: the order of the sum shows."""
    depth, low = int(rng.integers(512, 4096)), int(rng.integers(-128, 120))
    x = rng.integers(low, low + int(rng.integers(2, 8)), (draws.IMAGES, depth))
    x[0] = low
    x[1] = rng.integers(-128, 128, depth)
    return _model(rng, dtype, depth, draws.scale(rng, -2.5, 0), 1.0, x)


def _below_half(rng: Rng, dtype: str) -> Made:
    """A value whose quotient is the float32 before one half; found by search."""
    while True:
        count, step = int(rng.integers(2, 200)), FLOAT(rng.integers(1, 6))
        near = FLOAT(np.log(511 / count) / step).view(np.int32)
        scales = (near + np.arange(-2000, 2000, dtype=np.int32)).view(FLOAT)
        e = expf(-scales * step)
        quotients = e * (FLOAT(1) / ((FLOAT(count) + e) * FLOAT(1 / 256)))
        found = scales[quotients == np.nextafter(FLOAT(0.5), FLOAT(0))]
        if found.size:
            x = np.full((1, count + 1), 100)
            x[0, -1] -= int(step)
            return _model(rng, dtype, count + 1, rng.choice(found), 1.0, x)


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "SOFTMAX": _short,
    "SOFTMAX_WIDE": _wide,
    "SOFTMAX_BELOW_HALF": _below_half,
}
"""By name: from a generator and a type, a model."""
ABORTS = {"SOFTMAX_WIDE": ("litert_reference", "tflm")}
"""Kernels that end the process where exponentials add up to 512 of the largest."""
