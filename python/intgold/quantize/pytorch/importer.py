"""The walk over an exported graph: what each node gives, and in which order it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.fx import Node

from ...errors import ModelError
from ...host.axis_order import output_order, stored_shape
from ..inputs import IMAGE, Input
from ..layers import Layer
from .nodes import function_of, legal_name, shape_of, source_location
from .refusals import Refusals
from .sketch import MisplacedError, NodeValue, Sketch, Take, value_order

_CHANCE = ("rand", "normal", "bernoulli", "dropout", "multinomial", "exponential")
_LOGITS = "logits"


class Importer(Sketch):
    """Takes the nodes of a graph in order; `network` gives the layers.

    What cannot be taken is noted, and something of its shape stands in for it, so that one walk
    finds all of it.

    Parameters
    ----------
    table : mapping of str to callable
        What each ATen function becomes.
    arrays : mapping of str to Tensor
        Parameters and buffers by their names in the module.
    signature : torch.export.ExportGraphSignature
        Which placeholder is which of them.
    given : sequence of (shape, pixels)
        Of each input in the order of the module's arguments: the shape of one example, and
        whether it is camera bytes.
    channels_first : bool
        Whether the inputs have their channels before height, width and length.
    """

    def __init__(
        self, table: Mapping[str, Take], arrays: Mapping[str, Any], signature: Any,
        *, given: Sequence[tuple[tuple[int, ...], bool]], channels_first: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self._table, self._arrays = table, arrays
        self._named = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        self._given, self._channels_first = list(given), channels_first
        self.inputs: list[Input] = []
        self.refusals = Refusals()
        self._guessed: set[str] = set()
        self._output, self._output_order = NodeValue(""), ""

    def take(self, node: Node) -> None:
        """Take one node, or note why it cannot be taken."""
        self.where = source_location(node)
        try:
            self._take(node)
        except Exception as error:
            guess = self._after_refusal(node)  # a stand-in may fit nothing that follows
            if not isinstance(error, ModelError) and not guess:
                raise
            if isinstance(error, ModelError) and not (guess and isinstance(error, MisplacedError)):
                self.refusals.add(node, str(error).removeprefix(f"layer {self.where}: "))
            self._guessed.add(node.name)
            value = node.meta.get("val")
            if node.op == "call_function":
                shape = tuple(value.shape[1:]) if isinstance(value, torch.Tensor) else (1,)
                self.known[node.name] = self._stand_in(node, shape)

    def _take(self, node: Node) -> None:
        if node.op == "placeholder":
            if node.name in self._named:
                self.constants[node.name] = self._arrays[self._named[node.name]]
            else:
                self._input(node)
        elif node.op == "output":
            (made,) = node.args
            if not isinstance(made, (tuple, list)) or len(made) != 1 or made[0] is None:
                raise ModelError("the module does not return exactly one tensor")
            self._output = self.value(made[0], host=True)
            self._note_order(made[0])
        elif node.op == "call_function":
            self._call(node)
        else:
            raise self.refused(f"{node.op} {node.target}")

    def _input(self, node: Node) -> None:
        (shape, pixels), *self._given = self._given
        name = node.name if len(self._given) + len(self.inputs) else _only(shape)
        first = self._channels_first
        order = {1: "NF", 2: "NCL" if first else "NLC", 3: "NCHW" if first else "NHWC"}[len(shape)]
        legal = legal_name(name, "input")
        legal = f"{legal}_" if legal == _LOGITS else legal  # that is what the last op produces
        made = Input(legal, stored_shape(shape, order), pixels, order)
        self.inputs.append(made)
        self.shapes[made.name] = made.shape
        rows = None if first or len(shape) == 1 else np.arange(np.prod(shape)).reshape(shape)
        self.known[node.name] = NodeValue(made.name, rows)

    def _call(self, node: Node) -> None:
        target = function_of(node)
        if not node.users and not target.endswith("_"):  # in place it counts without readers
            return
        if not any(n.name in self.known for n in node.all_input_nodes):
            self.constants[node.name] = self._folded(node, target)
            return
        if target == "getitem" and self._after_refusal(node):  # one of several results
            self._guessed.add(node.name)
            value = node.meta.get("val")
            shape = tuple(value.shape[1:]) if isinstance(value, torch.Tensor) else (1,)
            self.known[node.name] = self._stand_in(node, shape)
            return
        in_place = target.endswith("_")
        function = self._table.get(target.rstrip("_"))
        if function is None:
            raise self.refused(f"{node.target} is not supported")
        first = node.args[0]
        before = self.known.get(first.name) if isinstance(first, Node) else None
        made = function(self, node)
        self.known[node.name] = made
        if self._after_refusal(node):
            self._guessed.add(node.name)
        if in_place and before is not None:
            # What was made in place is what all other names of that memory mean from now on.
            for name, value in self.known.items():
                if value.layer == before.layer:
                    self.known[name] = replace(value, layer=made.layer)

    def _folded(self, node: Node, target: str) -> Any:
        """Return what a function of only parameters and constants gives, such as weight_norm."""
        if any(word in target for word in _CHANCE):
            raise self.refused(f"{node.target} is another value each time")

        def value(argument: Any) -> Any:
            return self.constants[argument.name] if isinstance(argument, Node) else argument

        with torch.no_grad():
            arguments = torch.fx.node.map_aggregate(node.args, value)
            keywords = torch.fx.node.map_aggregate(node.kwargs, value)
            assert callable(node.target)
            return node.target(*arguments, **keywords)

    def _stand_in(self, node: Node, shape: tuple[int, ...]) -> NodeValue:
        size = max(int(np.prod(shape)), 1)
        stored = {2: (1, *shape[::-1]), 3: (*shape[1:], *shape[:1])}.get(len(shape), (size,))
        name = self.free_name(node, "stand_in")
        self.layers[name] = Layer(name, "relu")
        self.shapes[name] = stored
        return NodeValue(name, None if len(shape) < 4 else np.arange(size).reshape(shape))

    def network(self) -> tuple[tuple[Input, ...], tuple[Layer, ...], str, str]:
        """Return inputs, the layers that lead to the output in order, what the host does, and the
        axes in which torch has what the last layer gives.

        Raises
        ------
        ModelError
            When nothing is computed, or an input does not lead to the output.
        """
        needed, layers = {self._output.layer}, []
        for layer in reversed(self.layers.values()):
            if layer.name in needed:
                needed |= set(layer.inputs)
                layers.append(layer)
        if not layers or layers[0].name != self._output.layer:
            raise ModelError("the module returns its input: there is nothing to quantise")
        for x in self.inputs:
            if x.name not in needed:
                raise ModelError(f"input {x.name} has no influence on the output")
        hosts = "; ".join(self.hosts)
        return tuple(self.inputs), tuple(reversed(layers)), hosts, self._output_order

    def _note_order(self, node: Any) -> None:
        order, _ = self.read_by_host or (value_order(self._output, shape_of(node)[1:]), "")
        stored = self.shapes[self._output.layer]
        self._output_order = output_order(order, stored)
        if self._output_order:
            return
        if np.array_equal(order.ravel(), np.arange(order.size)):
            self.hosts.append(f"the shape of the output: {stored} here, {order.shape} there")
        else:
            self.hosts.append(f"the order of the output: it is {stored}, channels last")

    def _after_refusal(self, node: Node) -> bool:
        return any(n.name in self._guessed for n in node.all_input_nodes)


def _only(shape: tuple[int, ...]) -> str:
    return IMAGE if len(shape) == 3 else "input"
