"""What of a module cannot be taken: an entry for each layer, with its class and why."""

from __future__ import annotations

from torch.fx import Node

from .aten import is_listed
from .nodes import source_location, torch_layer

LIST = "what is taken: docs/quantisation.md#what-is-taken, or intgold.quantize.supported_layers()"
_MAX_LINES = 20
_MAX_REASON = 250  # characters


class Refusals:
    """The refused layers of a module, in order.

    What is refused inside one layer of torch.nn, such as the products of an attention, is one
    entry, and so is what a module of the user's own computes outside of such layers.
    """

    def __init__(self) -> None:
        self._layers: dict[str, tuple[str, list[str]]] = {}  # by place: class of torch.nn, reasons
        self._of_output = ""

    def __len__(self) -> int:
        return len(self._layers) or bool(self._of_output)

    def add(self, node: Node, reason: str) -> None:
        """Add the reason why a node cannot be taken."""
        path, kind = torch_layer(node)
        if node.op == "output":  # no layer: it counts where all of those can be taken
            self._of_output = reason
        elif kind:
            where = f"layer {path} ({kind})" if path else f"layer {kind}"
            self._layers.setdefault(where, (kind, []))[1].append(reason)
        else:
            self._layers.setdefault(f"layer {source_location(node)}", ("", []))[1].append(reason)

    def message(self, module: str) -> str:
        """Return the line that lists them all."""
        lines = [_line(where, *about) for where, about in self._layers.items()] or [self._of_output]
        if len(lines) == 1:
            return f"{lines[0]} ({LIST})"
        more = [f"and {len(lines) - _MAX_LINES} more"] if len(lines) > _MAX_LINES else []
        head = f"{module}: {len(lines)} layers cannot be quantised ({LIST})"
        return f"{head}: " + "; ".join([*lines[:_MAX_LINES], *more])


def _line(where: str, kind: str, reasons: list[str]) -> str:
    """Return an entry: why, where the class is taken; else that it is not, whatever is inside."""
    reason = ", ".join(dict.fromkeys(reasons))[:_MAX_REASON]
    if not kind:
        return f"{where}: {reason}"
    if is_listed(kind):
        return f"{where}: {reasons[0][:_MAX_REASON]}"
    says = len(set(reasons)) == 1 and not reason.endswith(" is not supported")
    return f"{where}: not supported" + f" ({reason})" * says
