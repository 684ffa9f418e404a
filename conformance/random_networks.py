"""Random networks as plans: layers, sizes and wiring, from a seed; no TensorFlow is needed.

    >>> from random_networks import network
    >>> plan = network(3)
    >>> plan.layers[0]
    Layer(kind='conv', inputs=(0,), shape=(16, 15, 24), fields={...})

converter_worker.py makes a .tflite file of a plan.  The generator is kept, not the files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

COUNT = 10
"""Networks that the live proof runs."""
COMMON = ("relu", "relu6", "hard_swish", "leaky_relu", "logistic", "tanh")
"""Activations that every engine has; gelu, which one refuses, is in some networks only.

The converter leaves elu in float, so that no network of int8 has it.
"""
_FUSED = ("none", "relu", "relu6")
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer: what it does, on which values (inputs of the network come first), what it makes."""

    kind: str
    inputs: tuple[int, ...]
    shape: Shape
    fields: Mapping[str, Any]


@dataclass
class Plan:
    """A network, its shapes without the batch.

    Parameters
    ----------
    seed : int
        Weights come of it as well.
    inputs : tuple of shape
    dtype : str
        Of inputs and outputs: ``int8`` or ``uint8``.
    per_channel : bool
        Whether weights have a scale for each channel.
    """

    seed: int
    inputs: tuple[Shape, ...]
    dtype: str
    per_channel: bool
    layers: list[Layer] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def shape(self, value: int) -> Shape:
        """Return the shape of a value: an input, or what a layer makes."""
        known = len(self.inputs)
        return self.inputs[value] if value < known else self.layers[value - known].shape

    def add(self, kind: str, *inputs: int, shape: Shape | None = None, **fields: Any) -> int:
        """Add a layer, of the shape of its first input by default; return the value it makes."""
        self.layers.append(Layer(kind, inputs, shape or self.shape(inputs[0]), fields))
        return len(self.inputs) + len(self.layers) - 1


def network(seed: int) -> Plan:
    """Return the plan of a network.

    The seed's number sets what must be covered: every third has uint8 inputs and outputs, every
    fourth two inputs, every other one two outputs.
    """
    rng = np.random.default_rng([seed, *b"network"])
    image = (int(rng.integers(12, 21)), int(rng.integers(12, 21)), int(rng.choice([1, 2, 3])))
    inputs = (image, (*image[:2], int(rng.choice([1, 4])))) if seed % 4 == 1 else (image,)
    plan = Plan(seed, inputs, "uint8" if seed % 3 == 2 else "int8", seed % 5 != 4)
    return _Grower(plan, rng).grown()


