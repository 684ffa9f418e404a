"""MEAN, over any axes of an image."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby, product
from typing import Any

import numpy as np

from ...fields import Requantize
from ...floating.multiplier import fixed_point, requantize_for
from ...golden.requantize import scale as scaled
from .scales import FACTORS, requantize
from .step import Step, extents, inner

_FINER = 128
"""Weights of a mean whose zero point goes beyond int8, as 0 with a weight zero point of -128; a
power of two."""
_MOST_TRIED = 2**14
"""Values of a mean whose accumulators are tried one by one."""
_Shape = tuple[int, ...]


def mean(step: Step) -> None:
    """Add a mean over any axes but the batch."""
    shape, reduced, out = inner(step.file(0)), _reduced(step), inner(step.y)
    kept = [n for a, n in enumerate(shape) if a not in reduced]
    if math.prod(kept) != math.prod(out):
        raise step.fail(f"means of {shape} in a shape of {out}")
    whole_image = len(shape) == 3 and reduced == [0, 1] and step.op.options["KeepDims"]
    if step.rule.way == "raw_sum" and whole_image:
        _raw_mean(step, shape)
        return
    by = _mean_of(step, math.prod(shape) // math.prod(kept))
    kind, image, made_shape, fields = _as_image(shape, reduced)
    step.take_room(sum(constant.size for constant in fields.values()))
    x = step.x()
    if image != shape:
        x = step.add("reshape", x, last=False, like=step.file(0), shape=extents(image))
    made = step.add(kind, x, last=out == made_shape, requantize=by, **fields)
    if out != made_shape:
        step.add("reshape", made, shape=extents(out))


def _reduced(step: Step) -> list[int]:
    """Return the axes of an image that are averaged, in order."""
    rank, axes = len(step.file(0).shape), step.constant(1, ("int32",)).ravel().tolist()
    if not all(-rank <= a < rank for a in axes):
        raise step.fail(f"axes {axes} of a tensor of {rank}")
    found = sorted({a % rank - 1 for a in axes})
    if not found or found[0] < 0:
        raise step.fail(f"a mean over axes {axes}: over the batch, or over none")
    return found


def _as_image(shape: _Shape, reduced: list[int]) -> tuple[str, _Shape, _Shape, dict[str, Any]]:
    """Return an op, the image that it reads, the shape that it makes, and its weights of 1.

    Neighbours that are all averaged or all kept are one axis, which leaves three at most.
    """
    axes = [a for a, n in enumerate(shape) if n > 1]
    runs = [
        (gone, math.prod(shape[a] for a in each))
        for gone, each in groupby(axes, lambda a: a in reduced)
    ]
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


def _raw_mean(step: Step, shape: tuple[int, ...]) -> None:
    """Add the mean that sums raw values and adds both zero points at the end, as one bias."""
    x, y = step.file(0), step.y
    step.take_room(math.prod(shape), shape[2])
    x_scale, y_scale, n = step.scale(x), step.scale(y), shape[0] * shape[1]
    unsigned = 128 if x.dtype == "uint8" else 0
    x_zero = step.zero_point(x) + unsigned
    shifted = float(np.float32(x_zero) * x_scale / y_scale)
    zero = step.zero_point(y) - math.trunc(shifted + math.copysign(0.5, shifted))
    by = requantize(step.rule, [float(x_scale / (np.float32(n) * y_scale))], shape[2])
    sums = np.arange((-128 + unsigned) * n, (127 + unsigned) * n + 1)
    weight, weight_zero, bias, near = 1, 0, np.array([n * x_zero]), zero
    if not -128 <= zero <= 127:
        near, moved, by = _moved(step, sums, by, zero)
        weight, weight_zero = 0, -_FINER
        bias = _FINER * bias + moved
    made = step.add(
        "depthwise_conv2d", step.x(), last=False, zero=near, requantize=by,
        weights=np.full(shape, weight, np.int8),
        weight_zero_point=np.array([weight_zero], np.int8),
        bias=np.broadcast_to(bias, shape[2]).astype(np.int32),
    )  # fmt: skip
    step.add("reshape", made, shape=extents(inner(y)))


def _moved(
    step: Step, sums: np.ndarray, by: Requantize, zero: int
) -> tuple[int, np.ndarray, Requantize]:
    """Return a zero point of int8, biases, and R of sums times `_FINER`, with the bits of `zero`.

    What the zero point lacks goes into the accumulators, times `_FINER`, where a bias of 1 moves a
    threshold by less than a sum can lie beside it.  On one side of 0 every form is a line that is
    rounded once, so `single` can do it; every sum that the mean can have is tried.
    """
    if sums.size > 256 * _MOST_TRIED:
        raise step.fail(f"a mean of {sums.size // 255} values: at most {_MOST_TRIED} are proved")
    m, t = int(by.multiplier[0]), int(by.right_shift[0])
    wanted = {
        form: np.clip(scaled(sums[:, None], Requantize.of(m, t, form))[:, 0] + zero, -128, 127)
        for form in by.form
    }
    finer = Requantize.of(m, t + _FINER.bit_length() - 1, "single")
    for near in sorted(range(-128, 128), key=lambda z: abs(zero - z)):
        about = math.floor(_FINER * (zero - near) * 2.0**t / m)
        found = {
            form: next((b for b in _around(about, m) if _alike(sums, b, finer, near, y)), None)
            for form, y in wanted.items()
        }
        if None not in found.values():
            return near, np.array([found[form] for form in by.form]), finer
    raise step.fail(
        f"a mean whose zero points come to {zero}, beyond int8: no bias makes up for it"
    )


def _around(about: int, m: int) -> Iterator[int]:
    """Yield biases: the first of two roundings moves thresholds by 2^30 / m sums, up or down."""
    apart = _FINER * 2**30 // m
    for by in sorted(range(-8, 9), key=abs):
        yield from (about + apart + by, about - apart + by, about + by)


def _alike(sums: np.ndarray, bias: int, by: Requantize, zero: int, wanted: np.ndarray) -> bool:
    """Return whether this bias makes what is wanted; some sums are tried first."""
    for some in (slice(None, None, 97), slice(None)):
        made = scaled((_FINER * sums[some] + bias)[:, None], by)[:, 0] + zero
        if not np.array_equal(np.clip(made, -128, 127), wanted[some]):
            return False
    return True


def _mean_of(step: Step, count: int) -> Requantize:
    """Return the multiplier with 1/n folded in; TFLite folds it in integers."""
    x, y = step.scale(step.file(0)), step.scale(step.y)
    if step.rule.way == "zero_point_first":
        return _zero_point_first(step, count, x / y / np.float32(count))
    if step.rule.way == "divided":
        return requantize_for([float(x) / (count * float(y))], step.rule.form)
    m, t = fixed_point(FACTORS[step.rule.factor](x, np.float32(1), y))
    e = 31 - t
    shift = min(count.bit_length() - 1, 32, 31 + e)
    return Requantize.of((m << shift) // count, t + shift, step.rule.rest or step.rule.form)


def _zero_point_first(step: Step, count: int, factor: np.float32) -> Requantize:
    """Return what has the bits of rint(acc * factor + zero point), all of it in float32.

    No form adds the zero point before it rounds.  So every accumulator that a mean of `count`
    values can have is tried; a factor whose neighbours do not do it either is refused.
    """
    if count > _MOST_TRIED:
        raise step.fail(f"a mean over {count} values: at most {_MOST_TRIED} are proved")
    x_zero, y_zero = step.zero_point(step.file(0)), step.zero_point(step.y)
    shift = 128 if step.y.dtype == "uint8" else 0
    acc = np.arange((-128 - x_zero) * count, (127 - x_zero) * count + 1)
    sums = acc.astype(np.float32) * factor + np.float32(y_zero + shift)
    wanted = np.clip(np.rint(sums).astype(np.int64) - shift, -128, 127)
    near = [factor, *(np.nextafter(factor, np.float32(to)) for to in (0, np.inf))]
    for form, real in product((step.rule.form, "single", "single_even"), near):
        by = requantize_for([float(real)], form)
        if (np.clip(scaled(acc[:, None], by)[:, 0] + y_zero, -128, 127) == wanted).all():
            return by
    raise step.fail("a mean that rounds halves by the parity of its zero point: no form does")
