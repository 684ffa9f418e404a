"""Activations, sums, products and concatenations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from torch.fx import Node

from .nodes import argument, float32, function_of, shape_of
from .sketch import NodeValue, Sketch, Take, ordered, value_order
from .weights import per_channel


def activation(kind: str) -> Take:
    """Return what takes a function of one value without parameters."""

    def take(to: Sketch, node: Node) -> NodeValue:
        return _elementwise(to, node, kind)

    return take


def _elementwise(to: Sketch, node: Node, kind: str, **fields: float) -> NodeValue:
    value = to.value(node.args[0])
    return replace(value, layer=to.add(node, kind, (value.layer,), **fields))


def with_alpha(kind: str, name: str, default: float) -> Take:
    """Return what takes a function with one parameter."""

    def take(to: Sketch, node: Node) -> NodeValue:
        others = [a for a in node.args[2:] if a != 1 and not isinstance(a, bool)]
        if others:
            raise to.refused(f"{kind} with scale {others[0]}")
        return _elementwise(to, node, kind, alpha=float(argument(node, 1, name, default)))

    return take


def gelu(to: Sketch, node: Node) -> NodeValue:
    """GELU in both of its forms."""
    tanh = argument(node, 1, "approximate", "none") == "tanh"
    return _elementwise(to, node, "gelu_tanh" if tanh else "gelu")


def softplus(to: Sketch, node: Node) -> NodeValue:
    """Softplus of slope 1; above its threshold torch's is x, which float32 does not tell."""
    beta = argument(node, 1, "beta", 1)
    if beta != 1 or argument(node, 2, "threshold", 20) < 16:
        raise to.refused(f"softplus with beta {beta}: only 1, and a threshold of 16 or more")
    return _elementwise(to, node, "softplus")


def prelu(to: Sketch, node: Node) -> NodeValue:
    """PReLU with one slope, at rest a LeakyReLU."""
    slopes = to.array(node.args[1])
    if np.ptp(slopes) != 0:
        raise to.refused(f"PReLU with {slopes.size} slopes: only one for all channels")
    return _elementwise(to, node, "leaky_relu", alpha=float(slopes.flat[0]))


def clamp(to: Sketch, node: Node) -> NodeValue:
    """Clamp, Hardtanh and their relatives; [0, inf) and [0, 6] are ReLU and ReLU6."""
    which = function_of(node).rstrip("_")
    ends: Any = argument(node, 1, "min", None), argument(node, 2, "max", None)
    if which == "hardtanh":
        ends = argument(node, 1, "min_val", -1), argument(node, 2, "max_val", 1)
    if which == "clamp_max":
        ends = None, argument(node, 1, "max", None)
    if any(isinstance(end, Node) for end in ends):
        raise to.refused("a clamp between tensors")
    largest = float(np.finfo(np.float32).max)
    low = -largest if ends[0] is None else max(float(ends[0]), -largest)
    high = largest if ends[1] is None else min(float(ends[1]), largest)
    if low == 0 and high in (6, largest):
        return _elementwise(to, node, "relu6" if high == 6 else "relu")
    return _elementwise(to, node, "clip", alpha=low, beta=high)


def power(to: Sketch, node: Node) -> NodeValue:
    """The square, as a product."""
    if argument(node, 1, "exponent", 2) != 2:
        raise to.refused(f"the power {node.args[1]}: only 2")
    value = to.value(node.args[0])
    return replace(value, layer=to.add(node, "mul", (value.layer, value.layer)))


def negative(to: Sketch, node: Node) -> NodeValue:
    """The value of opposite sign."""
    return _affine(to, node, node.args[0], np.array(-1.0), np.array(0.0))