class _Grower:
    """Adds blocks to a plan until it is a network."""

    def __init__(self, plan: Plan, rng: np.random.Generator) -> None:
        self.plan, self.rng = plan, rng
        self.activations = (*COMMON, "gelu", "gelu") if plan.seed % 5 == 3 else COMMON

    def grown(self) -> Plan:
        plan, rng = self.plan, self.rng
        x = self.conv(0, stride=1)
        if len(plan.inputs) > 1:
            x = self.join("concat", x, self.conv(1, stride=1))
        blocks: list[Callable[[int], int]] = [
            self.residual, self.separable, self.branches, self.padded, self.gate, self.pooled,
            self.difference, self.squeeze, self.scaled,
        ]  # fmt: skip
        for block in rng.permutation(len(blocks))[: int(rng.integers(4, 7))]:
            x = blocks[block](x)
        if plan.seed % 2:
            plan.outputs.append(self.activation(self.conv(x, kernel=(1, 1), stride=1)))
        plan.outputs.insert(0, self.head(x))
        return plan

    def head(self, x: int) -> int:
        """Averages, then dense layers; classes by softmax, or logits."""
        plan, rng = self.plan, self.rng
        h, w, c = plan.shape(x)
        way = rng.choice(["mean", "mean", "image", "pool"])
        if way == "mean":
            x = plan.add("mean", x, shape=(c,), keepdims=False)
        elif way == "pool":
            x = self.pool("avg_pool", x, kernel=(h, w), stride=(1, 1), padding="VALID")
            x = plan.add("flatten", x, shape=(c,))
        else:
            x = plan.add("mean", x, shape=(1, 1, c), keepdims=True)
            x = plan.add("flatten", self.activation(x), shape=(c,))
        if rng.random() < 0.6:
            x = plan.add("dense", x, shape=(int(rng.integers(9, 40)),), activation="relu")
        x = plan.add("dense", x, shape=(int(rng.integers(2, 13)),), activation="none")
        return plan.add("softmax", x) if rng.random() < 0.7 else x

    def residual(self, x: int) -> int:
        """Two convolutions and the sum with what went in."""
        c = self.plan.shape(x)[2]
        inside = self.activation(self.conv(x, stride=1))
        inside = self.conv(inside, out_c=c, kernel=(3, 3), stride=1, activation="none")
        return self.join("add", x, inside)

    def separable(self, x: int) -> int:
        """Depthwise, then 1x1."""
        x = self.activation(self.depthwise(x))
        return self.conv(x, kernel=(1, 1), stride=1)

    def branches(self, x: int) -> int:
        """Two or three ways over the image, their channels one after another."""
        ways = [self.conv(x, kernel=(1, 1), stride=1), self.conv(x, stride=1)]
        if self.rng.random() < 0.5:
            ways.append(self.pool("max_pool", x, kernel=(3, 3), stride=(1, 1), padding="SAME"))
        return self.join("concat", *ways)

    def padded(self, x: int) -> int:
        """Explicit paddings, then windows that stay inside."""
        h, w, c = self.plan.shape(x)
        top, bottom, left, right = (int(v) for v in self.rng.integers(0, 3, 4))
        sides = ((top, bottom), (left, right))
        x = self.plan.add("pad", x, shape=(h + top + bottom, w + left + right, c), sides=sides)
        return self.conv(x, kernel=(3, 2), padding="VALID")

    def gate(self, x: int) -> int:
        """Values times a gate between 0 and 1."""
        gate = self.conv(x, kernel=(1, 1), stride=1, out_c=self.plan.shape(x)[2], activation="none")
        return self.join("mul", x, self.plan.add("logistic", gate))

    def squeeze(self, x: int) -> int:
        """Channels times gates that the averages of the image set."""
        c = self.plan.shape(x)[2]
        gates = self.plan.add("mean", x, shape=(1, 1, c), keepdims=True)
        gates = self.conv(gates, kernel=(1, 1), stride=1, activation="relu")
        gates = self.conv(gates, kernel=(1, 1), stride=1, out_c=c, activation="none")
        return self.join("mul", x, self.plan.add("logistic", gates))

    def scaled(self, x: int) -> int:
        """A constant times each channel, another one added."""
        x = self.plan.add(
            "times", self.pool("max_pool", x, kernel=(2, 2), stride=(1, 1), padding="SAME")
        )
        return self.plan.add("plus", self.activation(x))

    def pooled(self, x: int) -> int:
        """A pool that makes the image smaller, an activation after it."""
        kind = str(self.rng.choice(["max_pool", "avg_pool"]))
        kernel, stride = self.pair(2, 4), self.pair(1, 3)
        padding = str(self.rng.choice(["SAME", "VALID"]))
        return self.activation(self.pool(kind, x, kernel=kernel, stride=stride, padding=padding))

    def difference(self, x: int) -> int:
        """A convolution less an average around each place."""
        smooth = self.pool("avg_pool", x, kernel=(3, 3), stride=(1, 1), padding="SAME")
        c = self.plan.shape(x)[2]
        return self.join("sub", self.conv(x, stride=1, out_c=c, activation="none"), smooth)

    def conv(
        self,
        x: int,
        out_c: int | None = None,
        kernel: tuple[int, int] | None = None,
        stride: int | None = None,
        padding: str = "SAME",
        activation: str | None = None,
    ) -> int:
        steps = (stride, stride) if stride else self.pair(1, 3)
        fields = self.window(x, kernel or self.pair(1, 4), steps, padding)
        size = fields.pop("size")
        c = out_c or int(self.rng.integers(3, 38))
        return self.plan.add(
            "conv", x, shape=(*size, c), activation=activation or self.fused(), **fields
        )

    def depthwise(self, x: int) -> int:
        fields = self.window(x, self.pair(2, 6), self.pair(1, 2), "SAME")
        size, times = fields.pop("size"), int(self.rng.choice([1, 1, 2]))
        shape = (*size, self.plan.shape(x)[2] * times)
        return self.plan.add("depthwise", x, shape=shape, activation=self.fused(), **fields)

    def pool(self, kind: str, x: int, **window: Any) -> int:
        fields = self.window(x, **window)
        return self.plan.add(kind, x, shape=(*fields.pop("size"), self.plan.shape(x)[2]), **fields)

    def window(
        self, x: int, kernel: tuple[int, int], stride: tuple[int, int], padding: str
    ) -> dict[str, Any]:
        image = self.plan.shape(x)[:2]
        kernel = (min(kernel[0], image[0]), min(kernel[1], image[1]))
        lost = kernel if padding == "VALID" else (1, 1)
        size = [math.ceil((n - k + 1) / s) for n, k, s in zip(image, lost, stride, strict=True)]
        return {"kernel": kernel, "stride": stride, "padding": padding, "size": tuple(size)}

    def join(self, kind: str, *values: int) -> int:
        """One value out of several of one size, perhaps with an activation."""
        plan = self.plan
        if kind == "concat":
            h, w, _ = plan.shape(values[0])
            made = plan.add(kind, *values, shape=(h, w, sum(plan.shape(v)[2] for v in values)))
            return self.activation(made) if self.rng.random() < 0.5 else made
        return plan.add(kind, *values, activation=self.fused())

    def activation(self, x: int) -> int:
        return self.plan.add(str(self.rng.choice(self.activations)), x)

    def fused(self) -> str:
        return str(self.rng.choice(_FUSED))

    def pair(self, low: int, high: int) -> tuple[int, int]:
        a, b = self.rng.integers(low, high, 2)
        return int(a), int(b)
