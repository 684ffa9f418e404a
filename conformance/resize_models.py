"""RESIZE_BILINEAR: random models of any sizes, and of those whose weights are few powers of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import draws
import numpy as np
from draws import Made, Rng
from tflite_writer import Writer


def _corners(rng: Rng) -> tuple[bool, bool]:
    """Return align_corners and half_pixel_centers, never both."""
    return ((False, False), (True, False), (False, True))[int(rng.integers(3))]


def _made(rng: Rng, dtype: str, sizes: list[tuple[int, int]], corners: tuple[bool, bool]) -> Made:
    w, channels = Writer(), draws.channels(rng)
    quantised = draws.scale(rng), draws.zero_point(rng, dtype)
    shape = (1, *(a for a, _ in sizes), channels)
    out = [b for _, b in sizes]
    x = w.tensor(shape, dtype, *quantised)
    size = w.tensor((2,), "int32", data=np.array(out))
    y = w.tensor((1, *out, channels), dtype, *quantised)
    w.op(
        "RESIZE_BILINEAR", [x, size], y, 3, "ResizeBilinearOptions",
        AlignCorners=corners[0], HalfPixelCenters=corners[1],
    )  # fmt: skip
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _any(rng: Rng, dtype: str) -> Made:
    sizes = [(int(rng.integers(1, 12)), int(rng.integers(1, 24))) for _ in range(2)]
    return _made(rng, dtype, sizes, _corners(rng))


def _dyadic(rng: Rng, dtype: str) -> Made:
    """Steps of 2^k or 2^-k: ties, and weights that float32 holds."""
    corners, sizes = _corners(rng), []
    for _ in range(2):
        small, times, last = int(rng.integers(1, 6)), 2 ** int(rng.integers(0, 4)), int(corners[0])
        pair = (small + last, small * times + last)
        sizes.append(pair if rng.random() < 0.7 else pair[::-1])
    return _made(rng, dtype, sizes, corners)


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "RESIZE_BILINEAR": _any,
    "RESIZE_BILINEAR_DYADIC": _dyadic,
}
"""By name: from a generator and a type, a model."""
