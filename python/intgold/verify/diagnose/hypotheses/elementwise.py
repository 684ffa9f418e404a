"""Ops with two inputs, and those on rows of int32."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .... import golden
from ....golden.requantize import scale as scaled_by
from ....support.array_types import IntArray
from ..datapath import Datapath
from .accumulator import wrapped
from .hypothesis import Edit, Evidence, Hypothesis, Variant, Wording

_SQUARED = "shared_scale_squared_difference"


def _swapped(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if len(path.op.inputs) == 2:
        if path.op.kind in ("concat", "matmul") and path.inputs[0].shape != path.inputs[1].shape:
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
            yield Variant(label, _at_zero_point(i))


def _at_zero_point(which: int) -> Edit:
    def edit(path: Datapath) -> Datapath:
        inputs = list(path.inputs)
        zero = path.arguments[f"x{which + 1}_zero_point"]
        inputs[which] = np.full_like(inputs[which], zero)
        return path.with_inputs(*inputs)

    return edit


def unsigned_inputs(evidence: Evidence) -> Iterator[Variant]:
    """Of add and mul: inputs read as unsigned bytes, the zero points with them or not."""
    path = evidence.path
    for ports, label in (((0,), "the first"), ((1,), "the second"), ((0, 1), "both")):
        yield Variant(f"{label}, the zero point signed", _read_unsigned(ports, zero_points=False))
        if any(path.arguments[f"x{i + 1}_zero_point"] < 0 for i in ports):
            yield Variant(f"{label}, the zero point too", _read_unsigned(ports, zero_points=True))


def _read_unsigned(ports: tuple[int, ...], *, zero_points: bool) -> Edit:
    def accumulate(path: Datapath) -> IntArray:
        a, centred = path.arguments, []
        for i, x in enumerate(path.inputs):
            values, zero = x.astype(np.int64), int(a[f"x{i + 1}_zero_point"])
            if i in ports:
                values, zero = values & 255, zero & 255 if zero_points else zero
            centred.append(values - zero)
        if path.op.kind == "mul":
            return centred[0] * centred[1]
        parts = (a["requantize1"], a["requantize2"])
        u1, u2 = (scaled_by(c << a["left_shift"], by) for c, by in zip(centred, parts, strict=True))
        acc = u1 + u2 if a["form"] == "shared_scale" else u1 - u2
        return acc * acc if a["form"] == _SQUARED else acc

    return lambda path: path.with_accumulate(accumulate)


def _twice(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if len(path.op.inputs) == 2 and path.inputs[0].shape == path.inputs[1].shape:
        for i, label in enumerate(("the first", "the second")):
            yield Variant(label, _both(i))


def _both(which: int) -> Edit:
    return lambda path: path.with_inputs(path.inputs[which], path.inputs[which])


def _argmax(
    *variants: tuple[str, Callable[[IntArray], IntArray]],
) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "argmax":
            for label, pick in variants:
                yield Variant(label, _indexed(pick))

    return found


def _indexed(pick: Callable[[IntArray], IntArray]) -> Edit:
    return lambda path: path.with_accumulate(
        lambda p: pick(p.inputs[0].astype(np.int64))[..., None]
    )


def _last(x: IntArray) -> IntArray:
    last: IntArray = x.shape[-1] - 1 - _first(x[..., ::-1])
    return last


def _first(x: IntArray) -> IntArray:
    return np.asarray(np.argmax(x, axis=-1))


def _without_first(x: IntArray) -> IntArray:
    return _first(x[..., 1:]) + 1 if x.shape[-1] > 1 else _first(x)


def _extreme(key: Callable[[IntArray, int], IntArray]) -> Callable[[Evidence], Iterator[Variant]]:
    """Of maximum and minimum: the values are chosen by a key, of a value and the zero point."""

    def accumulate(path: Datapath) -> IntArray:
        a, b = (x.astype(np.int64) for x in path.inputs)
        zero = path.model.tensor(path.op.inputs[0]).zero_point
        keys = key(a, zero), key(b, zero)
        return np.where(keys[0] > keys[1] if path.op.kind == "maximum" else keys[0] < keys[1], a, b)

    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind in ("maximum", "minimum"):
            yield Variant("", lambda path: path.with_accumulate(accumulate))

    return found


def _wraps(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind == "rescale":
        yield Variant("", lambda path: path.with_stage(output_stage=lambda p, s: wrapped(s, 32)))


def _squared_sum(path: Datapath) -> IntArray:
    arguments = {**path.arguments, "form": "shared_scale"}
    acc: IntArray = golden.FUNCTIONS["add"](*path.inputs, **arguments)[1].astype(np.int64)
    return acc * acc


def _sign(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind == "add" and evidence.path.arguments["form"] == _SQUARED:
        yield Variant("", lambda path: path.with_accumulate(_squared_sum))
    elif evidence.path.op.kind == "add":
        forms = ("shared_scale", "shared_scale_difference")
        other = forms[evidence.path.arguments["form"] == forms[0]]
        yield Variant("", lambda path: path.with_fields(form=other))


HYPOTHESES = (
    Hypothesis(
        "inputs_exchanged",
        "The two inputs are exchanged.",
        "which buffer feeds which port, each with its zero point and multiplier",
        _swapped,
    ),
    Hypothesis(
        "one_input_on_both_ports",
        "Both ports read the same input.",
        "the select of the operand buffers, and whether the second is filled in time",
        _twice,
    ),
    Hypothesis(
        "sum_for_difference",
        "The two inputs are added where they should be subtracted, or the other way round.",
        "the sign of the second operand at the adder",
        _sign,
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
        "argmax_without_end",
        "The first or the last value does not take part.",
        "the bounds of the loop over the values, and what the maximum starts with",
        _argmax(
            ("the last", lambda x: np.argmax(x[..., :-1] if x.shape[-1] > 1 else x, axis=-1)),
            ("the first", _without_first),
            ("the first, the second is number 0", lambda x: np.maximum(_without_first(x) - 1, 0)),
        ),
    ),
    Hypothesis(
        "argmax_index_shifted",
        "The index is one more or one less than it should be.",
        "whether the counter is read before or after it counts: the first value is number 0",
        _argmax(
            ("one more", lambda x: np.argmax(x, axis=-1) + 1),
            ("one less", lambda x: np.argmax(x, axis=-1) - 1),
            ("one more, wraps", lambda x: (np.argmax(x, axis=-1) + 1) % x.shape[-1]),
            ("one less, wraps", lambda x: (np.argmax(x, axis=-1) - 1) % x.shape[-1]),
        ),
    ),
    Hypothesis(
        "argmax_of_other_order",
        "The smallest value wins, or that of largest magnitude.",
        "the direction of the comparator, and its sign",
        _argmax(
            ("the smallest", lambda x: np.argmin(x, axis=-1)),
            ("the largest magnitude", lambda x: np.argmax(np.abs(x), axis=-1)),
        ),
    ),
    Hypothesis(
        "other_extreme",
        "The smaller of two values is taken where the larger should be, or the other way round.",
        "the direction of the comparator, or its select",
        _extreme(lambda x, zero: -x),
    ),
    Hypothesis(
        "extreme_unsigned",
        "Two values are compared as unsigned bytes.",
        "signed declarations at the comparator",
        _extreme(lambda x, zero: x & 255),
        of_bytes=Wording(
            "Two values are compared as signed; they are unsigned bytes.",
            "signed declarations at the comparator",
            name="extreme_signed",
        ),
    ),
    Hypothesis(
        "extreme_by_magnitude",
        "Two values are compared by their distance from the zero point, without a sign.",
        "whether the comparator takes the values as they are stored, with their sign",
        _extreme(lambda x, zero: abs(x - zero)),
    ),
    Hypothesis(
        "rescale_wraps",
        "Results beyond int32 wrap; they should saturate.",
        "the saturation after the shift",
        _wraps,
    ),
)
