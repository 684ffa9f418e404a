"""The NumPy golden model: every op of SPEC 5, integers only, one file per op.

The functions take a batch (first dimension n) and, by keyword, what the op table declares; ops
with an accumulator return ``(y, acc)``, the others ``y``.  They refuse what an op cannot be
(InputError, ModelError); those in `FUNCTIONS` take what a `Model` has checked already.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError, ModelError
from ..ops.arguments import check_call
from ..ops.fields import Requantize, integer
from ..ops.table import OPS
from ..support.quoting import given
from .add import add
from .argmax import argmax
from .avg_pool2d import avg_pool2d
from .concat import concat
from .conv2d import conv2d
from .depthwise_conv2d import depthwise_conv2d
from .fully_connected import fully_connected
from .gather import gather
from .global_avg_pool import global_avg_pool
from .log_softmax import log_softmax
from .log_softmax_float32 import log_softmax_float32
from .lut import lut
from .lut2d import lut2d
from .matmul import matmul
from .max_pool2d import max_pool2d
from .maximum import maximum
from .minimum import minimum
from .mul import mul
from .pad import pad
from .pwl import pwl
from .requantize import requantize as _requantize
from .rescale import rescale
from .reshape import reshape
from .resize_bilinear import resize_bilinear
from .softmax import softmax
from .softmax_float32 import softmax_float32
from .strided_copy import strided_copy
from .transpose_conv2d import transpose_conv2d

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        conv2d, depthwise_conv2d, fully_connected, lut, pwl, max_pool2d, avg_pool2d,
        global_avg_pool, add, softmax, rescale, argmax, mul, concat, pad, reshape, softmax_float32,
        strided_copy, gather,
        transpose_conv2d,
        resize_bilinear, maximum, minimum, lut2d, matmul, log_softmax,
        log_softmax_float32,
    )
}  # fmt: skip
"""The golden function of every op of the op table."""


def _checking(function: Callable[..., Any]) -> Callable[..., Any]:
    spec = OPS[function.__name__]

    @functools.wraps(function)
    def call(*inputs: np.ndarray, **arguments: Any) -> Any:
        fields, points, _, _ = check_call(spec, inputs, arguments)
        return function(*inputs, **{n: fields[n] for n in arguments if n in fields}, **points)

    return call


def requantize(
    acc: np.ndarray, by: Requantize, *, y_zero_point: int, act_min: int, act_max: int
) -> np.ndarray:
    """Return ``clamp(y_zero_point + R(acc), act_min, act_max)`` (SPEC 4.3).

    Parameters
    ----------
    acc : ndarray of int32, shape (..., channels)
    by : Requantize
        Of one entry, or one for each channel.
    y_zero_point, act_min, act_max : int
        In int8.

    Raises
    ------
    InputError, ModelError
        Naming the argument that is none.
    """
    if not isinstance(acc, np.ndarray) or acc.dtype != np.int32 or acc.ndim == 0:
        found = f"{acc.dtype} {acc.shape}" if isinstance(acc, np.ndarray) else given(acc)
        raise InputError(f"requantize: acc: {found} instead of an array of int32")
    if not isinstance(by, Requantize) or by.count not in (1, acc.shape[-1]):
        raise ModelError(f"requantize: by: {given(by)} for {acc.shape[-1]} channels")
    points = {"y_zero_point": y_zero_point, "act_min": act_min, "act_max": act_max}
    checked = {n: integer(f"requantize {n}", v, -128, 127) for n, v in points.items()}
    return _requantize(acc, by, **checked)


conv2d = _checking(conv2d)
depthwise_conv2d = _checking(depthwise_conv2d)
fully_connected = _checking(fully_connected)
lut = _checking(lut)
pwl = _checking(pwl)
max_pool2d = _checking(max_pool2d)
avg_pool2d = _checking(avg_pool2d)
global_avg_pool = _checking(global_avg_pool)
add = _checking(add)
softmax = _checking(softmax)
rescale = _checking(rescale)
argmax = _checking(argmax)
mul = _checking(mul)
concat = _checking(concat)
pad = _checking(pad)
reshape = _checking(reshape)
softmax_float32 = _checking(softmax_float32)
strided_copy = _checking(strided_copy)
gather = _checking(gather)
transpose_conv2d = _checking(transpose_conv2d)
resize_bilinear = _checking(resize_bilinear)
maximum = _checking(maximum)
minimum = _checking(minimum)
lut2d = _checking(lut2d)
matmul = _checking(matmul)
log_softmax = _checking(log_softmax)
log_softmax_float32 = _checking(log_softmax_float32)

__all__ = [
    "FUNCTIONS",
    "add",
    "argmax",
    "avg_pool2d",
    "concat",
    "conv2d",
    "depthwise_conv2d",
    "fully_connected",
    "gather",
    "global_avg_pool",
    "log_softmax",
    "log_softmax_float32",
    "lut",
    "lut2d",
    "matmul",
    "max_pool2d",
    "maximum",
    "minimum",
    "mul",
    "pad",
    "pwl",
    "requantize",
    "rescale",
    "reshape",
    "resize_bilinear",
    "softmax",
    "softmax_float32",
    "strided_copy",
    "transpose_conv2d",
]
