"""Resizes: addresses and weights of four values, and what is rounded between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ....golden import rounding
from ....ops.resize_bilinear import AXES
from ....support.array_types import IntArray
from ..datapath import Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant

_Variants = Callable[[Evidence], Iterator[Variant]]


def _of_resizes(found: _Variants) -> _Variants:
    def only(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "resize_bilinear":
            yield from found(evidence)

    return only


def _each_axis(edit: Callable[[Datapath, str], Datapath]) -> _Variants:
    """Of rows, of columns, and of both."""

    def found(evidence: Evidence) -> Iterator[Variant]:
        for axes, label in ((AXES[:1], "rows"), (AXES[1:], "columns"), (AXES, "both")):
            yield Variant(label, _edited(edit, axes))

    return _of_resizes(found)


def _edited(edit: Callable[[Datapath, str], Datapath], axes: tuple[str, ...]) -> Edit:
    def all_axes(path: Datapath) -> Datapath:
        for axis in axes:
            path = edit(path, axis)
        return path

    return all_axes


def _exchanged(path: Datapath, axis: str) -> Datapath:
    a = path.arguments
    return path.with_fields(**{f"{axis}0": a[f"{axis}1"], f"{axis}1": a[f"{axis}0"]})


def _first_only(path: Datapath, axis: str) -> Datapath:
    return path.with_fields(**{f"{axis}1": path.arguments[f"{axis}0"]})


def _nearest(path: Datapath, axis: str) -> Datapath:
    weight, one = path.arguments[f"{axis}_weight"], 1 << path.arguments["frac_bits"]
    nearer = np.where(2 * weight.astype(np.int32) >= one, one, 0).astype(np.int16)
    return path.with_fields(**{f"{axis}_weight": nearer})


def _less_precise(path: Datapath, axis: str) -> Datapath:
    weight = path.arguments[f"{axis}_weight"]
    return path.with_fields(**{f"{axis}_weight": weight & ~1})


def _place_before(path: Datapath, axis: str) -> Datapath:
    weight = path.arguments[f"{axis}_weight"]
    return path.with_fields(**{f"{axis}_weight": np.concatenate([weight[:1], weight[:-1]])})


def _other_form(evidence: Evidence) -> Iterator[Variant]:
    for label, shift in (
        ("halves up", rounding.up),
        ("halves away from zero", rounding.away),
        ("halves to even", rounding.even),
        ("down", rounding.down),
        ("toward zero", rounding.zero),
    ):
        yield Variant(label, _rounded(shift))


def _rounded(shift: Callable[[IntArray, int], IntArray]) -> Edit:
    return lambda path: path.with_stage(
        scale=lambda p, acc: shift(acc, 2 * p.arguments["frac_bits"])
    )


def _twice_rounded(evidence: Evidence) -> Iterator[Variant]:
    for first, label in ((AXES[0], "after the rows"), (AXES[1], "after the columns")):
        yield Variant(label, _in_two_steps(first))


def _in_two_steps(first: str) -> Edit:
    """Blend along one axis, round to int8, then along the other."""

    def accumulate(path: Datapath) -> IntArray:
        a, bits = path.arguments, path.arguments["frac_bits"]
        shift = {"up": rounding.up, "away": rounding.away}[a["form"]]
        values, order = path.inputs[0].astype(np.int64), AXES if first == AXES[0] else AXES[::-1]
        for axis in order:
            at = AXES.index(axis) + 1
            second = a[f"{axis}_weight"].astype(np.int64).reshape(-1, *[1] * (3 - at))
            parts = (np.take(values, a[f"{axis}{i}"], at) for i in (0, 1))
            low, high = parts
            values = shift(low * ((1 << bits) - second) + high * second, bits)
        made: IntArray = values << 2 * bits
        return made

    return lambda path: path.with_accumulate(accumulate)


HYPOTHESES = (
    Hypothesis(
        "resize_weights_exchanged",
        "The two weights of a pair are exchanged.",
        "which of the two addresses the weight belongs to: the second",
        _each_axis(_exchanged),
    ),
    Hypothesis(
        "resize_first_only",
        "The second address is not read: the first value counts for both.",
        "the second read port, or the register between the two reads",
        _each_axis(_first_only),
    ),
    Hypothesis(
        "resize_nearest",
        "The nearer of two values is taken; they should be blended.",
        "the weights at the multipliers",
        _each_axis(_nearest),
    ),
    Hypothesis(
        "resize_weight_bit_lost",
        "The lowest bit of the weights does not take part.",
        "the width of the weight table: frac_bits + 1 bits",
        _each_axis(_less_precise),
    ),
    Hypothesis(
        "resize_weight_late",
        "The weight is that of the place before.",
        "the read latency of the weight table, compared with that of the address tables",
        _each_axis(_place_before),
    ),
    Hypothesis(
        "resize_rounded_otherwise",
        "The sum is rounded in another way.",
        "what is added before the shift by 2*frac_bits: SPEC 5.21",
        _of_resizes(_other_form),
    ),
    Hypothesis(
        "resize_rounded_twice",
        "Values are rounded to int8 between rows and columns.",
        "the register between the two blends: it keeps the fraction",
        _of_resizes(_twice_rounded),
    ),
)
