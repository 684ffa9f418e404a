"""MEAN and SUM, over any axes of an image."""

from __future__ import annotations

import math
from itertools import groupby, product
from typing import Any

import numpy as np

from ....contracts import Algorithm
from ....golden.requantize import scale as scaled
from ....host.multiplier import fixed_point, requantize_for
from ....ops.fields import Requantize
from ..formulas.scales import FACTORS, requantize_by_rule
from ..formulas.thresholds import Rounding, alike
from .op_context import IDENTITY, OpContext, extents, inner
from .rounded_sums import ReducedBlocks, rounded_sums

_Shape = tuple[int, ...]
_SHOWN = 8
"""Axes that a message shows of a list of any length."""
_Runs = list[tuple[bool, int]]


def mean_or_sum(context: OpContext) -> None:
    """Add a mean or sum over any axes; over the batch of 1, if kept, there is nothing to do."""
    shape, axes, out = inner(context.file(0)), _axes(context), inner(context.y)
    reduced = [a for a in axes if a >= 0]
    kept = [n for a, n in enumerate(shape) if a not in reduced]
    if math.prod(kept) != math.prod(out):
        raise context.fail(f"axes {axes} of {shape} in a shape of {out}")
    whole_image = len(shape) == 3 and axes == [0, 1] and context.op.options["KeepDims"]
    if context.rule.algorithm is Algorithm.RAW_FLOAT32:
        context.need_normal(0)
    if context.rule.algorithm is Algorithm.RAW_SUM and whole_image:
        _raw_mean(context, shape)
        return
    count = math.prod(shape) // math.prod(kept)
    made_by = _sum_of if context.op.kind == "SUM" else _mean_of
    by, runs = made_by(context, count), _runs(shape, reduced)
    if by is None:
        factor, rounding = _in_float32(context, count)
        made = rounded_sums(context, _blocks(runs), rounding, float(factor), *_ends(context, count))
        context.add("reshape", made, shape=extents(out))
        return
    kind, image, made_shape, fields = _as_image(shape, runs)
    context.spend(sum(constant.size for constant in fields.values()))
    x = context.x()
    if image != shape:
        x = context.add("reshape", x, last=False, like=context.file(0), shape=extents(image))
    made = context.add(kind, x, last=out == made_shape, requantize=by, **fields)
    if out != made_shape:
        context.add("reshape", made, shape=extents(out))


def _axes(context: OpContext) -> list[int]:
    """Return the axes of an image that are averaged, in order; -1: the batch."""
    rank, axes = len(context.file(0).shape), context.constant(1, ("int32",)).ravel().tolist()
    if not all(-rank <= a < rank for a in axes):
        raise context.fail(f"axes {axes[:_SHOWN]} of a tensor of {rank}")
    found = sorted({a % rank - 1 for a in axes})
    kept = context.op.options["KeepDims"]
    if not found or (found[0] < 0 and not (kept and found[1:])):
        raise context.fail(f"axes {axes[:_SHOWN]}: over the batch, or over none")
    return found


def _runs(shape: _Shape, reduced: list[int]) -> _Runs:
    """Return whether axes are averaged, and their extents: three at most.

    Neighbours that are all averaged or all kept are one axis.
    """
    axes = [a for a, n in enumerate(shape) if n > 1]
    return [
        (gone, math.prod(shape[a] for a in each))
        for gone, each in groupby(axes, lambda a: a in reduced)
    ]


def _blocks(runs: _Runs) -> ReducedBlocks:
    """Return the sums of these axes: one that is kept, averaged, kept, averaged, each maybe 1."""
    left, sizes = list(runs), []
    for gone in (False, True, False, True):
        sizes.append(left.pop(0)[1] if left and left[0][0] == gone else 1)
    return ReducedBlocks(*sizes)


def _as_image(shape: _Shape, runs: _Runs) -> tuple[str, _Shape, _Shape, dict[str, Any]]:
    """Return an op, the image that it reads, the shape that it produces, and its weights of 1."""
    pattern = [gone for gone, _ in runs]
    if pattern in ([True, False], [True], [False], []):
        sizes = {True: 1, False: 1} | dict(runs)
        image = shape if shape[2:] == (sizes[False],) else (sizes[True], 1, sizes[False])
        return "global_avg_pool", image, (1, 1, sizes[False]), {}
    height, width, channels = (*(n for _, n in runs), 1)[:3]
    if pattern == [True, False, True]:
        weights = np.ones((1, height, 1, channels), np.int8)
        return "conv2d", (height, width, channels), (1, width, 1), _of_ones(weights, 1)
    fields = _of_ones(np.ones((1, width, channels), np.int8), channels)
    return "depthwise_conv2d", (height, width, channels), (height, 1, channels), fields


def _of_ones(weights: np.ndarray, channels: int) -> dict[str, Any]:
    return {"weights": weights, "bias": np.zeros(channels, np.int32)}


def _raw_mean(context: OpContext, shape: tuple[int, ...]) -> None:
    """Add the mean that sums raw values and adds both zero points at the end, as one bias."""
    x, y = context.file(0), context.y
    context.spend(math.prod(shape), shape[2])
    x_scale, y_scale, n = context.scale(x), context.scale(y), shape[0] * shape[1]
    unsigned = 128 if x.dtype == "uint8" else 0
    x_zero = context.zero_point(x) + unsigned
    shifted = float(np.float32(x_zero) * x_scale / y_scale)
    zero = context.zero_point(y) - math.trunc(shifted + math.copysign(0.5, shifted))
    by = requantize_by_rule(context.rule, [float(x_scale / (np.float32(n) * y_scale))], shape[2])
    fields = _of_ones(np.ones(shape, np.int8), shape[2])
    if not -128 <= zero <= 127:
        _raw_mean_beyond_int8(context, shape, by, n * x_zero, zero)
        return
    fields["bias"] += n * x_zero
    made = context.add(
        "depthwise_conv2d", context.x(), last=False, zero=zero, requantize=by, **fields
    )
    context.add("reshape", made, shape=extents(inner(y)))


