"""Accuracy of the shipped models on the MNIST test images, and the bytes of their parameters.

    python benchmarks/accuracy.py

*differ* counts the answers that are not those of the float network; *bytes* is what an engine
needs: float32 weights and biases; or int8 weights, int32 biases, multipliers (31 bits and a shift,
five bytes) and tables.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import intgold
from intgold.describe.footprint import footprint
from intgold.host.affine import pixel_values
from intgold.images.mnist import load_mnist
from intgold.quantize.inference import FloatNetwork

MODELS = Path(intgold.__file__).parent / "models"
NETWORKS = {"mnist_float": ("lut", "pwl"), "mnist_relu_float": ("relu",)}


def main() -> None:
    """Print the table."""
    images, labels = load_mnist("test")
    reals = pixel_values(images)
    print(f"{'model':18}{'accuracy':>9}{'differ':>8}{'bytes':>8}{'smaller':>9}")
    for name, shipped in NETWORKS.items():
        network = FloatNetwork.load(MODELS / f"{name}.npz")
        answers = network.predict(reals)
        size = 4 * network.parameters
        print(f"{name:18}{np.mean(answers == labels):9.2%}{'':8}{size:8}{'':9}")
        for short in shipped:
            model = intgold.load(short)
            own, used = model.predict(images), footprint(model).total
            differ = int((own != answers).sum())
            print(
                f"{model.name:18}{np.mean(own == labels):9.2%}{differ:8}{used:8}{size / used:8.2f}x"
            )


if __name__ == "__main__":
    main()
