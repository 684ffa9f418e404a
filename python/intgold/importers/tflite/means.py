"""MEAN, over any axes of an image."""

from __future__ import annotations

import math
from itertools import groupby, product
from typing import Any

import numpy as np

from ...fields import Requantize
from ...floating.multiplier import fixed_point, requantize_for
from ...golden.requantize import scale as scaled
from .scales import FACTORS, requantize
from .step import Step, extents, inner

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
    moved = float(np.float32(x_zero) * x_scale / y_scale)
    zero = step.zero_point(y) - math.trunc(moved + math.copysign(0.5, moved))
    near = min(max(zero, -128), 127)
    by = requantize(step.rule, [float(x_scale / (np.float32(n) * y_scale))], shape[2])
    ends = np.array([-128 + unsigned, 127 + unsigned])[:, None] * n
    if zero != near and not _clamps_alike(scaled(np.broadcast_to(ends, (2, shape[2])), by), zero):
        raise step.fail("a mean whose zero points, and values, come to more than int8 twice over")
    made = step.add(
        "depthwise_conv2d", step.x(), last=False, zero=near, weights=np.ones(shape, np.int8),
        bias=np.full(shape[2], n * x_zero, np.int32), requantize=by,
    )  # fmt: skip
    if zero != near:
        moved_on = np.clip(np.arange(-128, 128) + zero - near, -128, 127).astype(np.int8)
        made = step.add("lut", made, last=False, table=moved_on)
    step.add("reshape", made, shape=extents(inner(y)))


def _clamps_alike(ends: np.ndarray, zero: int) -> bool:
    """Return whether R + zero point comes out alike when it is moved in two steps of int8.

    Parameters
    ----------
    ends : ndarray of int
        The least and the greatest R.
    """
    near = min(max(zero, -128), 127)
    twice = np.clip(np.clip(ends + near, -128, 127) + zero - near, -128, 127)
    return bool((twice == np.clip(ends + zero, -128, 127)).all())


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
