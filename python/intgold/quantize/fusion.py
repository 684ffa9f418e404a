"""Before layers become ops: which clamps are fused, and which tensors share a scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..host import affine
from .activations import CLAMPS
from .calibrate import Ranges
from .choices import Choices
from .inference import FloatNetwork
from .layers import PAIRS, POOLS, Layer

KEEPING = (*POOLS, "pad", "reshape")
"""Kinds whose output has the scale of their input."""

_CLAMPING = (
    "conv2d", "depthwise_conv2d", "fully_connected", "transpose_conv2d", *POOLS,
    "global_avg_pool", *PAIRS,
)  # fmt: skip
"""Kinds whose op has act_min and act_max."""


@dataclass(frozen=True)
class Node:
    """A layer, with the clamp after it that its op also does.

    Parameters
    ----------
    layer : Layer
    ranged : str
        Name of the layer whose range the output has: its own, or that of the clamp.
    limit : float or None
        The clamp is [0, limit], infinity for ReLU; None without one.
    inputs : tuple of str
        Names of nodes, or of inputs.
    logits : bool
        The output is the int32 accumulator.
    """

    layer: Layer
    ranged: str
    limit: float | None
    inputs: tuple[str, ...]
    logits: bool

    @property
    def name(self) -> str:
        """The name of its layer, its op and its tensor."""
        return self.layer.name


def fuse(network: FloatNetwork) -> list[Node]:
    """Return the nodes of a network, in order."""
    readers = network.readers()
    nodes: dict[str, Node] = {}
    became = {x.name: x.name for x in network.inputs}
    for layer in network.layers:
        before = became[layer.inputs[0]]
        producer = nodes.get(before)
        fusible = (
            layer.kind in CLAMPS
            and producer is not None
            and producer.limit is None
            and producer.layer.kind in _CLAMPING
            and len(readers[layer.inputs[0]]) == 1
        )
        if fusible:
            assert producer is not None
            nodes[before] = Node(
                producer.layer, layer.name, CLAMPS[layer.kind], producer.inputs, False
            )
            became[layer.name] = before
            continue
        inputs = tuple(became[name] for name in layer.inputs)
        last = layer is network.layers[-1] and layer.weights is not None
        nodes[layer.name] = Node(layer, layer.name, None, inputs, last)
        became[layer.name] = layer.name
    return list(nodes.values())


class ScaleGroups:
    """Scale and zero point of every node's output, and of an input that is no camera byte.

    Pools, pads and reshapes have those of their input; the tensors that a concat joins have one
    pair in common, but for camera bytes, whose pair is fixed.  With narrow multipliers the scales
    of what an ``add``, ``sub`` or ``mul`` reads and produces are powers of two, for which every
    multiplier width is exact.
    """

    def __init__(
        self, nodes: Sequence[Node], ranges: Ranges, choices: Choices, network: FloatNetwork
    ) -> None:
        self.choices, self._ranges = choices, ranges
        self._nodes = {node.name: node for node in nodes}
        self._cameras = {x.name for x in network.inputs if x.pixels}
        self._leader = {name: name for name in (*(x.name for x in network.inputs), *self._nodes)}
        for node in nodes:
            if node.layer.kind in KEEPING:
                self._unite(node.name, node.inputs[0])
        for node in nodes:
            if node.layer.kind == "concat":
                for name in node.inputs:
                    if not self.is_camera(name):
                        self._unite(node.name, name)
        self._binary = {
            self._find(name)
            for node in nodes
            if node.layer.kind in PAIRS and choices.narrow
            for name in (node.name, *node.inputs)
        }

    def _find(self, name: str) -> str:
        while self._leader[name] != name:
            name = self._leader[name]
        return name

    def _unite(self, name: str, other: str) -> None:
        self._leader[self._find(name)] = self._find(other)

    def _members(self, name: str) -> list[str]:
        return [n for n in self._leader if self._find(n) == self._find(name)]

    def is_free(self, name: str) -> bool:
        """Return whether nothing but its own range decides about the scale of a node."""
        return len(self._members(name)) == 1 and self._find(name) not in self._binary

    def range(self, name: str) -> tuple[float, float]:
        """Return the range of a node and of all that share its scale."""
        members = [self._nodes[n].ranged if n in self._nodes else n for n in self._members(name)]
        if self.is_camera(name):
            return 0.0, 1.0
        lows, highs = zip(*(self._ranges[n] for n in members), strict=True)
        return min(lows), max(highs)

    def __getitem__(self, name: str) -> tuple[float, int]:
        lo, hi = self.range(name)
        scale, zero_point = affine.scale_zero_point(lo, hi)
        if self._find(name) in self._binary and not self.is_camera(name):
            scale = 2.0 ** math.ceil(math.log2(scale))
            zero_point = affine.zero_point_of(lo, scale)
        return scale, zero_point

    def is_camera(self, name: str) -> bool:
        """Return whether a node has the fixed scale of camera bytes."""
        return any(self._find(name) == self._find(camera) for camera in self._cameras)
