"""One layer of a float network: what it may be, and its evaluation in NumPy."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, ModelError
from ..golden.transpose_conv2d import meetings, out_shape
from ..support.arguments import check_fields
from ..support.quoting import short_repr, shown
from . import activations

_WEIGHT_AXES = {"conv2d": 4, "depthwise_conv2d": 3, "fully_connected": 2, "transpose_conv2d": 4}
POOLS = ("max_pool2d", "avg_pool2d")
PAIRS = ("add", "sub", "mul")
KINDS = (
    *_WEIGHT_AXES, *activations.KINDS, *POOLS, "global_avg_pool", *PAIRS, "concat", "pad",
    "reshape",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_JOINING = (*PAIRS, "concat")
_LARGEST = 2**15
"""Of a stride, padding, kernel or dilation, as of the ops."""


_OF_IMAGES = (
    *POOLS, "conv2d", "depthwise_conv2d", "transpose_conv2d", "global_avg_pool", "pad",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a float network.

    Attributes
    ----------
    name : str
        Unique in its network.
    kind : str
        One of `KINDS`.
    weights : ndarray, float32, optional
        (out_c, kernel_h, kernel_w, in_c) for conv2d and transpose_conv2d, (kernel_h, kernel_w,
        out_c) for depthwise_conv2d, (out, in) for fully_connected, which flattens (h, w, c).
    bias : ndarray, float32 (out,), optional
        Beside weights only.
    stride, padding, dilation, kernel : tuple of int
        stride and dilation (h, w); padding (top, bottom, left, right), what is cut off for
        transpose_conv2d: there bottom and right may be negative; kernel (h, w), for pools only.
    alpha, beta : float
        Slope of leaky_relu below 0, height of elu; factor and summand of affine, lower and upper
        bound of clip; alpha is what a pad is filled with; 0 for all others.
    shape : tuple of int
        Of one example that a reshape gives, 1 to 3 extents; empty for all others.
    inputs : tuple of str
        Names of the layers that it reads, or of an input such as ``image``; two for add, sub, mul,
        two and more for concat.  None at all stands for the layer before it.
    """

    name: str
    kind: str
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    kernel: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    alpha: float = 0.0
    inputs: tuple[str, ...] = ()
    beta: float = 0.0
    shape: tuple[int, ...] = ()

    __repr__ = short_repr

    def __post_init__(self) -> None:
        """Refuse what no layer of this kind can be."""
        check_fields(self, f"layer {shown(self.name)}")
        if not _NAME.fullmatch(self.name):  # it becomes that of a file
            raise ModelError(f"layer {self.name!r}: not a name (letters, digits, _; at most 64)")
        if self.kind not in KINDS:
            raise ModelError(f"layer {self.name}: kind {self.kind!r} is none of {', '.join(KINDS)}")
        self._check_arrays()
        numbers = (*self.stride, *self.padding, *self.kernel, *self.dilation)
        lengths = len(self.stride), len(self.padding), len(self.kernel), len(self.dilation)
        after = -_LARGEST if self.kind == "transpose_conv2d" else 0
        smallest = (0, 0, 0, after, 0, after, 0, 0, 0, 0)
        if lengths != (2, 4, 2, 2) or not all(
            type(n) is int and lo <= n <= _LARGEST for lo, n in zip(smallest, numbers, strict=True)
        ):
            raise ModelError(
                f"layer {self.name}: stride, padding, kernel, dilation {numbers} out of range"
            )
        needs_kernel = self.kind in POOLS
        kernel_fits = min(self.kernel) >= 1 if needs_kernel else max(self.kernel) == 0
        if min(*self.stride, *self.dilation) < 1 or not kernel_fits:
            raise ModelError(f"layer {self.name}: stride {self.stride}, kernel {self.kernel}")
        self._check_numbers()
        count, fewest = len(self.inputs), 2 if self.kind in _JOINING else 0
        if count < fewest or count > (1 if fewest == 0 else 2 if self.kind in PAIRS else 2**10):
            raise ModelError(f"layer {self.name}: {self.kind} of {count} inputs")

    def _check_numbers(self) -> None:
        used = {
            "alpha": activations.takes_alpha(self.kind) or self.kind == "pad",
            "beta": activations.takes_beta(self.kind),
        }
        for label, uses in used.items():
            value = getattr(self, label)
            if not math.isfinite(value) or (value != 0 and not uses):
                raise ModelError(f"layer {self.name}: {self.kind} with {label} {value}")
        if self.kind == "clip" and self.alpha > self.beta:
            raise ModelError(f"layer {self.name}: clip to [{self.alpha}, {self.beta}]")
        extents = len(self.shape) in ((1, 2, 3) if self.kind == "reshape" else (0,))
        if not extents or not all(type(n) is int and 0 < n <= 2**24 for n in self.shape):
            raise ModelError(f"layer {self.name}: {self.kind} with shape {self.shape}")

    def _check_arrays(self) -> None:
        rank = _WEIGHT_AXES.get(self.kind)
        if (self.weights is None) != (rank is None) or (self.bias is None) != (rank is None):
            raise ModelError(f"layer {self.name}: {self.kind} with weights or bias out of place")
        if self.weights is None or self.bias is None:
            return
        for label, array in (("weights", self.weights), ("bias", self.bias)):
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ModelError(f"layer {self.name}: {label} are not finite float32")
        outputs = self.weights.shape[self.output_axis : self.output_axis + 1 or None]
        if self.weights.ndim != rank or self.bias.shape != outputs or self.weights.size == 0:
            shapes = f"{self.weights.shape} and {self.bias.shape}"
            raise ModelError(f"layer {self.name}: weights and bias of shapes {shapes}")

    @property
    def output_axis(self) -> int:
        """The axis of the weights that counts output channels."""
        return -1 if self.kind == "depthwise_conv2d" else 0

    @np.errstate(over="ignore", invalid="ignore")  # whoever takes the values checks them
    def apply(self, *inputs: np.ndarray) -> np.ndarray:
        """Return the layer's output, in the dtype of the inputs: (n, h, w, c), or (n, c)."""
        x = inputs[0]
        if x.ndim != 4 and self.kind in _OF_IMAGES:
            raise InputError(f"layer {self.name}: {self.kind} of shape {x.shape}, wants 4 axes")
        if self.kind == "conv2d":
            return _conv2d(self, x)
        if self.kind == "depthwise_conv2d":
            return _depthwise_conv2d(self, x)
        if self.kind == "transpose_conv2d":
            return _transpose_conv2d(self, x)
        if self.kind == "fully_connected":
            return _fully_connected(self, x)
        if self.kind == "max_pool2d":
            largest: np.ndarray = _windows(self, x, self.kernel, -np.inf).max(axis=(4, 5))
            return largest
        if self.kind == "avg_pool2d":
            valid = _windows(self, np.ones((1, *x.shape[1:3], 1), x.dtype), self.kernel, 0.0)
            total = _windows(self, x, self.kernel, 0.0).sum((4, 5))
            mean: np.ndarray = total / valid.sum((4, 5))
            return mean
        if self.kind == "global_avg_pool":
            whole: np.ndarray = x.mean(axis=(1, 2), dtype=x.dtype, keepdims=True)
            return whole
        if self.kind in _JOINING:
            return _joined(self, inputs)
        if self.kind == "pad":
            return _padded(self, x, self.alpha)
        if self.kind == "reshape":
            if math.prod(self.shape) != math.prod(x.shape[1:]):
                raise InputError(f"layer {self.name}: {x.shape[1:]} as {self.shape}")
            return x.reshape(len(x), *self.shape)
        return activations.activation_function(self.kind, self.alpha, self.beta)(x)


