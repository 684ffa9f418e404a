"""The float network in NumPy, after folding: what is calibrated, quantised and compared with."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arguments import check_fields, checked
from ..errors import InputError, ModelError
from ..quoting import short_repr, shown
from .layers import Layer
from .limits import MOST_VALUES, widest_layer

IMAGE = "image"
"""What layers call the input of the network."""

_CHUNK = 250  # images at a time
_CHUNK_VALUES = 2**24  # of the widest patch matrix or output of a chunk: 64 MB


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A graph of float layers on images of `input_shape`; the last layer's output is its own.

    Parameters
    ----------
    name : str
    input_shape : (int, int, int)
        Height, width, channels.
    layers : sequence of Layer
        In execution order.  Every one but the last is read by a later one.
    pixels : bool
        True: the input is camera bytes over 255, and images must lie in [0, 1].
        False: any reals; their range is calibrated.

    Raises
    ------
    ModelError
        Naming the layer that does not fit.
    """

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    pixels: bool = True

    __repr__ = short_repr

    def __post_init__(self) -> None:
        """Refuse an empty or ambiguous graph, or one whose shapes do not fit."""
        check_fields(self, f"network {shown(self.name)}")
        shape = self.input_shape
        if len(shape) != 3 or not all(type(n) is int and 0 < n <= 2**10 for n in shape):
            raise ModelError(f"network {self.name}: input shape {shape} is not (h, w, c)")
        if not self.layers:
            raise ModelError(f"network {self.name}: no layers")
        object.__setattr__(self, "layers", self._wired())
        widest = widest_layer(IMAGE, shape, self.layers)
        if widest > MOST_VALUES:
            raise ModelError(f"network {self.name}: holds {widest} values, at most {MOST_VALUES}")
        object.__setattr__(self, "_chunk", min(max(_CHUNK_VALUES // widest, 1), _CHUNK))
        try:  # whether the shapes fit is what the passage of one image tells
            for _ in self._outputs(np.zeros((1, *shape), np.float32)):
                pass
        except InputError as error:
            raise ModelError(f"network {self.name}: {error}") from error

    def _wired(self) -> tuple[Layer, ...]:
        """Return the layers with their inputs named, or raise ModelError."""
        before, known, wired = IMAGE, {IMAGE}, []
        for layer in self.layers:
            inputs = layer.inputs or (before,)
            for name in inputs:
                if name not in known:
                    raise ModelError(f"layer {layer.name}: reads {name!r}, which is not before it")
            if layer.name in known or not layer.name:
                raise ModelError(
                    f"network {self.name}: layer name {layer.name!r} is empty or used twice"
                )
            wired.append(dataclasses.replace(layer, inputs=inputs))
            before = layer.name
            known.add(before)
        unread = known - {before} - {name for layer in wired for name in layer.inputs}
        for name in sorted(unread):
            raise ModelError(f"network {self.name}: nothing reads {name!r}")
        return tuple(wired)

    _chunk: int = dataclasses.field(init=False, repr=False)

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        arrays = [a for layer in self.layers for a in (layer.weights, layer.bias)]
        return sum(a.size for a in arrays if a is not None)

    def readers(self) -> dict[str, list[Layer]]:
        """Return, for each name, the layers that read it."""
        found: dict[str, list[Layer]] = {n: [] for n in (IMAGE, *(x.name for x in self.layers))}
        for layer in self.layers:
            for name in dict.fromkeys(layer.inputs):
                found[name].append(layer)
        return found

    def _outputs(self, x: np.ndarray) -> Iterator[tuple[Layer, np.ndarray]]:
        """Yield each layer with its output; what nothing reads any more is let go."""
        last = {name: layer.name for layer in self.layers for name in layer.inputs}
        live = {IMAGE: x}
        for layer in self.layers:
            live[layer.name] = layer.apply(*(live[name] for name in layer.inputs))
            for name in set(layer.inputs):
                if last[name] == layer.name:
                    del live[name]
            yield layer, live[layer.name]

    def chunks(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """Return the images in pieces that memory can hold the passage of.

        Raises
        ------
        InputError
            When they are not float, of another shape, out of [0, 1] where the network takes
            pixels, or not finite.
        """
        if not isinstance(images, np.ndarray) or images.dtype not in (np.float32, np.float64):
            found = getattr(images, "dtype", type(images).__name__)
            raise InputError(f"images are {found}, wants float32 (pixel / 255)")
        if images.shape[1:] != self.input_shape or len(images) == 0:
            raise InputError(f"images of shape {images.shape}, wants (n, *{self.input_shape})")
        low, high = (0.0, 1.0) if self.pixels else (-np.finfo("f4").max, np.finfo("f4").max)
        # Written so that a NaN, which compares false, is refused too.
        if not (images.min() >= low and images.max() <= high):
            found = f"[{images.min()}, {images.max()}]"
            raise InputError(f"images lie in {found}, wants [{low:g}, {high:g}]")
        return (images[i : i + self._chunk] for i in range(0, len(images), self._chunk))

    @checked
    def run(self, images: np.ndarray) -> np.ndarray:
        """Return the output of the last layer.

        Parameters
        ----------
        images : ndarray, float32 (n, h, w, c)
            For a network of pixels in [0, 1]. Given as float64, everything is evaluated so.

        Returns
        -------
        ndarray, float32 (n, classes), or (n, h, w, c) of a network that ends in an image
        """
        last = self.layers[-1].name
        made = np.concatenate([x for name, x in self.passages(images) if name == last])
        return made.reshape(len(made), -1) if made.shape[1:-1] in ((), (1, 1)) else made

    @checked
    def passages(self, images: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (layer name, output) of every layer, chunk by chunk; see `run` for `images`."""
        for part in self.chunks(images):
            for layer, x in self._outputs(part):
                yield layer.name, x

    @checked
    def trace(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return every layer's output by its name; `images` as for `run`."""
        parts: dict[str, list[np.ndarray]] = {layer.name: [] for layer in self.layers}
        for name, x in self.passages(images):
            parts[name].append(x)
        return {name: np.concatenate(part) for name, part in parts.items()}

    @checked
    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the classes, int64 (n,); ties go to the lowest index.

        Raises
        ------
        InputError
            When the network ends in an image, with more than one answer.
        """
        made = self.run(images)
        if made.ndim != 2:
            raise InputError(f"network {self.name}: gives {made.shape}, more than one answer each")
        return made.argmax(axis=1)

    @checked
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network: a stored zip, the same bytes for the same network."""
        from . import network_file

        network_file.save(self, path)

    @classmethod
    @checked
    def load(cls, path: str | os.PathLike[str]) -> FloatNetwork:
        """Read a network that `save` wrote.

        Raises
        ------
        ArtefactError
            When the file is missing, damaged, foreign, of another version, or holds a member or
            a field too few or too many.
        """
        from . import network_file

        return network_file.load(path)
