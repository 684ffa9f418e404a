"""A PyTorch module as a `FloatNetwork`: exported by torch.export, batch normalisation folded."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from ...errors import InputError, ModelError
from ...model import Model
from ..affine import pixel_values
from ..calibrate import calibrate
from ..choices import Choices
from ..inference import FloatNetwork
from ..quantizer import quantize_network
from .aten import TAKEN
from .importer import Importer


def quantize_module(
    module: nn.Module,
    images: torch.Tensor | np.ndarray,
    name: str | None,
    choices: Mapping[str, Any],
) -> Model:
    """Return the integer model of a module; see `intgold.floating.quantize`."""
    try:
        chosen = Choices(**choices)
    except TypeError as error:
        raise ModelError(f"quantize: {str(error).partition(' ')[2]}") from None
    array = _array(images)
    network = network_of(module, array.shape[1:], array.dtype == np.uint8, name)
    ranges = calibrate(network, nhwc(array), chosen.calibration)
    return quantize_network(network, ranges, chosen, name=network.name)


def nhwc(images: np.ndarray) -> np.ndarray:
    """Return images (n, c, h, w) as a float network takes them: float32 (n, h, w, c)."""
    reals = pixel_values(images) if images.dtype == np.uint8 else images
    return np.ascontiguousarray(reals.transpose(0, 2, 3, 1), np.float32)


def network_of(
    module: nn.Module, shape: tuple[int, ...], pixels: bool = True, name: str | None = None
) -> FloatNetwork:
    """Return a module at rest as a float network.

    Parameters
    ----------
    module : torch.nn.Module
        It is copied; its mode and device do not matter.
    shape : tuple of int
        Of one image: (channels, height, width).
    pixels : bool
        See `FloatNetwork`.
    name : str, optional

    Raises
    ------
    ModelError
        Naming the layer that intgold has no op for.
    """
    if not isinstance(module, nn.Module):
        raise ModelError(f"quantize: {type(module).__name__} is not a torch.nn.Module")
    if len(shape) != 3:
        raise InputError(f"images of shape (n, {str(tuple(shape))[1:]}, wants (n, c, h, w)")
    at_rest = copy.deepcopy(module).cpu().float().eval()
    # Two images: a batch of one would hide a layer that mixes images.
    try:
        with torch.no_grad():
            program = torch.export.export(at_rest, (torch.zeros(2, *shape),))
    except Exception as error:  # whatever the module's own code raises
        reason = " ".join(str(error).split())[:200]
        what = f"{type(module).__name__}, given images (n, {str(tuple(shape))[1:]}"
        raise ModelError(f"{what}: torch.export refuses it: {reason}") from error
    arrays = {**program.state_dict, **program.constants}
    importer = Importer(TAKEN, arrays, program.graph_signature)
    for node in program.graph.nodes:
        importer.take(node)
    channels, height, width = shape
    return FloatNetwork(
        name or _legal(type(module).__name__), (height, width, channels), importer.network(), pixels
    )


def _array(images: torch.Tensor | np.ndarray) -> np.ndarray:
    array = images.detach().cpu().numpy() if isinstance(images, torch.Tensor) else images
    if not isinstance(array, np.ndarray) or array.ndim != 4 or len(array) == 0:
        found = getattr(array, "shape", type(array).__name__)
        raise InputError(f"calibration images: {found}, wants an array (n, c, h, w)")
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise InputError(f"calibration images: {array.dtype} is neither a float nor uint8")
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _legal(name: str) -> str:
    """Return a class name as a model's name."""
    return re.sub(r"\W|^[\d_]+", "", name, flags=re.ASCII).lower()[:64] or "network"
