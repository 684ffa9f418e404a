"""NumPy in float32, as intgold's float network computes it, laid out anew per layer."""

from __future__ import annotations

import numpy as np

from intgold.quantize.shipped import load_network

from .network import Network

ORDERS_ITSELF = True
NETWORKS = {"lut": "mnist", "relu": "mnist_relu"}


class Runner:
    """A float network and a batch of images."""

    def __init__(self, name: str) -> None:
        self._network = load_network(NETWORKS[name])

    def feed(self, images: np.ndarray) -> None:
        """Take the images."""
        self._x = images

    def run(self) -> None:
        """Compute the batch."""
        self._y = self._network.run(self._x)

    def answers(self) -> np.ndarray:
        """Return the logits."""
        return self._y


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> Runner:
    """Return a runner."""
    return Runner(network.name)
