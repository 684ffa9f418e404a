"""The int32 proof (SPEC 7): every accumulator fits, in any order of summation, or the model is
refused.

Each op gets one function that turns the range of its inputs into bounds of its accumulator and
the range of its output.  The bounds come from the actual weights, so they also tell a hardware
team how many accumulator bits each layer needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError
from ..support.quoting import short_repr
from .fields import INT32_MAX, INT32_MIN, Requantize

Range = tuple[int, int]

WITHOUT_SUMS = frozenset(
    ("lut", "max_pool2d", "softmax", "argmax", "concat", "pad", "reshape", "softmax_float32")
)
"""Ops that `prove` never refuses: they have no accumulator and no requantize."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """What an op can produce.

    Parameters
    ----------
    output : (int, int)
        Least and greatest value of the output tensor.
    lo, hi : ndarray of int64, shape (channels,) or (1,), or None
        Least and greatest accumulator or partial sum per channel; None without accumulator.
    """

    output: Range
    lo: np.ndarray | None = None
    hi: np.ndarray | None = None

    __repr__ = short_repr

    @property
    def bits(self) -> int | None:
        """Two's complement bits that hold every accumulator and partial sum."""
        if self.lo is None or self.hi is None:
            return None
        lo, hi = int(self.lo.min()), int(self.hi.max())
        return max((~lo if lo < 0 else lo).bit_length(), hi.bit_length()) + 1


def prove(
    kind: str,
    fields: Mapping[str, Any],
    ranges: Sequence[Range],
    zero_points: Sequence[int],
    area: int,
) -> Bounds:
    """Return the bounds of one op, or raise ModelError naming channel and bound.

    Parameters
    ----------
    kind : str
        The op's name in the op table.
    fields : mapping
        The op's fields.
    ranges : sequence of (int, int)
        Range of each input tensor, raw values.
    zero_points : sequence of int
        Zero point of each input tensor.
    area : int
        Values per channel of the first input (height times width).
    """
    centred = [(lo - z, hi - z) for (lo, hi), z in zip(ranges, zero_points, strict=True)]
    bounds = _PROOFS[kind](fields, ranges, centred, area)
    _need_int32(bounds.lo, bounds.hi, "accumulator")
    requantize = fields.get("requantize")
    if requantize is not None and bounds.lo is not None:
        _need_pre_shift(requantize, bounds.lo, bounds.hi)
    return bounds


def _need_int32(lo: Any, hi: Any, what: str) -> None:
    if lo is None:
        return
    for channel, (least, greatest) in enumerate(zip(lo.tolist(), hi.tolist(), strict=True)):
        if least < INT32_MIN or greatest > INT32_MAX:
            raise ModelError(
                f"channel {channel}: {what} can reach [{least}, {greatest}], beyond int32"
            )


def _need_pre_shift(requantize: Requantize, lo: Any, hi: Any, what: str = "accumulator") -> None:
    """Forms double and double_up shift left before they multiply: that must fit too."""
    pre_shift = np.array(
        [
            max(31 - t, 0) if form in ("double", "double_up") else 0
            for form, t in zip(requantize.form, requantize.right_shift.tolist(), strict=True)
        ]
    )
    _need_int32(
        np.atleast_1d(lo << pre_shift), np.atleast_1d(hi << pre_shift), f"pre-shifted {what}"
    )


