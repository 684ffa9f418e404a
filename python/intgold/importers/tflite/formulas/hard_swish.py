"""HARD_SWISH as TFLite computes it: int16 fixed point, from the public kernel's formulas."""

from __future__ import annotations

import math

import numpy as np

from ....host.multiplier import fixed_point

_FLOAT = np.float32
_LO, _HI = -(2**15), 2**15 - 1


def _multiplier(real: float) -> tuple[int, int]:
    """Return (int16 multiplier, exponent)."""
    m, t = fixed_point(real)
    return min((m + 2**15) >> 16, _HI), 31 - t


def _high(a: int, b: int) -> int:
    """Saturating rounding doubling high multiply of int16: halves away from zero."""
    if a == b == _LO:
        return _HI
    product = a * b
    nudge = 2**14 if product >= 0 else 1 - 2**14
    return math.trunc((product + nudge) / 2**15)


def _high_down(a: int, b: int) -> int:
    """The same without rounding, toward zero."""
    return _HI if a == b == _LO else math.trunc(a * b / 2**15)


def _right(value: int, by: int) -> int:
    """Rounding shift, halves away from zero."""
    if by == 0:
        return value
    if by > 15:  # what the masks of int16 make of it
        return 1 if value >= 0 else -1
    return int(math.copysign((abs(value) + (1 << (by - 1))) >> by, value))


def _left(value: int, by: int) -> int:
    return min(max(value << by, _LO), _HI)


def hard_swish_table(
    x_scale: np.float32, x_zero: int, y_scale: np.float32, y_zero: int, *, in_float32: bool
) -> np.ndarray:
    """Return the 256 entries; `in_float32`: ratios of scales are rounded to float32."""
    fine, three = _FLOAT(1 / 128) * x_scale, _FLOAT(3) / _FLOAT(32768)
    ratios = float(fine) / float(y_scale), float(fine) / float(three)
    if in_float32:
        ratios = float(fine / y_scale), float(fine / three)
    (out, out_exponent), (relu, relu_exponent) = map(_multiplier, ratios)
    if out_exponent > 0:
        raise ValueError("a ratio of scales of 128 or more, which engines refuse")
    made = []
    for q in range(-128, 128):
        value = (q - x_zero) << 7
        scaled = _high(value, out)
        gate = value
        if relu_exponent > 0:
            gate = _left(gate, relu_exponent - 1)
        gate = _high(gate, relu)
        if relu_exponent > 0:
            gate = _left(gate, 1)
        if relu_exponent < 0:
            gate = _right(gate, -relu_exponent)
        gate = (gate + 2**15) >> 1
        y = _right(_high_down(gate, scaled), -out_exponent) + y_zero
        made.append(min(max(y, -128), 127))
    return np.array(made, np.int8)
