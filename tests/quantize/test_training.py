"""Training: the augmentation, the recipe, and a short training that really learns."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import tools
from intgold.errors import IntgoldError
from intgold.images import mnist
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.training.settings import TrainingSettings


def test_augmentation_moves_each_image_a_little() -> None:
    """A dot stays in [0, 1] and within its bounds; seeds repeat, strengths and images differ."""
    tools.need("torch")
    import torch

    from intgold.quantize.training.augment import augment

    dots = torch.zeros(200, 1, 28, 28)
    dots[:, :, 12:16, 12:16] = 1

    def moved(strength: float, seed: int = 1) -> torch.Tensor:
        return augment(dots, strength, torch.Generator().manual_seed(seed))

    def centres(images: torch.Tensor) -> torch.Tensor:
        axis = torch.arange(28.0)
        mass = images.sum((1, 2, 3))
        down = (images.sum((1, 3)) * axis).sum(1) / mass
        across = (images.sum((1, 2)) * axis).sum(1) / mass
        return torch.stack([down, across])

    assert moved(0) is dots
    assert (moved(1e-6) - dots).abs().max() < 1e-4
    assert torch.equal(moved(1), moved(1)) and not torch.equal(moved(1), moved(1, seed=2))
    for strength in (0.5, 1.0):
        images = moved(strength)
        assert images.min() >= 0 and images.max() <= 1 + 1e-6
        away = (centres(images) - 13.5).abs()
        # Shift of 2 pixels, and the field there: a mean of nodes of 0.8 pixels, 4 sigma at most.
        assert away.max() <= strength * (2 / 0.88 + 4 * 0.8)
        # Uniform to 2 pixels and normal of 0.8: sqrt(2^2 / 3 + 0.8^2) = 1.40 on either axis.
        assert ((centres(images).std(1) / strength - 1.40).abs() < 0.2).all()
        assert len({image.numpy().tobytes() for image in images}) == 200


PARTS = ["ROTATION", "SCALE", "SHEAR", "SHIFT", "ELASTIC_SIGMA"]


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_the_augmentation_acts(monkeypatch, part: str) -> None:
    """By itself, each deformation changes a ring with a gap; without any the ring stays."""
    tools.need("torch")
    import torch

    from intgold.quantize.training import augment as module

    ring = torch.zeros(20, 1, 28, 28)
    ring[:, :, 6:22, 6:22], ring[:, :, 9:19, 9:19], ring[:, :, 6:14, 14:18] = 1, 0, 0
    for other in PARTS:
        if other != part:
            monkeypatch.setattr(module, other, 0.0)
    deformed = module.augment(ring, 1.0, torch.Generator().manual_seed(0))
    changes = (deformed - ring).abs().sum((1, 2, 3))
    assert changes.mean() > 10  # of the 144 pixels of the ring
    monkeypatch.setattr(module, part, 0.0)
    untouched = module.augment(ring, 1.0, torch.Generator().manual_seed(0))
    assert (untouched - ring).abs().max() < 1e-4


HELD_OUT_FIRST = [32, 38, 44, 47]


def test_the_recipe() -> None:
    """The split is fixed; the rate rises to 0.06 and falls to 0; SOAP has the four matrices."""
    tools.need("torch")
    tools.need("pytorch_optimizer")
    import torch

    from intgold.quantize.training import train as training
    from intgold.quantize.training.network import MnistNetwork

    chosen, held_out = training.split_validation()
    assert len(held_out) == 5_000
    assert np.array_equal(np.sort(np.append(chosen, held_out)), np.arange(60_000))
    assert held_out[:4].tolist() == HELD_OUT_FIRST
    rates = [training.learning_rate(step, 1000) for step in range(1000)]
    assert rates.index(max(rates)) in (99, 100) and max(rates) == 0.06
    assert rates[0] == 0.06 / 100 and 0 < rates[-1] < 1e-6
    assert all(a < b for a, b in itertools.pairwise(rates[:100]))
    assert all(a > b for a, b in itertools.pairwise(rates[100:]))
    loop = training._Loop(
        MnistNetwork(), torch.zeros(1), torch.zeros(1), torch.Generator().manual_seed(0)
    )
    shapes = [[tuple(p.shape) for p in o.param_groups[0]["params"]] for o in loop.optimisers]
    assert shapes[0] == [(8, 9), (16, 72), (32, 144), (10, 32)]
    # Scale and shift of the normalisation and the last bias; no convolution has a bias.
    assert sorted(shapes[1]) == sorted([(8,), (8,), (16,), (16,), (32,), (32,), (10,)])


def test_statistics_are_those_of_the_clean_images() -> None:
    """After renewal the running mean and variance are those of all images under these weights."""
    tools.need("torch")
    tools.need("pytorch_optimizer")
    import torch

    from intgold.quantize.training import train as training
    from intgold.quantize.training.network import MnistNetwork

    module = MnistNetwork().eval()
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 1, 28, 28), generator=generator, dtype=torch.uint8)
    training._renew_statistics(module, images, batch=20)
    block = module.block1
    with torch.no_grad():
        y = torch.nn.functional.conv2d(images.float() / 255, block.kernel(), padding=1)
    assert (block.norm.running_mean - y.mean((0, 2, 3))).abs().max() < 1e-5
    # The mean of the variances of two batches, not quite that of all: 1e-3.
    assert (block.norm.running_var / y.var((0, 2, 3)) - 1).abs().max() < 1e-3
    assert not module.training


def test_a_short_training_works(tmp_path: Path) -> None:
    """A quick training reaches 95 %, and gives a network that is written and read back."""
    for tool in ("torch", "pytorch_optimizer", "MNIST"):
        tools.need(tool)
    from intgold.quantize.training.train import accuracy, train

    result = train(TrainingSettings(quick=True, strength=0.5, seed=1, threads=1), progress=False)
    assert (result.epochs, result.seed, result.strength) == (4, 1, 0.5)
    assert result.validation_accuracy > 0.95 and 0 < result.training_loss < 0.3
    result.network.save(tmp_path / "quick.npz")
    loaded = FloatNetwork.load(tmp_path / "quick.npz")
    assert loaded.parameters == 6_218 and loaded.name == "mnist"
    images, labels = mnist.load_mnist("test")
    assert accuracy(loaded, images[:2000], labels[:2000]) > 0.93


def test_training_repeats(monkeypatch, tmp_path: Path) -> None:
    """The same seed gives the same bytes, another seed others; a bad setting is refused."""
    for tool in ("torch", "pytorch_optimizer", "MNIST"):
        tools.need(tool)
    from intgold.quantize.training import train as training

    monkeypatch.setattr(training, "_QUICK_IMAGES", 1_280)

    def trained(seed: int) -> bytes:
        settings = TrainingSettings(1, seed, quick=True, activations="relu", threads=1)
        result = training.train(settings, progress=False)
        result.network.save(tmp_path / "network.npz")
        return (tmp_path / "network.npz").read_bytes()

    first = trained(0)
    assert trained(0) == first
    assert trained(1) != first
    for setting in ({"epochs": 0}, {"strength": -1.0}, {"threads": 0}):
        with pytest.raises(IntgoldError, match="epochs and threads are at least 1"):
            TrainingSettings(**setting)
