"""Stuck wires of the output: a lane, a bit, everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log2

import numpy as np

from ....support.array_types import IntArray
from .freedom import constant_bits
from .hypothesis import Evidence, Hypothesis, Variant
from .output_order import LANES, delivered, first_wrong, result_shape


def _lane_stuck(evidence: Evidence) -> Iterator[Variant]:
    """The lane and its value follow from what the device made."""
    expected, got = (a.reshape(len(a), -1) for a in first_wrong(evidence))
    size = expected.shape[1]
    places = np.flatnonzero((expected != got).any(axis=0))
    channels = result_shape(evidence)[-1]
    for lanes in sorted({*LANES, channels}):
        lane = set((places % lanes).tolist())
        if lanes < 2 or lanes > size or len(lane) != 1:
            continue
        first = lane.pop()
        values = np.unique(got[:, first::lanes])
        if len(values) == 1:
            value = int(values[0])
            name = f"channel {first}" if lanes == channels else f"lane {first} of {lanes}"
            bits = log2(_lanes(channels)) + constant_bits(value, 8 * expected.itemsize)
            yield Variant(f"{name} at {value}", delivered(_stuck(first, lanes, value)), bits)


def _lanes(channels: int) -> int:
    """Return how many lanes there are, of words of every width."""
    return sum({*LANES, channels})


def _stuck(first: int, lanes: int, value: int) -> Callable[[IntArray], IntArray]:
    def change(y: IntArray) -> IntArray:
        made = y.reshape(len(y), -1).copy()
        made[:, first::lanes] = _low_bits(value, y)
        return made.reshape(y.shape)

    return change


def _low_bits(value: int, y: IntArray) -> IntArray:
    """Return a constant, perhaps of the accumulators, as the array holds it."""
    return np.asarray(value, np.int64).astype(y.dtype)


def _all(value: int) -> Callable[[IntArray], IntArray]:
    return lambda y: np.full_like(y, _low_bits(value, y))


def _bit_stuck(evidence: Evidence) -> Iterator[Variant]:
    widths = [a.itemsize for a in evidence.got.values()]
    for bit in range(8 * max(widths)):
        for value in (0, 1):
            yield Variant(f"bit {bit} at {value}", delivered(_bit(bit, value)))


def _bit(bit: int, value: int) -> Callable[[IntArray], IntArray]:
    def change(y: IntArray) -> IntArray:
        if bit >= 8 * y.itemsize:
            return y
        raw = y.view(np.uint8 if y.itemsize == 1 else np.uint32)
        mask = np.full((), 1 << bit, raw.dtype)
        changed: np.ndarray = raw | mask if value else raw & ~mask
        return changed.view(y.dtype)

    return change


def _lane_bit_stuck(evidence: Evidence) -> Iterator[Variant]:
    """A bit of one lane; which follows from what the device made."""
    expected, got = (a.reshape(len(a), -1) for a in first_wrong(evidence))
    width = 8 * expected.itemsize
    kind = {8: np.uint8, 32: np.uint32}[width]
    difference = np.bitwise_or.reduce((expected ^ got).view(kind), axis=None)
    bit = int(difference).bit_length() - 1
    if bit < 0 or int(difference) != 1 << bit:
        return
    places = np.flatnonzero((expected != got).any(axis=0))
    for lanes in sorted({*LANES, result_shape(evidence)[-1]}):
        lane = set((places % lanes).tolist())
        if lanes < 2 or lanes > expected.shape[1] or len(lane) != 1:
            continue
        first = lane.pop()
        for value in (0, 1):

            def change(
                y: IntArray, first: int = first, lanes: int = lanes, value: int = value
            ) -> IntArray:
                made = y.reshape(len(y), -1).copy()
                made[:, first::lanes] = _bit(bit, value)(made[:, first::lanes].copy())
                return made.reshape(y.shape)

            name = f"lane {first} of {lanes}"
            bits = log2(2 * width * _lanes(result_shape(evidence)[-1]))
            yield Variant(f"bit {bit} of {name} at {value}", delivered(change), bits)


def _nothing(evidence: Evidence) -> Iterator[Variant]:
    _, got = first_wrong(evidence)
    values = np.unique(got)
    if len(values) == 1:
        value = int(values[0])
        yield Variant(
            f"all is {value}", delivered(_all(value)), constant_bits(value, 8 * got.itemsize)
        )


HYPOTHESES = (
    Hypothesis(
        "lane_stuck",
        "One lane or channel always holds the same value.",
        "the write enable and the wires of that lane",
        _lane_stuck,
        solved=True,
    ),
    Hypothesis(
        "bit_stuck",
        "One bit of every result is stuck.",
        "the wire of that bit",
        _bit_stuck,
    ),
    Hypothesis(
        "bit_of_lane_stuck",
        "One bit of one lane or channel is stuck.",
        "the wire of that bit",
        _lane_bit_stuck,
        solved=True,
    ),
    Hypothesis(
        "nothing_computed",
        "All results are the same constant.",
        "clock, reset and start of the op; whether the dump is taken before it is done",
        _nothing,
        solved=True,
    ),
)
