"""The shipped models, made from the shipped float weights and ranges.

python -m intgold.quantize.shipped               quantise anew: the same bytes
python -m intgold.quantize.shipped --calibrate   first calibrate anew (needs MNIST)
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from .. import SHIPPED
from ..errors import ArtefactError
from ..host.affine import pixel_values
from ..images.mnist import load_mnist, split_validation
from ..model.graph import Model
from .calibrate import Ranges, calibrate
from .choices import Choices
from .inference import FloatNetwork
from .quantizer import quantize_network

MODELS = Path(__file__).parents[1] / "models"
CALIBRATION_IMAGES = 2_000

RECIPES = {"lut": ("", "lut"), "pwl": ("", "pwl:8"), "relu": ("relu_", "lut")}
"""Name of each shipped model -> prefix of its float network and ranges, activation."""


NETWORKS = {"mnist": "", "mnist_relu": "relu_"}
"""Name of each shipped float network -> prefix of its files."""


def load_network(path: str | os.PathLike[str]) -> FloatNetwork:
    """Load a float network: a shipped one by name (``mnist``, ``mnist_relu``) or a file.

    Raises
    ------
    ArtefactError
        Naming the file and what is wrong with it.
    """
    if path in NETWORKS:
        return FloatNetwork.load(MODELS / f"mnist_{NETWORKS[str(path)]}float.npz")
    if not Path(path).exists() and not Path(path).suffix:
        hint = ": that is an integer model already" * (path in SHIPPED)
        raise ArtefactError(
            f"{path}: neither a file nor one of the networks {', '.join(NETWORKS)}{hint}"
        )
    return FloatNetwork.load(path)


def load_ranges(name: str) -> Ranges:
    """Load the calibration ranges of a shipped network by its name."""
    return Ranges.load(MODELS / f"mnist_{NETWORKS[name]}ranges.json")


def build(source: str | os.PathLike[str] = MODELS) -> dict[str, Model]:
    """Return the integer models by name, quantised from the networks and ranges in a folder."""
    models = {}
    for name, (prefix, activation) in RECIPES.items():
        network = FloatNetwork.load(Path(source) / f"mnist_{prefix}float.npz")
        ranges = Ranges.load(Path(source) / f"mnist_{prefix}ranges.json")
        choices = Choices(activation=activation)
        models[name] = quantize_network(network, ranges, choices, f"mnist_{name}")
    return models


def calibration_bytes(directory: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Return training images that are not held out, uint8 (2000, 28, 28, 1)."""
    images, _ = load_mnist("train", directory)
    chosen, _ = split_validation(len(images))
    return np.asarray(images[chosen[:: len(chosen) // CALIBRATION_IMAGES][:CALIBRATION_IMAGES]])


def calibration_images(directory: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Return the same as float32 in [0, 1]."""
    return pixel_values(calibration_bytes(directory))


def write(folder: str | os.PathLike[str] = MODELS, *, recalibrate: bool = False) -> list[Path]:
    """Write ``mnist_<name>.npz`` of every recipe beside the float networks; return the paths."""
    if recalibrate:
        images = calibration_images()
        for prefix in sorted({prefix for prefix, _ in RECIPES.values()}):
            network = FloatNetwork.load(Path(folder) / f"mnist_{prefix}float.npz")
            calibrate(network, images).save(Path(folder) / f"mnist_{prefix}ranges.json")
    paths = []
    for name, model in build(folder).items():
        paths.append(Path(folder) / f"mnist_{name}.npz")
        model.save(paths[-1])
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the shipped models anew.")
    parser.add_argument("--calibrate", action="store_true", help="find the ranges anew (MNIST)")
    for path in write(recalibrate=parser.parse_args().calibrate):
        print(path)
