"""The walk over an exported PyTorch graph: nodes in order, layers as they come to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch.fx import Node

from ...errors import ModelError
from ..inference import IMAGE
from ..layers import Layer


@dataclass(frozen=True)
class Value:
    """What a node of the graph gives.

    Parameters
    ----------
    layer : str
        Name of the layer that makes it, or ``image``.
    channels_first : (int, int, int) or None
        (c, h, w) of the image that it is the flattened form of, in torch's order.
    """

    layer: str
    channels_first: tuple[int, int, int] | None = None


class Importer:
    """Takes the nodes of a graph in order; `network` gives the layers.

    Parameters
    ----------
    table : mapping of str to callable
        What each ATen function becomes.
    arrays : mapping of str to Tensor
        Parameters and buffers by their names in the module.
    signature : torch.export.ExportGraphSignature
        Which placeholder is which of them.
    """

    def __init__(
        self, table: Mapping[str, Take], arrays: Mapping[str, Any], signature: Any
    ) -> None:
        self._table = table
        self._arrays = arrays
        self._named = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        self.known: dict[str, Value] = {}
        self.layers: dict[str, Layer] = {}
        self._output: str | None = None
        self._where = ""

    def take(self, node: Node) -> None:
        """Take one node, or raise ModelError naming its layer."""
        self._where = _place(node)
        if node.op == "placeholder":
            if node.name not in self._named:
                if IMAGE in (v.layer for v in self.known.values()):
                    raise ModelError(f"{node.name}: a second input; intgold takes one image tensor")
                self.known[node.name] = Value(IMAGE)
        elif node.op == "output":
            (made,) = node.args
            if not isinstance(made, (tuple, list)) or len(made) != 1 or made[0] is None:
                raise ModelError("the module does not return exactly one tensor")
            self._output = self.value(made[0]).layer
        elif node.op == "call_function":
            self._call(node)
        else:
            raise self.refused(f"{node.op} {node.target}")

    def network(self) -> tuple[Layer, ...]:
        """Return the layers that lead to the output, in order."""
        needed, layers = {self._output}, []
        for layer in reversed(self.layers.values()):
            if layer.name in needed:
                needed |= set(layer.inputs)
                layers.append(layer)
        if not layers or layers[0].name != self._output:
            raise ModelError("the module returns its input: there is nothing to quantise")
        return tuple(reversed(layers))

    def _call(self, node: Node) -> None:
        target = str(node.target).removeprefix("aten.").partition(".")[0]
        in_place = target.endswith("_")
        function = self._table.get(target.rstrip("_"))
        if function is None:
            hint = "; leave it to the host, it changes no answer" if "softmax" in target else ""
            raise self.refused(f"{node.target} is not supported{hint}")
        before = self.value(node.args[0]) if isinstance(node.args[0], Node) else None
        made = function(self, node)
        self.known[node.name] = made
        if in_place and before is not None:
            # What was made in place is what all other names of that memory mean from now on.
            for name, value in self.known.items():
                if value.layer == before.layer:
                    self.known[name] = replace(value, layer=made.layer)

    def refused(self, reason: str) -> ModelError:
        """Return the error that names the layer at hand."""
        return ModelError(f"layer {self._where}: {reason}")

    def value(self, node: Any) -> Value:
        """Return what a node gave, or raise: a parameter, a constant, nothing of the image."""
        if not isinstance(node, Node) or node.name not in self.known:
            raise self.refused(f"{node} is not computed from the image")
        return self.known[node.name]

    def array(self, node: Any) -> np.ndarray | None:
        """Return a parameter or buffer in float64; None stays None."""
        if node is None:
            return None
        if not isinstance(node, Node) or node.name not in self._named:
            raise self.refused(f"{node} is not a parameter of the module")
        tensor = self._arrays[self._named[node.name]]
        return tensor.detach().cpu().numpy().astype(np.float64)

    def add(self, node: Node, kind: str, inputs: tuple[str, ...], **fields: Any) -> Value:
        """Add a layer under a legal name of its own."""
        stem = re.sub(r"\W", "_", _stack(node) or node.name, flags=re.ASCII)
        if not stem[0].isalpha():
            stem = f"{kind}_{stem}"
        name, count = stem[:56], 1
        while name in self.layers or name == IMAGE:
            count += 1
            name = f"{stem[:56]}_{count}"
        self.layers[name] = Layer(name, kind, inputs=inputs, **fields)
        return Value(name)

    def alone(self, node: Node, name: str) -> bool:
        """Return whether nothing but this node reads the layer (views of it count as it)."""
        source = node.args[0]
        while isinstance(source, Node) and self.known.get(source.name) == Value(name):
            if len(source.users) > 1:
                return False
            source = source.args[0] if source.args else None
        return True

    def image(self, node: Node) -> str:
        """Return the layer that makes the first argument, which must be an image."""
        value = self.value(node.args[0])
        if value.channels_first is not None:
            raise self.refused("it takes an image, and gets a flattened one")
        return value.layer


Take = Callable[[Importer, Node], Value]
"""Adds the layers of one node and returns what it gives."""


def _stack(node: Node) -> str:
    """Return the name of the module in which a node was made, if it is a leaf with one."""
    modules = list((node.meta.get("nn_module_stack") or {}).values())
    if not modules:
        return ""
    path, kind = modules[-1]  # the class, or its name
    return str(path) if str(getattr(kind, "__module__", kind)).startswith("torch.nn") else ""


def _place(node: Node) -> str:
    modules = list((node.meta.get("nn_module_stack") or {}).values())
    if modules and modules[-1][0]:
        kind = modules[-1][1]
        kind = kind if isinstance(kind, str) else kind.__name__
        return f"{modules[-1][0]} ({kind.rpartition('.')[2]})"
    return node.name


def shape_of(node: Any) -> tuple[int, ...]:
    """Return the shape of what a node gives, the batch first."""
    return tuple(node.meta["val"].shape)
