"""From data to integer models in one call: train, fold, calibrate, quantise, measure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import IntgoldError
from ...images.mnist import load_mnist
from ..affine import pixel_values
from ..calibrate import calibrate
from ..choices import Choices
from ..inference import FloatNetwork
from ..quantizer import quantize_network
from ..shipped import RECIPES, calibration_images


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

    paths: tuple[Path, ...]
    validation_accuracy: float
    test_accuracy: Mapping[str, float]
    differing: Mapping[str, int]


def train_and_quantize(
    folder: str | os.PathLike[str],
    epochs: int = 80,
    seed: int = 0,
    strength: float = 0.75,
    quick: bool = False,
    threads: int | None = None,
    progress: bool = True,
) -> Trained:
    """Train the MNIST network and write it, its ranges and its integer models into `folder`.

    The settings are those of `intgold.floating.training.train.train`; MNIST and torch are needed.
    """
    from .train import train

    # Before the hours of training, not after them.
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IntgoldError(f"{folder}: cannot be made: {error.strerror}") from error
    result = train(epochs, seed, strength, quick, threads=threads, progress=progress)
    paths = [Path(folder) / "mnist_float.npz", Path(folder) / "mnist_ranges.json"]
    result.network.save(paths[0])
    ranges = calibrate(result.network, calibration_images())
    ranges.save(paths[1])
    answers = {"float": _float_answers(result.network)}
    images, labels = load_mnist("test")
    names = [name for name, (prefix, _) in RECIPES.items() if not prefix]
    for name in names:
        choices = Choices(activation=RECIPES[name][1])
        model = quantize_network(result.network, ranges, choices, f"mnist_{name}")
        paths.append(Path(folder) / f"mnist_{name}.npz")
        model.save(paths[-1])
        answers[name] = model.predict(images)
    return Trained(
        tuple(paths),
        result.validation_accuracy,
        {name: float((given == labels).mean()) for name, given in answers.items()},
        {name: int((answers[name] != answers["float"]).sum()) for name in names},
    )


def _float_answers(network: FloatNetwork) -> np.ndarray:
    images, _ = load_mnist("test")
    return network.predict(pixel_values(images))
