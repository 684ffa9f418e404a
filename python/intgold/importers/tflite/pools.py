"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from ...fields import Requantize
from ...floating.multiplier import fixed_point, requantize_for
from ...golden.requantize import scale as scaled
from .scales import FACTORS, requantize
from .step import Step, extents, inner
from .weighted import activation, slide

_MOST_TRIED = 2**14
"""Values of a mean whose accumulators are tried one by one."""


def _pool(step: Step) -> dict[str, Any]:
    o, shape = step.op.options, inner(step.file(0))
    if len(shape) != 3:
        raise step.fail(f"input of shape {shape} is no image")
    kernel = (o["FilterHeight"], o["FilterWidth"])
    if min(kernel) < 1:
        raise step.fail(f"kernel {kernel}")
    fields = slide(step, kernel, shape)
    del fields["dilation"]
    return {"kernel": kernel, **fields, **activation(step)}


def _one_scale(step: Step) -> None:
    x, y = step.file(0), step.y
    if step.scale(x) != step.scale(y) or step.zero_point(x) != step.zero_point(y):
        raise step.fail("input and output differ in scale or zero point")


def average_pool_2d(step: Step) -> None:
    """Add an avg_pool2d."""
    _one_scale(step)
    form = "raw_up" if step.file(0).dtype == "uint8" else "raw_away"
    step.add("avg_pool2d", step.x(), form=form, **_pool(step))


def max_pool_2d(step: Step) -> None:
    """Add a max_pool2d."""
    _one_scale(step)
    step.add("max_pool2d", step.x(), **_pool(step))


def mean(step: Step) -> None:
    """Add a global_avg_pool over height and width, or over height."""
    x, shape = step.file(0), inner(step.file(0))
    axes = {int(a) % len(x.shape) for a in step.constant(1, ("int32",)).ravel()}
    if 0 in axes:
        raise step.fail("a mean over the batch")
    reduced = sorted(a - 1 for a in axes)
    whole_image = len(shape) == 3 and reduced == [0, 1] and step.op.options["KeepDims"]
    if step.rule.way == "raw_sum" and whole_image:
        _raw_mean(step, shape)
        return
    # The axes that are averaged, then those that stay: an image of (n, 1, channels).
    if not reduced or reduced[0] != 0 and math.prod(shape[: reduced[0]]) > 1:
        raise step.fail(f"a mean over axes {sorted(axes)}: those in front must be 1")
    if reduced != list(range(reduced[0], reduced[-1] + 1)):
        raise step.fail(f"a mean over axes {sorted(axes)}, which are not neighbours")
    count = math.prod(shape[a] for a in reduced)
    channels = math.prod(shape[reduced[-1] + 1 :])
    image = shape if len(shape) == 3 and shape[2] == channels else (count, 1, channels)
    made = step.x()
    if image != shape:
        made = step.add("reshape", made, last=False, like=x, shape=extents(image))
    out = inner(step.y)
    made = step.add(
        "global_avg_pool", made, last=out == (1, 1, channels), requantize=_mean_of(step, count)
    )
    if out != (1, 1, channels):
        step.add("reshape", made, shape=extents(out))


def _raw_mean(step: Step, shape: tuple[int, ...]) -> None:
    """Add the mean that sums raw values and adds both zero points at the end, as one bias."""
    x, y = step.file(0), step.y
    x_scale, y_scale, n = step.scale(x), step.scale(y), shape[0] * shape[1]
    unsigned = 128 if x.dtype == "uint8" else 0
    x_zero = step.zero_point(x) + unsigned
    moved = float(np.float32(x_zero) * x_scale / y_scale)
    zero = step.zero_point(y) - math.trunc(moved + math.copysign(0.5, moved))
    if not -128 <= zero <= 127:
        raise step.fail(f"a mean whose zero points come to {zero}, beyond int8")
    by = requantize(step.rule, [float(x_scale / (np.float32(n) * y_scale))], shape[2])
    made = step.add(
        "depthwise_conv2d", step.x(), last=False, zero=zero, weights=np.ones(shape, np.int8),
        bias=np.full(shape[2], n * x_zero, np.int32), requantize=by,
    )  # fmt: skip
    step.add("reshape", made, shape=extents(inner(y)))


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
