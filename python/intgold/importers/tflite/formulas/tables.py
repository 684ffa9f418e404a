"""Unary int8 ops as tables of 256 entries, filled by each engine's own formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ....contracts import OpRule
from ....golden.requantize import scale as scaled
from ....host.multiplier import requantize_for
from .expf import expf
from .scales import FACTORS

_FLOAT = np.float32
_ALL = np.arange(-128, 128, dtype=np.int64)
Real = Callable[[float], float]


def _erf_gelu(x: float) -> float:
    """Each step rounded to float32."""
    part = _FLOAT(math.erfc(float(_FLOAT(x) * -_FLOAT(math.sqrt(0.5)))))
    return float(_FLOAT(0.5) * _FLOAT(x) * part)


def _tanh_gelu(x: float) -> float:
    """Each step rounded to float32."""
    v, cubic, factor = _FLOAT(x), _FLOAT(0.044715), _FLOAT(math.sqrt(2 / math.pi))
    part = _FLOAT(1) + _FLOAT(math.tanh(float(factor * (v + cubic * v * v * v))))
    return float(_FLOAT(0.5) * v * part)


def _logistic(x: float) -> float:
    """Each step rounded to float32."""
    return float(_FLOAT(1) / (_FLOAT(1) + expf(_FLOAT(-x))))


def _logistic_float64(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -100 else 0.0


def _tanh(x: float) -> float:
    """By expm1, each step rounded to float32, as in C libraries."""
    two, a = _FLOAT(2), abs(x)
    if a >= 10:
        return math.copysign(1, x)
    t = _FLOAT(math.expm1(2 * a if a >= 1 else -2 * a))
    return math.copysign(float(_FLOAT(1) - two / (t + two) if a >= 1 else -t / (t + two)), x)


REALS: dict[str, Real] = {
    "LOGISTIC": _logistic,
    "TANH": _tanh,
    "GELU": _erf_gelu,
    "GELU/approximate": _tanh_gelu,
    "ELU": lambda x: math.expm1(x) if x < 0 else x,
    "EXP": lambda x: float(expf(_FLOAT(x))),
    "LOG": lambda x: math.log(x) if x > 0 else -math.inf if x == 0 else math.nan,
    "SQRT": lambda x: math.sqrt(max(x, 0)),
    "RSQRT": lambda x: 1 / math.sqrt(x) if x > 0 else math.inf,
}
"""Functions of reals, as the kernels of LiteRT compute them."""
TFLM_REALS: dict[str, Real] = {
    **REALS,
    "ELU": lambda x: float(expf(_FLOAT(x)) - _FLOAT(1)) if x < 0 else x,
}
"""As TFLite Micro does."""
XNNPACK_REALS: dict[str, Real] = {**REALS, "LOGISTIC": _logistic_float64}
"""As the delegate does."""


def real_function_table(
    f: Real, x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int
) -> np.ndarray:
    """Return the table of a real function, in float32, halves away from zero.

    Infinities are the ends, and what is no number the lower one.

    Raises
    ------
    ArithmeticError
        When 1 / y_scale is infinite.
    """
    if not np.isfinite(_FLOAT(1) / y_scale):
        raise ArithmeticError(f"an output scale of {y_scale}")
    found = []
    for scaled_value in _scaled(f, x_scale, x_zero, y_scale):
        at = float(scaled_value)
        if not math.isfinite(at):
            found.append(127 if at > 0 else -128)
            continue
        found.append(math.trunc(at + math.copysign(0.5, at)) + y_zero)
    return np.clip(found, -128, 127).astype(np.int8)


def zero_point_first(
    f: Real, x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int, shift: int
) -> np.ndarray:
    """Return the table of a real function: the zero point added in float32, then halves to even.

    Parameters
    ----------
    shift : int
        What turns the values of the file into int8: 128 for uint8, where the sum in float32 is of
        that zero point.
    """
    first = _FLOAT(y_zero + shift)
    sums = np.array([float(v + first) for v in _scaled(f, x_scale, x_zero, y_scale)])
    return _bytes(np.rint(sums) - shift)


def _scaled(f: Real, x_scale: np.float32, x_zero: int, y_scale: np.float32) -> list[np.float32]:
    """Return f of every value, over the scale of the output."""
    inverse = _FLOAT(1) / y_scale
    return [_FLOAT(f(float(x_scale * _FLOAT(q - x_zero)))) * inverse for q in _ALL.tolist()]


def _bytes(y: np.ndarray) -> np.ndarray:
    clamped: np.ndarray = np.clip(y, -128, 127)
    return clamped.astype(np.int8)


def exponentials(x_scale: np.float32, beta: np.float32) -> np.ndarray:
    """Return the table of a softmax_float32 (SPEC 8.10) as int32, shape (256,).

    Entry i holds the bits of exp of the difference i - 255 of values.
    """
    with np.errstate(over="ignore"):
        reals = -(x_scale * beta) * np.arange(255, -1, -1, dtype=_FLOAT)
    return expf(reals).view(np.int32)


def q8_multiplier(
    x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int, alpha: np.float32
) -> np.ndarray:
    """Return the table of multipliers of eight fraction bits, `alpha` below the zero point."""
    ratio = x_scale / y_scale
    right, left = (int(np.rint(_FLOAT(256) * r)) for r in (ratio, ratio * alpha))
    x = _ALL - x_zero
    y = ((np.where(x >= 0, right, left) * x + 128) >> 8) + y_zero
    return _bytes(y)


def requantize_table(
    rule: OpRule,
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


def absolute(
    rule: OpRule, x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int
) -> np.ndarray:
    """Return the table of R(|x - zero_point_x|) + zero_point_y."""
    by = requantize_for([FACTORS[rule.factor](x_scale, _FLOAT(1), y_scale)], rule.form)
    return _bytes(scaled(abs(_ALL - x_zero)[:, None], by)[:, 0] + y_zero)


def leaky_relu(
    rule: OpRule,
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
    return _bytes(np.where(x >= 0, scaled(x, right), sign * scaled(x, left))[:, 0] + y_zero)
