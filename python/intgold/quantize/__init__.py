"""Floats and torch: train, calibrate, quantize, simulate.  Nothing on the integer side needs it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..support.arguments import check, checked
from ..support.lazy import at_first_use

if TYPE_CHECKING:
    import numpy as np
    import torch

    from ..model.graph import Model
    from .choices import Choices
    from .inference import FloatNetwork
    from .inputs import Input
    from .layers import Layer
    from .quantizer import quantize_network

    Examples = torch.Tensor | np.ndarray | Sequence[torch.Tensor | np.ndarray]


@checked
def quantize(
    module: torch.nn.Module,
    calibration_images: Examples,
    *,
    name: str | None = None,
    progress: bool = False,
    **choices: Any,
) -> Model:
    """Return the integer model of a PyTorch module.

    Parameters
    ----------
    module : torch.nn.Module
        One or several tensors in, one tensor out: a sequence or a graph (residual, branching) of
        the layers that `supported_layers` lists.  It is taken as at rest (``eval``).  A softmax
        or argmax at its end is left to the host, which ``model.metadata["left_to_host"]`` says.
    calibration_images : torch.Tensor or ndarray, or a sequence of them
        As the module takes them: pictures (n, c, h, w), sequences (n, c, length) or vectors (n,
        features); of a module with several arguments one array for each, in order.  float32; or
        uint8 camera bytes, of which the module gets x/255.
    name : str, optional
        Of the model; by default that of the class.
    progress : bool
        Show a bar of the calibration, which takes minutes where the layers are wide and the
        examples many.
    **choices
        See `intgold.quantize.Choices`: calibration, activation, activations, per_channel,
        weight_bits, weight_scales, multiplier_bits, form.

    Returns
    -------
    Model
        It takes int8 pictures (n, h, w, c), sequences (n, 1, length, c) and vectors (n, features);
        `Model.quantize_input` produces them from reals in these shapes or in those of the module.
        Its input is named ``image`` (a picture) or ``input``; several have the names of the
        arguments.

    Warns
    -----
    UserWarning
        When all values of an input of the calibration data are the same.

    Raises
    ------
    ModelError
        Naming every layer that cannot be quantised, or the choice that is out of range.
    InputError
        When the calibration data has another shape or dtype.
    """
    need_torch()
    from .pytorch.module import quantize_module

    return quantize_module(module, calibration_images, name, choices, progress=progress)


def save_network(
    module: torch.nn.Module | FloatNetwork,
    path: str | os.PathLike[str],
    examples: Examples | None = None,
    *,
    name: str | None = None,
) -> FloatNetwork:
    """Write a network as the file that ``intgold quantize`` and ``intgold sweep`` take.

    Parameters
    ----------
    module : torch.nn.Module or FloatNetwork
        As `quantize` takes it.
    path : path
        Of the file, NAME.npz.
    examples : torch.Tensor or ndarray, or a sequence of them
        A few examples as the module takes them: their shapes count, and whether they are uint8
        (camera bytes, of which the module gets x/255) or floats.  A FloatNetwork needs none.
    name : str, optional
        Of the network; by default that of the class.

    Returns
    -------
    FloatNetwork
        What was written.

    Raises
    ------
    ModelError
        Naming every layer that cannot be quantised.
    InputError
        When the examples are missing or have another shape or dtype.
    """
    from ..errors import InputError
    from .inference import FloatNetwork

    check("save_network: path", path, str | os.PathLike[str])
    if not isinstance(module, FloatNetwork):
        if examples is None:
            raise InputError("save_network: give examples, whose shapes and dtypes are the inputs'")
        need_torch()
        from .pytorch.module import network_and_batch

        module, _ = network_and_batch(module, examples, name, "save_network")
    module.save(path)
    return module


def supported_layers() -> str:
    """Return the layers and functions of PyTorch that `quantize` takes, as a Markdown table.

    Raises
    ------
    IntgoldError
        Without PyTorch.
    """
    need_torch()
    from .pytorch.aten import supported_layers as table

    return table()


def need_torch() -> None:
    """Raise IntgoldError, with the command that installs it, unless PyTorch can be imported."""
    from ..errors import IntgoldError

    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise IntgoldError(f"modules need PyTorch ({error}): pip install torch") from None


__all__ = [
    "Choices",
    "FloatNetwork",
    "Input",
    "Layer",
    "quantize",
    "quantize_network",
    "save_network",
    "supported_layers",
]

__getattr__, __dir__ = at_first_use(__name__, {
    "Choices": "choices", "FloatNetwork": "inference", "Input": "inputs", "Layer": "layers",
    "quantize_network": "quantizer",
})  # fmt: skip
