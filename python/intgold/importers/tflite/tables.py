"""Unary int8 ops as tables of 256 entries, filled by each engine's own formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...contracts import Rule
from ...golden.requantize import scale as scaled
from .scales import FACTORS, requantize_for

_FLOAT = np.float32
_ALL = np.arange(-128, 128, dtype=np.int64)
Real = Callable[[float], float]


def _erf_gelu(x: float) -> float:
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def _tanh_gelu(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


REALS: dict[str, Real] = {
    "LOGISTIC": _logistic,
    "TANH": math.tanh,
    "GELU": _erf_gelu,
    "GELU/approximate": _tanh_gelu,
    "ELU": lambda x: math.expm1(x) if x < 0 else x,
}


def of_reals(
    f: Real, x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int
) -> np.ndarray:
    """Return the table of a real function, in float32, halves away from zero."""
    inverse = _FLOAT(1) / y_scale
    found = []
    for q in _ALL.tolist():
        real = _FLOAT(f(float(x_scale * _FLOAT(q - x_zero))))
        at = float(real * inverse)
        found.append(math.trunc(at + math.copysign(0.5, at)) + y_zero)
    return np.clip(found, -128, 127).astype(np.int8)


def eighths(
    x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int, alpha: np.float32
) -> np.ndarray:
    """Return the table of multipliers of eight fraction bits, `alpha` below the zero point."""
    ratio = x_scale / y_scale
    right, left = (int(np.rint(_FLOAT(256) * r)) for r in (ratio, ratio * alpha))
    x = _ALL - x_zero
    y = ((np.where(x >= 0, right, left) * x + 128) >> 8) + y_zero
    return np.clip(y, -128, 127).astype(np.int8)


def requantized(
    rule: Rule,
    x_scale: np.float32,
    x_zero: int,
    y_scale: np.float32,
    y_zero: int,
    lo: int = -128,
    hi: int = 127,
) -> np.ndarray:
    """Return the table of R(x - zero_point_x) + zero_point_y."""
    by = requantize_for([FACTORS[rule.factor](x_scale, _FLOAT(1), y_scale)], rule.form)
    return np.clip(scaled((_ALL - x_zero)[:, None], by)[:, 0] + y_zero, lo, hi).astype(np.int8)


def leaky_relu(
    rule: Rule,
    x_scale: np.float32,
    x_zero: int,
    y_scale: np.float32,
    y_zero: int,
    alpha: np.float32,
) -> np.ndarray:
    """Return the table of two multipliers, one on each side of the zero point."""
    one = FACTORS[rule.factor]
    right = requantize_for([one(x_scale, _FLOAT(1), y_scale)], rule.form)
    left = requantize_for([one(x_scale, _FLOAT(abs(alpha)), y_scale)], rule.form)
    x = (_ALL - x_zero)[:, None]
    sign = 1 if alpha >= 0 else -1
    y = np.where(x >= 0, scaled(x, right), scaled(sign * x, left))[:, 0] + y_zero
    return np.clip(y, -128, 127).astype(np.int8)
