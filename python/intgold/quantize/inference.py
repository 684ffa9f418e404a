"""The float network in NumPy, after folding: what is calibrated, quantised and compared with."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, ModelError
from ..host.affine import pixel_values
from ..host.axis_order import OUTPUT_ORDERS, arranged
from ..support.arguments import check_fields, checked
from ..support.deprecation import once_by_position
from ..support.progress import Progress
from ..support.quoting import short_repr, shown
from .inputs import IMAGE, Input
from .layers import Layer
from .limits import MAX_VALUES, output_shape, widest_layer

Batch = np.ndarray | Mapping[str, np.ndarray]
"""What a network is given: an array for its only input, or an array by name for each."""

_CHUNK = 250  # images at a time
_CHUNK_VALUES = 2**24  # of the widest patch matrix or output of a chunk: 64 MB


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A graph of float layers; the last layer's output is its own.

    Parameters
    ----------
    name : str
    input_shape : tuple of int
        Of the only input, which layers call ``image``: height, width, channels.
    layers : sequence of Layer
        In execution order.  Every one but the last is read by a later one.
    pixels : bool
        True: the input is camera bytes over 255, and images must lie in [0, 1].
        False: any reals; their range is calibrated.
    inputs : sequence of Input
        In place of `input_shape` and `pixels`: vectors, sequences, several inputs (`of`).
    left_to_host : str
        What follows the network and is no part of it, such as a softmax; for people.
    output_order : str
        Axes in which the training framework gives the output, one of `OUTPUT_ORDERS`; empty where
        that is not known.

    Raises
    ------
    ModelError
        Naming the layer that does not fit.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    pixels: bool = True
    inputs: tuple[Input, ...] = ()
    left_to_host: str = ""
    output_order: str = ""

    __repr__ = short_repr

    def __post_init__(self) -> None:
        """Refuse an empty or ambiguous graph, or one whose shapes do not fit."""
        check_fields(self, f"network {shown(self.name)}")
        if self.output_order and self.output_order not in OUTPUT_ORDERS:
            raise ModelError(f"network {self.name}: output order {shown(self.output_order)}")
        if not self.inputs and len(self.input_shape) != 3:
            raise ModelError(
                f"network {self.name}: input shape {self.input_shape} is not (h, w, c)"
            )
        try:
            inputs = self.inputs or (Input(IMAGE, self.input_shape, self.pixels),)
        except ModelError as error:
            raise ModelError(f"network {self.name}: {error}") from None
        object.__setattr__(self, "inputs", tuple(inputs))
        if not self.layers:
            raise ModelError(f"network {self.name}: no layers")
        object.__setattr__(self, "layers", self._wired())
        shapes = {x.name: x.shape for x in self.inputs}
        widest = widest_layer(shapes, self.layers)
        if widest > MAX_VALUES:
            raise ModelError(f"network {self.name}: holds {widest} values, at most {MAX_VALUES}")
        object.__setattr__(self, "_chunk", min(max(_CHUNK_VALUES // widest, 1), _CHUNK))
        try:  # whether the shapes fit is what the passage of one image tells
            zeros = {name: np.zeros((1, *shape), np.float32) for name, shape in shapes.items()}
            for _ in self._outputs(zeros):
                pass
        except InputError as error:
            raise ModelError(f"network {self.name}: {error}") from error

    @classmethod
    def of(
        cls,
        name: str,
        inputs: Sequence[Input],
        layers: Sequence[Layer],
        left_to_host: str = "",
        output_order: str = "",
    ) -> FloatNetwork:
        """Return a network of any inputs; see the class."""
        if not inputs:
            raise ModelError(f"network {name}: no inputs")
        pixels = all(x.pixels for x in inputs)
        shape = inputs[0].shape
        return cls(name, shape, tuple(layers), pixels, tuple(inputs), left_to_host, output_order)

    def _wired(self) -> tuple[Layer, ...]:
        """Return the layers with their inputs named, or raise ModelError."""
        before, known, wired = self.inputs[0].name, {x.name for x in self.inputs}, []
        if len(known) < len(self.inputs):
            raise ModelError(f"network {self.name}: two inputs of one name")
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

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of what the last layer gives of one example."""
        shapes = {x.name: x.shape for x in self.inputs}
        for layer in self.layers:
            shapes[layer.name] = output_shape(layer, [shapes[name] for name in layer.inputs])
        return shapes[self.layers[-1].name]

    def readers(self) -> dict[str, list[Layer]]:
        """Return, for each name, the layers that read it."""
        names = [*(x.name for x in self.inputs), *(x.name for x in self.layers)]
        found: dict[str, list[Layer]] = {name: [] for name in names}
        for layer in self.layers:
            for name in dict.fromkeys(layer.inputs):
                found[name].append(layer)
        return found

    def _outputs(self, batch: Mapping[str, np.ndarray]) -> Iterator[tuple[Layer, np.ndarray]]:
        """Yield each layer with its output; what nothing reads any more is let go."""
        last = {name: layer.name for layer in self.layers for name in layer.inputs}
        live = dict(batch)
        for layer in self.layers:
            live[layer.name] = layer.apply(*(live[name] for name in layer.inputs))
            for name in set(layer.inputs):
                if last[name] == layer.name:
                    del live[name]
            yield layer, live[layer.name]

    def batch(self, given: Batch) -> dict[str, np.ndarray]:
        """Return reals for each input by name, as the layers take them.

        Parameters
        ----------
        given : ndarray or mapping of str to ndarray
            For the only input, or for each by name: ``(n, *shape)``, or the axes of `Input.order`;
            uint8 stands for camera bytes where the input takes them.

        Raises
        ------
        InputError
            When an input is missing or unknown, or the counts differ.
        """
        named, made = self.by_name(given), {}
        for x in self.inputs:
            array = named[x.name]
            if isinstance(array, np.ndarray):
                array = arranged(array, x.shape, x.order)
                if array.dtype == np.uint8 and x.pixels:
                    array = pixel_values(array)
            made[x.name] = array
        return made

    def by_name(self, given: Batch) -> dict[str, np.ndarray]:
        """Return what is given for each input by name, unchanged; see `batch`."""
        if not isinstance(given, Mapping):
            if len(self.inputs) != 1:
                raise InputError(
                    f"network {self.name}: one array for its {len(self.inputs)} inputs; "
                    f"give a dict of {', '.join(x.name for x in self.inputs)}"
                )
            given = {self.inputs[0].name: given}
        unmatched = given.keys() ^ {x.name for x in self.inputs}
        if unmatched:
            fault = "unknown" if min(unmatched) in given else "missing"
            raise InputError(f"network {self.name}: input {min(unmatched)!r} is {fault}")
        for name, array in given.items():
            if not np.ndim(array):
                raise InputError(f"network {self.name}: input {name!r}: {shown(array)} is no batch")
        return dict(given)

    def chunks(self, given: Batch) -> Iterator[dict[str, np.ndarray]]:
        """Return the inputs in pieces that memory can hold the passage of.

        Raises
        ------
        InputError
            When they are not float, of another shape, out of [0, 1] where the network takes
            pixels, or not finite; when the inputs are not as many of each.
        """
        batch = self.batch(given)
        for x in self.inputs:
            x.check(batch[x.name])
        count, *others = (len(array) for array in batch.values())
        if any(other != count for other in others):
            counts = ", ".join(f"{len(array)} of {name}" for name, array in batch.items())
            raise InputError(f"network {self.name}: {counts}; they go together one by one")
        step = self._chunk
        return (
            {name: array[i : i + step] for name, array in batch.items()}
            for i in range(0, count, step)
        )

    @once_by_position(2, "progress")
    @checked
    def run(self, images: Batch, *, progress: bool = False) -> np.ndarray:
        """Return the output of the last layer.

        Parameters
        ----------
        images : ndarray or mapping of str to ndarray, float32
            See `batch`.  For a network of pixels in [0, 1].  Given as float64, everything is
            evaluated so.
        progress : bool
            Show a bar.

        Returns
        -------
        ndarray, float32 (n, classes), or (n, h, w, c) of a network that ends in an image
        """
        last = self.layers[-1].name
        parts = []
        count = max((len(x) for x in self.by_name(images).values()), default=0)
        with Progress[int](total=count, unit="image", label="float answers", show=progress) as bar:
            for name, x in self.passages(images):
                if name == last:
                    parts.append(x)
                    bar.update(len(x))
        made = np.concatenate(parts)
        return made.reshape(len(made), -1) if made.shape[1:-1] in ((), (1, 1)) else made

    @checked
    def passages(self, images: Batch) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (layer name, output) of every layer, chunk by chunk; see `run` for `images`."""
        for part in self.chunks(images):
            for layer, x in self._outputs(part):
                yield layer.name, x

    @checked
    def trace(self, images: Batch) -> dict[str, np.ndarray]:
        """Return every layer's output by its name; `images` as for `run`."""
        parts: dict[str, list[np.ndarray]] = {layer.name: [] for layer in self.layers}
        for name, x in self.passages(images):
            parts[name].append(x)
        return {name: np.concatenate(part) for name, part in parts.items()}

    @once_by_position(2, "progress")
    @checked
    def predict(self, images: Batch, *, progress: bool = False) -> np.ndarray:
        """Return the classes, int64 (n,); ties go to the lowest index.  `run` has the rest.

        Raises
        ------
        InputError
            When the network ends in an image, with more than one answer, or in one number, which
            is no class.
        """
        self.check_predictable()
        classes: np.ndarray = self.run(images, progress=progress).argmax(axis=1)
        return classes

    def check_predictable(self) -> None:
        """Raise InputError where the output is no class, before anything is run; see `predict`."""
        *cells, values = self.output_shape
        if any(n > 1 for n in cells):
            found = f"gives {self.output_shape}, more than one answer each"
            raise InputError(f"network {self.name}: {found}")
        if values == 1:
            raise InputError(f"network {self.name}: gives one number each, which is no class")

    @checked
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network: a stored zip, the same bytes for the same network.

        Raises
        ------
        IntgoldError
            When the file cannot be written, or one that is there and not empty is no float network
            of intgold's.
        """
        from . import network_file

        network_file.save_network_file(self, path)

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

        return network_file.load_network_file(path)
