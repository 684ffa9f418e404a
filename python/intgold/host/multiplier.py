"""Real multipliers as fixed-point pairs (SPEC 8): the host's part of requantize."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..errors import ModelError
from ..ops.fields import FORMS, Requantize

_DEAD = (0, 31)


def fixed_point(real: float, bits: int = 31) -> tuple[int, int]:
    """Return (multiplier, right_shift) with ``real`` about ``multiplier * 2^-right_shift``.

    ``real = f * 2^e`` with f in [1/2, 1); ``m_b = round(f * 2^bits)``; if that is 2^bits, it is
    halved and e raised by 1; ``multiplier = m_b * 2^(31 - bits)``, ``right_shift = 31 - e``.

    Parameters
    ----------
    real : float
        Zero or positive.
    bits : int
        1 to 31 significant bits; 1 is a power of two.

    Returns
    -------
    multiplier : int
        In [0, 2^31 - 1]; 0 for a real below 2^-32 (a dead channel).
    right_shift : int
        In [1, 62].

    Raises
    ------
    ModelError
        When the real is negative, not finite, or 2^30 and more.
    """
    return _pair(real, bits, lambda scaled: math.floor(scaled + 0.5))


def fixed_point_below(real: float, bits: int) -> tuple[int, int]:
    """Return the largest representable pair that is not above `real`; see `fixed_point`.

    Where an output scale follows the multiplier, none of its values clips.
    """
    return _pair(real, bits, math.floor)


def fixed_point_above(real: float, bits: int) -> tuple[int, int]:
    """Return the smallest representable pair that is not below `real`; see `fixed_point`.

    With few bits, the weights follow the multiplier: none clips when it is rounded up.
    """
    return _pair(real, bits, math.ceil)


def _pair(real: float, bits: int, rounded: Callable[[float], int]) -> tuple[int, int]:
    if not 1 <= bits <= 31:
        raise ModelError(f"multiplier of {bits} bits; 1 to 31 are possible")
    if not (0.0 <= real < math.inf):
        raise ModelError(f"multiplier {real} is negative or not finite")
    f, e = math.frexp(real)
    scaled = math.ldexp(f, bits)  # exact
    m = rounded(scaled)
    if m == 2**bits:
        m, e = m // 2, e + 1
    if m == 0 or e < -31:
        return _DEAD
    if e > 30:
        raise ModelError(f"multiplier {real} is 2^30 or more")
    return m * 2 ** (31 - bits), 31 - e


def value(multiplier: int, right_shift: int, multiplier_low: int = 0) -> float:
    """Return the real that a pair stands for, exactly."""
    return math.ldexp(multiplier * 2**22 + multiplier_low, -(right_shift + 22))


def float32_entry(real: np.float32) -> tuple[int, int]:
    """Return the pair of form ``float32`` for exactly this float32.

    Below 2^-32, subnormal numbers included, it is (0, 31): R is 0 for every int32.

    Raises
    ------
    ModelError
        When it is negative, not finite, or 2^30 and more.
    """
    if not isinstance(real, np.float32):
        raise ModelError(f"multiplier {real!r} is not a float32")
    m, t = _exact(float(real), 31)
    return m, t


def float64_entry(real: float) -> tuple[int, int, int]:
    """Return (multiplier, right_shift, multiplier_low) of form ``float64`` for exactly this real.

    Below 2^-32 it is (0, 31, 0): R is 0 for every int32.

    Raises
    ------
    ModelError
        When it is negative, not finite, or 2^30 and more.
    """
    significand, t = _exact(real, 53)
    return significand >> 22, t, significand & (2**22 - 1)


def _exact(real: float, bits: int) -> tuple[int, int]:
    if not (0.0 <= real < math.inf):
        raise ModelError(f"multiplier {real} is negative or not finite")
    f, e = math.frexp(real)
    # The largest real below 2^-32 has all of its bits set: times 2^31, the largest |acc|, it is
    # 1/2 less one unit of its last bit, which needs no rounding.  So what an engine rounds to an
    # integer is below 1/2 whatever acc is (float32 may round acc to 24 bits first: 2^31 stays),
    # and no less so where it takes subnormal numbers for 0.
    if real == 0 or e < -31:
        return _DEAD
    if e > 30:
        raise ModelError(f"multiplier {real} is 2^30 or more")
    return int(math.ldexp(f, bits)), 31 - e


def requantize_for(reals: list[float], form: str = "single", bits: int = 31) -> Requantize:
    """Return one entry per real, in `form`.

    Parameters
    ----------
    reals : list of float
        Real multipliers, as float64; for form ``float32`` they are rounded to float32 once.
    form : str
    bits : int
        Of the integer forms.
    """
    if form not in FORMS:
        raise ModelError(f"unknown form {form!r}; known: {', '.join(FORMS)}")
    if form == "float64":
        entries = [float64_entry(r) for r in reals]
    elif form == "float32":
        entries = [(*float32_entry(np.float32(r)), 0) for r in reals]
    else:
        entries = [(*fixed_point(r, bits), 0) for r in reals]
    m, t, low = (np.array(column, np.int64) for column in zip(*entries, strict=True))
    return Requantize.of(m, t, form, low)
