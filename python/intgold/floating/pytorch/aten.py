"""What each ATen function of an exported graph becomes: the table of what intgold takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from torch.fx import Node

from .importer import Importer, Take, Value, shape_of


def _argument(node: Node, index: int, name: str, default: Any) -> Any:
    return node.args[index] if len(node.args) > index else node.kwargs.get(name, default)


def _pair(value: Any) -> tuple[int, int]:
    values = [value] if isinstance(value, int) else list(value)
    return (values[0], values[-1])


def _conv2d(to: Importer, node: Node) -> Value:
    name = to.image(node)
    weights = to.array(node.args[1])
    assert weights is not None
    bias = to.array(_argument(node, 2, "bias", None))
    stride = _pair(_argument(node, 3, "stride", 1))
    padding = _argument(node, 4, "padding", 0)
    dilation = _pair(_argument(node, 5, "dilation", 1))
    groups = _argument(node, 6, "groups", 1)
    out_c, per_group, *kernel = weights.shape
    if padding == "valid":
        padding = 0
    if padding == "same":  # an odd surplus goes to the end, as torch has it
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        pads = (total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2)
    else:
        top, left = _pair(padding)
        pads = (top, top, left, left)
    kind = "conv2d"
    if groups == 1:
        weights = weights.transpose(0, 2, 3, 1)
    elif per_group == 1:
        kind, weights = "depthwise_conv2d", weights[:, 0].transpose(1, 2, 0)
    else:
        raise to.refused(f"{groups} groups of {per_group} channels: only 1, or one per channel")
    return to.add(
        node, kind, (name,), weights=_float32(weights), stride=stride, padding=pads,
        dilation=dilation, bias=_float32(np.zeros(out_c) if bias is None else bias),
    )  # fmt: skip


def _float32(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.astype(np.float32))


def _linear(to: Importer, node: Node) -> Value:
    value, weights = to.value(node.args[0]), to.array(node.args[1])
    assert weights is not None
    bias = to.array(_argument(node, 2, "bias", None))
    axes = len(shape_of(node.args[0]))
    if axes != 2:
        raise to.refused(f"Linear on {axes - 1} axes: flatten first")
    if value.channels_first is not None:  # columns in torch's order (c, h, w), ours is (h, w, c)
        order = np.arange(weights.shape[1]).reshape(value.channels_first).transpose(1, 2, 0)
        weights = weights[:, order.ravel()]
    bias = np.zeros(len(weights)) if bias is None else bias
    return to.add(
        node, "fully_connected", (value.layer,), weights=_float32(weights), bias=_float32(bias)
    )


def _batch_norm(to: Importer, node: Node) -> Value:
    gain, shift, mean, variance = (to.array(a) for a in node.args[1:5])
    if mean is None or variance is None:
        raise to.refused("batch normalisation without running statistics cannot be folded")
    value = to.value(node.args[0])
    if value.channels_first is not None and value.channels_first[1:] != (1, 1):
        raise to.refused("batch normalisation of a flattened image: put it before the flattening")
    scale = (1.0 if gain is None else gain) / np.sqrt(variance + node.args[7])
    offset = (0.0 if shift is None else shift) - mean * scale
    before = to.layers.get(value.layer)
    if before is not None and before.weights is not None and to.alone(node, value.layer):
        assert before.bias is not None
        axis = before.output_axis
        spread = [1] * before.weights.ndim
        spread[axis] = -1
        # In float64, rounded once.
        to.layers[value.layer] = replace(
            before,
            weights=_float32(before.weights.astype(np.float64) * scale.reshape(spread)),
            bias=_float32(before.bias * scale + offset),
        )
        return value
    weights = _float32(scale.reshape(1, 1, -1))
    name = to.image(node)
    return to.add(node, "depthwise_conv2d", (name,), weights=weights, bias=_float32(offset))


def _activation(kind: str) -> Take:
    def take(to: Importer, node: Node) -> Value:
        value = to.value(node.args[0])
        return replace(value, layer=to.add(node, kind, (value.layer,)).layer)

    return take


def _with_alpha(kind: str, name: str, default: float) -> Take:
    def take(to: Importer, node: Node) -> Value:
        value, alpha = to.value(node.args[0]), float(_argument(node, 1, name, default))
        others = [a for a in node.args[2:] if a != 1]
        if others:
            raise to.refused(f"{kind} with scale {others[0]}")
        return replace(value, layer=to.add(node, kind, (value.layer,), alpha=alpha).layer)

    return take


def _gelu(to: Importer, node: Node) -> Value:
    kind = "gelu_tanh" if node.kwargs.get("approximate", "none") == "tanh" else "gelu"
    return _activation(kind)(to, node)


def _hardtanh(to: Importer, node: Node) -> Value:
    bounds = _argument(node, 1, "min_val", -1), _argument(node, 2, "max_val", 1)
    if bounds != (0, 6):
        raise to.refused(f"Hardtanh of {bounds}: only (0, 6), which is ReLU6")
    return _activation("relu6")(to, node)


def _max_pool2d(to: Importer, node: Node) -> Value:
    kernel = _pair(node.args[1])
    stride = _pair(_argument(node, 2, "stride", None) or kernel)
    top, left = _pair(_argument(node, 3, "padding", 0))
    if _pair(_argument(node, 4, "dilation", 1)) != (1, 1):
        raise to.refused("a max pool with dilation")
    _no_surplus(to, node, 5, kernel, stride, (top, left))
    return to.add(
        node, "max_pool2d", (to.image(node),), kernel=kernel, stride=stride,
        padding=(top, top, left, left),
    )  # fmt: skip


def _no_surplus(
    to: Importer, node: Node, index: int, kernel: tuple[int, int], stride: tuple[int, int],
    padding: tuple[int, int],
) -> None:  # fmt: skip
    """Refuse ceil_mode where it makes a difference."""
    sizes = shape_of(node.args[0])[2:]
    axes = zip(sizes, kernel, stride, padding, strict=True)
    if _argument(node, index, "ceil_mode", False) and any(
        (size + 2 * p - k) % s for size, k, s, p in axes
    ):
        raise to.refused("a pool with ceil_mode that leaves a partial window")


def _avg_pool2d(to: Importer, node: Node) -> Value:
    kernel = _pair(node.args[1])
    stride = _pair(_argument(node, 2, "stride", None) or kernel)
    top, left = _pair(_argument(node, 3, "padding", 0))
    _no_surplus(to, node, 4, kernel, stride, (top, left))
    counted = _argument(node, 5, "count_include_pad", True) and (top or left)
    divisor = _argument(node, 6, "divisor_override", None)
    slide = {"stride": stride, "padding": (top, top, left, left)}
    name = to.image(node)
    if not counted and divisor is None:
        return to.add(node, "avg_pool2d", (name,), kernel=kernel, **slide)
    # A divisor that is not the number of valid cells: a convolution with equal weights.
    channels = shape_of(node.args[0])[1]
    weights = np.full((*kernel, channels), 1 / (divisor or kernel[0] * kernel[1]))
    return to.add(
        node, "depthwise_conv2d", (name,), weights=_float32(weights),
        bias=np.zeros(channels, np.float32), **slide,
    )  # fmt: skip


def _adaptive_avg_pool2d(to: Importer, node: Node) -> Value:
    size = _pair(node.args[1])
    if size != (1, 1):
        raise to.refused(f"AdaptiveAvgPool2d of {size}: only 1")
    return to.add(node, "global_avg_pool", (to.image(node),))


def _mean(to: Importer, node: Node) -> Value:
    over: Any = node.args[1]
    axes, shape = sorted(a % 4 for a in over), shape_of(node.args[0])
    if axes != [2, 3] or len(shape) != 4:
        raise to.refused(f"mean over axes {axes}: only height and width")
    made = to.add(node, "global_avg_pool", (to.image(node),))
    keep = _argument(node, 2, "keepdim", False)
    return made if keep else Value(made.layer, (shape[1], 1, 1))


def _reshape(to: Importer, node: Node) -> Value:
    """Flatten, view or reshape to (n, everything)."""
    value = to.value(node.args[0])
    before, after = (shape_of(n) for n in (node.args[0], node))
    if before == after:
        return value
    if len(after) != 2 or after[0] != before[0] or len(before) != 4:
        raise to.refused(f"a change of shape from {before} to {after}; only flattening is taken")
    return Value(value.layer, before[1:])  # type: ignore[arg-type]


def _same(to: Importer, node: Node) -> Value:
    return to.value(node.args[0])


def _dropout(to: Importer, node: Node) -> Value:
    if _argument(node, 2, "train", False):
        raise to.refused("it drops at random in eval mode too: pass training=self.training")
    return to.value(node.args[0])


def _sum(to: Importer, node: Node) -> Value:
    if not all(isinstance(a, Node) and a.name in to.known for a in node.args[:2]):
        raise to.refused("a sum with a constant or a parameter")
    one, two = (to.value(a) for a in node.args[:2])
    shapes = [shape_of(a) for a in node.args[:2]]
    if shapes[0] != shapes[1] or node.kwargs.get("alpha", 1) != 1:
        raise to.refused(f"a sum of shapes {shapes[0]} and {shapes[1]}, or with a factor")
    if one.channels_first != two.channels_first:
        raise to.refused("a sum of a flattened image and of features")
    return replace(one, layer=to.add(node, "add", (one.layer, two.layer)).layer)


def _cat(to: Importer, node: Node) -> Value:
    parts: Any = node.args[0]
    values = [to.value(part) for part in parts]
    rank = len(shape_of(node))
    if _argument(node, 1, "dim", 0) % rank != 1:
        raise to.refused("a concatenation over another axis than the channels")
    flat = [v.channels_first for v in values]
    if any(f is not None and f[1:] != (1, 1) for f in flat):
        raise to.refused("a concatenation of flattened images")
    if len({f is None for f in flat}) > 1:
        raise to.refused("a concatenation of pooled and of other features")
    if len(values) == 1:
        return values[0]
    made = to.add(node, "concat", tuple(v.layer for v in values))
    if flat[0] is not None:
        return Value(made.layer, (sum(f[0] for f in flat if f is not None), 1, 1))
    return made


TAKEN: dict[str, Take] = {
    "conv2d": _conv2d,
    "linear": _linear,
    "batch_norm": _batch_norm,
    "leaky_relu": _with_alpha("leaky_relu", "negative_slope", 0.01),
    "elu": _with_alpha("elu", "alpha", 1.0),
    "gelu": _gelu,
    "hardtanh": _hardtanh,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "mean": _mean,
    **dict.fromkeys(("flatten", "view", "reshape", "squeeze"), _reshape),
    **dict.fromkeys(("contiguous", "clone"), _same),
    **dict.fromkeys(
        ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"), _dropout
    ),
    "add": _sum,
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    **{
        kind: _activation(kind)
        for kind in ("relu", "relu6", "selu", "silu", "tanh", "sigmoid", "hardswish")
    },
}
"""What each ATen function becomes; a trailing _ (in place) is left out."""
