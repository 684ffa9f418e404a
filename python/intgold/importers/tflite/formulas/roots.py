"""SQRT and RSQRT as tables, by the arithmetic of LiteRT's kernels."""

from __future__ import annotations

import math

import numpy as np

from ....golden.requantize import scale as scaled
from ....host.multiplier import requantize_for
from ....ops.fields import Requantize

_FLOAT = np.float32
_INT32_MAX = 2**31 - 1
_SHIFT = 20
"""Fraction bits of 1 / sqrt(v)."""


def sqrt_table(x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int) -> np.ndarray:
    """Return the table of SQRT in float32, whose fraction is dropped; 0 below the zero point."""
    v = np.maximum(np.arange(-128, 128) - x_zero, 0).astype(_FLOAT)
    return _bytes(np.trunc(np.sqrt(x_scale * v) / y_scale) + y_zero)


def rsqrt_table(x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int) -> np.ndarray:
    """Return the table of RSQRT in fixed point; the largest value at the zero point and below."""
    by = requantize_for([1 / (math.sqrt(float(x_scale)) * float(y_scale))], "double")
    late = Requantize.of(by.multiplier, by.right_shift.astype(int) + _SHIFT, "double")
    roots = np.array([_inverse_root(v) for v in range(1, 256)], np.int64)
    made = scaled(roots[:, None], late)[:, 0] + y_zero
    v = np.arange(-128, 128) - x_zero
    return _bytes(np.where(v > 0, made[np.clip(v, 1, 255) - 1], 127))


def _bytes(y: np.ndarray) -> np.ndarray:
    clamped: np.ndarray = np.clip(y, -128, 127)
    return clamped.astype(np.int8)


def _inverse_root(v: int) -> int:
    """Return 1 / sqrt(v) of 20 fraction bits, v from 1 to 255."""
    if v == 1:
        return _high(1 << _SHIFT, _INT32_MAX)
    pairs = (31 - v.bit_length()) // 2 - 1  # v * 4^pairs is in [2^27, 2^29)
    root = _high(_newton(v << 2 * pairs), 1518500250)  # times sqrt(1/2)
    left = _SHIFT - 11 + pairs
    made = _high(1 << max(left, 0), root)
    return made if left >= 0 else _shifted(made, -left)


def _newton(v: int) -> int:
    """Return the root of 28 fraction bits by five steps of ``x = 1.5*x - v/2 * x^3``."""
    half, three_halves, x = _shifted(v >> 1, 1), 3 << 27, 1 << 28
    for _ in range(5):
        cube = _saturated(_high(_high(x, x), x) << 6)
        x = _saturated((_high(three_halves, x) - _high(half, cube)) << 3)
    return x


def _high(a: int, b: int) -> int:
    """Return a * b / 2^31 to nearest."""
    return (a * b + (1 << 30)) >> 31


def _shifted(p: int, t: int) -> int:
    """Return p / 2^t to nearest, p >= 0."""
    return (p + (1 << (t - 1))) >> t


def _saturated(p: int) -> int:
    return max(min(p, _INT32_MAX), -(2**31))
