"""Any function of a sum that never falls, where no form of SPEC 4.2 rounds as an engine does.

Where few sums lie between its first threshold and the last, a table does.  Else a line comes
first that is right or one too high.  Then the sum is made once more, less the threshold of the
value that the line gave: its sign says which of the two it is.  That threshold is looked up, a
digit in a table each; the digits are weighed in the convolution that sums, beside what it sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....golden.requantize import scale as scaled
from ....host.multiplier import fixed_point
from ....ops.fields import Requantize
from ..formulas.thresholds import Rounding, thresholds
from .op_context import IDENTITY, OpContext, inner

_BASE = 256
"""Of the digits, each an int8 of its own."""
_MAX_WEIGHT = 128
"""In size, of a weight that is negative."""


@dataclass(frozen=True)
class ReducedBlocks:
    """Sums of the values ``[a, :, b, :]`` of a tensor of this shape, in C order."""

    outer: int
    height: int
    width: int
    channels: int


def rounded_sums(
    context: OpContext, blocks: ReducedBlocks, rounding: Rounding, slope: float, low: int, high: int
) -> str:
    """Add what sums the op's input and rounds the sums, however that is done.

    Parameters
    ----------
    blocks : ReducedBlocks
        What is summed.
    rounding : callable
        Of the sums.
    slope : float
        How much it rises with each, about.
    low, high : int
        The ends of the sums.

    Returns
    -------
    str
        A tensor of shape (outer, width, 1), of the op's zero point.
    """
    at = thresholds(rounding, low, high)
    inside = np.flatnonzero((at > low) & (at <= high))
    context.spend(2 * blocks.height * blocks.channels)
    first = int(at[inside[0]]) - 1 if inside.size else low
    if not inside.size or int(at[inside[-1]]) - first < 256:
        return _by_table(context, blocks, rounding, first, high)
    middle = int(inside[inside.size // 2])
    by, bias, value = _line(context, at, middle, slope, low, high)
    line = _sums(
        context,
        _image(context, blocks),
        blocks,
        np.full((blocks.height, blocks.channels), 2, np.int8),
        zero=value,
        bias=np.array([bias], np.int32),
        requantize=by,
    )
    step_down = _step_down(context, blocks, line, value, np.concatenate([[low], at]) - low, low)
    pair = context.add("concat", line, step_down, last=False, zero=value, axis=1)
    pair = context.add(
        "reshape", pair, last=False, zero=value, shape=(2 * blocks.outer, blocks.width, 1)
    )
    both = ReducedBlocks(blocks.outer, 2, blocks.width, 1)
    bias = value - context.zero_point(context.y)
    return _sums(
        context, pair, both, np.ones((2, 1), np.int8),
        bias=np.array([bias], np.int32), requantize=IDENTITY,
    )  # fmt: skip


def _image(context: OpContext, blocks: ReducedBlocks) -> str:
    """Return the op's input as an image whose columns are summed, a block below the other."""
    shape = (blocks.outer * blocks.height, blocks.width, blocks.channels)
    x, like = context.x(), context.file(0)
    return x if inner(like) == shape else context.add(
        "reshape", x, last=False, like=like, shape=shape
    )  # fmt: skip


def _sums(
    context: OpContext,
    image: str,
    blocks: ReducedBlocks,
    weights: np.ndarray,
    zero: int | None = None,
    **fields: Any,
) -> str:
    """Add a conv2d that weighs and sums columns; weights of shape (height, channels)."""
    stride = (len(weights), 1) if blocks.outer > 1 else (1, 1)
    return context.add(
        "conv2d", image, last=False, zero=zero, stride=stride,
        weights=weights[None, :, None], **fields,
    )  # fmt: skip


def _by_table(
    context: OpContext, blocks: ReducedBlocks, rounding: Rounding, first: int, high: int
) -> str:
    """Add a table of 256 sums from `first` on; the function is the same of all beyond them."""
    weights = np.ones((blocks.height, blocks.channels), np.int8)
    index = _sums(
        context, _image(context, blocks), blocks, weights, zero=0,
        bias=np.array([-first - 128], np.int32), requantize=IDENTITY,
    )  # fmt: skip
    table = np.clip(rounding(np.minimum(first + np.arange(256), high)), -128, 127)
    return context.add("lut", index, last=False, table=table.astype(np.int8))


