"""Real weights and bias to integers (SPEC 8.3, 8.5): scales, narrow multipliers, few bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelError
from ..host import affine, multiplier
from ..ops.fields import INT32_MAX, Requantize
from .choices import Choices
from .layers import Layer

_SHARES = np.arange(20, 101) / 100
"""Of the largest weight: the candidates of a searched weight scale."""


def integer_weights(
    layer: Layer, s_x: float, s_y: float | None, choices: Choices
) -> tuple[dict[str, Any], float]:
    """Return the fields of a multiply-accumulate op that depend on its scales.

    Parameters
    ----------
    layer : Layer
        With weights.
    s_x : float
        Scale of the input.
    s_y : float or None
        Scale of the output; None leaves the int32 accumulator, in one scale for all channels.
    choices : Choices

    Returns
    -------
    fields : dict
        weights, bias, weight_scale, requantize.
    scale : float
        Of the output.
    """
    assert layer.weights is not None and layer.bias is not None
    rows = np.moveaxis(layer.weights, layer.output_axis, 0).astype(np.float64)
    rows, bias = rows.reshape(len(layer.bias), -1), layer.bias.astype(np.float64)
    per_channel = choices.per_channel and s_y is not None
    s_w = _scales(rows, bias, s_x, choices, per_channel=per_channel)
    requantize = None
    if s_y is not None:
        s_w, requantize = _requantize(s_w, s_x, s_y, choices)
    most = choices.largest_weight
    scaled = rows / s_w[:, np.newaxis]
    if not np.isfinite(scaled).all():
        raise ModelError(f"weights or bias do not fit their scales, from {s_w.min()}")
    integers = np.clip(affine.round_away(scaled), -most, most).astype(np.int8)
    shape = np.moveaxis(layer.weights, layer.output_axis, 0).shape
    scaled_bias = affine.round_away(bias / (s_x * s_w))
    if not (np.abs(scaled_bias) <= INT32_MAX).all():
        raise ModelError(f"weights or bias do not fit their scales, from {s_w.min()}")
    fields = {
        "weights": np.moveaxis(integers.reshape(shape), 0, layer.output_axis),
        "bias": scaled_bias.astype(np.int64),
        "weight_scale": tuple(s_w.tolist()),
        "requantize": requantize,
    }
    return fields, s_x * float(s_w[0]) if s_y is None else s_y


def _scales(
    rows: np.ndarray, bias: np.ndarray, s_x: float, choices: Choices, *, per_channel: bool
) -> np.ndarray:
    """Return s_w, one or one per row; the bias stays within 2^30, all-zero gives 1."""
    if not per_channel:
        rows = rows.reshape(1, -1)
    scales = np.abs(rows).max(axis=1) / choices.largest_weight
    if choices.weight_scales == "mse":
        scales = scales * _best_shares(rows, scales, choices.largest_weight)
    floor = np.abs(bias) / (s_x * 2**30)
    scales = np.maximum(scales, floor if per_channel else floor.max())
    return np.where(scales == 0, 1.0, scales)


def _best_shares(rows: np.ndarray, scales: np.ndarray, most: int) -> np.ndarray:
    """Return, per row, the share of its scale with the smallest squared error of the weights."""
    best, smallest = np.ones(len(rows)), np.full(len(rows), np.inf)
    for share in _SHARES[::-1]:
        s = np.where(scales == 0, 1.0, scales * share)[:, np.newaxis]
        made = np.clip(affine.round_away(rows / s), -most, most) * s
        error = ((made - rows) ** 2).sum(axis=1)
        best, smallest = np.where(error < smallest, share, best), np.minimum(error, smallest)
    return best


def _requantize(
    s_w: np.ndarray, s_x: float, s_y: float, choices: Choices
) -> tuple[np.ndarray, Requantize]:
    """Return the weight scales and their multipliers ``s_x * s_w / s_y``.

    A narrow multiplier comes first and the weight scale follows it: rounding only the
    multiplier would change the function.
    """
    bits = choices.multiplier_bits
    reals = (s_x * s_w / s_y).tolist()
    if choices.narrow:
        pairs = [multiplier.fixed_point_above(real, bits) for real in reals]
        reals = [multiplier.value(*pair) for pair in pairs]
        s_w = np.array([real * s_y / s_x for real in reals])
    return s_w, multiplier.requantize_for(reals, choices.form, bits)
