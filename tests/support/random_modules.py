"""Random PyTorch modules of every layer that intgold takes, seeded; a table of their errors.

    python tests/support/random_modules.py [COUNT]

For each: the layers, the choices of quantisation, ops, golden against C over every tensor and
accumulator, and the error of the integer model against the module in float32: signal to
quantisation noise of the output, and the largest difference as a share of the output's range.
"""

from __future__ import annotations

import math
import sys
import warnings
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from intgold.quantize import quantize
from intgold.regression.selftest import MismatchCount

ACTIVATIONS = {
    "ReLU": nn.ReLU, "ReLU6": nn.ReLU6, "LeakyReLU": lambda: nn.LeakyReLU(0.1), "SELU": nn.SELU,
    "ELU": lambda: nn.ELU(0.8), "GELU": nn.GELU, "GELU tanh": lambda: nn.GELU("tanh"),
    "SiLU": nn.SiLU, "Tanh": nn.Tanh, "Sigmoid": nn.Sigmoid, "Hardswish": nn.Hardswish,
}  # fmt: skip
POOLS = ("MaxPool2d", "AvgPool2d", "AvgPool2d padded")
BLOCKS = ("Conv2d", "depthwise", "add", "concat", "Dropout", *POOLS, *ACTIVATIONS)
HEADS = ("Flatten", "AdaptiveAvgPool2d", "mean")


class RandomModule(nn.Module):
    """Blocks drawn from a seed, then a head."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = Random(seed)
        torch.manual_seed(seed)
        self.rng_seed, self.shape = seed, (rng.choice((1, 3)), rng.randint(9, 18), 16)
        channels, size = self.shape[0], list(self.shape[1:])
        # Each block is drawn at least once every len(BLOCKS) modules.
        self.kinds = ["Conv2d", BLOCKS[seed % len(BLOCKS)]]
        self.kinds += [rng.choice(BLOCKS) for _ in range(rng.randint(3, 7))]
        self.blocks = nn.ModuleList()
        for kind in self.kinds:
            block, channels = self._block(rng, kind, channels, size)
            self.blocks.append(block)
        self.head = HEADS[seed % len(HEADS)]
        features = channels * (size[0] * size[1] if self.head == "Flatten" else 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(features, rng.choice((4, 10)))
        self.norm = (
            nn.BatchNorm1d(self.linear.out_features) if rng.random() < 0.3 else nn.Identity()
        )
        self._spread()

    def _block(self, rng: Random, kind: str, c: int, size: list[int]) -> tuple[nn.Module, int]:
        if kind in ACTIVATIONS:
            return ACTIVATIONS[kind](), c
        if kind in POOLS:
            if min(size) < 4:
                return nn.Identity(), c
            pad = 1 if kind.endswith("padded") else 0
            size[:] = [(n + 2 * pad - 2) // 2 + 1 for n in size]
            pool = nn.MaxPool2d(2) if kind == "MaxPool2d" else nn.AvgPool2d(2, padding=pad)
            return pool, c
        if kind == "Dropout":
            return nn.Dropout(0.3), c
        if kind == "depthwise":
            times = rng.choice((1, 2))
            conv = nn.Conv2d(c, c * times, 3, padding=1, groups=c, bias=rng.random() < 0.5)
            return nn.Sequential(conv, nn.BatchNorm2d(c * times)), c * times
        if kind in ("add", "concat"):
            return nn.Conv2d(c, c if kind == "add" else 4, 1), c if kind == "add" else c + 4
        out_c, kernel, dilation = rng.choice((4, 8, 12)), rng.choice((1, 3)), rng.choice((1, 1, 2))
        conv = nn.Conv2d(c, out_c, kernel, padding="same", dilation=dilation,
                         bias=rng.random() < 0.5)  # fmt: skip
        return nn.Sequential(conv, nn.BatchNorm2d(out_c)) if rng.random() < 0.6 else conv, out_c

    def _spread(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.3, 1.5)
                module.weight.data.uniform_(0.5, 1.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for kind, block in zip(self.kinds, self.blocks, strict=True):
            if kind == "add":
                x = x + block(x)
            elif kind == "concat":
                x = torch.cat([x, block(x)], 1)
            else:
                x = block(x)
        if self.head == "mean":
            x = x.mean((2, 3))
        elif self.head == "AdaptiveAvgPool2d":
            x = functional.adaptive_avg_pool2d(x, 1)
        return self.norm(self.linear(torch.flatten(x, 1)))


CHOICES: tuple[dict[str, Any], ...] = (
    {},
    {"multiplier_bits": 1},
    {"activation": "pwl:8", "form": "double"},
    {"calibration": "mse", "per_channel": False},
    {"multiplier_bits": 8, "calibration": "percentile:99.99"},
    {"form": "float32", "activation": "pwl:16"},
)


@dataclass(frozen=True)
class Outcome:
    """One module, quantised and run."""

    module: RandomModule
    choices: dict[str, Any]
    ops: list[str]
    values: int
    differing: int
    sqnr: float
    largest: float


def outcome(seed: int, images: int = 40) -> Outcome:
    """Quantise the module of a seed and run it on both engines."""
    module, choices = RandomModule(seed), CHOICES[seed % len(CHOICES)]
    x = torch.rand(images, *module.shape)
    model = quantize(module, x, **choices)
    q = model.quantize_input(np.ascontiguousarray(x.numpy().transpose(0, 2, 3, 1)))
    golden, c = (model.run(q, backend=backend, trace=True) for backend in ("golden", "c"))
    tally = MismatchCount()
    tally.add(golden, c)
    with torch.no_grad():
        want = module.eval()(x).numpy().astype(np.float64)
    apart = model.dequantize(c.output) - want
    sqnr = 10 * math.log10((want**2).sum() / (apart**2).sum())
    largest = float(np.abs(apart).max() / np.ptp(want))
    ops = [op.kind for op in model.ops]
    return Outcome(module, choices, ops, tally.values, tally.differing, sqnr, largest)


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    print(f"{'seed':>4} {'ops':>3} {'values':>9} {'golden!=c':>9} {'SQNR dB':>8} {'largest':>8}  "
          "choices; layers")  # fmt: skip
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 30):
        found = outcome(seed)
        chosen = " ".join(f"{k}={v}" for k, v in found.choices.items()) or "default"
        layers = ", ".join([*found.module.kinds, found.module.head])
        print(f"{seed:4} {len(found.ops):3} {found.values:9,} {found.differing:9} "
              f"{found.sqnr:8.1f} {found.largest:8.2%}  {chosen}; {layers}")  # fmt: skip


if __name__ == "__main__":
    main()