def _joined(layer: Layer, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    shapes = {x.shape if layer.kind in PAIRS else x.shape[:-1] for x in inputs}
    if len(shapes) > 1:
        raise InputError(f"layer {layer.name}: {layer.kind} of shapes {[x.shape for x in inputs]}")
    if layer.kind == "concat":
        return np.concatenate(inputs, axis=-1)
    return _COMBINED[layer.kind](inputs[0], inputs[1])


_COMBINED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply,
}  # fmt: skip


def _padded(layer: Layer, x: np.ndarray, fill: float) -> np.ndarray:
    top, bottom, left, right = layer.padding
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)


def _windows(layer: Layer, x: np.ndarray, kernel: tuple[int, int], fill: float) -> np.ndarray:
    """Return the view (n, out_h, out_w, c, kernel_h, kernel_w) of the padded input."""
    padded = _padded(layer, x, fill)
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, layer.dilation, strict=True))
    if min(padded.shape[1] - reach[0], padded.shape[2] - reach[1]) < 0:
        raise InputError(f"layer {layer.name}: kernel {reach} on a padded {padded.shape[1:3]}")
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(1, 2))
    windows = windows[:, :: layer.stride[0], :: layer.stride[1]]
    return windows[..., :: layer.dilation[0], :: layer.dilation[1]]


