"""What a float network would hold, from its shapes alone: known before memory is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .layers import POOLS, Layer

MOST_VALUES = 2**26
"""Values that a layer of a float network may hold for one image."""

_WINDOWED = (*POOLS, "conv2d", "depthwise_conv2d")


def widest_layer(image: str, shape: tuple[int, ...], layers: Iterable[Layer]) -> int:
    """Return how many values the widest layer holds for one image: input, windows or output.

    Counting ends at a layer that does not fit its input; running it tells why.

    Parameters
    ----------
    image : str
        What layers call the input.
    shape : tuple of int
        Of the input.
    layers : iterable of Layer
        In order, each with its inputs named.
    """
    widest, shapes = math.prod(shape), {image: shape}
    made: tuple[int, ...]
    for layer in layers:
        x = shapes[layer.inputs[0]]
        if layer.kind in _WINDOWED:
            if len(x) != 3:
                break
            held, made = _windows(layer, x)
            if min(made) < 1:
                break
            widest = max(widest, held)
        elif layer.kind == "concat":
            made = (*x[:-1], sum(shapes[name][-1] for name in layer.inputs))
        elif layer.kind == "global_avg_pool":
            made = (1, 1, x[-1])
        elif layer.weights is not None:
            made = (len(layer.weights),)
        else:
            made = x
        shapes[layer.name] = made
        widest = max(widest, math.prod(made))
    return widest


def _windows(layer: Layer, shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Return the values of padded input or windows, whichever is more, and the output's shape."""
    kernel, out_c = layer.kernel, shape[2]
    if layer.kind == "conv2d" and layer.weights is not None:
        out_c, kernel = layer.weights.shape[0], layer.weights.shape[1:3]
    elif layer.weights is not None:
        kernel, out_c = layer.weights.shape[:2], layer.weights.shape[2]
    top, bottom, left, right = layer.padding
    padded = shape[0] + top + bottom, shape[1] + left + right
    high, wide = (
        (size - (k - 1) * d - 1) // stride + 1
        for size, k, d, stride in zip(padded, kernel, layer.dilation, layer.stride, strict=True)
    )
    windows = high * wide * math.prod(kernel) * shape[2]
    return max(math.prod(padded) * shape[2], windows), (high, wide, out_c)
