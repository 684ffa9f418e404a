"""Ops with two inputs, and those on rows of int32."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..datapath import Datapath, IntArray
from .accumulator import wrapped
from .hypothesis import Edit, Evidence, Hypothesis, Variant


def _swapped(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if len(path.op.inputs) == 2:
        if path.op.kind == "concat" and path.inputs[0].shape != path.inputs[1].shape:
            return
        yield Variant("", lambda path: path.with_inputs(*path.inputs[::-1]))


def _left_shift(evidence: Evidence) -> Iterator[Variant]:
    if "left_shift" in evidence.path.arguments:
        shift = evidence.path.arguments["left_shift"]
        yield Variant("one more", lambda path: path.with_fields(left_shift=shift + 1))
        if shift:
            yield Variant("one less", lambda path: path.with_fields(left_shift=shift - 1))


def _ignored(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind == "add":
        for i, label in enumerate(("the first", "the second")):
            yield Variant(label, _without(i))


def _without(which: int) -> Edit:
    def edit(path: Datapath) -> Datapath:
        inputs = list(path.inputs)
        zero = path.arguments[f"x{which + 1}_zero_point"]
        inputs[which] = np.full_like(inputs[which], zero)
        return path.with_inputs(*inputs)

    return edit


def _argmax(
    *variants: tuple[str, Callable[[IntArray], IntArray]],
) -> Callable[[Evidence], Iterator]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "argmax":
            for label, pick in variants:
                yield Variant(label, _picked(pick))

    return found


def _picked(pick: Callable[[IntArray], IntArray]) -> Edit:
    return lambda path: path.with_accumulate(
        lambda p: pick(p.inputs[0].astype(np.int64))[..., None]
    )


def _last(x: IntArray) -> IntArray:
    return x.shape[-1] - 1 - np.argmax(x[..., ::-1], axis=-1)


def _wraps(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind == "rescale":
        yield Variant("", lambda path: path.with_stage(finish=lambda p, s: wrapped(s, 32)))


HYPOTHESES = (
    Hypothesis(
        "inputs_exchanged",
        "The two inputs are exchanged.",
        "which buffer feeds which port, each with its zero point and multiplier",
        _swapped,
    ),
    Hypothesis(
        "left_shift_otherwise",
        "The left shift in front of the scaling is one bit more or less.",
        "the shift by left_shift: SPEC 5.9 and 5.10",
        _left_shift,
    ),
    Hypothesis(
        "input_ignored",
        "One of the two inputs does not take part.",
        "the enable of that operand, and the order in which the buffers fill",
        _ignored,
    ),
    Hypothesis(
        "argmax_of_last",
        "Of equal values the last one wins.",
        "the comparator: > keeps the first, >= the last",
        _argmax(("", _last)),
    ),
    Hypothesis(
        "argmax_unsigned",
        "The values are compared as unsigned.",
        "signed declarations at the comparator",
        _argmax(("", lambda x: np.argmax(x & 0xFFFFFFFF, axis=-1))),
    ),
    Hypothesis(
        "rescale_wraps",
        "Results beyond int32 wrap; they should saturate.",
        "the saturation behind the shift",
        _wraps,
    ),
)
