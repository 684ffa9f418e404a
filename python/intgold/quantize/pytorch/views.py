"""Functions that move no value or leave some out: reshape, permute, slice, pad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from torch.fx import Node

from .nodes import argument, float32, function_of, shape_of
from .sketch import NodeValue, Sketch, ordered, value_order


def reshape(to: Sketch, node: Node) -> NodeValue:
    """Flatten, view, squeeze, unsqueeze and reshape of each example."""
    value = to.value(node.args[0], host=True)
    before, after = shape_of(node.args[0]), shape_of(node)
    if before == after:
        return value
    if not after or after[0] != before[0]:
        if value.host:
            return replace(value, order=np.full(after[1:], -1))
        raise to.refused(f"a change of shape from {before} to {after}, which mixes images")
    order = value_order(value, before[1:]).reshape(after[1:])
    return ordered(value.layer, order, host=value.host)


def permute(to: Sketch, node: Node) -> NodeValue:
    """Permute, transpose and swapaxes of each example; what reads it says whether it can."""
    value = to.value(node.args[0], host=True)
    shape = shape_of(node.args[0])
    axes = list(range(len(shape)))
    if len(node.args) == 3:
        one, two = (int(a) % len(shape) for a in node.args[1:])  # type: ignore[arg-type]
        axes[one], axes[two] = axes[two], axes[one]
    else:
        given: Any = node.args[1]
        axes = [a % len(shape) for a in given]
    if axes[0] != 0:
        raise to.refused("a transposition that mixes images")
    order = value_order(value, shape[1:]).transpose([a - 1 for a in axes[1:]])
    return ordered(value.layer, order, host=value.host)


def same(to: Sketch, node: Node) -> NodeValue:
    """What changes no value."""
    return to.value(node.args[0], host=True)


def to_dtype(to: Sketch, node: Node) -> NodeValue:
    """A conversion between floating types."""
    kept = node.meta["val"].dtype
    if not kept.is_floating_point:
        raise to.refused(f"a conversion to {kept}")
    return to.value(node.args[0], host=True)


def dropout(to: Sketch, node: Node) -> NodeValue:
    """Dropout at rest."""
    if argument(node, 2, "train", False):
        raise to.refused("it drops at random in eval mode too: pass training=self.training")
    return to.value(node.args[0], host=True)


def take_slice(to: Sketch, node: Node) -> NodeValue:
    """A slice along height, width or length."""
    shape = shape_of(node.args[0])
    axis = argument(node, 1, "dim", 0) % len(shape)
    start, end, step = slice(
        argument(node, 2, "start", None), argument(node, 3, "end", None),
        argument(node, 4, "step", 1),
    ).indices(shape[axis])  # fmt: skip
    if (start, end, step) == (0, shape[axis], 1):
        return to.value(node.args[0])
    return _cut(to, node, axis, start, end, step)


def select(to: Sketch, node: Node) -> NodeValue:
    """One position along height, width or length."""
    shape = shape_of(node.args[0])
    where: Any = node.args[1:3]
    axis = where[0] % len(shape)
    at = where[1] % shape[axis]
    made = _cut(to, node, axis, at, at + 1, 1)
    held = (*shape[1:axis], 1, *shape[axis + 1 :])
    return ordered(made.layer, value_order(made, held).reshape(shape_of(node)[1:]))


def _cut(to: Sketch, node: Node, axis: int, start: int, end: int, step: int) -> NodeValue:
    """Return every `step`-th position of an axis from `start` to before `end`."""
    shape = shape_of(node.args[0])
    if axis < 2 or len(shape) not in (3, 4) or end <= start:
        raise to.misplaced(
            f"a part of axis {axis} of {shape}: only of height, width or length, not empty"
        )
    name = to.image(node.args[0])
    place = 1 if axis == len(shape) - 1 else 0
    name = _cropped(to, node, name, place, start, shape[axis] - end)
    if step > 1:
        stride = (step, 1) if place == 0 else (1, step)
        name = to.add(node, "max_pool2d", (name,), kernel=(1, 1), stride=stride)
    return NodeValue(name)


def _cropped(to: Sketch, node: Node, name: str, place: int, first: int, last: int) -> str:
    """Return a layer without the `first` and `last` rows (place 0) or columns (place 1).

    Where a convolution adds them by its padding, it pads less; else one tap of a depthwise
    convolution reaches over what is left out.
    """
    layer = to.layers.get(name)
    if (
        layer is not None
        and layer.kind in ("conv2d", "depthwise_conv2d")
        and to.has_one_reader(node.args[0], name)
    ):
        pads, stride = list(layer.padding), layer.stride[place]
        pads[2 * place] -= first * stride
        pads[2 * place + 1] -= last * stride
        if min(pads) >= 0:
            to.renew(name, padding=tuple(pads))
            return name
    for count, tap in ((first, 1), (last, 0)):
        if count:
            channels = to.shapes[name][2]
            weights = np.zeros((2, channels))
            weights[tap] = 1
            weights = np.expand_dims(weights, 1 - place)
            dilation = (count, 1) if place == 0 else (1, count)
            name = to.add(
                node, "depthwise_conv2d", (name,), weights=float32(weights), dilation=dilation,
                bias=np.zeros(channels, np.float32),
            )  # fmt: skip
    return name


def pad(to: Sketch, node: Node) -> NodeValue:
    """F.pad and the pad modules, with a constant, over height, width and length."""
    mode = argument(node, 2, "mode", "constant")
    if function_of(node) != "constant_pad_nd" and mode != "constant":
        raise to.refused(f"a pad of mode {mode}: only constant")
    fill = argument(node, 2 if function_of(node) == "constant_pad_nd" else 3, "value", 0)
    amounts: Any = node.args[1]
    if all(n == 0 for n in amounts):
        return to.value(node.args[0])
    spatial = len(shape_of(node.args[0])) - 2
    if len(amounts) > 2 * spatial or min(amounts) < 0:
        raise to.refused(f"a pad by {list(amounts)}: only height, width and length, to more")
    left, right, top, bottom = (*amounts, 0, 0, 0)[:4]
    alpha, name = float(fill or 0), to.image(node.args[0])
    before = to.layers.get(name)
    again = before is not None and (before.kind, before.alpha) == ("pad", alpha)
    if before is not None and again and to.has_one_reader(node.args[0], name):
        (a, b, c, d), (name,) = before.padding, before.inputs
        top, bottom, left, right = top + a, bottom + b, left + c, right + d
    return NodeValue(to.add(node, "pad", (name,), padding=(top, bottom, left, right), alpha=alpha))
