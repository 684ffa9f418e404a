"""Nodes of an exported PyTorch graph (ATen) to layers: the table of what intgold takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch.fx import Node

from ..errors import ModelError
from .inference import IMAGE
from .layers import Layer


@dataclass(frozen=True)
class _Value:
    """What a node of the graph gives.

    Parameters
    ----------
    layer : str
        Name of the layer that makes it, or ``image``.
    channels_first : (int, int, int) or None
        (c, h, w) of the image that it is the flattened form of, in torch's order.
    """

    layer: str
    channels_first: tuple[int, int, int] | None = None


class Importer:
    """Takes the nodes of a graph in order; `network` gives the layers.

    Parameters
    ----------
    arrays : mapping of str to Tensor
        Parameters and buffers by their names in the module.
    signature : torch.export.ExportGraphSignature
        Which placeholder is which of them.
    """

    def __init__(self, arrays: Mapping[str, Any], signature: Any) -> None:
        self._arrays = arrays
        self._named = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        self._values: dict[str, _Value] = {}
        self._layers: dict[str, Layer] = {}
        self._output: str | None = None
        self._where = ""

    def take(self, node: Node) -> None:
        """Take one node, or raise ModelError naming its layer."""
        self._where = _place(node)
        if node.op == "placeholder":
            if node.name not in self._named:
                if IMAGE in (v.layer for v in self._values.values()):
                    raise ModelError(f"{node.name}: a second input; intgold takes one image tensor")
                self._values[node.name] = _Value(IMAGE)
        elif node.op == "output":
            (made,) = node.args
            if not isinstance(made, (tuple, list)) or len(made) != 1 or made[0] is None:
                raise ModelError("the module does not return exactly one tensor")
            self._output = self._value(made[0]).layer
        elif node.op == "call_function":
            self._call(node)
        else:
            raise self._refused(f"{node.op} {node.target}")

    def network(self) -> tuple[Layer, ...]:
        """Return the layers that lead to the output, in order."""
        needed, layers = {self._output}, []
        for layer in reversed(self._layers.values()):
            if layer.name in needed:
                needed |= set(layer.inputs)
                layers.append(layer)
        if not layers or layers[0].name != self._output:
            raise ModelError("the module returns its input: there is nothing to quantise")
        return tuple(reversed(layers))

    def _call(self, node: Node) -> None:
        target = str(node.target).removeprefix("aten.").partition(".")[0]
        in_place = target.endswith("_")
        function = _TAKEN.get(target.rstrip("_"))
        if function is None:
            raise self._refused(f"{node.target} is not supported")
        before = self._value(node.args[0]) if isinstance(node.args[0], Node) else None
        made = function(self, node)
        self._values[node.name] = made
        if in_place and before is not None:
            # What was made in place is what all other names of that memory mean from now on.
            for name, value in self._values.items():
                if value.layer == before.layer:
                    self._values[name] = replace(value, layer=made.layer)

    def _refused(self, reason: str) -> ModelError:
        return ModelError(f"layer {self._where}: {reason}")

    def _value(self, node: Any) -> _Value:
        if not isinstance(node, Node) or node.name not in self._values:
            raise self._refused(f"{node} is not computed from the image")
        return self._values[node.name]

    def _array(self, node: Any) -> np.ndarray | None:
        """Return a parameter or buffer in float64; None stays None."""
        if node is None:
            return None
        if not isinstance(node, Node) or node.name not in self._named:
            raise self._refused(f"{node} is not a parameter of the module")
        tensor = self._arrays[self._named[node.name]]
        return tensor.detach().cpu().numpy().astype(np.float64)

    def _add(self, node: Node, kind: str, inputs: tuple[str, ...], **fields: Any) -> _Value:
        """Add a layer under a legal name of its own."""
        stem = re.sub(r"\W", "_", _stack(node) or node.name, flags=re.ASCII)
        if not stem[0].isalpha():
            stem = f"{kind}_{stem}"
        name, count = stem[:56], 1
        while name in self._layers or name == IMAGE:
            count += 1
            name = f"{stem[:56]}_{count}"
        self._layers[name] = Layer(name, kind, inputs=inputs, **fields)
        return _Value(name)

    def _alone(self, node: Node, name: str) -> bool:
        """Return whether nothing but this node reads the layer (views of it count as it)."""
        source = node.args[0]
        while isinstance(source, Node) and self._values.get(source.name) == _Value(name):
            if len(source.users) > 1:
                return False
            source = source.args[0] if source.args else None
        return True

    def image(self, node: Node) -> str:
        """Return the layer that makes the first argument, which must be an image."""
        value = self._value(node.args[0])
        if value.channels_first is not None:
            raise self._refused("it takes an image, and gets a flattened one")
        return value.layer


def _stack(node: Node) -> str:
    """Return the name of the module in which a node was made, if it is a leaf with one."""
    modules = list((node.meta.get("nn_module_stack") or {}).values())
    if not modules:
        return ""
    path, kind = modules[-1]  # the class, or its name
    return str(path) if str(getattr(kind, "__module__", kind)).startswith("torch.nn") else ""


def _place(node: Node) -> str:
    modules = list((node.meta.get("nn_module_stack") or {}).values())
    if modules and modules[-1][0]:
        kind = modules[-1][1]
        kind = kind if isinstance(kind, str) else kind.__name__
        return f"{modules[-1][0]} ({kind.rpartition('.')[2]})"
    return node.name


def _shape(node: Any) -> tuple[int, ...]:
    """Return the shape of what a node gives, the batch first."""
    return tuple(node.meta["val"].shape)


def _argument(node: Node, index: int, name: str, default: Any) -> Any:
    return node.args[index] if len(node.args) > index else node.kwargs.get(name, default)


def _pair(value: Any) -> tuple[int, int]:
    values = [value] if isinstance(value, int) else list(value)
    return (values[0], values[-1])


def _conv2d(to: Importer, node: Node) -> _Value:
    name = to.image(node)
    weights = to._array(node.args[1])
    assert weights is not None
    bias = to._array(_argument(node, 2, "bias", None))
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
        raise to._refused(f"{groups} groups of {per_group} channels: only 1, or one per channel")
    return to._add(
        node, kind, (name,), weights=_float32(weights), stride=stride, padding=pads,
        dilation=dilation, bias=_float32(np.zeros(out_c) if bias is None else bias),
    )  # fmt: skip


def _float32(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.astype(np.float32))


def _linear(to: Importer, node: Node) -> _Value:
    value, weights = to._value(node.args[0]), to._array(node.args[1])
    assert weights is not None
    bias = to._array(_argument(node, 2, "bias", None))
    axes = len(_shape(node.args[0]))
    if axes != 2:
        raise to._refused(f"Linear on {axes - 1} axes: flatten first")
    if value.channels_first is not None:  # columns in torch's order (c, h, w), ours is (h, w, c)
        order = np.arange(weights.shape[1]).reshape(value.channels_first).transpose(1, 2, 0)
        weights = weights[:, order.ravel()]
    bias = np.zeros(len(weights)) if bias is None else bias
    return to._add(
        node, "fully_connected", (value.layer,), weights=_float32(weights), bias=_float32(bias)
    )


def _batch_norm(to: Importer, node: Node) -> _Value:
    gain, shift, mean, variance = (to._array(a) for a in node.args[1:5])
    if mean is None or variance is None:
        raise to._refused("batch normalisation without running statistics cannot be folded")
    value = to._value(node.args[0])
    scale = (1.0 if gain is None else gain) / np.sqrt(variance + node.args[7])
    offset = (0.0 if shift is None else shift) - mean * scale
    before = to._layers.get(value.layer)
    if before is not None and before.weights is not None and to._alone(node, value.layer):
        assert before.bias is not None
        axis = before.output_axis
        spread = [1] * before.weights.ndim
        spread[axis] = -1
        # In float64, rounded once.
        to._layers[value.layer] = replace(
            before,
            weights=_float32(before.weights.astype(np.float64) * scale.reshape(spread)),
            bias=_float32(before.bias * scale + offset),
        )
        return value
    weights = _float32(scale.reshape(1, 1, -1))
    name = to.image(node)
    return to._add(node, "depthwise_conv2d", (name,), weights=weights, bias=_float32(offset))


def _activation(kind: str) -> Callable[[Importer, Node], _Value]:
    def take(to: Importer, node: Node) -> _Value:
        value = to._value(node.args[0])
        return replace(value, layer=to._add(node, kind, (value.layer,)).layer)

    return take


def _with_alpha(kind: str, name: str, default: float) -> Callable[[Importer, Node], _Value]:
    def take(to: Importer, node: Node) -> _Value:
        value, alpha = to._value(node.args[0]), float(_argument(node, 1, name, default))
        others = [a for a in node.args[2:] if a != 1]
        if others:
            raise to._refused(f"{kind} with scale {others[0]}")
        return replace(value, layer=to._add(node, kind, (value.layer,), alpha=alpha).layer)

    return take


def _gelu(to: Importer, node: Node) -> _Value:
    kind = "gelu_tanh" if node.kwargs.get("approximate", "none") == "tanh" else "gelu"
    return _activation(kind)(to, node)


def _hardtanh(to: Importer, node: Node) -> _Value:
    bounds = _argument(node, 1, "min_val", -1), _argument(node, 2, "max_val", 1)
    if bounds != (0, 6):
        raise to._refused(f"Hardtanh of {bounds}: only (0, 6), which is ReLU6")
    return _activation("relu6")(to, node)


def _max_pool2d(to: Importer, node: Node) -> _Value:
    kernel = _pair(node.args[1])
    stride = _pair(_argument(node, 2, "stride", None) or kernel)
    top, left = _pair(_argument(node, 3, "padding", 0))
    if _pair(_argument(node, 4, "dilation", 1)) != (1, 1):
        raise to._refused("a max pool with dilation")
    _no_surplus(to, node, 5, kernel, stride, (top, left))
    return to._add(
        node, "max_pool2d", (to.image(node),), kernel=kernel, stride=stride,
        padding=(top, top, left, left),
    )  # fmt: skip


def _no_surplus(
    to: Importer, node: Node, index: int, kernel: tuple[int, int], stride: tuple[int, int],
    padding: tuple[int, int],
) -> None:  # fmt: skip
    """Refuse ceil_mode where it makes a difference."""
    sizes = _shape(node.args[0])[2:]
    axes = zip(sizes, kernel, stride, padding, strict=True)
    if _argument(node, index, "ceil_mode", False) and any(
        (size + 2 * p - k) % s for size, k, s, p in axes
    ):
        raise to._refused("a pool with ceil_mode that leaves a partial window")


def _avg_pool2d(to: Importer, node: Node) -> _Value:
    kernel = _pair(node.args[1])
    stride = _pair(_argument(node, 2, "stride", None) or kernel)
    top, left = _pair(_argument(node, 3, "padding", 0))
    _no_surplus(to, node, 4, kernel, stride, (top, left))
    counted = _argument(node, 5, "count_include_pad", True) and (top or left)
    divisor = _argument(node, 6, "divisor_override", None)
    slide = {"stride": stride, "padding": (top, top, left, left)}
    name = to.image(node)
    if not counted and divisor is None:
        return to._add(node, "avg_pool2d", (name,), kernel=kernel, **slide)
    # A divisor that is not the number of valid cells: a convolution with equal weights.
    channels = _shape(node.args[0])[1]
    weights = np.full((*kernel, channels), 1 / (divisor or kernel[0] * kernel[1]))
    return to._add(
        node, "depthwise_conv2d", (name,), weights=_float32(weights),
        bias=np.zeros(channels, np.float32), **slide,
    )  # fmt: skip


def _adaptive_avg_pool2d(to: Importer, node: Node) -> _Value:
    size = _pair(node.args[1])
    if size != (1, 1):
        raise to._refused(f"AdaptiveAvgPool2d of {size}: only 1")
    return to._add(node, "global_avg_pool", (to.image(node),))


def _mean(to: Importer, node: Node) -> _Value:
    over: Any = node.args[1]
    axes, shape = sorted(a % 4 for a in over), _shape(node.args[0])
    if axes != [2, 3] or len(shape) != 4:
        raise to._refused(f"mean over axes {axes}: only height and width")
    made = to._add(node, "global_avg_pool", (to.image(node),))
    keep = _argument(node, 2, "keepdim", False)
    return made if keep else _Value(made.layer, (shape[1], 1, 1))


def _reshape(to: Importer, node: Node) -> _Value:
    """Flatten, view or reshape to (n, everything)."""
    value = to._value(node.args[0])
    before, after = (_shape(n) for n in (node.args[0], node))
    if before == after:
        return value
    if len(after) != 2 or after[0] != before[0] or len(before) != 4:
        raise to._refused(f"a change of shape from {before} to {after}; only flattening is taken")
    return _Value(value.layer, before[1:])  # type: ignore[arg-type]


def _same(to: Importer, node: Node) -> _Value:
    return to._value(node.args[0])


def _sum(to: Importer, node: Node) -> _Value:
    if not all(isinstance(a, Node) and a.name in to._values for a in node.args[:2]):
        raise to._refused("a sum with a constant or a parameter")
    one, two = (to._value(a) for a in node.args[:2])
    shapes = [_shape(a) for a in node.args[:2]]
    if shapes[0] != shapes[1] or node.kwargs.get("alpha", 1) != 1:
        raise to._refused(f"a sum of shapes {shapes[0]} and {shapes[1]}, or with a factor")
    if one.channels_first != two.channels_first:
        raise to._refused("a sum of a flattened image and of features")
    return replace(one, layer=to._add(node, "add", (one.layer, two.layer)).layer)


def _cat(to: Importer, node: Node) -> _Value:
    parts: Any = node.args[0]
    values = [to._value(part) for part in parts]
    rank = len(_shape(node))
    if _argument(node, 1, "dim", 0) % rank != 1:
        raise to._refused("a concatenation over another axis than the channels")
    flat = [v.channels_first for v in values]
    if any(f is not None and f[1:] != (1, 1) for f in flat):
        raise to._refused("a concatenation of flattened images")
    if len({f is None for f in flat}) > 1:
        raise to._refused("a concatenation of pooled and of other features")
    if len(values) == 1:
        return values[0]
    made = to._add(node, "concat", tuple(v.layer for v in values))
    if flat[0] is not None:
        return _Value(made.layer, (sum(f[0] for f in flat if f is not None), 1, 1))
    return made


_TAKEN: dict[str, Callable[[Importer, Node], _Value]] = {
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
    **dict.fromkeys(
        (
            "contiguous",
            "clone",
            "dropout",
            "feature_dropout",
            "alpha_dropout",
            "feature_alpha_dropout",
        ),
        _same,
    ),
    "add": _sum,
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    **{
        kind: _activation(kind)
        for kind in ("relu", "relu6", "selu", "silu", "tanh", "sigmoid", "hardswish")
    },
}
"""What each ATen function becomes; a trailing _ (in place) is left out."""
