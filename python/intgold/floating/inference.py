"""The float network in NumPy, after folding: what is calibrated, quantised and compared with."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ArtefactError, InputError, IntgoldError, ModelError
from ..files import canonical_json, npy_bytes, read_npy, read_zip, strict_json, write_zip
from .limits import MOST_VALUES, widest_layer

FORMAT = "intgold-float-network"
VERSION = 1
_CHUNK = 250  # images at a time: the widest im2col of the MNIST network is then about 56 MB
_CHUNK_VALUES = 2**24  # fewer images where they would hold more

# The constants of the SELU paper (Klambauer et al., 2017), in float64.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def relu(x: np.ndarray) -> np.ndarray:
    """Return max(x, 0), in the dtype of `x`."""
    return np.maximum(x, x.dtype.type(0))


def selu(x: np.ndarray) -> np.ndarray:
    """Return SELU, in the dtype of `x` (float32 or float64)."""
    one = x.dtype.type
    negative = one(SELU_SCALE * SELU_ALPHA) * np.expm1(np.minimum(x, one(0)))
    return np.where(x > 0, one(SELU_SCALE) * x, negative)


def gelu(x: np.ndarray) -> np.ndarray:
    """Return GELU in its tanh form, in the dtype of `x` (float32 or float64)."""
    one = x.dtype.type
    inner = one(np.sqrt(2.0 / np.pi)) * (x + one(0.044715) * x * x * x)
    return one(0.5) * x * (one(1) + np.tanh(inner))


Activation = Callable[[np.ndarray], np.ndarray]
_ACTIVATIONS: dict[str, Activation] = {"relu": relu, "selu": selu, "gelu": gelu}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
KINDS = ("conv2d", "fully_connected", *_ACTIVATIONS, "max_pool2d", "global_avg_pool")


def activation(kind: str) -> Activation:
    """Return the function of an activation kind, or raise a ModelError naming the unknown one."""
    if kind not in _ACTIVATIONS:
        raise ModelError(f"activation {kind!r} is none of {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[kind]


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
        (out_c, kernel_h, kernel_w, in_c) for conv2d, (out, in) for fully_connected.
    bias : ndarray, float32 (out,), optional
        Beside weights only.
    stride, padding, kernel : tuple of int
        stride (h, w); padding (top, bottom, left, right); kernel (h, w), for pools only.
    """

    name: str
    kind: str
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    kernel: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        """Refuse what no layer of this kind can be."""
        if not _NAME.fullmatch(self.name):  # it becomes that of a file
            raise ModelError(f"layer {self.name!r}: not a name (letters, digits, _; at most 64)")
        if self.kind not in KINDS:
            raise ModelError(f"layer {self.name}: kind {self.kind!r} is none of {', '.join(KINDS)}")
        rank = {"conv2d": 4, "fully_connected": 2}.get(self.kind)
        if (self.weights is None) != (rank is None) or (self.bias is None) != (rank is None):
            raise ModelError(f"layer {self.name}: {self.kind} with weights or bias out of place")
        if self.weights is not None and self.bias is not None:
            for label, array in (("weights", self.weights), ("bias", self.bias)):
                if array.dtype != np.float32 or not np.isfinite(array).all():
                    raise ModelError(f"layer {self.name}: {label} are not finite float32")
            if self.weights.ndim != rank or self.bias.shape != self.weights.shape[:1]:
                shapes = f"{self.weights.shape} and {self.bias.shape}"
                raise ModelError(f"layer {self.name}: weights and bias of shapes {shapes}")
        numbers = (*self.stride, *self.padding, *self.kernel)
        lengths = len(self.stride), len(self.padding), len(self.kernel)
        if lengths != (2, 4, 2) or not all(type(n) is int and 0 <= n < 2**10 for n in numbers):
            raise ModelError(f"layer {self.name}: stride, padding, kernel {numbers} out of range")
        needs_kernel = self.kind == "max_pool2d"
        if min(self.stride) < 1 or (min(self.kernel) < 1 if needs_kernel else max(self.kernel) > 0):
            raise ModelError(f"layer {self.name}: stride {self.stride}, kernel {self.kernel}")

    @np.errstate(over="ignore", invalid="ignore")  # whoever takes the values checks them
    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return the layer's output, in the dtype of `x`: (n, h, w, c), or (n, c) when flat."""
        if x.ndim != 4 and self.kind in ("conv2d", "max_pool2d", "global_avg_pool"):
            raise InputError(f"layer {self.name}: {self.kind} of shape {x.shape}, wants 4 axes")
        if self.kind == "conv2d":
            return _conv2d(self, x)
        if self.kind == "fully_connected":
            return _fully_connected(self, x)
        if self.kind == "max_pool2d":
            return _windows(self, x, self.kernel, -np.inf).max(axis=(4, 5))
        if self.kind == "global_avg_pool":
            return x.mean(axis=(1, 2), dtype=x.dtype)
        return activation(self.kind)(x)


