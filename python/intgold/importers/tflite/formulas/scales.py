"""Scales as an engine turns them into integers: factors, entries of R, ends of activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ....contracts import OpRule
from ....host.multiplier import requantize_for
from ....ops.fields import Requantize
from ..file.reader import FileTensor

_FLOAT = np.float32

FACTORS: Mapping[str, Callable[[np.float32, np.float32, np.float32], float]] = {
    "float64": lambda a, b, y: float(a) * float(b) / float(y),
    "product32": lambda a, b, y: float(a * b) / float(y),
    "float32": lambda a, b, y: float(a * b / y),
}
"""The real factor s_a * s_b / s_y, by the order and precision of a contract."""

_ENDS = {0: (None, None), 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
"""The reals that a fused activation clamps to, by its number in the schema."""


def scale_of(tensor: FileTensor) -> np.float32:
    """Return the scale of a tensor that has one."""
    return _FLOAT(tensor.scale[0])


def factors(rule: OpRule, a: np.float32, b: np.ndarray, y: np.float32) -> list[float]:
    """Return s_a * s_b / s_y for each s_b."""
    precision = rule.channel_factor if len(b) > 1 and rule.channel_factor else rule.factor
    return [FACTORS[precision](a, _FLOAT(one), y) for one in b]


def requantize_by_rule(rule: OpRule, reals: list[float], channels: int) -> Requantize:
    """Return an entry per real, in the rule's form; that of whole groups and of the rest."""
    first = requantize_for(reals, rule.form)
    whole = channels // rule.group * rule.group if rule.group else channels
    if whole == channels:
        return first
    remainder = requantize_for(reals, rule.remainder_form)
    if whole == 0:
        return remainder
    each = [np.broadcast_to(p, channels) for p in (first.multiplier, first.right_shift)]
    other = [np.broadcast_to(p, channels) for p in (remainder.multiplier, remainder.right_shift)]
    m, t = (np.concatenate([a[:whole], b[whole:]]) for a, b in zip(each, other, strict=True))
    forms = [rule.form] * whole + [rule.remainder_form] * (channels - whole)
    return Requantize.of(m, t, forms)


def ends(
    rule: OpRule, activation: int, scale: np.float32, zero_point: int, dtype: str
) -> tuple[int, int]:
    """Return act_min and act_max of a fused activation, by number in the schema."""
    unsigned = 128 if dtype == "uint8" else 0
    low, high = (
        None if real is None else quantized(rule, real, scale, zero_point + unsigned) - unsigned
        for real in _ENDS[activation]
    )
    return -128 if low is None else max(-128, low), 127 if high is None else min(127, high)


def quantized(rule: OpRule, real: float, scale: np.float32, zero_point: int) -> int:
    """Return a real as the engine quantises the end of an activation; uint8 as it is."""
    at = _FLOAT(real) / scale
    if rule.clamp_rounding == "even":  # the zero point is added first, in float32
        return int(np.clip(np.rint(at + _FLOAT(zero_point)), -(2**31), 2**31))
    if abs(at) > 2**31 - 256:
        raise ValueError(f"its end {real} at a scale of {scale} is beyond int32")
    return zero_point + int(np.trunc(float(at) + np.copysign(0.5, at)))
