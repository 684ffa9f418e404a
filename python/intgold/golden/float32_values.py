"""Values of float32 as integers: significand * 2^(exponent - 149) (SPEC 5.17, 5.27).

A value is a pair of int64 arrays, its significand at most 2^24 in magnitude.  What `plus`
and `log_float32` give has at least 2^23 in magnitude, or is 0.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..support.array_types import IntArray
from . import rounding
from ._integers import Int, bit_length

Pair: TypeAlias = tuple[IntArray, IntArray]
_GUARD = 36
"""Bits kept below the significand of the greater term; a lesser one that they miss is no tie."""
_Q = 58
"""Fraction bits of the logarithm."""
_INVERSES = (
    403207537546817408, 386319263048273728, 370788839817751552, 356458835818373440,
    343195250759117120, 330883313090930688, 319424150354333632, 308732128243838592,
    298732706777278912, 288230376151711744, 273613054968132992, 257996434376053760,
    244327748420476096, 232034527784289696, 220919100795796896, 210819941461986368,
)  # fmt: skip
"""1/c of sixteen centres c of significands."""
_LOGARITHMS = (
    -96756439276236256, -84423846346022320, -72597350984689264, -61237047579453256,
    -50307571856423616, -39777436906555392, -29618486291478904, -19805440296907568,
    -10315516921124924, 0, 15001001067328264, 31940051115490000,
    47629931991455808, 62509642983553920, 76658760458169872, 90145683372171408,
)  # fmt: skip
"""The logarithms of the centres."""
_CUBE, _SQUARE, _HALF = 96112369020745376, -72315105438085952, -144115115609035312
_LN_2 = 199786072581291488
_START = 0x330000
"""Significands from 2^23 + 0x330000 on are below 1; those before it from 1 on."""


def unpacked(bits: IntArray) -> Pair:
    """Return the values of which these are the bits; subnormal ones share the smallest exponent."""
    fraction, field = bits & (2**23 - 1), bits >> 23
    return np.where(field > 0, fraction + 2**23, fraction), np.maximum(field, 1) - 1


def entries_and_sum(diff: IntArray, table: IntArray) -> tuple[Pair, Pair]:
    """Return the entries of differences <= 0, and their sum over the last dimension (SPEC 5.17)."""
    significands, exponents = unpacked(table.astype(np.int64))
    e, exponent = significands[255 + diff], exponents[255 + diff]
    total = np.zeros(diff.shape[:-1], np.int64), np.zeros(diff.shape[:-1], np.int64)
    for i in range(diff.shape[-1]):  # in float32 the order of a sum shows
        total = plus(total, (e[..., i], exponent[..., i]))
    return (e, exponent), (total[0][..., None], total[1][..., None])


def plus(a: Pair, b: Pair) -> Pair:
    """Return the sum to 24 significant bits, ties to even."""
    top = np.maximum(a[1], b[1])
    return _rounded(_aligned(a, top) + _aligned(b, top), top - _GUARD)


def _aligned(v: Pair, top: IntArray) -> IntArray:
    return rounding.zero(v[0] << _GUARD, np.minimum(top - v[1], 62))


def _rounded(exact: IntArray, exponent: IntArray) -> Pair:
    """Return a value with 24 significant bits, exactly as many unless it is 0."""
    excess = bit_length(abs(exact)) - 24
    kept = rounding.even(exact, np.maximum(excess, 0)) << np.maximum(-excess, 0)
    return kept, np.where(exact == 0, 0, exponent + excess)


def times(a: Pair, n: IntArray) -> Pair:
    """Return the product with an integer of at most 39 bits, to 24 significant bits."""
    return _rounded(a[0] * n, a[1])


def log_float32(a: Pair) -> Pair:
    """Return the logarithm of values from 1 on, as C libraries give it (SPEC 5.27.1)."""
    carried = a[0] >> 24
    significand, exponent = a[0] >> carried, a[1] + carried - 126
    part = significand - 2**23
    at = ((part - _START) & (2**23 - 1)) >> 19
    lower = part >= _START
    z = np.where(lower, significand, significand << 1) << _Q - 24
    r = _product(z, np.array(_INVERSES)[at]) - (1 << _Q)
    r2 = _product(r, r)
    series = _product(_CUBE, r) + _HALF + _product(_SQUARE, r2)
    fixed = np.array(_LOGARITHMS)[at] + (exponent + lower) * _LN_2 + r + _product(series, r2)
    return _rounded(fixed, np.full_like(fixed, 149 - _Q))


def _product(a: Int, b: IntArray) -> IntArray:
    """floor(a * b / 2^58) of values below 2^60, by halves of 29 bits."""
    a_high, a_low, b_high, b_low = a >> 29, a & (2**29 - 1), b >> 29, b & (2**29 - 1)
    middle = a_high * b_low + a_low * b_high + (a_low * b_low >> 29)
    return np.asarray(a_high * b_high + (middle >> 29))


def to_integer(a: Pair, power: int) -> IntArray:
    """Return the value times 2^power to the nearest integer, ties to even.

    Integers beyond 2^30 in magnitude keep only their sign and that they are so large.
    """
    shift = 149 - power - a[1]
    return rounding.even(a[0], np.clip(shift, 0, 62)) << np.clip(-shift, 0, 30)
