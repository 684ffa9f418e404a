"""Random models of SOFTMAX and LOG_SOFTMAX: short and long rows, values next to one half."""

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


def _log_model(rng: Rng, dtype: str, scale: np.float32, x: np.ndarray) -> Made:
    w, shift = Writer(), 128 if dtype == "uint8" else 0
    shape = (1, x.shape[1])
    held = w.tensor(shape, dtype, scale, draws.zero_point(rng, dtype))
    y = w.tensor(shape, dtype, 1 / 16, 127 + shift)
    w.op("LOG_SOFTMAX", [held], y, 1 if dtype == "uint8" else 2, "LogSoftmaxOptions")
    return Made(w.finish([held], [y]), ((held, shape),), y, dtype, (x + shift).astype(dtype))


def _log(rng: Rng, dtype: str) -> Made:
    """Rows near each other, so that most values are above the smallest; some of thousands."""
    depth = int(rng.integers(1, 4096 if rng.random() < 0.2 else 70))
    scale = draws.scale(rng, -2.5, 1.7)
    reach = int(min(256, max(2, 20 / scale)))
    low = int(rng.integers(-128, 129 - reach))
    x = rng.integers(low, low + reach, (draws.IMAGES, depth))
    x[0] = low
    x[1] = rng.integers(-128, 128, depth)
    return _log_model(rng, dtype, scale, x)


def _log_tied(rng: Rng, dtype: str) -> Made:
    """The last value lies between two units, but for the last bits of the scale."""
    count, step = int(rng.integers(1, 60)), int(rng.integers(1, 12))

    def units(scale: float) -> float:
        return 16 * float(step * scale + np.log(count + np.exp(-step * scale)))

    low, high = (float(v) for v in 10 ** np.sort(rng.uniform(-1.5, 0, 2)))
    half = np.floor(rng.uniform(units(low), units(high))) + 0.5
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if units(middle) < half else (low, middle)
    near = FLOAT(low).view(np.int32) + rng.integers(-12, 13)
    row = np.full(count + 1, int(rng.integers(step - 128, 128)))
    row[-1] -= step
    return _log_model(rng, dtype, near.astype(np.int32).view(FLOAT), row[None])


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "SOFTMAX": _short,
    "SOFTMAX_WIDE": _wide,
    "SOFTMAX_BELOW_HALF": _below_half,
    "LOG_SOFTMAX": _log,
    "LOG_SOFTMAX_TIED": _log_tied,
}
"""By name: from a generator and a type, a model."""
ABORTS = {"SOFTMAX_WIDE": ("litert_reference", "tflm")}
"""Kernels that end the process where exponentials add up to 512 of the largest."""