def _conv2d(layer: Layer, x: np.ndarray) -> np.ndarray:
    assert layer.weights is not None and layer.bias is not None
    out_c, kernel_h, kernel_w, in_c = layer.weights.shape
    if x.shape[3] != in_c:
        raise InputError(f"layer {layer.name}: input {x.shape}, wants {in_c} channels")
    windows = _windows(layer, x, (kernel_h, kernel_w), 0.0)
    columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kernel_h * kernel_w * in_c)
    weights = layer.weights.reshape(out_c, -1).T.astype(x.dtype)
    acc: np.ndarray = columns @ weights + layer.bias
    return acc.reshape(*windows.shape[:3], out_c)


def _depthwise_conv2d(layer: Layer, x: np.ndarray) -> np.ndarray:
    assert layer.weights is not None and layer.bias is not None
    kernel_h, kernel_w, out_c = layer.weights.shape
    if out_c % x.shape[3]:
        raise InputError(f"layer {layer.name}: {out_c} outputs of {x.shape[3]} channels")
    windows = _windows(layer, x, (kernel_h, kernel_w), 0.0)
    repeats, weights = out_c // x.shape[3], layer.weights.astype(x.dtype)
    acc = np.broadcast_to(layer.bias.astype(x.dtype), (*windows.shape[:3], out_c)).copy()
    for ky in range(kernel_h):
        for kx in range(kernel_w):
            acc += np.repeat(windows[..., ky, kx], repeats, axis=3) * weights[ky, kx]
    return acc


def _transpose_conv2d(layer: Layer, x: np.ndarray) -> np.ndarray:
    assert layer.weights is not None and layer.bias is not None
    out_c, kernel_h, kernel_w, in_c = layer.weights.shape
    if x.shape[3] != in_c:
        raise InputError(f"layer {layer.name}: input {x.shape}, wants {in_c} channels")
    size = out_shape(x, (kernel_h, kernel_w), layer.stride, layer.padding)
    if min(size) < 1 or min(layer.padding[::2]) < 0 or layer.dilation != (1, 1):
        raise InputError(f"layer {layer.name}: padding {layer.padding} leaves {size} of {x.shape}")
    weights = layer.weights.astype(x.dtype)
    acc = np.broadcast_to(layer.bias.astype(x.dtype), (len(x), *size, out_c)).copy()
    for ky, kx, inputs, outputs in meetings(x, (kernel_h, kernel_w), layer.stride, layer.padding):
        acc[outputs] += x[inputs] @ weights[:, ky, kx].T
    return acc


def _fully_connected(layer: Layer, x: np.ndarray) -> np.ndarray:
    assert layer.weights is not None and layer.bias is not None
    flat = x.reshape(len(x), -1)
    if flat.shape[1] != layer.weights.shape[1]:
        raise InputError(f"layer {layer.name}: input {x.shape}, wants {layer.weights.shape[1]}")
    y: np.ndarray = flat @ layer.weights.T.astype(x.dtype) + layer.bias
    return y
