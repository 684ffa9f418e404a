"""Pools and means, over pictures and, as pictures of height 1, over sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.fx import Node

from .nodes import argument, float32, pair, shape_of
from .sketch import NodeValue, Sketch, Take, ordered

_Pair = tuple[int, int]


def _geometry(to: Sketch, node: Node, ceil_mode: int) -> tuple[int, _Pair, _Pair, _Pair]:
    """Return axes, kernel, stride and padding; a ceil_mode that matters is refused."""
    sizes = shape_of(node.args[0])[2:]
    axes = len(sizes)
    kernel: Any = node.args[1]
    stride = argument(node, 2, "stride", None) or kernel
    made = (
        axes, pair(kernel, axes), pair(stride, axes), pair(argument(node, 3, "padding", 0), axes, 0)
    )  # fmt: skip
    windows = zip((1, *sizes)[-2:], *made[1:], strict=True)
    if argument(node, ceil_mode, "ceil_mode", False) and any(
        (size + 2 * p - k) % s for size, k, s, p in windows
    ):
        raise to.refused("a pool with ceil_mode that leaves a partial window")
    return made


def max_pool(to: Sketch, node: Node) -> NodeValue:
    """MaxPool1d and MaxPool2d."""
    _, kernel, stride, (top, left) = _geometry(to, node, 5)
    dilation = argument(node, 4, "dilation", 1)
    if any(d != 1 for d in ([dilation] if isinstance(dilation, int) else dilation)):
        raise to.refused("a max pool with dilation")
    name = to.image(node.args[0])
    pads = (top, top, left, left)
    return NodeValue(
        to.add(node, "max_pool2d", (name,), kernel=kernel, stride=stride, padding=pads)
    )


def avg_pool(to: Sketch, node: Node) -> NodeValue:
    """AvgPool1d and AvgPool2d."""
    axes, kernel, stride, (top, left) = _geometry(to, node, 4)
    counted = argument(node, 5, "count_include_pad", True) and (top or left)
    divisor = argument(node, 6, "divisor_override", None) if axes == 2 else None
    name = to.image(node.args[0])
    slide: dict[str, Any] = {"stride": stride, "padding": (top, top, left, left)}
    if not counted and divisor is None:
        if kernel == to.shapes[name][:2] and not top and not left:
            return NodeValue(to.add(node, "global_avg_pool", (name,)))  # has a scale of its own
        return NodeValue(to.add(node, "avg_pool2d", (name,), kernel=kernel, **slide))
    # A divisor that is not the number of valid cells: a convolution with equal weights.
    channels = shape_of(node.args[0])[1]
    weights = np.full((*kernel, channels), 1 / (divisor or kernel[0] * kernel[1]))
    bias = np.zeros(channels, np.float32)
    return NodeValue(
        to.add(node, "depthwise_conv2d", (name,), weights=float32(weights), bias=bias, **slide)
    )


def _whole(kind: str) -> Take:
    def take(to: Sketch, node: Node) -> NodeValue:
        size: Any = node.args[1]
        if any(n != 1 for n in ([size] if isinstance(size, int) else size)):
            raise to.refused(f"an adaptive pool to {size}: only to 1")
        return _over(to, node, kind, list(range(2, len(shape_of(node.args[0])))), keep=True)

    return take


adaptive_avg_pool, adaptive_max_pool = _whole("mean"), _whole("max")


def _reduction(kind: str) -> Take:
    def take(to: Sketch, node: Node) -> NodeValue:
        rank = len(shape_of(node.args[0]))
        over = argument(node, 1, "dim", None)
        if over is None or over == []:
            raise to.refused("a mean or maximum over everything, the images too")
        axes = sorted(a % rank for a in ([over] if isinstance(over, int) else over))
        return _over(to, node, kind, axes, keep=argument(node, 2, "keepdim", False))

    return take


mean, maximum = _reduction("mean"), _reduction("max")


def _over(to: Sketch, node: Node, kind: str, axes: list[int], *, keep: bool) -> NodeValue:
    """Return the mean or maximum over axes of torch, which must be height, width or length."""
    value, shape = to.value(node.args[0]), shape_of(node.args[0])[1:]
    last = value.order is not None and np.array_equal(
        value.order.ravel(), np.arange(value.order.size)
    )  # (n, length, c) or (n, h, w, c)
    spatial = list(range(1, len(shape))) if last else list(range(2, len(shape) + 1))
    if len(shape) not in (2, 3) or not set(axes) <= set(spatial):
        raise to.misplaced(f"a mean or maximum over axes {axes} of {shape}: only height and width")
    name = to.reshaped(value.layer, (1, *shape)[-3:]) if last else to.image(node.args[0])
    stored = to.shapes[name]
    places = [a - spatial[0] + 3 - len(shape) for a in axes]  # 0 is the height, 1 the width
    kernel = tuple(stored[i] if i in places else 1 for i in (0, 1))
    fields = {"kernel": kernel, "stride": kernel}
    if kernel == (1, 1) and kind == "mean":
        made = name
    elif kind == "max":
        made = to.add(node, "max_pool2d", (name,), **fields)
    elif kernel == stored[:2]:
        made = to.add(node, "global_avg_pool", (name,))
    else:
        made = to.add(node, "avg_pool2d", (name,), **fields)
    left = tuple(1 if a in axes else n for a, n in enumerate(shape, start=1))
    size = int(np.prod(left))
    if not last:  # back to (c, h, w): the places of what is stored as (h, w, c)
        flat = np.moveaxis(np.arange(size).reshape(*left[1:], left[0]), -1, 0)
    else:
        flat = np.arange(size).reshape(left)
    kept = left if keep else tuple(n for a, n in enumerate(shape, start=1) if a not in axes)
    return ordered(made, flat.reshape(kept))


def first_of_pair(to: Sketch, node: Node) -> NodeValue:
    """Return the values of a maximum, never their indices."""
    if node.args[1] != 0:
        raise to.refused("the indices of a maximum")
    return to.value(node.args[0])