def arithmetic(to: Sketch, node: Node) -> NodeValue:
    """x + y, x - y, x*y, x/y of tensors of one shape, or with a constant."""
    which = function_of(node).rstrip("_")
    one, two = node.args[:2]
    if which == "rsub":
        which, one, two = "sub", two, one
    if node.kwargs.get("rounding_mode") is not None:
        raise to.refused("a division that rounds")
    factor = float(argument(node, 2, "alpha", 1)) if which in ("add", "sub") else 1.0
    if to.is_value(one) and to.is_value(two):
        if factor != 1 or which in ("div", "true_divide"):
            raise to.refused(f"{which} of two tensors, or with a factor")
        return _joined(to, node, {"multiply": "mul", "subtract": "sub"}.get(which, which))
    if not to.is_value(one) and not to.is_value(two):
        raise to.refused("a constant where something of the input belongs")
    first = to.is_value(one)
    c = _constant(to, two if first else one, shape_of(one if first else two))
    if shape_of(node) != shape_of(one if first else two):
        raise to.refused(f"a constant that widens {shape_of(one if first else two)}")
    sign = {"sub": -factor, "subtract": -factor}.get(which, factor)
    if which in ("mul", "multiply"):
        scale, offset = c, c * 0
    elif which in ("div", "true_divide"):
        if not first:
            raise to.refused("a constant divided by a tensor")
        if not np.all(c):
            raise to.refused("a division by 0")
        scale, offset = 1 / c, c * 0
    elif first:
        scale, offset = c * 0 + 1, sign * c
    else:
        scale, offset = c * 0 + sign, c
    return _affine(to, node, one if first else two, scale, offset)


def _constant(to: Sketch, node: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return a constant as one number, or as one for each channel or feature."""
    made = to.array(node)
    if made.size == 1:
        return made.reshape(())
    made = made.reshape((1,) * (len(shape) - made.ndim) + made.shape)
    if made.ndim != len(shape) or made.shape[0] != 1:
        raise to.refused(f"a constant of shape {made.shape} beside {shape}")
    if np.ptp(made) == 0:
        return np.asarray(made.flat[0])
    if any(n != 1 for n in made.shape[2:]):
        raise to.refused(f"a constant of shape {made.shape}: only one number, or one per channel")
    return np.broadcast_to(made.ravel(), (shape[1],))


def _affine(
    to: Sketch, node: Node, source: Any, scale: np.ndarray, offset: np.ndarray
) -> NodeValue:
    """Return ``scale*x + offset``: in the layer before, where that can be; else as a table."""
    value = to.value(source)
    if np.ndim(scale) > 0:
        return per_channel(to, node, source, scale, offset)
    if scale == 1 and offset == 0:
        return value
    before = to.weighted(source)
    if before is not None:
        assert before.weights is not None and before.bias is not None
        weights = float32(before.weights.astype(np.float64) * scale)
        bias = float32(before.bias * np.float64(scale) + offset)
        to.renew(before.name, weights=weights, bias=bias)
        return value
    last = to.layers.get(value.layer)
    if last is not None and last.kind == "affine" and to.has_one_reader(source, last.name):
        alpha, beta = float(scale * last.alpha), float(scale * last.beta + offset)
        to.renew(last.name, alpha=alpha, beta=beta)
        return value
    made = to.add(node, "affine", (value.layer,), alpha=float(scale), beta=float(offset))
    return replace(value, layer=made)


def _joined(to: Sketch, node: Node, kind: str) -> NodeValue:
    one, two = (to.value(a) for a in node.args[:2])
    shapes = [shape_of(a)[1:] for a in node.args[:2]]
    if shapes[0] != shapes[1]:
        raise to.misplaced(f"{kind} of shapes {shapes[0]} and {shapes[1]}, which are not the same")
    if not np.array_equal(value_order(one, shapes[0]), value_order(two, shapes[1])):
        raise to.misplaced(f"{kind} of values that lie in different orders: permute both or none")
    other = to.reshaped(two.layer, to.shapes[one.layer])
    return replace(one, layer=to.add(node, kind, (one.layer, other)))


def concat(to: Sketch, node: Node) -> NodeValue:
    """A concatenation over channels or features."""
    parts: Any = node.args[0]
    values, shapes = [to.value(part) for part in parts], [shape_of(part)[1:] for part in parts]
    rank = len(shape_of(node))
    if argument(node, 1, "dim", 0) % rank != 1:
        raise to.misplaced("a concatenation over another axis than the channels")
    if len(values) == 1:
        return values[0]
    if rank > 2:
        return NodeValue(to.add(node, "concat", tuple(to.image(part) for part in parts)))
    flat = {len(to.shapes[v.layer]) for v in values} != {3} or any(
        to.shapes[v.layer][:2] != (1, 1) for v in values
    )
    names = [
        to.reshaped(v.layer, shape) if flat else v.layer
        for v, shape in zip(values, shapes, strict=True)
    ]
    starts = np.cumsum([0, *(shape[0] for shape in shapes)])
    order = [value_order(v, s) + start for v, s, start in zip(values, shapes, starts, strict=False)]
    return ordered(to.add(node, "concat", tuple(names)), np.concatenate(order))
