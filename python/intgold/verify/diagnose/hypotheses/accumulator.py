"""The sum and its register: width, bias."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log2

import numpy as np

from ....support.array_types import IntArray
from ..datapath import WEIGHTED, Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant


def wrapped(values: IntArray, bits: int) -> IntArray:
    """Return the values as a two's complement register of `bits` bits holds them."""
    half = 1 << (bits - 1)
    return ((values + half) & ((1 << bits) - 1)) - half


def saturated(values: IntArray, bits: int) -> IntArray:
    """Return the values clipped to `bits` bits."""
    half = 1 << (bits - 1)
    return np.clip(values, -half, half - 1)


def _register(
    narrow: Callable[[IntArray, int], IntArray],
) -> Callable[[Evidence], Iterator[Variant]]:
    def variants(evidence: Evidence) -> Iterator[Variant]:
        path = evidence.path
        if not path.op.spec.accumulator:
            return
        acc = path.accumulators()
        for bits in range(31, 11, -1):
            if (narrow(acc, bits) != acc).any():
                yield Variant(f"{bits} bits", _held(narrow, bits))

    return variants


def _held(narrow: Callable[[IntArray, int], IntArray], bits: int) -> Edit:
    def edit(path: Datapath) -> Datapath:
        before = path.accumulator_register
        return path.with_stage(accumulator_register=lambda p, acc: narrow(before(p, acc), bits))

    return edit


def _stuck_bits(evidence: Evidence) -> Iterator[Variant]:
    """Bits of the register; which one follows from the accumulators, where they were dumped."""
    if not evidence.path.op.spec.accumulator or evidence.path.dtype == np.int32:
        return  # where the accumulators are the output, a stuck bit of the output is the same
    bits = list(range(32))
    if "accumulator" in evidence.got:
        differs = np.bitwise_or.reduce(
            (evidence.expected["accumulator"] ^ evidence.got["accumulator"]).view(np.uint32), None
        )
        bits = [bit for bit in bits if int(differs) == 1 << bit]
    seen = None
    if "accumulator" not in evidence.got and not evidence.follow and evidence.differs().any():
        acc = evidence.path.accumulator_register(
            evidence.path, evidence.path.accumulators()
        ).ravel()
        rising = np.argsort(acc, kind="stable")
        seen = acc[rising], evidence.differs().ravel()[rising]
    for bit in bits:
        for value in (0, 1):
            doubt = _in_one_range(*seen, bit, value) if seen else ""
            yield Variant(f"bit {bit} at {value}", _stuck_bit(bit, value), log2(64), doubt)


def _in_one_range(acc: IntArray, differs: IntArray, bit: int, value: int) -> str:
    """Say so where the accumulators that differ, of all that rise, lie in one range.

    A bit that is stuck produces ranges that alternate.  In a single range it produces what a
    missing clamp or a narrow result produces.
    """
    free = (acc >> bit & 1) == value
    flags = differs[differs | free]  # what the bit changes and the output does not show is unknown
    if np.count_nonzero(flags[1:] & ~flags[:-1]) + int(flags[:1].any()) > 1:
        return ""
    wrong = acc[differs]
    return (
        f"all that differs has an accumulator from {wrong[0]} to {wrong[-1]}, one range: "
        "a clamp or a width that was not tried can do the same"
    )


def _stuck_bit(bit: int, value: int) -> Edit:
    def edit(path: Datapath) -> Datapath:
        before = path.accumulator_register

        def accumulator_register(p: Datapath, acc: IntArray) -> IntArray:
            held = before(p, acc)
            made = held | (1 << bit) if value else held & ~(1 << bit)
            return wrapped(made, 32)

        return path.with_stage(accumulator_register=accumulator_register)

    return edit


def _bias(label: str, change: Callable[[IntArray], IntArray]) -> Variant:
    def edit(path: Datapath) -> Datapath:
        bias = path.arguments["bias"]
        return path.with_fields(bias=change(bias.astype(np.int64)).astype(np.int32))

    return Variant(label, edit)


def _biases(*variants: Variant) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if "bias" in evidence.path.arguments and evidence.path.arguments["bias"].any():
            yield from variants

    return found


def _narrow_biases(
    narrow: Callable[[IntArray, int], IntArray],
) -> Callable[[Evidence], Iterator[Variant]]:
    def of(bits: int) -> Variant:
        return _bias(f"{bits} bits", lambda b: narrow(b, bits))

    return _biases(*map(of, (24, 20, 18, 16, 12, 8)))


def _bias_later(*, scaled: bool) -> Edit:
    def edit(path: Datapath) -> Datapath:
        accumulator_register, scale = path.accumulator_register, path.scale
        bias = path.arguments["bias"].astype(np.int64)

        def then(p: Datapath, acc: IntArray) -> IntArray:
            late = scale(p, np.broadcast_to(bias, acc.shape)) if scaled else bias
            return scale(p, acc) + late

        return path.with_stage(
            accumulator_register=lambda p, acc: accumulator_register(p, acc - bias), scale=then
        )

    return edit


def _after_shift(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.op.kind in WEIGHTED and path.requantizes and path.arguments["bias"].any():
        yield Variant("as it is", _bias_later(scaled=False))
        yield Variant("scaled by itself", _bias_later(scaled=True))


HYPOTHESES = (
    Hypothesis(
        "accumulator_wraps",
        "The accumulator is too narrow and wraps.",
        "the accumulator's width: intgold info shows the bits that each op needs",
        _register(wrapped),
    ),
    Hypothesis(
        "accumulator_saturates",
        "The accumulator is too narrow and saturates at the end of the sum.",
        "the accumulator's width: intgold info shows the bits that each op needs",
        _register(saturated),
    ),
    Hypothesis(
        "accumulator_bit_stuck",
        "One bit of the accumulator is stuck, and the results follow from it.",
        "the wire of that bit between the adder and the scaling",
        _stuck_bits,
        solved=True,
    ),
    Hypothesis(
        "bias_missing",
        "The bias is not added.",
        "the load of the accumulator at the start of each output",
        _biases(_bias("", lambda b: 0 * b)),
    ),
    Hypothesis(
        "bias_twice",
        "The bias is added twice.",
        "whether both the first and the last pass of the loops add it",
        _biases(_bias("", lambda b: 2 * b)),
    ),
    Hypothesis(
        "bias_negated",
        "The bias is subtracted.",
        "the sign of the bias in the adder",
        _biases(_bias("", lambda b: -b)),
    ),
    Hypothesis(
        "bias_after_shift",
        "The bias is added after the shift, not to the accumulator.",
        "the place of the bias adder: its scale is that of the accumulator",
        _after_shift,
    ),
    Hypothesis(
        "bias_of_neighbour",
        "Each channel has the bias of the channel beside it.",
        "the address of the bias memory: one early or late",
        _biases(
            _bias("the channel before", lambda b: np.roll(b, 1)),
            _bias("the channel after", lambda b: np.roll(b, -1)),
        ),
    ),
    Hypothesis(
        "bias_narrow",
        "The bias is held in too few bits and wraps.",
        "the width of the bias memory: it is int32",
        _narrow_biases(wrapped),
    ),
    Hypothesis(
        "bias_saturates",
        "The bias is held in too few bits and saturates.",
        "the width of the bias memory: it is int32",
        _narrow_biases(saturated),
    ),
)
