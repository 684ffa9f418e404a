"""Requantize (SPEC 4): an int32 accumulator times a fixed-point multiplier, in every form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..ops.fields import Requantize
from ..support.array_types import IntArray
from . import rounding
from ._integers import bit_length, give


def requantize(
    acc: IntArray, by: Requantize, *, y_zero_point: int, act_min: int, act_max: int
) -> IntArray:
    """Return ``clamp(y_zero_point + R(acc), act_min, act_max)`` (SPEC 4.3).

    Parameters
    ----------
    acc : ndarray of int32, shape (..., channels)
    by : Requantize
        One entry, or one per channel.
    y_zero_point, act_min, act_max : int
        In [-128, 127].

    Returns
    -------
    ndarray of int8, shape of `acc`
    """
    return give(scale(acc, by) + y_zero_point, act_min, act_max)


def scale(acc: IntArray, by: Requantize) -> IntArray:
    """Return R(acc) as int64 (SPEC 4.2): each channel by its own form."""
    acc = acc.astype(np.int64)
    if len(set(by.form)) == 1:
        return _FORMS[by.form[0]](acc, *_entries(by, slice(None)))
    scaled = np.empty_like(acc)
    for form in sorted(set(by.form)):
        channels = [c for c, f in enumerate(by.form) if f == form]
        scaled[..., channels] = _FORMS[form](acc[..., channels], *_entries(by, channels))
    return scaled


def _entries(by: Requantize, channels: slice | list[int]) -> list[IntArray]:
    parts = (by.multiplier, by.right_shift, by.multiplier_low)
    return [part.astype(np.int64)[channels] for part in parts]


def _single(rounded: Callable[..., IntArray]) -> Callable[..., IntArray]:
    """One exact product, one rounding (SPEC 4.2.1)."""
    return lambda acc, m, t, low: rounded(acc * m, t)


def _double(acc: IntArray, m: IntArray, t: IntArray, low: IntArray) -> IntArray:
    """The high half of a doubled product, then a second rounding (SPEC 4.2.2)."""
    return rounding.away(_high(acc, m, t), np.maximum(t - 31, 0))


def _double_up(acc: IntArray, m: IntArray, t: IntArray, low: IntArray) -> IntArray:
    """As double with the second rounding up (SPEC 4.2.3)."""
    return rounding.up(_high(acc, m, t), np.maximum(t - 31, 0))


def _high(acc: IntArray, m: IntArray, t: IntArray) -> IntArray:
    return rounding.up((acc << np.maximum(31 - t, 0)) * m, 31)


def _float32(acc: IntArray, m: IntArray, t: IntArray, low: IntArray) -> IntArray:
    """What float32 hardware does, in integers: three roundings to even (SPEC 4.2.4)."""
    significand = rounding.to_significand(acc, 24)
    return rounding.even(rounding.to_significand(significand * m, 24), t)


def _float64(acc: IntArray, m: IntArray, t: IntArray, low: IntArray) -> IntArray:
    """What float64 hardware does, in integers (SPEC 4.2.5).

    The product of 31 by 53 bits is held as ``high * 2^22 + rest``; to 53 significant bits, ties
    to even, then to an integer, ties away from zero.
    """
    high = np.abs(acc) * m + ((np.abs(acc) * low) >> 22)
    rest = (np.abs(acc) * low) & (2**22 - 1)
    excess = np.maximum(bit_length(high) + 22 - 53, 0)
    # Up to 22 surplus bits lie in `rest`; any more of them in `high`.
    in_rest = np.minimum(excess, 22)
    in_high = excess - in_rest
    kept = ((high >> in_high) << (22 - in_rest)) + np.where(in_high > 0, 0, rest >> in_rest)
    lost_high = high - ((high >> in_high) << in_high)
    lost = (lost_high << 22) + (rest & ((np.int64(1) << in_rest) - 1))
    half = (np.int64(1) << excess) >> 1
    tie_up = (lost == half) & (kept & 1 == 1)
    kept = kept + ((excess > 0) & ((lost > half) | tie_up))
    # kept * 2^excess / 2^(t + 22), ties away; more excess than shift leaves an exact integer.
    right = t + 22 - excess
    scaled = rounding.away(kept << np.maximum(-right, 0), np.clip(right, 0, 62))
    return np.sign(acc) * np.where(right > 62, 0, scaled)


_FORMS: dict[str, Callable[..., IntArray]] = {
    "single": _single(rounding.up),
    "single_away": _single(rounding.away),
    "single_even": _single(rounding.even),
    "single_down": _single(rounding.down),
    "single_zero": _single(rounding.zero),
    "double": _double,
    "double_up": _double_up,
    "float32": _float32,
    "float64": _float64,
}
