"""Training of the MNIST network: SOAP, augmentation, averaged weights, then folding."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from pytorch_optimizer import SOAP
from torch import Tensor
from torch.nn import functional

from ...host.affine import pixel_values
from ...images.mnist import load_mnist, split_validation
from ...support.progress import Progress
from ..inference import FloatNetwork
from .augment import augment
from .network import MnistNetwork, fold
from .settings import TrainingSettings

BATCH = 64
BETAS = (0.95, 0.95)
LEARNING_RATE = 0.06
WEIGHT_DECAY = 1e-3
WARM_UP = 0.10  # of all steps
CLEAN = 0.15  # of all epochs, the last ones, see no augmentation: 12 of 80
AVERAGE_DECAY = 0.998
_QUICK_IMAGES = 6_000
_QUICK_EPOCHS = 4


@dataclass(frozen=True)
class TrainingResult:
    """What a training gives, and what it was given.

    Attributes
    ----------
    network : FloatNetwork
        Folded, ready to be calibrated.
    validation_accuracy : float
        Of `network` on the images held out, in [0, 1]. Networks are chosen only by it.
    training_loss : float
        Mean cross entropy over the last epoch.
    seconds : float
    epochs, seed, strength, activations
        The settings used.
    """

    network: FloatNetwork
    validation_accuracy: float
    training_loss: float
    seconds: float
    epochs: int
    seed: int
    strength: float
    activations: str


def accuracy(network: FloatNetwork, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of right classes, in [0, 1], for uint8 images (n, 28, 28, 1)."""
    hits = network.predict(pixel_values(images)) == labels
    return float(hits.mean())


def train(
    settings: TrainingSettings | None = None,
    *,
    directory: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> TrainingResult:
    """Train the MNIST network.

    Parameters
    ----------
    settings : TrainingSettings, optional
    directory : path, optional
        Of the MNIST files, see `load_mnist`.
    progress : bool
        Show a bar.

    Returns
    -------
    TrainingResult

    Raises
    ------
    DataError
        When MNIST is not there.
    """
    chosen = settings or TrainingSettings()
    start, epochs = time.monotonic(), chosen.epochs
    images, labels = load_mnist("train", directory)
    used, held_out = split_validation(len(images))
    if chosen.quick:
        used, epochs = used[:_QUICK_IMAGES], min(epochs, _QUICK_EPOCHS)
    with _torch_threads(chosen.threads):
        inputs = torch.from_numpy(images[used].transpose(0, 3, 1, 2).copy())
        targets = torch.from_numpy(labels[used].astype(np.int64))
        generator = torch.Generator().manual_seed(chosen.seed)
        module = MnistNetwork(chosen.activations, generator)
        loop = _Loop(module, inputs, targets, generator)
        loss = loop.run(epochs, chosen.strength, progress=progress)
        _renew_statistics(loop.averaged, inputs)
        network = fold(loop.averaged)
    return TrainingResult(
        network=network,
        validation_accuracy=accuracy(network, images[held_out], labels[held_out]),
        training_loss=loss,
        seconds=time.monotonic() - start,
        epochs=epochs,
        seed=chosen.seed,
        strength=chosen.strength,
        activations=chosen.activations,
    )


@contextmanager
def _torch_threads(threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def learning_rate(step: int, steps: int) -> float:
    """Return the rate at a step out of `steps`: linear to its height, then a cosine down to 0."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return LEARNING_RATE * (step + 1) / warm
    return LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def _floats(images: Tensor) -> Tensor:
    return images.to(torch.float32) / 255


class _Loop:
    """The optimisers, the averaged copy and the steps taken so far of one training."""

    def __init__(
        self, module: MnistNetwork, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> None:
        self.module = module.train()
        self.averaged = copy.deepcopy(module)
        self.inputs, self.targets, self.generator = inputs, targets, generator
        matrices = module.matrices()
        others = [p for p in module.parameters() if all(p is not m for m in matrices)]
        self.optimisers: tuple[torch.optim.Optimizer, ...] = (
            SOAP(matrices, betas=BETAS, weight_decay=WEIGHT_DECAY, precondition_frequency=10),
            torch.optim.Adam(others, betas=BETAS),
        )
        self.step_number = 0

    def run(self, epochs: int, strength: float, *, progress: bool) -> float:
        """Train; return the mean loss of the last epoch."""
        steps = epochs * (len(self.inputs) // BATCH)
        clean = round(CLEAN * epochs)
        mean = math.nan
        total = steps * BATCH
        with Progress[int](total=total, label="training", unit="image", show=progress) as bar:
            for epoch in range(epochs):
                now = strength if epoch < epochs - clean else 0.0
                mean, right = self._epoch(now, steps, bar)
                facts = {"epochs": f"{epoch + 1} of {epochs}", "loss": f"{mean:.4f}"}
                bar.facts(**facts, accuracy=f"{100 * right:.2f} %")
        return mean

    def _epoch(self, strength: float, steps: int, bar: Progress[int]) -> tuple[float, float]:
        """Take one pass over the images; return the mean loss and the share of right classes."""
        order = torch.randperm(len(self.inputs), generator=self.generator)
        loss_sum, right, seen = 0.0, 0, 0
        # A smaller last batch is left out: its statistics would be the noisiest.
        for index in order[: len(order) // BATCH * BATCH].view(-1, BATCH):
            images = augment(_floats(self.inputs[index]), strength, self.generator)
            targets = self.targets[index]
            logits = self.module(images)
            loss = functional.cross_entropy(logits, targets)
            self._step(loss, steps)
            loss_sum += loss.item() * BATCH
            right += int((logits.argmax(1) == targets).sum())
            seen += BATCH
            bar.update(BATCH)
        return loss_sum / seen, right / seen

    def _step(self, loss: Tensor, steps: int) -> None:
        rate = learning_rate(self.step_number, steps)
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        torch.autograd.backward(loss)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
        self.step_number += 1
        # The short memory at first forgets the random start.
        decay = min(AVERAGE_DECAY, self.step_number / (self.step_number + 9))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.module.parameters(), strict=True)
            for average, parameter in pairs:
                average.lerp_(parameter, 1 - decay)


@torch.no_grad()
def _renew_statistics(module: MnistNetwork, inputs: Tensor, batch: int = 1_000) -> None:
    """Set the batch statistics to those of the clean images under the module's own weights.

    Those gathered in training belong to other weights and to deformed images.
    """
    for block in module.blocks():
        block.norm.reset_running_stats()
        block.norm.momentum = None  # the plain mean over the batches
    module.train()
    for images in torch.split(inputs, batch):
        module(_floats(images))
    module.eval()
