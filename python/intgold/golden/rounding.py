"""The rounding right shifts of SPEC 2, on int64 arrays: all that the golden model rounds by.

Every function takes an exact product `p` (int64, |p| <= 2^62) and a shift `t` (int or integer
array that broadcasts, 0 <= t <= 62) and returns int64; for t = 0 it returns `p`.
NumPy's ``>>`` on signed integers is the floor of SPEC 2.
"""

from __future__ import annotations

import numpy as np

from ..support.array_types import BoolArray, IntArray
from ._integers import Int, bit_length


def up(p: IntArray, t: Int) -> IntArray:
    """Nearest, ties toward plus infinity: floor((p + 2^(t-1)) / 2^t) (SPEC 2.1)."""
    t = np.asarray(t, np.int64)
    return (p + _half(t)) >> t


def away(p: IntArray, t: Int) -> IntArray:
    """Nearest, ties away from zero: sign(p) * floor((|p| + 2^(t-1)) / 2^t) (SPEC 2.2)."""
    t = np.asarray(t, np.int64)
    return ((abs(p) + _half(t)) >> t) * np.sign(p)


def even(p: IntArray, t: Int) -> IntArray:
    """Nearest, ties to the even neighbour (SPEC 2.3)."""
    t = np.asarray(t, np.int64)
    floor = p >> t
    remainder = p - (floor << t)
    half = _half(t)
    above: BoolArray = (remainder > half) | ((remainder == half) & (floor & 1 == 1))
    return floor + (above & np.asarray(t > 0))


def down(p: IntArray, t: Int) -> IntArray:
    """Toward minus infinity: floor(p / 2^t) (SPEC 2.4)."""
    return p >> np.asarray(t, np.int64)


def zero(p: IntArray, t: Int) -> IntArray:
    """Toward zero: sign(p) * floor(|p| / 2^t) (SPEC 2.5)."""
    return (abs(p) >> np.asarray(t, np.int64)) * np.sign(p)


def to_significand(p: IntArray, bits: int) -> IntArray:
    """Nearest integer of at most `bits` significant bits, ties to even (SPEC 2.6)."""
    excess = np.maximum(bit_length(abs(p)) - bits, 0)
    return even(p, excess) << excess


def divide_away(p: IntArray, n: Int) -> IntArray:
    """Nearest of p / n with n >= 1, half-way cases away from zero, n/2 truncated (SPEC 2.7)."""
    n = np.asarray(n, np.int64)
    return ((abs(p) + (n >> 1)) // n) * np.sign(p)


def divide_up(p: IntArray, n: Int) -> IntArray:
    """floor((p + floor(n/2)) / n) with n >= 1 (SPEC 2.8)."""
    n = np.asarray(n, np.int64)
    return (p + (n >> 1)) // n


def _half(t: IntArray) -> IntArray:
    return (np.int64(1) << t) >> 1
