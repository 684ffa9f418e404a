"""Activations by table and by segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ....golden import rounding
from ....model.graph import Op
from ....support.array_types import IntArray
from ..datapath import Datapath
from .accumulator import wrapped
from .hypothesis import Edit, Evidence, Hypothesis, Variant, Wording


def _looked_up(index: Callable[[IntArray], IntArray]) -> Edit:
    def accumulate(path: Datapath) -> IntArray:
        table: IntArray = path.arguments["table"].astype(np.int64)
        return table[index(path.inputs[0].astype(np.int64))]

    return lambda path: path.with_accumulate(accumulate)


def _index(*variants: tuple[str, Callable[[IntArray], IntArray]]) -> Any:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "lut":
            yield from (Variant(label, _looked_up(index)) for label, index in variants)

    return found


def _others(evidence: Evidence) -> list[Op]:
    op = evidence.path.op
    return [o for o in evidence.path.model.ops if o.kind == op.kind and o.name != op.name]


def _other_table(evidence: Evidence) -> Iterator[Variant]:
    kind = evidence.path.op.kind
    for other in _others(evidence) if kind in ("lut", "pwl") else []:
        fields = {n: other[n] for n in evidence.path.op.spec.fields}
        yield Variant(f"of {other.name}", _with(fields))


def _with(fields: dict[str, Any]) -> Edit:
    return lambda path: path.with_fields(**fields)


def _bypassed(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind in ("lut", "pwl"):
        yield Variant("", _passed)


def _passed(path: Datapath) -> Datapath:
    keep = path.with_accumulate(lambda p: p.inputs[0].astype(np.int64))
    return keep.with_stage(scale=lambda p, a: a)


def _segment(pick: Callable[[Datapath, IntArray], IntArray]) -> Edit:
    """Evaluate the segment of this number, kept among those that exist."""

    def accumulate(path: Datapath) -> IntArray:
        a, q = path.arguments, path.inputs[0].astype(np.int64)
        k = np.clip(pick(path, q), 0, len(a["slope"]) - 1)
        slope, offset = (a[name].astype(np.int64)[k] for name in ("slope", "offset"))
        return np.asarray(slope * q + offset)

    return lambda path: path.with_accumulate(accumulate)


def _number(path: Datapath, q: IntArray, side: Any = "right") -> IntArray:
    starts = path.arguments["breakpoints"].astype(np.int64)
    return np.searchsorted(starts, q.ravel(), side=side).reshape(q.shape) - 1


def _as_unsigned(path: Datapath, q: IntArray) -> IntArray:
    starts = path.arguments["breakpoints"].astype(np.int64) & 255
    return _passed_count(starts, q & 255) - 1


def _passed_count(starts: IntArray, q: IntArray) -> IntArray:
    """Return how many of the breakpoints are not above each value."""
    count: IntArray = (starts[:, None] <= q.ravel()).sum(axis=0)
    return count.reshape(q.shape)


def counted_segments(edit: Edit) -> Edit:
    """Count the breakpoints that are passed: right as well where they do not rise."""

    def pick(path: Datapath, q: IntArray) -> IntArray:
        starts = path.arguments["breakpoints"].astype(np.int64)
        return _passed_count(starts, q) - 1

    return lambda path: _segment(pick)(edit(path))


def _pwl(*variants: Variant) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "pwl":
            yield from variants

    return found


def _rounded(shift: Callable[[IntArray, int], IntArray]) -> Edit:
    return lambda path: path.with_stage(scale=lambda p, a: shift(a, p.arguments["frac_bits"]))


def _fraction(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind == "pwl":
        bits = evidence.path.arguments["frac_bits"]
        for more, label in ((1, "one more"), (-1, "one less")):
            if bits + more >= 0:
                yield Variant(label, _with({"frac_bits": bits + more}))


def _narrow_slope(bits: int) -> Edit:
    def edit(path: Datapath) -> Datapath:
        slope = wrapped(path.arguments["slope"].astype(np.int64), bits)
        return path.with_fields(slope=slope.astype(np.int16))

    return edit


def _no_offset(path: Datapath) -> Datapath:
    return path.with_fields(offset=np.zeros_like(path.arguments["offset"]))


HYPOTHESES = (
    Hypothesis(
        "table_index_unsigned",
        "The byte itself is the index: the table is read 128 entries off.",
        "the address of the table: x + 128, that is the byte with its upper bit inverted",
        _index(("", lambda x: x & 255)),
        of_bytes=Wording(
            "The upper bit of the index is inverted: the table is read 128 entries off.",
            "the address of the table: the unsigned byte as it is, without x ^ 0x80",
            name="table_index_signed",
        ),
    ),
    Hypothesis(
        "table_index_off_by_one",
        "The table is read one entry beside.",
        "the address of the table, and the first line of the file that was loaded",
        _index(
            ("one too high, the last kept", lambda x: np.minimum(x + 129, 255)),
            ("one too high, wraps", lambda x: (x + 129) & 255),
            ("one too low, the first kept", lambda x: np.maximum(x + 127, 0)),
            ("one too low, wraps", lambda x: (x + 127) & 255),
        ),
    ),
    Hypothesis(
        "table_backwards",
        "The table lies backwards in its memory.",
        "the order in which the table was written: entry 0 answers -128",
        _index(("", lambda x: 127 - x)),
    ),
    Hypothesis(
        "table_of_other_op",
        "The table or the segments of another op of the model answer.",
        "which table the activation unit selects, or which file was loaded",
        _other_table,
    ),
    Hypothesis(
        "activation_bypassed",
        "The input passes through unchanged.",
        "the bypass multiplexer of the activation unit",
        _bypassed,
    ),
    Hypothesis(
        "segment_boundary_strict",
        "A segment begins after its breakpoint: > is used where >= is correct.",
        "the comparators of the breakpoints",
        _pwl(Variant("", _segment(lambda p, q: _number(p, q, "left")))),
    ),
    Hypothesis(
        "segment_of_neighbour",
        "The segment beside the right one is evaluated.",
        "the priority encoder after the comparators",
        _pwl(
            Variant("the one before", _segment(lambda p, q: _number(p, q) - 1)),
            Variant("the one after", _segment(lambda p, q: _number(p, q) + 1)),
        ),
    ),
    Hypothesis(
        "breakpoints_unsigned",
        "Breakpoints are compared as unsigned bytes.",
        "signed declarations at the comparators",
        _pwl(Variant("", _segment(_as_unsigned))),
        of_bytes=Wording(
            "Bytes are compared with breakpoints as signed; they are unsigned.",
            "signed declarations at the comparators",
            name="breakpoints_signed",
        ),
    ),
    Hypothesis(
        "segment_rounding",
        "The segment's value is rounded differently.",
        "the rounding constant 2^(frac_bits-1) in front of the shift",
        _pwl(
            Variant("down: no constant", _rounded(rounding.down)),
            Variant("toward zero", _rounded(rounding.zero)),
            Variant("halves away from zero", _rounded(rounding.away)),
            Variant("halves to even", _rounded(rounding.even)),
        ),
    ),
    Hypothesis(
        "segment_fraction",
        "The segment's value is shifted by one bit more or less than frac_bits.",
        "the shift after the segment's adder",
        _fraction,
    ),
    Hypothesis(
        "segment_slope_narrow",
        "Slopes are held in too few bits.",
        "the width of the slope memory: it is int16",
        _pwl(*(Variant(f"{n} bits", _narrow_slope(n)) for n in (15, 14, 12, 10, 8))),
    ),
    Hypothesis(
        "segment_offset_missing",
        "The segment's offset is not added.",
        "the adder after the slope's multiplier",
        _pwl(Variant("", _no_offset)),
    ),
)
