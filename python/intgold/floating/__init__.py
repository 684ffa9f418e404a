"""Floats and torch: train, calibrate, quantize, simulate.  Nothing behind the wall needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arguments import checked

if TYPE_CHECKING:
    import numpy as np
    import torch

    from ..model import Model


@checked
def quantize(
    module: torch.nn.Module,
    calibration_images: torch.Tensor | np.ndarray,
    *,
    name: str | None = None,
    **choices: Any,
) -> Model:
    """Return the integer model of a PyTorch module.

    Parameters
    ----------
    module : torch.nn.Module
        One image tensor in, one tensor out: a sequence or a graph (residual, branching) of
        Conv2d, depthwise Conv2d, Linear, BatchNorm, ReLU, ReLU6, LeakyReLU, SELU, ELU, GELU, SiLU,
        Tanh, Sigmoid, Hardswish, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d(1), Flatten, Dropout,
        sums and concatenations over channels.  It is taken as at rest (``eval``).
    calibration_images : Tensor or ndarray
        As the module takes them, (n, c, h, w): float32; or uint8 camera bytes, of which the module
        gets x/255.
    name : str, optional
        Of the model; by default that of the class.
    **choices
        See `intgold.floating.choices.Choices`: calibration, activation, activations, per_channel,
        weight_bits, weight_scales, multiplier_bits, form.

    Returns
    -------
    Model
        It takes images (n, h, w, c) in int8; `Model.quantize_input` makes them of reals.

    Raises
    ------
    ModelError
        Naming the layer that cannot be quantised, or the choice that is out of range.
    """
    from .pytorch.module import quantize_module

    return quantize_module(module, calibration_images, name, choices)


__all__ = ["quantize"]
