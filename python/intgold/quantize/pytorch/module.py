"""A PyTorch module as a `FloatNetwork`: exported by torch.export, batch normalisation folded."""

from __future__ import annotations

import copy
import difflib
import inspect
import io
import logging
import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from ...errors import InputError, ModelError
from ...host.axis_order import stored
from ...model.graph import Model
from ...support.arguments import are_bytes, array_advice
from ...support.quoting import given
from ..calibrate import calibrate
from ..choices import Choices
from ..inference import FloatNetwork
from ..inputs import refuse_nan
from ..quantizer import quantize_network
from .aten import SUPPORTED
from .importer import Importer

if TYPE_CHECKING:
    Given = torch.Tensor | np.ndarray | Sequence[torch.Tensor | np.ndarray]

__all__ = ["network_and_batch", "network_of"]

_MAX_SHAPES = 4
_LENGTHS = "(n, features), (n, c, length) or (n, c, h, w)"


def quantize_module(
    module: nn.Module,
    examples: Given,
    name: str | None,
    choices: Mapping[str, Any],
    *,
    progress: bool = False,
) -> Model:
    """Return the integer model of a module; see `intgold.quantize.quantize`."""
    known = [field.name for field in fields(Choices)]
    for unknown in (name for name in choices if name not in known):
        suggestions = difflib.get_close_matches(unknown, known, 1)
        meant = f" (is {suggestions[0]} meant?)" if suggestions else ""
        raise ModelError(
            f"quantize: unknown choice {unknown!r}{meant}; there are {', '.join(known)}"
        )
    chosen = Choices(**choices)
    network, batch = network_and_batch(module, examples, name)
    ranges = calibrate(network, batch, chosen.calibration, progress=progress)
    return quantize_network(network, ranges, chosen, name=network.name)


def network_and_batch(
    module: nn.Module, examples: Given, name: str | None = None, function: str = "quantize"
) -> tuple[FloatNetwork, dict[str, np.ndarray]]:
    """Return a module as a float network, and the examples by the names of its inputs."""
    _check_module(module, examples, function)
    _check_parameters(module)
    _check_count(module, examples)
    arrays = _arrays(examples)
    shapes = [(array.shape[1:], array.dtype == np.uint8) for array in arrays]
    network = network_of(module, shapes, name)
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
    program = _exported(module, [shape for shape, _ in given])
    found: list[Importer] = []
    for channels_first in (True, False):  # the first order of the inputs that does
        arrays = {**program.state_dict, **program.constants}
        importer = Importer(
            SUPPORTED, arrays, program.graph_signature, given=given, channels_first=channels_first
        )
        for node in program.graph.nodes:
            importer.take(node)
        if not importer.refusals:
            name = name or _legal(type(module).__name__)
            return FloatNetwork.of(name, *importer.network())
        found.append(importer)
    fewest = min((importer.refusals for importer in found), key=lambda refusals: len(refusals))
    raise ModelError(fewest.message(type(module).__name__))


def _check_module(module: Any, examples: Any, function: str) -> None:
    if isinstance(module, nn.Module):
        return
    advice = ""
    if isinstance(examples, nn.Module):
        advice = ": are the arguments swapped?"
    elif isinstance(module, type) and issubclass(module, nn.Module):
        advice = f": it is a class; {module.__name__}(...) produces a module"
    name = getattr(module, "__name__", type(module).__name__)
    raise ModelError(f"{function}: {name} is not a torch.nn.Module{advice}")


def _check_parameters(module: nn.Module) -> None:
    """Raise ModelError that names a parameter with a NaN or infinity, or a buffer with a NaN."""
    parts = dict(module.named_modules())
    buffers = [(name, b) for name, b in module.named_buffers() if not is_lazy(b)]
    for name, tensor in [*module.named_parameters(), *buffers]:
        if is_lazy(tensor) or tensor.is_meta:
            continue
        invalid = (
            ~torch.isfinite(tensor) if isinstance(tensor, nn.Parameter) else torch.isnan(tensor)
        )
        if invalid.any():
            place = tuple(map(int, invalid.nonzero()[0]))
            path, _, leaf = name.rpartition(".")
            kind = type(parts[path]).__name__
            where = f"layer {path} ({kind})" if path else kind
            raise ModelError(f"{where}: {leaf} holds {tensor[place].item()} at {place}")


