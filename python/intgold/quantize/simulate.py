"""The dequantise-then-compute form of a model: float64 between ops, for comparison only.

This is what a framework with "fake quantisation" computes.  It is close to the integer form and
not equal to it: the difference is what this module shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import golden
from ..errors import ModelError
from ..golden.transpose_conv2d import meetings, out_shape
from ..golden.windows import taps
from ..host.affine import round_away
from ..model.graph import Model, Op
from ..ops.fields import DTYPE_RANGE
from ..run.backends import check_inputs
from ..support.arguments import checked
from ..support.array_types import FloatArray

__all__ = ["Deviation", "deviations", "simulate"]


@dataclass(frozen=True)
class Deviation:
    """How one tensor of the simulation differs from the integer form.

    Parameters
    ----------
    tensor : str
    values, differing : int
    largest : int
        Largest difference in LSB.
    """

    tensor: str
    values: int
    differing: int
    largest: int


@checked
def simulate(model: Model, x: Any) -> dict[str, np.ndarray]:
    """Return every op's output, computed in float64 from dequantised tensors.

    Parameters
    ----------
    model : Model
        Whose tensors and weights have scales.
    x : ndarray or mapping
        As for `Model.run`.

    Returns
    -------
    dict of str to ndarray
        By tensor name, in the tensor's dtype, shape (n, ...).

    Raises
    ------
    ModelError
        When a scale that is needed is missing.
    """
    live = check_inputs(model, x)
    made = {}
    for op in model.ops:
        inputs = [live[name] for name in op.inputs]
        if op.kind in _REAL:
            reals = [_real(model, n, live[n]) for n in op.inputs]
            made[op.output] = _quantized(model, op, _REAL[op.kind](model, op, *reals))
        else:  # tables, maxima and integer ops are what they are
            result = golden.FUNCTIONS[op.kind](*inputs, **model.arguments(op))
            made[op.output] = result[0] if op.spec.accumulator else result
        live[op.output] = made[op.output]
    return made


@checked
def deviations(model: Model, x: Any) -> list[Deviation]:
    """Return, for each op's output, how the simulation differs from the integer form."""
    integers = model.run(x, backend="golden", trace=True).tensors
    found = []
    for name, simulated in simulate(model, x).items():
        distance = np.abs(simulated.astype(np.int64) - integers[name])
        found.append(Deviation(name, distance.size, int((distance > 0).sum()), int(distance.max())))
    return found


def _scale(model: Model, name: str) -> float:
    scale = model.tensor(name).scale
    if scale is None:
        raise ModelError(f"tensor {name} has no scale: it cannot be simulated in floats")
    return scale


def _real(model: Model, name: str, values: np.ndarray) -> np.ndarray:
    zero_point = model.tensor(name).zero_point
    return (values.astype(np.float64) - zero_point) * _scale(model, name)


def _quantized(model: Model, op: Op, reals: np.ndarray) -> np.ndarray:
    tensor = model.tensor(op.output)
    lo, hi = DTYPE_RANGE[tensor.dtype]
    if tensor.dtype == "int8":
        lo, hi = op["act_min"], op["act_max"]
    q = round_away(reals / _scale(model, op.output)) + tensor.zero_point
    clamped: np.ndarray = np.clip(q, lo, hi)
    return clamped.astype(tensor.dtype).reshape(len(reals), *tensor.shape)


def _weights(model: Model, op: Op, axis: int) -> tuple[FloatArray, FloatArray]:
    """Return real weights and bias; `axis` is that of the output channels."""
    if op["weight_scale"] is None:
        raise ModelError(f"op {op.name} has no weight_scale: it cannot be simulated in floats")
    scale = np.array(op["weight_scale"])
    spread = [1] * op["weights"].ndim
    spread[axis] = -1
    zero = op["weight_zero_point"].astype(np.float64).reshape(spread)
    weights = (op["weights"].astype(np.float64) - zero) * scale.reshape(spread)
    return weights, op["bias"] * (scale * _scale(model, op.inputs[0]))


def _conv2d(model: Model, op: Op, x: FloatArray) -> FloatArray:
    weights, bias = _weights(model, op, 0)
    kernel = weights.shape[1:3]
    under = taps(x, kernel, op["stride"], op["padding"], op["dilation"], 0)
    return bias + sum(cells @ weights[:, ky, kx].T for ky, kx, cells in under)


def _depthwise_conv2d(model: Model, op: Op, x: FloatArray) -> FloatArray:
    weights, bias = _weights(model, op, 2)
    x = np.repeat(x, weights.shape[2] // x.shape[3], axis=3)
    under = taps(x, weights.shape[:2], op["stride"], op["padding"], op["dilation"], 0)
    return np.asarray(bias + sum(cells * weights[ky, kx] for ky, kx, cells in under))


def _transpose_conv2d(model: Model, op: Op, x: FloatArray) -> FloatArray:
    weights, bias = _weights(model, op, 0)
    kernel = (weights.shape[1], weights.shape[2])
    size = out_shape(x, kernel, op["stride"], op["padding"])
    acc = np.broadcast_to(bias, (len(x), *size, len(weights))).copy()
    for ky, kx, inputs, outputs in meetings(x, kernel, op["stride"], op["padding"]):
        acc[outputs] += x[inputs] @ weights[:, ky, kx].T
    return acc


def _fully_connected(model: Model, op: Op, x: FloatArray) -> FloatArray:
    weights, bias = _weights(model, op, 0)
    return x.reshape(len(x), -1) @ weights.T + bias


def _avg_pool2d(model: Model, op: Op, x: FloatArray) -> FloatArray:
    total, count = (
        sum(cells for _, _, cells in taps(a, op["kernel"], op["stride"], op["padding"], (1, 1), 0))
        for a in (x, np.ones((1, *x.shape[1:3], 1)))
    )
    return np.asarray(total / count)


def _global_avg_pool(model: Model, op: Op, x: FloatArray) -> FloatArray:
    return np.asarray(x.mean(axis=(1, 2), keepdims=True))


def _add(model: Model, op: Op, x1: FloatArray, x2: FloatArray) -> FloatArray:
    return x1 - x2 if op["form"] == "shared_scale_difference" else x1 + x2


def _mul(model: Model, op: Op, x1: FloatArray, x2: FloatArray) -> FloatArray:
    return x1 * x2


_REAL: dict[str, Callable[..., FloatArray]] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "fully_connected": _fully_connected,
    "avg_pool2d": _avg_pool2d,
    "global_avg_pool": _global_avg_pool,
    "add": _add,
    "mul": _mul,
    "transpose_conv2d": _transpose_conv2d,
}
"""The ops that compute with scales."""
