"""resize_bilinear (SPEC 5.21)."""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import take


def resize_bilinear(
    x: IntArray,
    *,
    row0: IntArray,
    row1: IntArray,
    row_weight: IntArray,
    column0: IntArray,
    column1: IntArray,
    column_weight: IntArray,
    frac_bits: int,
    form: str,
) -> tuple[IntArray, IntArray]:
    """Blend two rows and two columns of an image for each output place; round once.

    Parameters
    ----------
    x : ndarray of int8, shape (n, in_h, in_w, channels)
    row0, row1 : ndarray of int32, shape (out_h,)
        Rows of `x`.
    row_weight : ndarray of int16, shape (out_h,)
        Of `row1`, in [0, 2^frac_bits]; `row0` has the rest.
    column0, column1, column_weight : ndarray, shape (out_w,)
        Columns alike.
    frac_bits : int
        In [0, 11]: fraction bits of a weight.
    form : {"up", "away"}

    Returns
    -------
    y : ndarray of int8, shape (n, out_h, out_w, channels)
    acc : ndarray of int32, shape of `y`
        The weighted sum, of 2*frac_bits fraction bits.
    """
    take("x", x, "int8", 4)
    for name, table in (("row_weight", row_weight), ("column_weight", column_weight)):
        take(name, table, "int16", 1)
    rows = _blended(x.astype(np.int32), 1, (row0, row1), row_weight, frac_bits)
    acc = _blended(rows, 2, (column0, column1), column_weight, frac_bits)
    rounded = {"up": rounding.up, "away": rounding.away}[form](acc, 2 * frac_bits)
    return rounded.astype(np.int8), acc


def _blended(
    x: IntArray, axis: int, at: tuple[IntArray, IntArray], weight: IntArray, frac_bits: int
) -> IntArray:
    """Return the weighted sum of two gathers along an axis, int32."""
    second = weight.astype(np.int32).reshape(-1, *[1] * (x.ndim - 1 - axis))
    first = np.int32(1 << frac_bits) - second
    made: IntArray = np.take(x, at[0], axis) * first + np.take(x, at[1], axis) * second
    return made