def _windows(layer: Layer, x: np.ndarray, kernel: tuple[int, int], fill: float) -> np.ndarray:
    """Return the view (n, out_h, out_w, c, kernel_h, kernel_w) of the padded input."""
    top, bottom, left, right = layer.padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    if min(padded.shape[1] - kernel[0], padded.shape[2] - kernel[1]) < 0:
        raise InputError(f"layer {layer.name}: kernel {kernel} on a padded {padded.shape[1:3]}")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    return windows[:, :: layer.stride[0], :: layer.stride[1]]


def _conv2d(layer: Layer, x: np.ndarray) -> np.ndarray:
    assert layer.weights is not None and layer.bias is not None
    out_c, kernel_h, kernel_w, in_c = layer.weights.shape
    if x.shape[3] != in_c:
        raise InputError(f"layer {layer.name}: input {x.shape}, wants {in_c} channels")
    windows = _windows(layer, x, (kernel_h, kernel_w), 0.0)
    columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kernel_h * kernel_w * in_c)
    acc = columns @ layer.weights.reshape(out_c, -1).T.astype(x.dtype) + layer.bias
    return acc.reshape(*windows.shape[:3], out_c)


def _fully_connected(layer: Layer, x: np.ndarray) -> np.ndarray:
    assert layer.weights is not None and layer.bias is not None
    flat = x.reshape(len(x), -1)
    if flat.shape[1] != layer.weights.shape[1]:
        raise InputError(f"layer {layer.name}: input {x.shape}, wants {layer.weights.shape[1]}")
    return flat @ layer.weights.T.astype(x.dtype) + layer.bias


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A chain of float layers on images of `input_shape` (h, w, c); the last gives the logits."""

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    _chunk: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse an empty or ambiguous chain, or one whose shapes do not fit."""
        names = Counter(layer.name for layer in self.layers)
        for name, times in names.items():
            if times > 1 or not name:
                raise ModelError(f"network {self.name}: layer name {name!r} is empty or used twice")
        shape = self.input_shape
        if len(shape) != 3 or not all(type(n) is int and 0 < n <= 2**10 for n in shape):
            raise ModelError(f"network {self.name}: input shape {shape} is not (h, w, c)")
        widest = widest_layer(shape, self.layers)
        if widest > MOST_VALUES:
            raise ModelError(f"network {self.name}: holds {widest} values, at most {MOST_VALUES}")
        object.__setattr__(self, "_chunk", max(1, min(_CHUNK, _CHUNK_VALUES // widest)))
        try:  # whether the shapes fit is what the passage of one image tells
            logits = self.run(np.zeros((1, *shape), np.float32))
        except InputError as error:
            raise ModelError(f"network {self.name}: {error}") from error
        if not self.layers or logits.ndim != 2:
            raise ModelError(f"network {self.name}: gives {logits.shape}, wants (n, classes)")

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        arrays = [a for layer in self.layers for a in (layer.weights, layer.bias)]
        return sum(a.size for a in arrays if a is not None)

    def _chunks(self, images: np.ndarray) -> Iterator[np.ndarray]:
        if images.dtype not in (np.float32, np.float64):
            raise InputError(f"images are {images.dtype}, wants float32 (pixel / 255)")
        if images.shape[1:] != self.input_shape or len(images) == 0:
            raise InputError(f"images of shape {images.shape}, wants (n, *{self.input_shape})")
        # Written so that a NaN, which compares false, is refused too.
        if not (images.min() >= 0 and images.max() <= 1):
            low, high = images.min(), images.max()
            raise InputError(f"images lie in [{low}, {high}], wants [0, 1]")
        return (images[i : i + self._chunk] for i in range(0, len(images), self._chunk))

    def run(self, images: np.ndarray) -> np.ndarray:
        """Return the logits.

        Parameters
        ----------
        images : ndarray, float32 (n, h, w, c)
            Pixels divided by 255, in [0, 1]. Given as float64, everything is evaluated so.

        Returns
        -------
        ndarray, float32 (n, classes)
        """
        outputs = []
        for x in self._chunks(images):
            for layer in self.layers:
                x = layer.apply(x)
            outputs.append(x)
        return np.concatenate(outputs)

    def trace(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return every layer's output by its name; `images` as for `run`."""
        parts: dict[str, list[np.ndarray]] = {layer.name: [] for layer in self.layers}
        for x in self._chunks(images):
            for layer in self.layers:
                x = layer.apply(x)
                parts[layer.name].append(x)
        return {name: np.concatenate(part) for name, part in parts.items()}

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the classes, int64 (n,); ties go to the lowest index."""
        return self.run(images).argmax(axis=1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network: a stored zip, the same bytes for the same network."""
        layers = [{key: getattr(layer, key) for key in _LAYER_TYPES} for layer in self.layers]
        arrays = {f"{x.name}.{key}.npy": getattr(x, key) for x in self.layers for key in _ARRAYS}
        members = {name: npy_bytes(array) for name, array in arrays.items() if array is not None}
        header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "name": self.name}
        header |= {"input_shape": self.input_shape, "layers": layers}
        write_zip(path, {"network.json": canonical_json(header), **members})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FloatNetwork:
        """Read a network that `save` wrote.

        Raises
        ------
        ArtefactError
            When the file is missing, damaged, foreign, of another version, or holds a member or
            a field too few or too many.
        """
        try:
            return _parse(os.fspath(path), read_zip(path))
        except IntgoldError as error:  # of the zip, of a layer or of the chain
            prefix = "" if str(error).startswith(os.fspath(path)) else f"{path}: "
            raise ArtefactError(f"{prefix}{error}") from error
        except MemoryError as error:
            raise ArtefactError(f"{path}: not enough memory to read it: {error}") from error


_ARRAYS = ("weights", "bias")
_Types = dict[str, type]
_NETWORK_TYPES: _Types = {
    "format": str,
    "version": int,
    "name": str,
    "input_shape": list,
    "layers": list,
}
_LAYER_TYPES: _Types = {"name": str, "kind": str, "stride": list, "padding": list, "kernel": list}


def _parse(path: str, members: dict[str, bytes]) -> FloatNetwork:
    """Return the network in the members of its zip; nothing may be missing or left over."""
    try:
        header = strict_json(members.pop("network.json", b"null"))
    except ValueError as error:
        raise ArtefactError(f"{path}: network.json is not JSON: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ArtefactError(f"{path}: not a float network (no {FORMAT} header)")
    if header.get("version") != VERSION:
        raise ArtefactError(f"{path}: version {header.get('version')!r}, this reads {VERSION}")
    _check_fields(path, header, _NETWORK_TYPES)
    layers = []
    for entry in header["layers"]:
        _check_fields(path, entry, _LAYER_TYPES)
        fields: dict[str, Any] = {k: tuple(v) if type(v) is list else v for k, v in entry.items()}
        for label in _ARRAYS:
            member = f"{entry['name']}.{label}.npy"
            if member in members:
                fields[label] = read_npy(member, members.pop(member))
        layers.append(Layer(**fields))
    if members:
        raise ArtefactError(f"{path}: member {min(members)} belongs to no layer")
    return FloatNetwork(header["name"], tuple(header["input_shape"]), tuple(layers))


def _check_fields(path: str, entry: object, types: _Types) -> None:
    if not isinstance(entry, dict):
        raise ArtefactError(f"{path}: network.json holds {entry!r} where an object belongs")
    for key in sorted(entry.keys() ^ types.keys()):
        fault = "is missing" if key in types else "is unknown"
        raise ArtefactError(f"{path}: field {key!r} {fault}")
    for key, kind in types.items():
        if type(entry[key]) is not kind:
            raise ArtefactError(f"{path}: field {key!r} is {entry[key]!r}, not a {kind.__name__}")
