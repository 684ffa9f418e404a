"""The layers that a module becomes, as they are added: values, their order, their shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.fx import Node

from ...errors import ModelError
from ...support.quoting import short_repr
from ..inputs import IMAGE
from ..layers import Layer
from ..limits import output_shape
from .nodes import argument, function_of, legal_name, module_name, shape_of


@dataclass(frozen=True, eq=False)
class NodeValue:
    """What a node of the graph gives.

    Parameters
    ----------
    layer : str
        Name of the layer that produces it, or of an input.
    order : ndarray of int or None
        In the shape of one example in torch: where each value lies in what the layer
        gives, counted in C order.  None stands for channels last, and for a vector as it is.
    host : bool
        A softmax or an argmax was left out: nothing but the output may follow.  Where an argmax
        left an axis out, `order` says where the first value along that axis lies; -1 where what
        follows mixes examples.
    """

    __repr__ = short_repr

    layer: str
    order: np.ndarray | None = None
    host: bool = False


class MisplacedError(ModelError):
    """A refusal that hangs on where the values of an input lie."""


def canonical(shape: Sequence[int]) -> np.ndarray:
    """Return the order of (c, h, w), (c, length) or (features,) that lies channels last."""
    if len(shape) < 2:
        return np.arange(int(np.prod(shape))).reshape(shape)
    places = np.arange(int(np.prod(shape))).reshape(*shape[1:], shape[0])
    return np.moveaxis(places, -1, 0)


class Sketch:
    """The layers so far, and what each node of the graph gives of them."""

    def __init__(self) -> None:
        self.known: dict[str, NodeValue] = {}
        self.layers: dict[str, Layer] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.hosts: list[str] = []
        self.read_by_host: tuple[np.ndarray, str] | None = None
        self.constants: dict[str, Any] = {}
        self.where = ""

    def leave_to_host(self, node: Node) -> NodeValue:
        """Return what a softmax or argmax reads: the host does it, where nothing follows."""
        over = argument(node, 1, "dim", None)
        if over is None or over % len(shape_of(node.args[0])) == 0:
            raise self.refused(f"{function_of(node)} over all images")
        value, shape = self.value(node.args[0], host=True), shape_of(node.args[0])
        order, axis = value_order(value, shape[1:]), over % len(shape)
        self.read_by_host = self.read_by_host or (order, value.layer)
        where = f" (layer {self.where})" if self.where != node.name else ""
        over_axis = axis_text(order, axis, self.shapes[value.layer])
        self.hosts.append(f"{function_of(node)}{where} over {over_axis}")
        if function_of(node) == "argmax":
            order = np.take(order, 0, axis - 1).reshape(shape_of(node)[1:])
        return NodeValue(value.layer, order, host=True)

    def refused(self, reason: str) -> ModelError:
        """Return the error that names the layer at hand."""
        return ModelError(f"layer {self.where}: {reason}")

    def misplaced(self, reason: str) -> ModelError:
        """Return the same for a reason that hangs on where the values of the input lie.

        Of what a refused layer gives that is a guess, and no reason.
        """
        return MisplacedError(str(self.refused(reason)))

    def is_value(self, node: Any) -> bool:
        """Return whether a node is computed from an input."""
        return isinstance(node, Node) and node.name in self.known

    def value(self, node: Any, *, host: bool = False) -> NodeValue:
        """Return what a node gave, or raise: a parameter, a constant, nothing of the inputs."""
        if not self.is_value(node):
            raise self.refused(f"{node} is not computed from the input")
        value = self.known[node.name]
        if value.host and not host:
            raise self.refused(
                "it reads a softmax or argmax; those are left to the host at the end of a network, "
                "and not supported inside"
            )
        return value

    def constant(self, node: Any) -> np.ndarray | None:
        """Return a parameter, buffer or number in float64; None stays None."""
        if node is None:
            return None
        if isinstance(node, Node):
            made = self.constants.get(node.name)
            if not isinstance(made, torch.Tensor):
                raise self.refused(f"{node} is not a parameter of the module")
            return made.detach().cpu().numpy().astype(np.float64)
        return np.asarray(node, np.float64)

    def array(self, node: Any) -> np.ndarray:
        """Return a parameter that must be there."""
        made = self.constant(node)
        if made is None:
            raise self.refused("a parameter is missing")
        return made

    def add(self, node: Node, kind: str, inputs: tuple[str, ...], **fields: Any) -> str:
        """Add a layer under a legal name of its own; return the name."""
        name = self.free_name(node, kind)
        self.keep(Layer(name, kind, inputs=inputs, **fields))
        return name

    def keep(self, layer: Layer) -> None:
        """Add a layer, or put it in the place of one of its name."""
        self.layers[layer.name] = layer
        shape = output_shape(layer, [self.shapes[name] for name in layer.inputs])
        if min(shape) < 1:
            raise self.misplaced(f"its output has the shape {shape}")
        self.shapes[layer.name] = shape

    def renew(self, name: str, **fields: Any) -> None:
        """Change a layer that is there."""
        self.keep(replace(self.layers[name], **fields))

    def reshaped(self, name: str, shape: tuple[int, ...]) -> str:
        """Return a layer of the same values in this shape: itself, or one that is added once."""
        if self.shapes[name] == shape:
            return name
        known = (x.name for x in self.layers.values() if (x.inputs, x.shape) == ((name,), shape))
        made = next(known, "")
        if not made:
            made = self.unused(f"{name[:40]}_as_{'x'.join(map(str, shape))}")
            self.keep(Layer(made, "reshape", inputs=(name,), shape=shape))
        return made

    def free_name(self, node: Node, kind: str) -> str:
        """Return a name that no layer has, made of that of the node's module."""
        return self.unused(legal_name(module_name(node) or node.name, kind)[:56])

    def unused(self, stem: str) -> str:
        """Return a name that nothing has: the stem, or with a number after it."""
        name, count = stem, 1
        while name in self.shapes or name == IMAGE:
            count += 1
            name = f"{stem}_{count}"
        return name

    def has_one_reader(self, source: Any, name: str) -> bool:
        """Return whether only one node reads a layer, from `source` (views count as it)."""
        while isinstance(source, Node) and source.name in self.known:
            if self.known[source.name].layer != name:
                break
            if len(source.users) > 1:
                return False
            source = source.args[0] if source.args else None
        return True

    def weighted(self, source: Any) -> Layer | None:
        """Return the layer with weights that produces a value and that only one node reads."""
        name = self.value(source).layer
        layer = self.layers.get(name)
        return (
            layer
            if layer and layer.weights is not None and self.has_one_reader(source, name)
            else None
        )

    def image(self, node: Any) -> str:
        """Return a layer that gives a node's value as (height, width, channels)."""
        value, shape = self.value(node), shape_of(node)[1:]
        if len(shape) not in (2, 3):
            raise self.misplaced(f"it takes a picture or a sequence, and gets shape {shape}")
        if value.order is not None:
            raise self.misplaced(
                f"its input {shape} would have to be transposed: values that lie in another order "
                "than channels last"
            )
        stored = (1, shape[1], shape[0]) if len(shape) == 2 else (*shape[1:], shape[0])
        return self.reshaped(value.layer, stored)