def _weighted(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    """Bounds of conv2d and fully_connected: weights (out_c, ...)."""
    return _multiply_accumulate(fields, centred[0], fields["weights"])


def _depthwise(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    return _multiply_accumulate(fields, centred[0], np.moveaxis(fields["weights"], -1, 0))


def _multiply_accumulate(fields: Any, x: Range, weights: np.ndarray) -> Bounds:
    rows = weights.reshape(weights.shape[0], -1).astype(np.int16)
    rows -= fields["weight_zero_point"].astype(np.int16).reshape(-1, 1)
    positive = np.maximum(rows, 0).sum(axis=1, dtype=np.int64)
    negative = np.minimum(rows, 0).sum(axis=1, dtype=np.int64)
    bias = fields["bias"].astype(np.int64)
    least, greatest = min(x[0], 0), max(x[1], 0)  # a partial sum may lack any product
    hi = np.maximum(bias, 0) + positive * greatest + negative * least
    lo = np.minimum(bias, 0) + positive * least + negative * greatest
    if fields["requantize"] is None:
        return Bounds((int(lo.min()), int(hi.max())), lo, hi)
    return Bounds((fields["act_min"], fields["act_max"]), lo, hi)


def _lut(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    reached = fields["table"][ranges[0][0] + 128 : ranges[0][1] + 129]
    return Bounds((int(reached.min()), int(reached.max())))


def _pwl(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    frac_bits = fields["frac_bits"]
    half = 1 << (frac_bits - 1) if frac_bits else 0
    slope, offset = (np.abs(fields[n].astype(np.int64)) for n in ("slope", "offset"))
    reach = slope * 128 + offset + half
    worst = int(reach.argmax())
    if reach[worst] > INT32_MAX:
        raise ModelError(f"segment {worst}: |slope|*128 + |offset| + half is {reach[worst]}")
    q = np.arange(ranges[0][0], ranges[0][1] + 1)
    k = np.searchsorted(fields["breakpoints"], q, side="right") - 1
    product, start = fields["slope"].astype(np.int64)[k] * q, fields["offset"].astype(np.int64)[k]
    # Whichever is formed first, and what is shifted at last.
    lo = min(0, product.min(), start.min(), (product + start).min())
    hi = max(0, product.max(), start.max(), (product + start).max() + half)
    return Bounds((fields["act_min"], fields["act_max"]), *_span(lo, hi))


def _max_pool2d(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    lo, hi = (min(max(v, fields["act_min"]), fields["act_max"]) for v in ranges[0])
    return Bounds((lo, hi))


def _avg_pool2d(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    x = centred[0] if fields["form"] == "centred_away" else ranges[0]
    cells = fields["kernel"][0] * fields["kernel"][1]
    # The rounding constant n/2 is added to the sum before the division.
    lo, hi = min(x[0], 0) * cells - cells // 2, max(x[1], 0) * cells + cells // 2
    return Bounds((fields["act_min"], fields["act_max"]), *_span(lo, hi))


def _global_avg_pool(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    lo, hi = min(centred[0][0], 0) * area, max(centred[0][1], 0) * area
    return Bounds((fields["act_min"], fields["act_max"]), *_span(lo, hi))


def _add(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    lo = hi = 0
    difference = fields["form"] == "shared_scale_difference"
    for name, x in zip(("requantize1", "requantize2"), centred, strict=True):
        ends = [np.array([v << fields["left_shift"]], np.int64) for v in x]
        _need_int32(ends[0], ends[1], f"shifted input of {name}")
        _need_pre_shift(fields[name], ends[0], ends[1], f"input of {name}")
        least = min(_scaled(int(ends[0][0]), fields[name])[0], 0)
        greatest = max(_scaled(int(ends[1][0]), fields[name])[1], 0)
        if difference and name == "requantize2":
            least, greatest = -greatest, -least
        lo, hi = lo + least, hi + greatest
    return Bounds((fields["act_min"], fields["act_max"]), *_span(lo, hi))


def _scaled(acc: int, by: Requantize) -> Range:
    """Bounds of R(acc) for one entry: the exact quotient, and what its form can add to it."""
    # Every form as float64 has it: 22 more bits of multiplier, 0 elsewhere.
    multiplier = (int(by.multiplier[0]) << 22) + int(by.multiplier_low[0])
    product, t = acc * multiplier, int(by.right_shift[0]) + 22
    lo, hi = product >> t, -(-product >> t)
    # Form float32 rounds to 24 significant bits twice; every form rounds to an integer.
    slack = 1 + (max(abs(lo), abs(hi)) >> 22 if by.form[0] == "float32" else 0)
    return lo - slack, hi + slack


def _softmax(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    return Bounds((-128, 127))


def _rescale(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    lo, hi = _span(*ranges[0])
    _need_pre_shift(fields["requantize"], lo, hi, "input")
    return Bounds((INT32_MIN, INT32_MAX))


def _argmax(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    return Bounds((0, INT32_MAX))


def _mul(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    ends = [a * b for a in centred[0] for b in centred[1]]
    return Bounds((fields["act_min"], fields["act_max"]), *_span(min(ends), max(ends)))


def _concat(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    return Bounds((min(ranges[0][0], ranges[1][0]), max(ranges[0][1], ranges[1][1])))


def _pad(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    value = fields["value"]
    return Bounds((min(ranges[0][0], value), max(ranges[0][1], value)))


def _reshape(fields: Any, ranges: Any, centred: Any, area: int) -> Bounds:
    return Bounds(ranges[0])


def _span(lo: Any, hi: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.array([int(lo)], np.int64), np.array([int(hi)], np.int64)


_PROOFS: dict[str, Callable[[Any, Any, Any, int], Bounds]] = {
    "conv2d": _weighted,
    "depthwise_conv2d": _depthwise,
    "fully_connected": _weighted,
    "lut": _lut,
    "pwl": _pwl,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "global_avg_pool": _global_avg_pool,
    "add": _add,
    "softmax": _softmax,
    "rescale": _rescale,
    "argmax": _argmax,
    "mul": _mul,
    "concat": _concat,
    "pad": _pad,
    "reshape": _reshape,
    "softmax_float32": _softmax,
}
