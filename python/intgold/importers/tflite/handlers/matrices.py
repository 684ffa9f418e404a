"""BATCH_MATMUL, and FULLY_CONNECTED whose weights are data."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ....contracts import Algorithm
from ....ops.fields import Requantize
from ..addresses.address_walk import AddressWalk, Pick
from ..file.reader import FileTensor
from ..formulas.scales import factors, requantize_by_rule
from .op_context import IDENTITY, OpContext, as_int8, extents, inner

Shape = tuple[int, ...]
_TYPES = ("int8", "uint8")
_MAX_RANK = 5
"""Dimensions that engines take."""


def batch_matmul(context: OpContext) -> None:
    """Add a matmul of two tensors, or a fully_connected or conv2d of constant weights."""
    x1, x2, y = context.file(0), context.file(1), context.y
    if not x1.dtype == x2.dtype == y.dtype:
        raise context.fail(f"{x1.dtype} and {x2.dtype} to {y.dtype}")
    if not all(2 <= len(t.shape) <= _MAX_RANK for t in (x1, x2)):
        raise context.fail(f"shapes {x1.shape} and {x2.shape}; 2 to {_MAX_RANK} dimensions are run")
    if context.rule.algorithm is Algorithm.SECOND_ZERO_POINT_0:
        context.need_normal(0)
        if context.zero_point(x2):
            context.decline("a second operand whose zero point is not 0")
    swapped = (bool(context.op.options["AdjX"]), not context.op.options["AdjY"])
    (*batch1, rows, depth), (*batch2, columns, depth2) = (
        (*t.shape[:-2], t.shape[-1], t.shape[-2]) if swap else t.shape
        for t, swap in zip((x1, x2), swapped, strict=True)
    )
    try:
        batch = np.broadcast_shapes(tuple(batch1), tuple(batch2))
    except ValueError:
        batch = None
    if batch is None or depth != depth2 or (*batch, rows, columns) != y.shape:
        raise context.fail(f"shapes {x1.shape} and {x2.shape} to {y.shape}")
    if x1.data is not None and x2.data is not None:
        raise context.fail("both inputs are constants")
    if x2.data is not None:
        context.rule = replace(context.rule, fallback=None)  # other ratios end the process
    if x2.data is not None and math.prod(batch2) == 1:
        weights = as_int8(context.constant(1, _TYPES)).reshape(x2.shape[-2:])
        a = _matrices(context, 0, (), tuple(batch1), swap=swapped[0])
        _by_weights(context, a, weights.T if swapped[1] else weights)
        return
    a, b = (_matrices(context, i, batch, batch, swap=swapped[i]) for i in (0, 1))
    _multiply(context, a, b, np.zeros(columns, np.int32), (math.prod(batch), rows, columns))


def weights_of_data(context: OpContext, bias: np.ndarray, **ends: int) -> None:
    """Add a matmul of rows of the input by rows of weights that an op produces."""
    x, weights = context.file(0), context.file(1)
    columns, depth = weights.shape
    rows = math.prod(x.shape) // depth
    if context.rule.form == "float64":
        _need_int32(context, depth, bias)
    a = _reshaped(context, context.x(0), x, (rows, depth))
    b = _reshaped(context, context.x(1), weights, (columns, depth))
    _multiply(context, a, b, bias, (1, rows, columns), **ends)


def _need_int32(context: OpContext, depth: int, bias: np.ndarray) -> None:
    """Refuse outputs that a cast from float64 to int32 does not hold."""
    most = depth * 255.0 * 255.0 + float(np.abs(bias.astype(np.float64)).max())
    if most * _factor(context) >= 2**31:
        raise context.fail(
            f"values of up to {most * _factor(context):.3g} before the clamp, beyond int32"
        )


def _factor(context: OpContext) -> float:
    a, b, y = (context.scale(t) for t in (context.file(0), context.file(1), context.y))
    return factors(context.rule, a, np.array([b]), y)[0]


def _requantize(context: OpContext) -> Requantize:
    context.decide(_factor(context))  # of another rule there may be another factor
    return requantize_by_rule(context.rule, [_factor(context)], 1)


def _multiply(
    context: OpContext, a: str, b: str, bias: np.ndarray, made: tuple[int, int, int], **ends: int
) -> None:
    shape = made if made[0] > 1 else made[1:]
    out = inner(context.y)
    fields: dict[str, Any] = {"bias": bias, "requantize": _requantize(context), **ends}
    name = context.add("matmul", a, b, last=shape == out, **fields)
    if shape != out:
        context.add("reshape", name, shape=extents(out))


def _by_weights(context: OpContext, a: str, weights: np.ndarray) -> None:
    """Add a conv2d of 1 x 1 on the rows of a matrix."""
    columns, depth = weights.shape
    rows, out = math.prod(context.y.shape) // columns, inner(context.y)
    x = _reshaped(context, a, None, (rows, 1, depth), context.file(0))
    zero = np.array([context.zero_point(context.file(1))], np.int8)
    last = out == (rows, 1, columns)
    name = context.add(
        "conv2d", x, last=last, weights=weights[:, None, None], weight_zero_point=zero,
        weight_scale=[float(context.scale(context.file(1)))],
        bias=np.zeros(columns, np.int32), requantize=_requantize(context),
    )  # fmt: skip
    if not last:
        context.add("reshape", name, shape=extents(out))


def _matrices(context: OpContext, i: int, batch: Shape, walked: Shape, *, swap: bool) -> str:
    """Return input `i` as (batch, rows, depth), each of its matrices transposed or not.

    Parameters
    ----------
    batch : tuple of int
        Extents that its own are spread over; () where it is to be one matrix of all rows.
    walked : tuple of int
        The same, or its own.
    swap : bool
        Its last axis is not the depth.
    """
    like = context.file(i)
    own = (*(1,) * (len(walked) + 2 - len(like.shape)), *like.shape)
    walk = AddressWalk.over(own)
    for axis, (n, target) in enumerate(zip(own, walked, strict=False)):
        if n != target:
            walk = walk.picked(axis, Pick(0, ((target, 0),)))
    if swap:
        last = len(own) - 1
        walk = walk.ordered([*range(last - 1), last, last - 1])
    rows, depth = walk.shape[-2:]
    count = math.prod(walk.shape[:-2])
    shape = (count, rows, depth) if batch and count > 1 else (count * rows, depth)
    x = context.x(i) if like.data is None else _held(context, i)
    if walk.is_plain(math.prod(like.shape)):
        return _reshaped(context, x, like, shape)
    return context.add(
        "strided_copy", x, last=False, like=like, shape=extents(shape), **walk.fields()
    )


def _held(context: OpContext, i: int) -> str:
    """Return a constant as a tensor: the biases of a convolution of one pixel by weights of 0."""
    like = context.file(i)
    values = as_int8(context.constant(i, _TYPES)).ravel().astype(np.int32)
    context.spend(0, values.size)
    pixel = context.add(
        "strided_copy", context.x(1 - i), last=False, like=context.file(1 - i), shape=(1, 1, 1),
        **AddressWalk(((),)).fields(),
    )  # fmt: skip
    made = context.add(
        "depthwise_conv2d", pixel, last=False, like=like,
        weights=np.zeros((1, 1, values.size), np.int8),
        bias=values - context.zero_point(like), requantize=IDENTITY,
    )  # fmt: skip
    return context.add("reshape", made, last=False, like=like, shape=extents(inner(like)))


def _reshaped(
    context: OpContext, x: str, like: FileTensor | None, shape: Shape,
    quantised: FileTensor | None = None,
) -> str:  # fmt: skip
    """Return a tensor in another shape, `like` one of the file."""
    if like is not None and inner(like) == shape:
        return x
    return context.add("reshape", x, last=False, like=quantised or like, shape=extents(shape))
