"""What a float network would hold, from only its shapes: known before memory is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from .layers import POOLS, Layer

MAX_VALUES = 2**26
"""Values that a layer of a float network may hold for one image."""

_WINDOWED = (*POOLS, "conv2d", "depthwise_conv2d")


def widest_layer(inputs: Mapping[str, tuple[int, ...]], layers: Iterable[Layer]) -> int:
    """Return how many values the widest layer holds for one example: input, windows or output.

    Counting ends at a layer that does not fit its input; running it tells why.

    Parameters
    ----------
    inputs : mapping of str to tuple of int
        Shape of each input by its name.
    layers : iterable of Layer
        In order, each with its inputs named.
    """
    shapes = dict(inputs)
    widest = max(math.prod(shape) for shape in shapes.values())
    for layer in layers:
        x = [shapes[name] for name in layer.inputs]
        if layer.kind in (*_WINDOWED, "pad", "transpose_conv2d") and len(x[0]) != 3:
            break
        made = output_shape(layer, x)
        if min(made) < 1:
            break
        held = _windows(layer, x[0]) if layer.kind in _WINDOWED else 0
        shapes[layer.name] = made
        widest = max(widest, held, math.prod(made))
    return widest


def output_shape(layer: Layer, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape of what a layer gives of one example.

    Parameters
    ----------
    layer : Layer
    shapes : sequence of tuple of int
        Of its inputs; (h, w, c) where it needs an image.  An extent below 1 says that it does not
        fit.
    """
    x = shapes[0]
    if layer.kind in _WINDOWED:
        return _outputs(layer, x)
    if layer.kind == "pad":
        top, bottom, left, right = layer.padding
        return (x[0] + top + bottom, x[1] + left + right, x[2])
    if layer.kind == "transpose_conv2d" and layer.weights is not None:
        out_c, *kernel, _ = layer.weights.shape
        high, wide = (
            (x[i] - 1) * layer.stride[i] + kernel[i] - sum(layer.padding[2 * i : 2 * i + 2])
            for i in (0, 1)
        )
        return (high, wide, out_c)
    if layer.kind == "concat":
        return (*x[:-1], sum(shape[-1] for shape in shapes))
    if layer.kind == "global_avg_pool":
        return (1, 1, x[-1])
    if layer.kind == "reshape":
        return layer.shape
    return x if layer.weights is None else (len(layer.weights),)


def _kernel(layer: Layer, in_c: int) -> tuple[tuple[int, ...], int]:
    """Return (height, width) of the kernel, and how many channels come out."""
    if layer.kind == "conv2d" and layer.weights is not None:
        return layer.weights.shape[1:3], layer.weights.shape[0]
    if layer.weights is not None:
        return layer.weights.shape[:2], layer.weights.shape[2]
    return layer.kernel, in_c


def _padded(layer: Layer, shape: tuple[int, ...]) -> tuple[int, int]:
    top, bottom, left, right = layer.padding
    return shape[0] + top + bottom, shape[1] + left + right


def _outputs(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    kernel, out_c = _kernel(layer, shape[2])
    axes = zip(_padded(layer, shape), kernel, layer.dilation, layer.stride, strict=True)
    high, wide = ((size - (k - 1) * d - 1) // stride + 1 for size, k, d, stride in axes)
    return (high, wide, out_c)


def _windows(layer: Layer, shape: tuple[int, ...]) -> int:
    """Return the values of the padded input or of all windows, whichever is more."""
    high, wide, _ = _outputs(layer, shape)
    windows = high * wide * math.prod(_kernel(layer, shape[2])[0]) * shape[2]
    return max(math.prod(_padded(layer, shape)) * shape[2], windows)
