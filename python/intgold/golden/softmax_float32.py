"""softmax_float32 (SPEC 5.17): a table of float32 exponentials, summed and divided, in integers.

A value of float32 that is not negative is a pair: significand * 2^(exponent - 149).
"""

from __future__ import annotations

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import bit_length, give, take

_GUARD = 36
"""Bits kept below the significand of the greater term; a lesser one that they miss is no tie."""


def softmax_float32(x: IntArray, *, form: str, table: IntArray) -> IntArray:
    """Return exp(x - max) / sum over the last dimension, scale 1/256 and zero point -128.

    Parameters
    ----------
    x : ndarray of int8, shape (n, ..., depth)
    form : str
        ``rounded``: the quotient to the nearest, halves up; ``half_added``: 1/2 is added in
        float32, then the fraction dropped.
    table : ndarray of int32, shape (256,)
        Entry i: the bits of the float32 exp of the difference i - 255.

    Returns
    -------
    ndarray of int8, shape of `x`
    """
    take("x", x, "int8")
    take("table", table, "int32", 1)
    at = x.astype(np.int64)
    at += 255 - at.max(axis=-1, keepdims=True)
    significands, exponents = _unpacked(table.astype(np.int64))
    e, exponent = significands[at], exponents[at]
    total = total_exponent = np.zeros(x.shape[:-1], np.int64)
    for i in range(x.shape[-1]):  # in float32 the order of a sum shows
        total, total_exponent = _plus(total, total_exponent, e[..., i], exponent[..., i])
    inverse = rounding.divide_up(np.full_like(total, 2**47), total)[
        ..., None
    ]  # of 1/256 of the sum
    p = rounding.to_significand(e * inverse, 24)
    shift = np.minimum(39 + total_exponent[..., None] - exponent, 62)  # 62: p vanishes
    if form == "half_added":
        r = rounding.down(rounding.to_significand(p + (np.int64(1) << shift - 1), 24), shift)
    else:
        r = rounding.up(p, shift)
    return give(r - 128, -128, 127)


def _unpacked(bits: IntArray) -> tuple[IntArray, IntArray]:
    """Return the values of which these are the bits; subnormal ones share the smallest exponent."""
    fraction, field = bits & (2**23 - 1), bits >> 23
    return np.where(field > 0, fraction + 2**23, fraction), np.maximum(field, 1) - 1


def _plus(
    a: IntArray, a_exponent: IntArray, b: IntArray, b_exponent: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the sum to 24 significant bits, ties to even; significands are at most 2^24."""
    top = np.maximum(a_exponent, b_exponent)
    a_aligned, b_aligned = (
        (v << _GUARD) >> np.minimum(top - exponent, 62)
        for v, exponent in ((a, a_exponent), (b, b_exponent))
    )
    total = a_aligned + b_aligned
    excess = np.maximum(bit_length(total) - 24, 0)
    return rounding.even(total, excess), np.where(total > 0, top - _GUARD + excess, 0)