Take = Callable[[Sketch, Node], NodeValue]
"""Adds the layers of one node and returns what it gives."""


def axis_text(order: np.ndarray, axis: int, stored: tuple[int, ...]) -> str:
    """Return how to call an axis of a batch in torch: as axes of the stored one, where it is such.

    Parameters
    ----------
    order : ndarray of int
        See `NodeValue`.
    axis : int
        From 1; 0 is that of the batch.
    stored : tuple of int
        Shape of one example as it is stored.
    """
    unknown = f"axis {axis} of the module's output"
    if order.min() < 0:
        return unknown
    lines = np.moveaxis(order, axis - 1, -1)
    places = np.unravel_index(lines, stored)
    moves = [i for i, at in enumerate(places, start=1) if (at != at[..., :1]).any()]
    if not moves or lines.shape[-1] != np.prod([stored[i - 1] for i in moves]):
        return unknown
    axes = ", ".join(map(str, moves))
    return f"{'axis' if len(moves) == 1 else 'axes'} {axes} of the model's output"


def ordered(layer: str, order: np.ndarray, *, host: bool = False) -> NodeValue:
    """Return a value whose order is None where it is the canonical one."""
    plain = np.array_equal(order, canonical(order.shape))
    return NodeValue(layer, None if plain else order, host)


def value_order(value: NodeValue, shape: Sequence[int]) -> np.ndarray:
    """Return the order of a value of this shape (without the batch)."""
    return canonical(shape) if value.order is None else value.order
