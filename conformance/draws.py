"""What random models are drawn from: shapes, scales, zero points; and what a model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite
from tflite_writer import Writer

Rng = np.random.Generator
FLOAT = np.float32
IMAGES = 6


@dataclass(frozen=True)
class Made:
    """A file, its inputs as (tensor, shape), its output, and the type of all of them.

    `batch` is a stimulus of its own for the one input, shape (images, ...), `batches` one for each
    input; `others` are further outputs.
    """

    data: bytes
    inputs: tuple[tuple[int, tuple[int, ...]], ...]
    output: int
    dtype: str
    batch: np.ndarray | None = None
    others: tuple[int, ...] = ()
    batches: tuple[np.ndarray, ...] = ()

    def stimulus(self, rng: Rng) -> list[np.ndarray]:
        """Return a batch for each input: the smallest, the largest, every value, random ones."""
        if self.batches:
            return list(self.batches)
        if self.batch is not None:
            return [self.batch]
        arrays = []
        for _, shape in self.inputs:
            x = rng.integers(-128, 128, (IMAGES, *shape[1:])).astype(np.int16)
            x[0], x[1] = -128, 127
            flat = x[2].reshape(-1)
            flat[:256] = np.arange(-128, 128)[: flat.size]
            shifted = x + 128 if self.dtype == "uint8" else x
            arrays.append(shifted.astype(self.dtype))
        return arrays


def scale(rng: Rng, low: float = -2.5, high: float = -0.5) -> Any:
    """Return a scale between these powers of ten."""
    return FLOAT(10 ** rng.uniform(low, high))


def zero_point(rng: Rng, dtype: str) -> int:
    """Return the ends, 0, or any other."""
    value = int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))
    return value + 128 if dtype == "uint8" else value


def channels(rng: Rng) -> int:
    """Return few, many, and those that fill groups of a kernel."""
    return int(rng.choice([rng.integers(1, 71), rng.integers(1, 20), 8, 16, 32]))


def image(rng: Rng) -> tuple[int, ...]:
    """Return one small image."""
    return (1, int(rng.integers(1, 9)), int(rng.integers(1, 9)), channels(rng))


def activation(rng: Rng) -> int:
    """Return the number of a fused activation, mostly none."""
    return int(rng.choice([0, 0, 1, 3, 2]))


def tied(rng: Rng, unit: Any) -> Any:
    """Return a scale of which `unit` is (2k + 1) / 2q: q of them are half, to within float32."""
    q = int(rng.integers(3, 60))
    return FLOAT(float(unit) * q / (int(rng.integers(0, 2 * q)) + 0.5))


def output_scale(rng: Rng, reach: float, unit: Any = None) -> Any:
    """Return a scale for which values of this reach fill int8, leave it, or use a part of it.

    Now and then one by which sums of `unit` are halves.
    """
    if unit is not None and rng.random() < 0.25:
        return tied(rng, 40 * float(unit))
    return FLOAT(reach * 10 ** rng.uniform(-0.5, 0.7) / 128)


def mean_scale(rng: Rng, x_scale: Any) -> Any:
    """Return the scale of a mean; now and then the input's by a power of two: halves are common."""
    if rng.random() < 0.25:
        return FLOAT(x_scale * 2.0 ** rng.integers(-2, 2))
    if rng.random() < 0.25:
        return tied(rng, x_scale)
    return FLOAT(x_scale * 10 ** rng.uniform(-0.8, 0.3))


def windows(
    shape: tuple[int, ...], kernel: list[int], stride: list[int], dilation: list[int], padding: int
) -> list[int]:
    """Return the output's height and width; 0 or less where no window fits."""
    sizes = []
    for n, k, s, d in zip(shape[1:3], kernel, stride, dilation, strict=True):
        reach = (k - 1) * d + 1
        sizes.append(-(-n // s) if padding == tflite.Padding.SAME else (n - reach) // s + 1)
    return sizes


def pair(rng: Rng, low: int, high: int) -> list[int]:
    """Return two numbers in [low, high)."""
    return [int(v) for v in rng.integers(low, high, 2)]


def weights(
    rng: Rng, w: Writer, dtype: str, shape: tuple[int, ...], axis: int, x_scale: Any
) -> tuple[list[int], Any]:
    """Add weights and biases; return their indices and the typical scale of a product."""
    count = shape[axis]
    per_channel = dtype == "int8" and rng.random() < 0.75
    scales = (10 ** rng.uniform(-3, -1.5, count if per_channel else 1)).astype(FLOAT)
    zero = int(rng.integers(0, 256)) if dtype == "uint8" else 0
    low, high = (0, 256) if dtype == "uint8" else (-127, 128)
    index = w.tensor(shape, dtype, scales, zero, rng.integers(low, high, shape), axis)
    products = (x_scale * scales).astype(FLOAT)
    bias = w.tensor((count,), "int32", products, 0, rng.integers(-3000, 3000, count))
    return [index, bias], float(np.median(products))