def _raw_mean_beyond_int8(
    context: OpContext, shape: _Shape, by: Requantize, bias: int, zero: int
) -> None:
    """Add the same mean for a sum of both zero points that a tensor's cannot be.

    Its channels have one form, or those of the last group another.
    """
    m, t, (cells, channels) = by.multiplier[0], by.right_shift[0], (math.prod(shape[:2]), shape[2])
    slope, ends = float(m) * 2.0 ** -int(t), _ends(context, cells)
    made = [
        rounded_sums(
            context, ReducedBlocks(1, cells, channels, 1),
            _rounding(Requantize.of(m, t, form), bias, zero), slope, *ends,
        )
        for form in dict.fromkeys(by.form)
    ]  # fmt: skip
    if len(made) > 1:
        both = context.add("concat", *made, last=False, axis=1)
        first = np.array([form == by.form[0] for form in by.form])
        made = [
            context.add(
                "depthwise_conv2d",
                context.add("reshape", both, last=False, shape=(2, 1, channels)), last=False,
                weights=np.stack([first, ~first]).astype(np.int8)[:, None],
                bias=np.zeros(channels, np.int32), requantize=IDENTITY,
            )
        ]  # fmt: skip
    context.add("reshape", made[0], shape=extents(inner(context.y)))


def _mean_of(context: OpContext, count: int) -> Requantize | None:
    """Return the multiplier with 1/n folded in; None: no entry of R has the bits."""
    x, y = context.scale(context.file(0)), context.scale(context.y)
    if context.rule.algorithm is Algorithm.RAW_FLOAT32:
        return _match_float32(context, count)
    if context.rule.algorithm is Algorithm.DIVIDED:
        return requantize_for([float(x) / (count * float(y))], context.rule.form)
    m, t = fixed_point(FACTORS[context.rule.factor](x, np.float32(1), y))  # TFLite: 1/n in integers
    e = 31 - t
    shift = min(count.bit_length() - 1, 32, 31 + e)
    return Requantize.of(
        (m << shift) // count, t + shift, context.rule.remainder_form or context.rule.form
    )


def _sum_of(context: OpContext, count: int) -> Requantize | None:
    """Return the multiplier of a sum; None: no entry of R has the bits."""
    if context.rule.algorithm in (Algorithm.RAW_FLOAT32, Algorithm.RAW_FLOAT32_AWAY):
        return _match_float32(context, count)
    x, y = context.scale(context.file(0)), context.scale(context.y)
    return requantize_for(
        [float(FACTORS[context.rule.factor](x, np.float32(1), y))], context.rule.form
    )


def _match_float32(context: OpContext, count: int) -> Requantize | None:
    """Return what rounds every sum as float32 arithmetic does, or None."""
    factor, rounding = _in_float32(context, count)
    neighbours = [factor, *(np.nextafter(factor, np.float32(to)) for to in (0, np.inf))]
    for form, real in product((context.rule.form, "single", "single_even"), neighbours):
        by = requantize_for([float(real)], form)
        other = _rounding(by, 0, context.zero_point(context.y))
        if alike(rounding, other, *_ends(context, count)):
            return by
    return None


def _in_float32(context: OpContext, count: int) -> tuple[np.float32, Rounding]:
    """Return the factor, and raw sum * factor + bias rounded, every step in float32.

    The bias holds both zero points; where halves go away from 0, the input's only.  uint8 is
    summed as it is.
    """
    x, y = context.file(0), context.y
    unsigned = 128 if y.dtype == "uint8" else 0
    x_zero, y_zero = (context.zero_point(t) + unsigned for t in (x, y))
    factor = context.scale(x) / context.scale(y)
    if context.rule.algorithm is Algorithm.RAW_FLOAT32:
        if context.op.kind == "MEAN":
            factor = factor * (np.float32(1) / np.float32(count))
        bias = np.float32(y_zero) - np.float32(x_zero * count) * factor
        to_integer, added = _even, -unsigned
    else:
        bias = np.float32(-x_zero) * factor * np.float32(count)
        to_integer, added = _away, y_zero - unsigned

    def rounding(sums: np.ndarray) -> np.ndarray:
        raw = (sums + x_zero * count).astype(np.float32)
        rounded: np.ndarray = to_integer(raw * factor + bias)
        return rounded.astype(np.int64) + added

    return factor, rounding


def _even(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(values))


def _away(values: np.ndarray) -> np.ndarray:
    wide = values.astype(np.float64)
    return np.trunc(wide + np.copysign(0.5, wide))


def _rounding(by: Requantize, bias: int, zero: int) -> Rounding:
    return lambda sums: np.asarray(scaled(sums[:, None] + bias, by)[:, 0] + zero)


def _ends(context: OpContext, count: int) -> tuple[int, int]:
    """Return the smallest and the largest sum of `count` values."""
    zero = context.zero_point(context.file(0))
    return (-128 - zero) * count, (127 - zero) * count
