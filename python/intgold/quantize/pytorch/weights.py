"""Layers with weights: convolutions, matrices, normalisation and constants per channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.fx import Node

from .nodes import argument, float32, pair, shape_of
from .sketch import NodeValue, Sketch, ordered, value_order


def convolution(to: Sketch, node: Node) -> NodeValue:
    """Conv1d, on an image of height 1, and Conv2d."""
    name = to.image(node.args[0])
    weights, bias = to.array(node.args[1]), to.constant(argument(node, 2, "bias", None))
    axes = weights.ndim - 2
    if axes == 1:
        weights = weights[:, :, np.newaxis]
    stride = pair(argument(node, 3, "stride", 1), axes)
    dilation = pair(argument(node, 5, "dilation", 1), axes)
    groups = argument(node, 6, "groups", 1)
    out_c, per_group, *kernel = weights.shape
    pads = _pads(argument(node, 4, "padding", 0), axes, kernel, dilation)
    name, pads = _with_pad_before(to, node, name, pads)
    kind = "conv2d"
    if groups == 1:
        weights = weights.transpose(0, 2, 3, 1)
    elif per_group == 1:
        kind, weights = "depthwise_conv2d", weights[:, 0].transpose(1, 2, 0)
    else:
        weights = _dense(weights, groups).transpose(0, 2, 3, 1)
    made = to.add(
        node, kind, (name,), weights=float32(weights), stride=stride, padding=pads,
        dilation=dilation, bias=float32(np.zeros(out_c) if bias is None else bias),
    )  # fmt: skip
    return NodeValue(made)


def transposed_convolution(to: Sketch, node: Node) -> NodeValue:
    """ConvTranspose2d: its padding is cut off, output_padding less of it at the end."""
    name, weights = to.image(node.args[0]), to.array(node.args[1])
    bias = to.constant(argument(node, 2, "bias", None))
    groups, dilation = argument(node, 6, "groups", 1), pair(argument(node, 7, "dilation", 1), 2)
    if groups != 1 or dilation != (1, 1):
        raise to.refused(f"a transposed convolution of groups {groups}, dilation {dilation}")
    top, left = pair(argument(node, 4, "padding", 0), 2, 0)
    below, beside = pair(argument(node, 5, "output_padding", 0), 2, 0)
    weights = weights.transpose(1, 2, 3, 0)  # in, out, h, w there
    made = to.add(
        node, "transpose_conv2d", (name,), weights=float32(weights),
        stride=pair(argument(node, 3, "stride", 1), 2),
        padding=(top, top - below, left, left - beside),
        bias=float32(np.zeros(len(weights)) if bias is None else bias),
    )  # fmt: skip
    return NodeValue(made)


def _pads(
    padding: Any, axes: int, kernel: list[int], dilation: tuple[int, int]
) -> tuple[int, int, int, int]:
    if padding == "valid":
        padding = 0
    if padding == "same":  # an odd surplus goes to the end, as in torch
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return (total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2)
    top, left = pair(padding, axes, 0)
    return (top, top, left, left)


def _with_pad_before(
    to: Sketch, node: Node, name: str, pads: tuple[int, int, int, int]
) -> tuple[str, tuple[int, int, int, int]]:
    """Return what a convolution reads and its padding: zeros padded before it are its own."""
    layer = to.layers.get(name)
    if (
        layer is None
        or layer.kind != "pad"
        or layer.alpha != 0
        or not to.has_one_reader(node.args[0], name)
    ):
        return name, pads
    a, b = layer.padding, pads
    return layer.inputs[0], (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])


def _dense(weights: np.ndarray, groups: int) -> np.ndarray:
    """Return the weights of one convolution over all channels: 0 between the groups.

    No op reads a part of the channels, so that a convolution for each group would read all of
    them too, and need a concat.
    """
    out_c, per_group, *kernel = weights.shape
    dense = np.zeros((out_c, per_group * groups, *kernel))
    rows = out_c // groups
    for g in range(groups):
        columns = slice(g * per_group, (g + 1) * per_group)
        dense[g * rows : (g + 1) * rows, columns] = weights[g * rows : (g + 1) * rows]
    return dense


def linear(to: Sketch, node: Node) -> NodeValue:
    """Linear over the features of a vector, or over the last axis of a sequence."""
    value, weights = to.value(node.args[0]), to.array(node.args[1])
    bias = to.constant(argument(node, 2, "bias", None))
    bias = np.zeros(len(weights)) if bias is None else bias
    shape = shape_of(node.args[0])[1:]
    order = value_order(value, shape).ravel()
    if len(shape) == 1:
        columns = np.empty_like(weights)
        columns[:, order] = weights  # to the order in which the values are stored
        fields = {"weights": float32(columns), "bias": float32(bias)}
        return NodeValue(to.add(node, "fully_connected", (value.layer,), **fields))
    if len(shape) != 2 or not np.array_equal(order, np.arange(order.size)):
        raise to.misplaced(f"Linear on shape {shape}, whose last axis is not stored last")
    name = to.reshaped(value.layer, (1, *shape))
    kernel = float32(weights[:, np.newaxis, np.newaxis])
    made = to.add(node, "conv2d", (name,), weights=kernel, bias=float32(bias))
    return ordered(made, np.arange(shape[0] * len(weights)).reshape(shape[0], -1))


def batch_norm(to: Sketch, node: Node) -> NodeValue:
    """Batch normalisation at rest: into the layer before it, or a factor per channel."""
    gain, shift, mean, variance = (to.constant(a) for a in node.args[1:5])
    if mean is None or variance is None:
        raise to.refused("batch normalisation without running statistics cannot be folded")
    scale = (1.0 if gain is None else gain) / np.sqrt(variance + node.args[7])
    return per_channel(
        to, node, node.args[0], scale, (0.0 if shift is None else shift) - mean * scale
    )


def per_channel(
    to: Sketch, node: Node, source: Any, scale: np.ndarray, offset: np.ndarray
) -> NodeValue:
    """Return ``scale*x + offset`` of what `source` gives, with a number per channel or feature.

    In the layer before it, where that has weights and nothing else reads it (in float64, rounded
    once); else as a depthwise convolution of one tap.
    """
    value, shape = to.value(source), shape_of(source)[1:]
    before = to.weighted(source)
    if before is not None and value.order is None and to.shapes[before.name][-1] == shape[0]:
        assert before.weights is not None and before.bias is not None
        spread = [1] * before.weights.ndim
        spread[before.output_axis] = -1
        to.renew(
            before.name,
            weights=float32(before.weights.astype(np.float64) * scale.reshape(spread)),
            bias=float32(before.bias * scale + offset),
        )
        return value
    if len(shape) == 1:
        name, order = to.reshaped(value.layer, (1, 1, shape[0])), value_order(value, shape)
        stored = np.empty((2, shape[0]))
        stored[:, order] = scale, offset
        scale, offset = stored
    else:
        name = to.image(source)
    weights = float32(scale.reshape(1, 1, -1))
    made = to.add(node, "depthwise_conv2d", (name,), weights=weights, bias=float32(offset))
    return NodeValue(made, value.order)
