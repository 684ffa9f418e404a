"""The shipped float networks and their ranges, and how the shipped models are made of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from .. import SHIPPED
from ..errors import ArtefactError
from ..host.affine import pixel_values
from ..images.mnist import load_mnist, split_validation
from .calibrate import Ranges
from .inference import FloatNetwork

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


def calibration_bytes(directory: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Return training images that are not held out, uint8 (2000, 28, 28, 1)."""
    images, _ = load_mnist("train", directory)
    chosen, _ = split_validation(len(images))
    return np.asarray(images[chosen[:: len(chosen) // CALIBRATION_IMAGES][:CALIBRATION_IMAGES]])


def calibration_images(directory: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Return the same as float32 in [0, 1]."""
    return pixel_values(calibration_bytes(directory))
