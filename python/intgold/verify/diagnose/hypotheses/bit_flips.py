"""One flipped bit of a parameter: which one is solved for from what the device made.

A weight or bias reaches one output channel, so only one channel differs; its candidates are
tried on a few outputs at once, and what survives is what the search then compares with all.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log2
from typing import Any

import numpy as np

from ....golden.requantize import scale as scaled_by
from ....golden.transpose_conv2d import met_inputs
from ....golden.windows import taps
from ....ops.fields import Requantize
from ....support.array_types import IntArray
from ..datapath import WEIGHTED, Datapath, replace_entries
from .hypothesis import Edit, Evidence, Hypothesis, Variant
from .tables import counted_segments

_OUTPUTS = 64
"""Outputs of a channel that every candidate is tried on; half of them differ, where enough do."""


def _channel(evidence: Evidence) -> int | None:
    """Return the one channel that differs."""
    differs = evidence.differs()
    found = np.flatnonzero(differs.reshape(-1, differs.shape[-1]).any(axis=0))
    return int(found[0]) if len(found) == 1 else None


class _ChannelSample:
    """One channel of an op: a sample of its outputs, and what the device made of them."""

    def __init__(self, evidence: Evidence, channel: int) -> None:
        path = self.path = evidence.path
        self.channel = channel
        acc = path.accumulators()
        self.acc = acc.reshape(-1, acc.shape[-1])[:, channel]
        self.got = {r: a.reshape(len(self.acc), -1)[:, channel] for r, a in evidence.got.items()}
        differs = evidence.differs().reshape(len(self.acc), -1)[:, channel]
        wrong, right = np.flatnonzero(differs), np.flatnonzero(~differs)
        half = _OUTPUTS // 2
        self.sample = np.concatenate([wrong[:half], right[: _OUTPUTS - min(half, len(wrong))]])

    def fits(self, acc: IntArray) -> IntArray:
        """Return which candidates make what the device made; acc of shape (sample, candidates)."""
        good = np.ones(acc.shape[1], bool)
        if "accumulator" in self.got:
            good &= (acc == self.got["accumulator"][self.sample, None]).all(axis=0)
        if "output" in self.got:
            by = self.path.arguments.get("requantize")
            if by is not None:
                at = 0 if by.count == 1 else self.channel
                parts = (by.multiplier, by.right_shift, by.multiplier_low)
                one = Requantize((by.form[at],), *(part[at : at + 1] for part in parts))
                acc = scaled_by(acc[..., None], one)[..., 0] + self.path.y_zero_point
            y = self.path.clamp(acc)
            good &= (y == self.got["output"][self.sample, None]).all(axis=0)
        return good

    def inputs(self) -> IntArray:
        """Return what each weight of the channel is multiplied by, shape (sample, weights)."""
        path, a = self.path, self.path.arguments
        x = path.inputs[0].astype(np.int64) - int(a["x_zero_point"])
        if path.op.kind == "fully_connected":
            rows: IntArray = x.reshape(len(x), -1)[self.sample]
            return rows
        if path.op.kind == "transpose_conv2d":
            met = met_inputs(x, path.kernel, a["stride"], a["padding"], 0)
            cells: IntArray = met.reshape(-1, met.shape[3] * met.shape[4])[self.sample]
            return cells
        if path.op.kind == "depthwise_conv2d":
            group = a["weights"].shape[2] // x.shape[3]
            x = x[..., self.channel // group : self.channel // group + 1]
        under = [
            cells.reshape(-1, x.shape[3])[self.sample]
            for _, _, cells in taps(x, path.kernel, a["stride"], a["padding"], a["dilation"], 0)
        ]
        return np.concatenate(under, axis=1)


def _column(evidence: Evidence) -> _ChannelSample | None:
    channel = _channel(evidence)
    if channel is None or evidence.path.op.kind not in WEIGHTED:
        return None
    return _ChannelSample(evidence, channel)


def _flipped(values: IntArray, bit: int) -> IntArray:
    """Return the values with one bit inverted, in their own width."""
    unsigned: np.ndarray = values.view(f"u{values.itemsize}")
    flipped: np.ndarray = unsigned ^ unsigned.dtype.type(1 << bit)
    return flipped.view(values.dtype)


def _with_flip(name: str, at: tuple[int, ...], bit: int, of: int) -> Variant:
    """Return the variant of one bit, out of `of` bits."""

    def edit(path: Datapath) -> Datapath:
        values = path.arguments[name].copy()
        values[at] = _flipped(values[at].reshape(1), bit)[0]
        return path.with_fields(**{name: values})

    return Variant(f"{name}[{', '.join(map(str, at))}] bit {bit}", edit, log2(of))


def _bias_bit(evidence: Evidence) -> Iterator[Variant]:
    column = _column(evidence)
    if column is None:
        return
    bias = evidence.path.arguments["bias"][[column.channel]]
    wrong = np.concatenate([_flipped(bias, bit) for bit in range(32)]).astype(np.int64)
    acc = column.acc[column.sample, None] + (wrong - int(bias[0]))
    for bit in np.flatnonzero(column.fits(acc)).tolist():
        yield _with_flip("bias", (column.channel,), bit, 32 * evidence.path.arguments["bias"].size)


def _weight_bit(evidence: Evidence) -> Iterator[Variant]:
    column = _column(evidence)
    if column is None:
        return
    path, x = evidence.path, column.inputs()
    deep = path.op.kind == "depthwise_conv2d"
    w = path.arguments["weights"]
    own = np.ascontiguousarray(w[..., column.channel] if deep else w[column.channel])
    for bit in range(8):
        change = _flipped(own, bit).astype(np.int64).ravel() - own.astype(np.int64).ravel()
        for flat in np.flatnonzero(column.fits(column.acc[column.sample, None] + x * change)):
            at = tuple(int(i) for i in np.unravel_index(flat, own.shape))
            at = (*at, column.channel) if deep else (column.channel, *at)
            yield _with_flip("weights", at, bit, 8 * w.size)


def _requantize_bit(*parts: tuple[str, int]) -> Any:
    """Bits of a part of R, each part with its width."""

    def variants(evidence: Evidence) -> Iterator[Variant]:
        arguments = evidence.path.arguments
        channel = _channel(evidence)
        names = [n for n, v in arguments.items() if isinstance(v, Requantize)]
        of = sum(arguments[n].count for n in names) * sum(bits for _, bits in parts)
        for name in names:
            by = arguments[name]
            if by.count > 1 and channel is None:
                continue
            at = 0 if by.count == 1 else int(channel or 0)
            for part, bits in parts:
                if part == "multiplier_low" and by.form[at] != "float64":
                    continue
                for bit in range(bits):
                    values = getattr(by, part).astype(np.int64)
                    values[at] ^= 1 << bit
                    if part != "right_shift" or values[at] <= 62:
                        label = f"{name}.{part}[{at}] bit {bit}"
                        yield Variant(label, _with(name, part, values), log2(of))

    return variants


def _with(name: str, part: str, values: IntArray) -> Edit:
    def edit(path: Datapath) -> Datapath:
        return path.with_fields(**{name: replace_entries(path.arguments[name], **{part: values})})

    return edit


def _answers(evidence: Evidence) -> dict[int, int] | None:
    """Return the device's answer to each input value; None where it has several."""
    got = evidence.got.get("output")
    if got is None or evidence.path.op.kind not in ("lut", "pwl"):
        return None
    x, y = (a.ravel().astype(np.int64) + 128 for a in (evidence.path.inputs[0], got))
    pairs = np.unique(x * 256 + y)
    asked = pairs // 256
    if len(np.unique(asked)) != len(asked):
        return None
    return {int(p // 256 - 128): int(p % 256 - 128) for p in pairs}


def _table_bit(evidence: Evidence) -> Iterator[Variant]:
    answers = _answers(evidence)
    if answers is None or evidence.path.op.kind != "lut":
        return
    table = evidence.path.arguments["table"]
    wrong = [q for q, y in answers.items() if table[q + 128] != y]
    if len(wrong) == 1:
        difference = (int(table[wrong[0] + 128]) ^ answers[wrong[0]]) & 255
        if difference & (difference - 1) == 0:
            yield _with_flip("table", (wrong[0] + 128,), difference.bit_length() - 1, 8 * 256)


def _segment_bit(evidence: Evidence) -> Iterator[Variant]:
    answers = _answers(evidence)
    if answers is None or evidence.path.op.kind != "pwl":
        return
    asked = np.array(list(answers), np.int8).reshape(1, -1)
    got = np.array(list(answers.values()))
    small = Datapath.of(evidence.path.model, evidence.path.op, (asked,))
    widths = (("breakpoints", 8), ("slope", 16), ("offset", 32))
    of = sum(bits * len(evidence.path.arguments[name]) for name, bits in widths)
    for name, bits in widths:
        for at in range(len(evidence.path.arguments[name])):
            for bit in range(bits):
                plain = _with_flip(name, (at,), bit, of)
                edit = counted_segments(plain.edit)
                if (edit(small).results()[1].ravel() == got).all():
                    yield Variant(plain.label, edit, plain.bits)


HYPOTHESES = (
    Hypothesis(
        "bias_bit_flipped",
        "One bit of one bias is wrong.",
        "the bias memory at that channel: the file that was loaded, a defect cell",
        _bias_bit,
        solved=True,
    ),
    Hypothesis(
        "weight_bit_flipped",
        "One bit of one weight is wrong.",
        "the weight memory at that coordinate: intgold locate names file, line and address",
        _weight_bit,
        solved=True,
    ),
    Hypothesis(
        "multiplier_bit_flipped",
        "One bit of one multiplier is wrong.",
        "the multiplier memory at that channel",
        _requantize_bit(("multiplier", 31), ("multiplier_low", 22)),
        solved=True,
    ),
    Hypothesis(
        "right_shift_bit_flipped",
        "One bit of one right_shift is wrong.",
        "the shift memory at that channel",
        _requantize_bit(("right_shift", 6)),
        solved=True,
    ),
    Hypothesis(
        "table_bit_flipped",
        "One bit of one table entry is wrong.",
        "the table's memory at that entry",
        _table_bit,
        solved=True,
    ),
    Hypothesis(
        "segment_bit_flipped",
        "One bit of one breakpoint, slope or offset is wrong.",
        "the memory of the segments at that place",
        _segment_bit,
        solved=True,
    ),
)
