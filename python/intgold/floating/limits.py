"""What a float network would hold, from its shapes alone: known before memory is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .inference import Layer

MOST_VALUES = 2**26
"""Values that a layer of a float network may hold for one image."""


def widest_layer(shape: tuple[int, ...], layers: Iterable[Layer]) -> int:
    """Return how many values the widest layer holds for one image: input, windows or output.

    Counting ends at a layer that does not fit its input; running it tells why.
    """
    widest = math.prod(shape)
    for layer in layers:
        if layer.kind in ("conv2d", "max_pool2d"):
            if len(shape) != 3:
                break
            kernel = layer.kernel if layer.weights is None else layer.weights.shape[1:3]
            top, bottom, left, right = layer.padding
            padded = shape[0] + top + bottom, shape[1] + left + right
            high, wide = (
                (size - k) // stride + 1
                for size, k, stride in zip(padded, kernel, layer.stride, strict=True)
            )
            if min(high, wide) < 1:
                break
            windows = high * wide * math.prod(kernel) * shape[2]
            widest = max(widest, math.prod(padded) * shape[2], windows)
            shape = (high, wide, shape[2] if layer.weights is None else len(layer.weights))
        elif layer.kind == "global_avg_pool":
            shape = shape[-1:]
        elif layer.weights is not None:
            shape = (len(layer.weights),)
        widest = max(widest, math.prod(shape))
    return widest
