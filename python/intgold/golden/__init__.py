"""The NumPy golden model: every op of SPEC 5, integers only, one file per op.

The functions take a batch (first dimension n) and, by keyword, what the op table declares; ops
with an accumulator return ``(y, acc)``, the others ``y``.
"""

from collections.abc import Callable
from typing import Any

from .add import add
from .argmax import argmax
from .avg_pool2d import avg_pool2d
from .concat import concat
from .conv2d import conv2d
from .depthwise_conv2d import depthwise_conv2d
from .fully_connected import fully_connected
from .global_avg_pool import global_avg_pool
from .lut import lut
from .max_pool2d import max_pool2d
from .mul import mul
from .pad import pad
from .pwl import pwl
from .requantize import requantize
from .rescale import rescale
from .reshape import reshape
from .softmax import softmax
from .softmax_float32 import softmax_float32

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        conv2d, depthwise_conv2d, fully_connected, lut, pwl, max_pool2d, avg_pool2d,
        global_avg_pool, add, softmax, rescale, argmax, mul, concat, pad, reshape, softmax_float32,
    )
}  # fmt: skip
"""The golden function of every op of the op table."""

__all__ = [*FUNCTIONS, "FUNCTIONS", "requantize"]
