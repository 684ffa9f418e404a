"""Random modules that are no plain picture networks, seeded: vectors, sequences, two inputs.

    python tests/support/random_own_networks.py [COUNT]

Sixteen of them hold every one of `BLOCKS` and of `HEADS`: grouped and dilated convolutions, pads,
slices, numbers and parameters added and multiplied, products, joins, transpositions.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from intgold.model.graph import Model
from intgold.quantize.calibrate import calibrate
from intgold.quantize.choices import Choices
from intgold.quantize.inference import Batch, FloatNetwork
from intgold.quantize.pytorch.module import network_and_batch
from intgold.quantize.quantizer import quantize_network
from intgold.regression.selftest import MismatchCount
from intgold.study.quantisation.layer_error import layer_errors
from random_modules import ACTIVATIONS, CHOICES

KINDS = ("vector", "sequence", "pictures", "pair")
_NUMBERS = ("times", "plus", "minus from", "over", "per channel", "square", "clamp")
BLOCKS = {
    "vector": ("Linear", "BatchNorm1d", "Dropout", "add", "sub", "mul", "cat", "as sequence",
               *_NUMBERS),
    "sequence": ("Conv1d", "grouped", "depthwise", "BatchNorm1d", "MaxPool1d", "AvgPool1d", "pad",
                 "ZeroPad1d", "chomp", "every second", "add", "sub", "mul", "cat", "Linear",
                 *_NUMBERS),
    "pictures": ("Conv2d", "grouped", "ZeroPad2d", "pad", "crop", "sub", "mul", "depthwise",
                 *_NUMBERS),
}  # fmt: skip
BLOCKS["pair"] = BLOCKS["sequence"]
HEADS = {
    "vector": ("Linear",),
    "sequence": ("mean", "AdaptiveAvgPool1d", "amax", "last"),
    "pictures": ("mean", "Flatten", "mean twice", "max"),
}
HEADS["pair"] = ("Flatten", "avg_pool1d", "last", "mean")
_EACH = 6  # blocks of a module


class Number(nn.Module):
    """x with a number or a parameter, in one of the ways that people write it."""

    def __init__(self, kind: str, rng: Random, channels: int, axes: int) -> None:
        super().__init__()
        self.kind, self.value = kind, rng.choice((0.5, 2.0, 1.7, -0.8))
        shape = (channels, *(1,) * axes)
        self.gain = nn.Parameter(torch.empty(shape).uniform_(0.5, 1.5))
        self.register_buffer("mean", torch.empty(1, *shape).uniform_(-0.3, 0.3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        v = self.value
        return {
            "times": lambda: v * x,
            "plus": lambda: x + v,
            "minus from": lambda: v - x,
            "over": lambda: (x - v) / 1.3,
            "per channel": lambda: (x - self.mean) * self.gain,
            "square": lambda: x**2 * 0.5,
            "clamp": lambda: torch.clamp(x, -abs(v), 1.5),
        }[self.kind]()


class RandomNetwork(nn.Module):
    """Blocks drawn from a seed, then a head; `shapes` are those of one example per argument."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = Random(seed)
        torch.manual_seed(seed)
        self.kind = KINDS[seed % len(KINDS)]
        turn, blocks, heads = seed // len(KINDS), BLOCKS[self.kind], HEADS[self.kind]
        self.axes = {"vector": 0, "pictures": 2}.get(self.kind, 1)
        channels = rng.choice((3, 4, 7)) if self.axes else rng.randint(5, 20)
        size = [rng.randint(12, 17) for _ in range(self.axes)]
        self.shapes = [(channels, *size)] * (2 if self.kind == "pair" else 1)
        drawn = (blocks[(_EACH * turn + i) % len(blocks)] for i in range(_EACH))
        self.kinds = ["first", *drawn]
        self.blocks = nn.ModuleList()
        for kind in self.kinds:
            block, channels = self._block(rng, kind, channels, size)
            self.blocks.append(block)
        self.head = heads[turn % len(heads)]
        self.feature_count = channels * (int(np.prod(size)) if self.head == "Flatten" else 1)
        self.linear = nn.Linear(self.feature_count, rng.choice((4, 10)))
        self.ends = ("", "softmax", "log_softmax")[rng.randint(0, 2)]
        for module in self.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.3, 1.5)
                module.weight.data.uniform_(0.5, 1.5)

    def _block(self, rng: Random, kind: str, c: int, size: list[int]) -> tuple[nn.Module, int]:
        conv = {1: nn.Conv1d, 2: nn.Conv2d}.get(self.axes)
        activation = rng.choice(list(ACTIVATIONS.values()))()
        if kind in _NUMBERS:
            return Number(kind, rng, c, self.axes), c
        if kind == "BatchNorm1d":
            return nn.BatchNorm1d(c), c
        if kind == "Dropout":
            return nn.Dropout(0.4), c
        if kind in ("MaxPool1d", "AvgPool1d", "every second"):
            if size[0] < 4:
                return nn.Identity(), c
            size[0] = (size[0] + 1) // 2 if kind == "every second" else size[0] // 2
            return {"MaxPool1d": nn.MaxPool1d(2), "AvgPool1d": nn.AvgPool1d(2)}.get(
                kind, nn.Identity()
            ), c
        if kind in ("pad", "ZeroPad1d", "ZeroPad2d"):
            size[-1] += 3
            if kind == "ZeroPad2d":
                size[0] += 1
            return {"ZeroPad1d": nn.ZeroPad1d((1, 2)), "ZeroPad2d": nn.ZeroPad2d((1, 2, 0, 1))}.get(
                kind, nn.Identity()
            ), c
        if kind == "chomp":
            return conv(c, c, 3, padding=4, dilation=2), c  # and 4 cut off at the end
        if kind == "crop":
            size[0], size[1] = size[0] - 3, size[1] - 2
            return nn.Identity(), c
        if kind == "as sequence":
            return nn.Conv1d(1, 1, 3, padding=1), c
        if kind == "grouped":
            out = rng.choice((8, 12))
            return nn.Sequential(
                conv(c, 8, 1), conv(8, out, 3, padding="same", groups=rng.choice((2, 4)),
                                    dilation=rng.choice((1, 2))), activation), out  # fmt: skip
        if kind == "depthwise":
            if c > 8:  # as it is
                return nn.Sequential(conv(c, c, 3, padding=1, groups=c), activation), c
            return nn.Sequential(conv(c, 2 * c, 3, padding=1, groups=c), activation), 2 * c
        if kind in ("add", "sub", "mul", "cat"):
            inner = conv(c, c, 1) if conv else nn.Linear(c, c)
            return nn.Sequential(inner, nn.Tanh()), 2 * c if kind == "cat" else c
        if kind == "Linear" and self.axes:
            return nn.Linear(c, 5), 5  # over the channels of each position
        out = rng.choice((6, 9, 16))
        if conv is None:
            return nn.Sequential(nn.Linear(c, out), nn.BatchNorm1d(out), activation), out
        norm = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[self.axes]
        dense = conv(c, out, rng.choice((1, 3)), padding="same", dilation=rng.choice((1, 2)))
        return nn.Sequential(dense, norm(out), activation), out

    def features(self, x: torch.Tensor) -> torch.Tensor:
        for kind, block in zip(self.kinds, self.blocks, strict=True):
            y = block(self._before(kind, x))
            if kind in ("add", "sub", "mul"):
                x = {"add": x.add, "sub": x.sub, "mul": x.mul}[kind](y)
            elif kind == "cat":
                x = torch.cat([x, y], 1)
            else:
                x = self._after(kind, x, y)
        return x

    def _before(self, kind: str, x: torch.Tensor) -> torch.Tensor:
        if kind == "Linear" and self.axes:
            return x.transpose(1, 2)
        return x.unsqueeze(1) if kind == "as sequence" else x

    def _after(self, kind: str, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if kind == "Linear" and self.axes:
            return y.permute(0, 2, 1)
        if kind == "as sequence":
            return y.squeeze(1)
        if kind == "chomp":
            return y[:, :, :-4]
        if kind == "every second":
            return y[..., ::2] if x.shape[-1] >= 4 else y
        if kind == "crop":
            return y[:, :, 1:-2, 2:]
        if kind == "pad":
            return functional.pad(y, (2, 1), value=0.25)
        return y

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        features = [self.features(x) for x in inputs]
        x = features[0] if len(features) == 1 else torch.abs(features[0] - features[1])
        x = self.linear(self._headed(x))
        return getattr(functional, self.ends)(x, dim=1) if self.ends else x

    def _headed(self, x: torch.Tensor) -> torch.Tensor:
        return {
            "Linear": lambda: x,
            "mean": lambda: x.mean(-1) if self.axes == 1 else x.mean((2, 3)),
            "mean twice": lambda: x.mean(3).mean(2),
            "AdaptiveAvgPool1d": lambda: functional.adaptive_avg_pool1d(x, 1).squeeze(-1),
            "amax": lambda: torch.amax(x, dim=2),
            "max": lambda: functional.adaptive_max_pool2d(x, 1).flatten(1),
            "last": lambda: x[:, :, -1],
            "Flatten": lambda: torch.flatten(x, 1),
            "avg_pool1d": lambda: functional.avg_pool1d(x, x.shape[-1]).view(len(x), -1),
        }[self.head]()


@dataclass(frozen=True)
class Outcome:
    """One module, imported, quantised and run.

    `calibration` is the choice that it was quantised with.  `apart` is the largest difference of
    the float network from the module, as a share of the largest output; `noise` the least
    `signal_to_noise` of any tensor, in dB.
    """

    module: RandomNetwork
    calibration: str
    tally: MismatchCount
    apart: float
    noise: float


def signal_to_noise(network: FloatNetwork, model: Model, batch: Batch) -> float:
    """Return the least signal to quantisation noise of any tensor, in dB.

    The signal of a difference is that of its larger operand, also in `abs`, `mean` and the
    selection of a position, which may follow: of two numbers that are nearly the same, any format
    leaves as little as one likes.  A sum in place of a difference gives -6 dB.
    """
    reals = network.trace(batch) | batch
    power = {name: np.square(x, dtype=np.float64).mean() for name, x in reals.items()}
    signal = dict(power)
    for layer in network.layers:
        passes = layer.kind in ("absolute", "global_avg_pool") or layer.name.startswith("select")
        if layer.kind == "sub" or passes:
            signal[layer.name] = max(signal[layer.name], *(signal[name] for name in layer.inputs))
    return min(
        error.sqnr + 10 * np.log10(signal[error.layer] / power[error.layer])
        for error in layer_errors(network, model, batch)
    )


def outcome(seed: int, images: int = 12) -> Outcome:
    """Import and quantise the module of a seed, and run both engines."""
    module, choices = RandomNetwork(seed).eval(), Choices(**CHOICES[seed % len(CHOICES)])
    x = [torch.randn(images, *shape) for shape in module.shapes]
    network, batch = network_and_batch(module, x)
    model = quantize_network(network, calibrate(network, batch, choices.calibration), choices)
    q = {name: model.quantize_input(array, name) for name, array in batch.items()}
    golden, c = (model.run(q, backend=backend, trace=True) for backend in ("golden", "c"))
    tally = MismatchCount()
    tally.add(golden, c)
    module.ends = ""
    with torch.no_grad():
        want = module(*x).double().numpy()
    apart = np.abs(network.run(batch) - want).max() / np.abs(want).max()
    noise = signal_to_noise(network, model, batch)
    return Outcome(module, choices.calibration, tally, float(apart), noise)


def main() -> None:
    """Print a line for each."""
    warnings.simplefilter("ignore")
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 40):
        found = outcome(seed)
        module, tally = found.module, found.tally
        layers = ", ".join([*module.kinds, module.head])
        print(f"{seed:4} {tally.values:9,} {tally.differing} {found.apart:.1e} {found.noise:6.1f} "
              f"dB {module.kind}: {layers}; {CHOICES[seed % len(CHOICES)]}")  # fmt: skip


if __name__ == "__main__":
    main()
