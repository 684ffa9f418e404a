"""A PyTorch module as a `FloatNetwork`: exported by torch.export, batch normalisation folded."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ...errors import InputError, ModelError
from ...model import Model
from ..calibrate import calibrate
from ..choices import Choices
from ..inference import FloatNetwork
from ..inputs import stored
from ..quantizer import quantize_network
from .aten import TAKEN
from .importer import Importer

if TYPE_CHECKING:
    Given = torch.Tensor | np.ndarray | Sequence[torch.Tensor | np.ndarray]
_MOST_LINES = 20
LIST = "what is taken: docs/quantisation.md#what-is-taken, or intgold.floating.supported_layers()"
_LENGTHS = "(n, features), (n, c, length) or (n, c, h, w)"


def quantize_module(
    module: nn.Module, examples: Given, name: str | None, choices: Mapping[str, Any]
) -> Model:
    """Return the integer model of a module; see `intgold.floating.quantize`."""
    try:
        chosen = Choices(**choices)
    except TypeError as error:
        raise ModelError(f"quantize: {str(error).partition(' ')[2]}") from None
    network, batch = network_and_batch(module, examples, name)
    ranges = calibrate(network, batch, chosen.calibration)
    return quantize_network(network, ranges, chosen, name=network.name)


def network_and_batch(
    module: nn.Module, examples: Given, name: str | None = None
) -> tuple[FloatNetwork, dict[str, np.ndarray]]:
    """Return a module as a float network, and the examples by the names of its inputs."""
    arrays = _arrays(examples)
    given = [(array.shape[1:], array.dtype == np.uint8) for array in arrays]
    network = network_of(module, given, name)
    pairs = zip(network.inputs, arrays, strict=True)
    return network, {x.name: np.ascontiguousarray(stored(array, x.order)) for x, array in pairs}


def network_of(
    module: nn.Module, given: Sequence[tuple[tuple[int, ...], bool]], name: str | None = None
) -> FloatNetwork:
    """Return a module at rest as a float network.

    Parameters
    ----------
    module : torch.nn.Module
        It is copied; its mode and device do not matter.
    given : sequence of (shape, pixels)
        For each argument of the module: the shape of one example as the module takes it, and
        whether it is camera bytes (see `Input`).
    name : str, optional

    Raises
    ------
    ModelError
        Naming every layer that intgold has no op for.
    """
    if not isinstance(module, nn.Module):
        raise ModelError(f"quantize: {type(module).__name__} is not a torch.nn.Module")
    program = _exported(module, [shape for shape, _ in given])
    found: list[Importer] = []
    for channels_first in (True, False):  # the first order of the inputs that does
        arrays = {**program.state_dict, **program.constants}
        importer = Importer(TAKEN, arrays, program.graph_signature, given, channels_first)
        for node in program.graph.nodes:
            importer.take(node)
        if not importer.refusals:
            inputs, layers, host = importer.network()
            return FloatNetwork.of(name or _legal(type(module).__name__), inputs, layers, host)
        found.append(importer)
    raise ModelError(_refusal(type(module).__name__, found[0].refusals))


def _exported(module: nn.Module, shapes: Sequence[tuple[int, ...]]) -> Any:
    # A copy of what another tensor was computed from, as weight_norm keeps it, torch refuses.
    computed = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    at_rest = copy.deepcopy(module, computed).cpu().float().eval()
    # Two examples: a batch of one would hide a layer that mixes them.
    try:
        with torch.no_grad():
            return torch.export.export(at_rest, tuple(torch.zeros(2, *shape) for shape in shapes))
    except Exception as error:  # whatever the module's own code raises
        reason = " ".join(str(error).split())[:200]
        sizes = ", ".join(f"(n, {str(tuple(shape))[1:]}" for shape in shapes)
        what = f"{type(module).__name__}, given {sizes}"
        raise ModelError(f"{what}: torch.export refuses it: {reason}") from error


def _refusal(module: str, reasons: Sequence[str]) -> str:
    """Return the message that lists all that is refused, each once."""
    lines = list(dict.fromkeys(reason[:300] for reason in reasons))
    if len(lines) == 1:
        return f"{lines[0]} ({LIST})"
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    head = f"{module}: {len(lines)} layers cannot be quantised ({LIST})"
    return "\n  ".join([head, *lines[:_MOST_LINES], *more])


def _arrays(examples: Given) -> list[np.ndarray]:
    """Return the examples of each input, checked."""
    several = isinstance(examples, (tuple, list))
    arrays = [_array(part) for part in (examples if several else [examples])]
    if not arrays:
        raise InputError("calibration data: no input")
    counts = [len(array) for array in arrays]
    if len(set(counts)) > 1:
        raise InputError(f"calibration data: {counts} examples; the inputs go together one by one")
    return arrays


def _array(examples: Any) -> np.ndarray:
    array = examples.detach().cpu().numpy() if isinstance(examples, torch.Tensor) else examples
    if not isinstance(array, np.ndarray) or not 2 <= array.ndim <= 4 or array.size == 0:
        found = getattr(array, "shape", type(array).__name__)
        raise InputError(f"calibration data: {found}, wants an array {_LENGTHS}")
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise InputError(f"calibration data: {array.dtype} is neither a float nor uint8")
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _legal(name: str) -> str:
    """Return a class name as a model's name."""
    return re.sub(r"\W|^[\d_]+", "", name, flags=re.ASCII).lower()[:64] or "network"