def _check_count(module: nn.Module, examples: Any) -> None:
    """Raise InputError for more arrays than the module has arguments: examples, or labels."""
    if not isinstance(examples, (tuple, list)):
        return
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return
    most = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    if len(examples) > most:
        raise InputError(
            f"calibration data: {len(examples)} arrays, and {type(module).__name__} takes {most}: "
            "a list or tuple has one array for each input, and no labels; torch.stack(list) "
            "produces one array of examples"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what torch logs and prints of an export off the terminal: the error says it."""
    names = [n for n in logging.root.manager.loggerDict if n.partition(".")[0] == "torch"]
    loggers = [logger for name in names if not (logger := logging.getLogger(name)).disabled]
    for logger in loggers:
        logger.disabled = True
    try:
        with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()), catch_warnings():
            simplefilter("ignore")
            yield
    finally:
        for logger in loggers:
            logger.disabled = False


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
    zeros = tuple(torch.zeros(2, *shape) for shape in shapes)
    listed = [str(tuple(shape)) for shape in shapes]
    more = [f"and {len(listed) - _MAX_SHAPES} more"] if len(listed) > _MAX_SHAPES else []
    sizes = ", ".join([*listed[:_MAX_SHAPES], *more])
    kind = type(module).__name__
    try:
        with torch.no_grad():
            copy.deepcopy(at_rest)(*zeros)
    except Exception as error:  # whatever the module's own code raises
        reason = _reason(error)
        raise ModelError(
            f"{kind}: the module does not run on examples of shape {sizes}: {reason}"
        ) from None
    try:
        with torch.no_grad(), _quiet():
            return torch.export.export(at_rest, zeros)
    except Exception as error:
        if "data-dependent" in str(error):
            raise ModelError(
                f"{kind}: its forward branches on values of a tensor{_line_of(error)}, which "
                "torch.export cannot follow; torch.where chooses without a branch"
            ) from None
        what = f"{kind}, given examples of shape {sizes}"
        raise ModelError(f"{what}: torch.export refuses it: {_reason(error)}") from None


def _line_of(error: Exception) -> str:
    """Return the user's own line in which torch raised an error, or an empty text."""
    theirs = (os.path.dirname(torch.__file__), os.path.dirname(__file__))
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.name == "forward" and not frame.filename.startswith(theirs)
    ]
    if not frames:
        return ""
    file, number, line = os.path.basename(frames[-1].filename), frames[-1].lineno, frames[-1].line
    return f" ({file}, line {number}: {line})"


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _arrays(examples: Given) -> list[np.ndarray]:
    """Return the examples of each input, checked."""
    if isinstance(examples, Mapping):
        raise InputError("calibration data: a dict; give a tuple of arrays, in the order of the "
                         "module's arguments")  # fmt: skip
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
    if isinstance(array, np.ma.MaskedArray):
        raise InputError(f"calibration data: {given(array)}{array_advice(array)}")
    if not isinstance(array, np.ndarray) or not 2 <= array.ndim <= 4:
        found = getattr(array, "shape", type(array).__name__)
        raise InputError(f"calibration data: {found}, wants an array {_LENGTHS}")
    if array.size == 0:
        raise InputError(f"calibration data: no examples in shape {array.shape}")
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        advice = "x.astype(numpy.float32) produces floats"
        if are_bytes(array):
            advice = f"x.astype(numpy.uint8) produces camera bytes, x/255 to the module; {advice}"
        raise InputError(f"calibration data: {array.dtype} is neither a float nor uint8: {advice}")
    if array.dtype == np.uint8:
        return array
    refuse_nan("calibration data", array)
    return array.astype(np.float32)


def _legal(name: str) -> str:
    """Return a class name as a model's name."""
    return re.sub(r"\W|^[\d_]+", "", name, flags=re.ASCII).lower()[:64] or "network"
