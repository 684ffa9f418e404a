"""What every engine is given: the network layer by layer, images, and the float answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
SHAPE = (28, 28, 1)
CLASSES = 10


class Runner(Protocol):
    """A network made ready for a batch size."""

    def feed(self, images: np.ndarray) -> None:
        """Take a batch of images, float32 (batch, 28, 28, 1): what no timing includes."""

    def run(self) -> None:
        """Compute the batch that was fed: what is timed."""

    def answers(self) -> np.ndarray:
        """Return the logits of the last run, (batch, 10), in any scale."""


@dataclass(frozen=True)
class Layer:
    """A float layer; convolutions are 3x3, stride 1, padding 1, the pool is 2x2, stride 2.

    Attributes
    ----------
    name, kind : str
        conv2d, fully_connected, relu, selu, gelu_tanh, max_pool2d or global_avg_pool.
    weights, bias : ndarray, float32, optional
        OHWI, or (out, in).
    """

    name: str
    kind: str
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None

    def oihw(self) -> np.ndarray:
        """Return the weights of a convolution in the other order."""
        assert self.weights is not None
        return np.ascontiguousarray(self.weights.transpose(0, 3, 1, 2))


@dataclass(frozen=True)
class Network:
    """A chain of layers on images of `SHAPE`."""

    name: str
    layers: tuple[Layer, ...]

    def pool_first(self) -> Network:
        """Return the network with the pool before the activation that it follows.

        ReLU and SELU never fall, so the outputs are the same, for a quarter of the activations.
        """
        order = list(self.layers)
        at = [layer.kind for layer in order].index("max_pool2d")
        assert order[at - 1].kind in ("relu", "selu")
        order[at - 1 : at + 1] = order[at], order[at - 1]
        return Network(self.name, tuple(order))


@dataclass(frozen=True)
class Data:
    """Everything of a file that `save` wrote.

    Attributes
    ----------
    networks : dict of str to Network
    calibration, images : ndarray, float32 (n, 28, 28, 1) in [0, 1]
    logits : dict of str to ndarray
        What the float networks make of the images.
    """

    networks: dict[str, Network]
    calibration: np.ndarray
    images: np.ndarray
    logits: dict[str, np.ndarray]

    def save(self, path: Path) -> None:
        """Write the file."""
        arrays = {"calibration": self.calibration, "images": self.images}
        for name, network in self.networks.items():
            arrays[f"logits/{name}"] = self.logits[name]
            kinds = [f"{layer.name} {layer.kind}" for layer in network.layers]
            arrays[f"layers/{name}"] = np.array(kinds)
            for layer in network.layers:
                if layer.weights is not None and layer.bias is not None:
                    arrays[f"{name}/{layer.name}/weights"] = layer.weights
                    arrays[f"{name}/{layer.name}/bias"] = layer.bias
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Data:
        """Read the file."""
        with np.load(path) as file:
            arrays = dict(file)
        names = [n.partition("/")[2] for n in arrays if n.startswith("layers/")]
        networks = {}
        for name in names:
            layers = []
            for line in arrays[f"layers/{name}"].tolist():
                layer, kind = line.split()
                where = f"{name}/{layer}"
                weights, bias = arrays.get(f"{where}/weights"), arrays.get(f"{where}/bias")
                layers.append(Layer(layer, kind, weights, bias))
            networks[name] = Network(name, tuple(layers))
        logits = {name: arrays[f"logits/{name}"] for name in names}
        return cls(networks, arrays["calibration"], arrays["images"], logits)