def _line(
    context: OpContext, at: np.ndarray, middle: int, slope: float, low: int, high: int
) -> tuple[Requantize, int, int]:
    """Return an entry of R, a bias and a zero point that make of twice the sum a line.

    It is right or one too high: it reaches each value at that value's threshold at the latest, and
    not before the threshold of the value below.
    """
    value, bias = middle - 127, 1 - 2 * int(at[middle])
    by = Requantize.of(*fixed_point(slope / 2))

    def line(sums: np.ndarray) -> np.ndarray:
        return np.asarray(scaled((2 * sums + bias)[:, None], by)[:, 0] + value)

    reached = thresholds(line, low, high)
    if (reached > at).any() or (reached[1:] < at[:-1]).any():
        raise context.fail("its sums are rounded further from a line than by one")
    return by, bias, value


def _step_down(
    context: OpContext, blocks: ReducedBlocks, line: str, value: int, goals: np.ndarray, low: int
) -> str:
    """Add what is `value`, and one less where a sum is below the threshold of the line's value.

    Parameters
    ----------
    goals : ndarray of int64
        The thresholds of -128 ... 127, less `low`.
    """
    units, x = _units(int(goals.max())), context.file(0)
    times = -(-units[-1] // (_MAX_WEIGHT * blocks.channels))
    digits = _digits(context, blocks, line, value, goals, units)
    digits = _repeated(context, digits, times)
    rows = blocks.outer, blocks.height * blocks.width * blocks.channels, 1
    values = context.add("reshape", context.x(), last=False, like=x, shape=rows)
    height = blocks.height + times * len(units)
    image = context.add("concat", values, digits, last=False, like=x, axis=1)
    image = context.add(
        "reshape", image, last=False, like=x,
        shape=(blocks.outer * height, blocks.width, blocks.channels),
    )  # fmt: skip
    taps = np.stack([_spread(unit, times * blocks.channels) for unit in units], 1)
    taps = taps.reshape(times, blocks.channels, len(units)).swapaxes(1, 2)
    weights = np.concatenate(
        [np.ones((blocks.height, blocks.channels), np.int8), taps.reshape(-1, blocks.channels)]
    )
    bias = -low - sum(units) * (128 + context.zero_point(x))
    return _sums(
        context, image, blocks, weights, zero=value, bias=np.array([bias], np.int32),
        requantize=IDENTITY, act_min=value - 1, act_max=value,
    )  # fmt: skip


def _units(most: int) -> list[int]:
    """Return what each digit of a number up to `most` stands for; the first: 1."""
    units = [1]
    while most >= _BASE * units[-1]:
        units.append(min(_BASE * units[-1], -(-(most + 1) // _BASE)))
    return units


def _digits(
    context: OpContext,
    blocks: ReducedBlocks,
    line: str,
    value: int,
    goals: np.ndarray,
    units: list[int],
) -> str:
    """Add the digits of the threshold of each value of the line, once for each channel.

    Returns
    -------
    str
        A tensor of shape (outer, digits * width * channels, 1).
    """
    x, places = context.file(0), blocks.outer * blocks.width
    if blocks.channels > 1:
        line = context.add("reshape", line, last=False, zero=value, shape=(places, 1, 1))
        ones = np.ones((1, 1, blocks.channels), np.int8)
        line = context.add(
            "depthwise_conv2d", line, last=False, zero=value, weights=ones, stride=(1, 1),
            bias=np.zeros(blocks.channels, np.int32), requantize=IDENTITY,
        )  # fmt: skip
        line = context.add(
            "reshape", line, last=False, zero=value,
            shape=(blocks.outer, blocks.width * blocks.channels, 1),
        )  # fmt: skip
    found, remainder = {}, goals
    for unit in reversed(units):
        found[unit] = np.minimum(remainder // unit, _BASE - 1)
        remainder = remainder - found[unit] * unit
    made = ""
    for unit in units:
        digit = context.add(
            "lut", line, last=False, like=x, table=(found[unit] - 128).astype(np.int8)
        )
        made = digit if not made else context.add("concat", made, digit, last=False, like=x, axis=1)
    return made


def _repeated(context: OpContext, x: str, times: int) -> str:
    """Add what joins `times` copies along axis 1, by doubling."""
    like, made = context.file(0), ""
    while True:
        if times & 1:
            made = x if not made else context.add("concat", made, x, last=False, like=like, axis=1)
        times >>= 1
        if not times:
            return made
        x = context.add("concat", x, x, last=False, like=like, axis=1)


def _spread(unit: int, taps: int) -> np.ndarray:
    """Return weights that subtract a value `unit` times: all that fit into int8, then the rest."""
    weights = np.zeros(taps, np.int8)
    whole, remainder = divmod(unit, _MAX_WEIGHT)
    weights[:whole] = -_MAX_WEIGHT
    if remainder:
        weights[whole] = -remainder
    return weights
