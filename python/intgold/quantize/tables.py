"""Activations as tables of 256 entries (SPEC 5.4, 8): the table is the artefact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..host.affine import quantize


def activation_table(
    function: Callable[[np.ndarray], np.ndarray],
    x_scale: float,
    x_zero_point: int,
    y_scale: float,
    y_zero_point: int,
) -> np.ndarray:
    """Return ``quantize(function(dequantize(q)))`` for q from -128 to 127.

    Parameters
    ----------
    function : callable
        float64 to float64, elementwise.
    x_scale, y_scale : float
    x_zero_point, y_zero_point : int

    Returns
    -------
    ndarray of int8, shape (256,)
        Entry i answers q = i - 128.
    """
    reals = (np.arange(-128, 128, dtype=np.float64) - x_zero_point) * x_scale
    return quantize(function(reals), y_scale, y_zero_point)
