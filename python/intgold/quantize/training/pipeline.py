"""From data to integer models in one call: train, fold, calibrate, quantise, measure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...host.affine import pixel_values
from ...images.mnist import load_mnist
from ...support.files_beside_others import FilesInto
from ...support.quoting import short_repr
from ..calibrate import calibrate
from ..choices import Choices
from ..inference import FloatNetwork
from ..quantizer import quantize_network
from ..shipped import RECIPES, calibration_images
from .settings import TrainingSettings


@dataclass(frozen=True)
class Trained:
    """What was written, and how good it is.

    Parameters
    ----------
    paths : tuple of Path
        Float network, ranges, integer models.
    validation_accuracy : float
        Of the float network on the images held out, in [0, 1].
    test_accuracy : mapping of str to float
        Of ``float`` and each integer model on the test images.
    differing : mapping of str to int
        Test images on which an integer model answers other than the float network.
    """

    __repr__ = short_repr

    paths: tuple[Path, ...]
    validation_accuracy: float
    test_accuracy: Mapping[str, float]
    differing: Mapping[str, int]


def train_and_quantize(
    folder: str | os.PathLike[str],
    settings: TrainingSettings | None = None,
    *,
    progress: bool = True,
) -> Trained:
    """Train the MNIST network and write it, its ranges and its integer models into `folder`.

    MNIST and torch are needed.

    Raises
    ------
    IntgoldError
        When `folder` has a file of one of these names that a training did not leave there.
    """
    from .train import train

    names = [name for name, (prefix, _) in RECIPES.items() if not prefix]
    network, found = "mnist_float.npz", "mnist_ranges.json"
    # Before the hours of training, not after them.
    files = FilesInto(folder, "training", [network, found, *(f"mnist_{n}.npz" for n in names)])
    result = train(settings, progress=progress)
    paths = [files.add(network, result.network.save)]
    ranges = calibrate(result.network, calibration_images(), progress=progress)
    paths.append(files.add(found, ranges.save))
    answers = {"float": _float_answers(result.network, progress=progress)}
    images, labels = load_mnist("test")
    for name in names:
        choices = Choices(activation=RECIPES[name][1])
        model = quantize_network(result.network, ranges, choices, f"mnist_{name}")
        paths.append(files.add(f"mnist_{name}.npz", model.save))
        answers[name] = model.predict(images)
    return Trained(
        tuple(paths),
        result.validation_accuracy,
        {name: float((given == labels).mean()) for name, given in answers.items()},
        {name: int((answers[name] != answers["float"]).sum()) for name in names},
    )


def _float_answers(network: FloatNetwork, *, progress: bool) -> np.ndarray:
    images, _ = load_mnist("test")
    return network.predict(pixel_values(images), progress=progress)
