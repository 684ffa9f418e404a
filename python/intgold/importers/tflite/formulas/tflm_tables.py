"""LOGISTIC and TANH as TFLite Micro computes them: fixed point, by the public formulas."""

from __future__ import annotations

import math

import numpy as np

from ....golden import rounding
from ....golden.fixed_point import exp, halved_reciprocal, reciprocal, saturate

_INTEGER_BITS = 4
_ONE = 2**31 - 1


def _in_q4(x_scale: np.float32, x_zero: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (x in Q4.27, -1, 0 or 1 where it is beyond that) of the 256 inputs."""
    centred = np.arange(-128, 128, dtype=np.int64) - x_zero
    f, left_shift = math.frexp(float(x_scale) * 2.0 ** (31 - _INTEGER_BITS))
    multiplier = math.floor(f * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, left_shift = 2**30, left_shift + 1
    reach = ((1 << _INTEGER_BITS) - 1) * 2.0 ** (31 - _INTEGER_BITS) / 2.0**left_shift
    radius = min(math.floor(reach), 512)
    beyond = np.where(centred <= -radius, -1, np.where(centred >= radius, 1, 0))
    inside = np.where(beyond == 0, centred, 0)
    high = rounding.up((inside << max(left_shift, 0)) * multiplier, 31)
    return rounding.away(high, max(-left_shift, 0)), beyond


def logistic_table(x_scale: np.float32, x_zero: int) -> np.ndarray:
    """Return the 256 entries, of scale 1/256 and zero point -128."""
    a, beyond = _in_q4(x_scale, x_zero)
    positive = reciprocal(exp(-np.abs(a), 31 - _INTEGER_BITS))
    y = np.where(a > 0, positive, _ONE - positive)
    y = np.minimum(rounding.away(np.where(a == 0, 2**30, y), 23), 255) - 128
    return np.where(beyond < 0, -128, np.where(beyond > 0, 127, y)).astype(np.int8)


def tanh_table(x_scale: np.float32, x_zero: int) -> np.ndarray:
    """Return the 256 entries, of scale 1/128 and zero point 0."""
    a, beyond = _in_q4(x_scale, x_zero)
    # 2a has the same bits with one fraction bit less.
    positive = saturate((halved_reciprocal(exp(-np.abs(a), 30 - _INTEGER_BITS)) - 2**29) << 2)
    y = np.clip(rounding.away(np.where(a == 0, 0, np.where(a > 0, positive, -positive)), 24),
                -128, 127)  # fmt: skip
    return np.where(beyond < 0, -128, np.where(beyond > 0, 127, y)).astype(np.int8)
