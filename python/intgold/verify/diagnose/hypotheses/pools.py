"""Pools: the window, what is compared, what is divided by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ....golden import rounding
from ....golden.windows import taps
from ....support.array_types import BoolArray, IntArray
from ..datapath import Datapath, replace_entries
from .hypothesis import Edit, Evidence, Hypothesis, Variant, Wording


def _reduced(fill: int, reduce: Callable[[IntArray], IntArray], *, unsigned: bool = False) -> Edit:
    """Reduce the cells of each window, padded ones being `fill`."""

    def accumulate(path: Datapath) -> IntArray:
        a, x = path.arguments, path.inputs[0].astype(np.int64)
        x = x & 255 if unsigned else x
        under = taps(x, a["kernel"], a["stride"], a["padding"], (1, 1), fill)
        made = reduce(np.stack([cells for _, _, cells in under]))
        return ((made + 128) & 255) - 128 if unsigned else made

    return lambda path: path.with_accumulate(accumulate)


def _max(*variants: Variant) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "max_pool2d":
            yield from variants

    return found


def _padding_counts(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.op.kind == "max_pool2d" and any(path.arguments["padding"]):
        yield Variant("as 0", _reduced(0, lambda c: c.max(axis=0)))
        zero = path.model.tensor(path.op.inputs[0]).zero_point
        if zero not in (0, -128):
            yield Variant("as the zero point", _reduced(zero, lambda c: c.max(axis=0)))


def _short(evidence: Evidence) -> Iterator[Variant]:
    """Windows that lose a row or a column."""
    path = evidence.path
    if path.op.kind not in ("max_pool2d", "avg_pool2d"):
        return
    for axis, name in ((0, "row"), (1, "column")):
        if path.arguments["kernel"][axis] > 1:
            for last, label in ((True, "last"), (False, "first")):
                yield Variant(f"the {label} {name}", _shorter(axis, last=last))


def _shorter(axis: int, *, last: bool) -> Edit:
    def accumulate(path: Datapath) -> IntArray:
        a, x = path.arguments, path.inputs[0].astype(np.int64)
        is_max = path.op.kind == "max_pool2d"
        centre = a["x_zero_point"] if a.get("form") == "centred_away" else 0
        lost = a["kernel"][axis] - 1 if last else 0
        under = taps(
            x - (0 if is_max else centre), a["kernel"], a["stride"], a["padding"], (1, 1),
            -128 if is_max else 0,
        )  # fmt: skip
        kept = np.stack([cells for ky, kx, cells in under if (ky, kx)[axis] != lost])
        merged: IntArray = kept.max(axis=0) if is_max else kept.sum(axis=0)
        return merged

    return lambda path: path.with_accumulate(accumulate)


def _divided(divide: Callable[[IntArray, IntArray], IntArray]) -> Edit:
    return lambda path: path.with_stage(scale=lambda p, acc: divide(acc, p.cells()))


def _average(*variants: Variant) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "avg_pool2d":
            yield from variants

    return found


def _toward_zero(acc: IntArray, n: IntArray) -> IntArray:
    return (abs(acc) // n) * np.sign(acc)


def _to_even(acc: IntArray, n: IntArray) -> IntArray:
    low = acc // n
    twice = 2 * (acc - low * n)
    above: BoolArray = (twice > n) | ((twice == n) & (low & 1 == 1))
    return low + above


def _area(evidence: Evidence) -> Iterator[Variant]:
    """Pools divide by another count; global_avg_pool has 1/n in its multiplier."""
    path = evidence.path
    if path.op.kind == "avg_pool2d":
        h, w = path.arguments["kernel"]
        for label, n in (("the whole window", h * w), ("one more", h * w + 1),
                         ("one less", h * w - 1)):  # fmt: skip
            if n > 0:
                yield Variant(label, _divided_by(n))
    if path.op.kind == "global_avg_pool":
        n = path.inputs[0].shape[1] * path.inputs[0].shape[2]
        power = 1 << (n.bit_length() - 1)
        wrong = {
            "one more": n + 1, "one less": n - 1, "the power of two below": power,
            "the power of two above": 2 * power,
        }  # fmt: skip
        for label, m in wrong.items():
            if m not in (0, n):
                yield Variant(label, _by_count(n, m))


def _divided_by(n: int) -> Edit:
    return lambda path: path.with_stage(scale=lambda p, acc: p.divide(acc, n))


def _by_count(n: int, wrong: int) -> Edit:
    def edit(path: Datapath) -> Datapath:
        by = path.arguments["requantize"]
        m = rounding.divide_up(by.multiplier.astype(np.int64) * n, wrong)
        return path.with_fields(requantize=replace_entries(by, multiplier=m))

    return edit


def _cells_dropped(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind == "global_avg_pool":
        parts: tuple[tuple[str, Any], ...] = (
            ("the last pixel", (slice(None), slice(-1, None), slice(-1, None))),
            ("the first pixel", (slice(None), slice(0, 1), slice(0, 1))),
            ("the last row", (slice(None), slice(-1, None))),
            ("the last column", (slice(None), slice(None), slice(-1, None))),
        )
        for label, part in parts:
            yield Variant(label, _blanked(part))


def unsigned_cells(path: Datapath) -> Datapath:
    """Return the path that sums the cells as unsigned bytes: 256 more where one is negative."""
    before = path.accumulate

    def accumulate(p: Datapath) -> IntArray:
        negative = (p.inputs[0] < 0).astype(np.int8)
        if p.op.kind == "global_avg_pool":
            count: IntArray = negative.sum(axis=(1, 2), keepdims=True, dtype=np.int64)
            return before(p) + 256 * count
        a = p.arguments
        under = taps(negative.astype(np.int64), a["kernel"], a["stride"], a["padding"], (1, 1), 0)
        return before(p) + 256 * sum(cells for _, _, cells in under)

    return path.with_accumulate(accumulate)


def _blanked(part: Any) -> Edit:
    def edit(path: Datapath) -> Datapath:
        x = path.inputs[0].copy()
        x[part] = path.arguments["x_zero_point"]
        return path.with_inputs(x)

    return edit


HYPOTHESES = (
    Hypothesis(
        "minimum_for_maximum",
        "The pool keeps the smallest cell.",
        "the direction of the comparator",
        _max(Variant("", _reduced(127, lambda c: c.min(axis=0)))),
    ),
    Hypothesis(
        "maximum_unsigned",
        "The pool compares cells as unsigned bytes.",
        "signed declarations at the comparator",
        _max(Variant("", _reduced(0, lambda c: c.max(axis=0), unsigned=True))),
        of_bytes=Wording(
            "The pool compares cells as signed; they are unsigned bytes.",
            "signed declarations at the comparator",
            name="maximum_signed",
        ),
    ),
    Hypothesis(
        "maximum_from_0",
        "The maximum starts at 0, so that no result is negative.",
        "the initial value of the maximum: it is -128",
        _max(Variant("", _reduced(-128, lambda c: np.maximum(c.max(axis=0), 0)))),
        of_bytes=Wording(
            "The maximum starts at the byte 128 (q 0), so that no result is less.",
            "the initial value of the maximum: it is the byte 0",
            name="maximum_from_128",
        ),
    ),
    Hypothesis(
        "first_cell_of_window",
        "The pool passes one cell of each window.",
        "whether the comparator's result is kept",
        _max(
            Variant("the first", _reduced(-128, lambda c: c[0])),
            Variant("the last", _reduced(-128, lambda c: c[-1])),
        ),
    ),
    Hypothesis(
        "average_for_maximum",
        "The pool averages.",
        "the mode of the pooling unit",
        _max(
            Variant("rounded down", _reduced(0, lambda c: c.sum(axis=0) // len(c))),
            Variant("halves up", _reduced(0, lambda c: (c.sum(axis=0) + len(c) // 2) // len(c))),
        ),
    ),
    Hypothesis(
        "padding_counts_in_maximum",
        "Padded cells take part in the maximum.",
        "the value that the line buffer gives outside the image",
        _padding_counts,
    ),
    Hypothesis(
        "window_short",
        "Windows lose a row or a column.",
        "loop bounds of the window (< or <=)",
        _short,
    ),
    Hypothesis(
        "average_rounding",
        "The mean is rounded differently.",
        "the divider: SPEC 5.7 has the three forms of the mean",
        _average(
            Variant("down", _divided(lambda acc, n: acc // n)),
            Variant("up", _divided(lambda acc, n: -(-acc // n))),
            Variant("toward zero", _divided(_toward_zero)),
            Variant("halves to even", _divided(_to_even)),
            Variant("halves up", _divided(rounding.divide_up)),
            Variant("halves away from zero", _divided(rounding.divide_away)),
        ),
    ),
    Hypothesis(
        "wrong_divisor",
        "The sum is divided by another count.",
        "the number of cells: valid ones only",
        _area,
    ),
    Hypothesis(
        "cells_dropped",
        "Some cells do not reach the sum.",
        "loop bounds, and whether the accumulator is read one cycle early",
        _cells_dropped,
    ),
)
