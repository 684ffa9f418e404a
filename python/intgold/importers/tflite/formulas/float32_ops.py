"""Float ops on one value whose float32 result IEEE 754 fixes: engines agree on each bit but for the
sign of 0, and XNNPACK on subnormal values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Floats = np.ndarray
_FLOAT = np.float32


@dataclass(frozen=True)
class Float32Op:
    """How many inputs an op has, and what it computes of arrays of float32."""

    inputs: int
    function: Callable[..., Floats]


def _clamp(lo: float, hi: float) -> Callable[[Floats], Floats]:
    return lambda x: np.clip(x, _FLOAT(lo), _FLOAT(hi))


FUSED: Mapping[int, Callable[[Floats], Floats]] = {
    0: lambda x: x, 1: _clamp(0, np.inf), 2: _clamp(-1, 1), 3: _clamp(0, 6),
}  # fmt: skip
"""Fused activations, by their number in the schema."""
FLOAT32_OPS: Mapping[str, Float32Op] = {
    "NEG": Float32Op(1, np.negative),
    "ABS": Float32Op(1, np.abs),
    "SQUARE": Float32Op(1, np.square),
    "FLOOR": Float32Op(1, np.floor),
    "CEIL": Float32Op(1, np.ceil),
    "ROUND": Float32Op(1, np.rint),
    "RELU": Float32Op(1, FUSED[1]),
    "RELU_N1_TO_1": Float32Op(1, FUSED[2]),
    "RELU6": Float32Op(1, FUSED[3]),
    "ADD": Float32Op(2, np.add),
    "SUB": Float32Op(2, np.subtract),
    "MUL": Float32Op(2, np.multiply),
    "DIV": Float32Op(2, np.divide),
    "MAXIMUM": Float32Op(2, np.maximum),
    "MINIMUM": Float32Op(2, np.minimum),
}
"""By the name of the schema."""
