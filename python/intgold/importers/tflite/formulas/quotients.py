"""DIV, FLOOR_DIV and FLOOR_MOD as tables of all pairs of values."""

from __future__ import annotations

import numpy as np

from ....golden._integers import bit_length
from ....golden.fixed_point import product, reciprocal
from ....host.multiplier import fixed_point

_Q = np.arange(-128, 128, dtype=np.int64)


def div_table(
    zeros: tuple[int, int, int], real: float, ends: tuple[int, int], *, exact: bool
) -> np.ndarray:
    """Return the table of DIV, shape (256, 256); for a divisor of 0 it has the zero point of y.

    Parameters
    ----------
    zeros : (int, int, int)
        Zero points of both operands and of the output.
    real : float
        s_1 / (s_2 * s_y).
    ends : (int, int)
        act_min and act_max.
    exact : bool
        The quotient is rounded once, halves away from zero; else by the fixed point of engines.
    """
    a, b = np.broadcast_arrays((_Q - zeros[0])[:, None], _Q - zeros[1])
    a, b = np.where(b < 0, -a, a), np.abs(b)
    safe = np.where(b == 0, 1, b)
    rounded = _once(a, safe, real) if exact else _fixed_point(a, safe, real)
    y = zeros[2] + np.where(b == 0, 0, rounded)
    made: np.ndarray = np.clip(y, *ends).astype(np.int8)
    return made


def _once(a: np.ndarray, b: np.ndarray, real: float) -> np.ndarray:
    quotient = a * real / b
    away = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient)
    return np.asarray(np.clip(away, -(2**31), 2**31 - 1), np.int64)


def _fixed_point(a: np.ndarray, b: np.ndarray, real: float) -> np.ndarray:
    """By a reciprocal of 31 bits: tensorflow/lite/kernels/internal/reference/div.h."""
    multiplier, right_shift = fixed_point(real)
    if right_shift < 8:
        raise ValueError(f"its factor is {real:.3g}: engines shift by a negative number")
    bits = bit_length(b)
    inverse = reciprocal((b << (32 - bits)) - 2**31)
    headroom = np.where(a < 0, 32 - bit_length(2 * np.abs(a) - (a < 0)), 31 - bit_length(np.abs(a)))
    quotient = product(a << headroom, inverse)
    return _shifted(product(quotient, multiplier), right_shift - 31 + bits - 1 + headroom)


def _shifted(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return ``away(p, t)``; for t > 31 what such shifts are on x86, undefined in C."""
    mask = np.where(t & 63 > 31, -1, (1 << (t & 31)) - 1)
    threshold = (mask >> 1) + (p < 0)
    return np.asarray((p >> (t & 31)) + ((p & mask) > threshold))


def floor_div_table() -> np.ndarray:
    """Return the table of FLOOR_DIV on values as they are stored; 0 for a divisor of 0."""
    quotient = np.minimum(_Q[:, None] // np.where(_Q == 0, 1, _Q), 127)
    made: np.ndarray = np.where(_Q == 0, 0, quotient).astype(np.int8)
    return made


def floor_mod_table() -> np.ndarray:
    """Return the table of FLOOR_MOD on values as they are stored; 0 for a divisor of 0."""
    rest = _Q[:, None] % np.where(_Q == 0, 1, _Q)
    made: np.ndarray = np.where(_Q == 0, 0, rest).astype(np.int8)
    return made
