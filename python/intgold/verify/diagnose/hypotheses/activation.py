"""The output's zero point and the clamp."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ....support.array_types import IntArray
from ..datapath import Datapath
from .accumulator import wrapped
from .hypothesis import Edit, Evidence, Hypothesis, Variant, Wording

_CENTRED = "centred_away"
_CONSTANT_BITS = 8.0
"""Freedom of a constant of the output's width."""


def _zero_point(times: int) -> Callable[[Evidence], Iterator[Variant]]:
    def variants(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.y_zero_point:
            yield Variant("", lambda path: path.with_fields(y_zero_point=times * path.y_zero_point))

    return variants


_STEPS = tuple(sign * n for n in (1, 2, 3, 4, 8, 16, 32, 64) for sign in (1, -1))
"""Errors of a zero point that are tried: small ones, and one bit."""


def _other_zero_point(evidence: Evidence) -> Iterator[Variant]:
    """Another constant: of a few, and that which moves most results of those that differ."""
    path = evidence.path
    if path.dtype != np.int8 or not (path.requantizes or path.arguments.get("form") == _CENTRED):
        return
    zero = path.y_zero_point
    activated = zero == path.arguments["act_min"] > -128
    known = (0, -zero, zero, -2 * zero)  # missing, right, twice, subtracted
    for error in dict.fromkeys([*_STEPS, *_most_frequent_error(evidence)]):
        if error in known or not -128 <= zero + error <= 127:
            continue
        label = f"{zero + error} instead of {zero}"
        yield Variant(label, _moved_zero_point(error, with_clamp=False), _CONSTANT_BITS)
        if activated:
            more = f"{label}, the activation's clamp with it"
            yield Variant(more, _moved_zero_point(error, with_clamp=True), _CONSTANT_BITS)


def _most_frequent_error(evidence: Evidence) -> list[int]:
    """Return by how much most results are too large that are no end of a clamp, where some are."""
    if "output" not in evidence.got:
        return []
    path, got = evidence.path, evidence.got["output"].astype(np.int64)
    ends = (-128, 127, path.arguments["act_min"], path.arguments["act_max"])
    wrong = (got != evidence.expected["output"]) & ~np.isin(got, ends)
    errors, counts = np.unique((got - evidence.expected["output"])[wrong], return_counts=True)
    return [int(errors[np.argmax(counts)])] if len(errors) else []


def _moved_zero_point(by: int, *, with_clamp: bool) -> Edit:
    def edit(path: Datapath) -> Datapath:
        fields = {"y_zero_point": path.y_zero_point + by}
        if with_clamp:
            fields["act_min"] = path.arguments["act_min"] + by
        return path.with_fields(**fields)

    return edit


def _before_rounding(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if not (path.y_zero_point and path.requantizes):
        return

    def edit(path: Datapath) -> Datapath:
        scale, zero = path.scale, path.y_zero_point
        return path.with_fields(y_zero_point=0).with_stage(scale=lambda p, a: scale(p, a + zero))

    yield Variant("", edit)


def _finished(change: Callable[[Datapath, IntArray], IntArray]) -> Edit:
    return lambda path: path.with_stage(output_stage=change)


def _after_clamp(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.y_zero_point:
        yield Variant("wraps", _finished(lambda p, s: p.clamp(s) + p.y_zero_point))
        yield Variant(
            "saturates",
            _finished(lambda p, s: np.clip(p.clamp(s) + p.y_zero_point, -128, 127)),
        )


def _clamps(evidence: Evidence) -> bool:
    """Whether values that int8 does not hold come to the clamp."""
    path = evidence.path
    moves = path.op.kind == "max_pool2d"
    return "act_min" in path.arguments and path.dtype == np.int8 and not moves


def _missing(evidence: Evidence) -> Iterator[Variant]:
    if _clamps(evidence):
        yield Variant("", _finished(lambda p, s: s + p.y_zero_point))


def _one_sided(evidence: Evidence) -> Iterator[Variant]:
    """One comparator of two; what it lets pass is cut to 8 bits."""
    if _clamps(evidence):
        low, high = evidence.path.arguments["act_min"], evidence.path.arguments["act_max"]
        yield Variant(f"below at {low}", _ended(np.maximum, "act_min"))
        yield Variant(f"above at {high}", _ended(np.minimum, "act_max"))
        if low > -128:
            yield Variant("below at -128", _finished(lambda p, s: np.maximum(_sum(p, s), -128)))
        if high < 127:
            yield Variant("above at 127", _finished(lambda p, s: np.minimum(_sum(p, s), 127)))


def _sum(path: Datapath, scaled: IntArray) -> IntArray:
    return scaled + path.y_zero_point


def _ended(end: Callable[[IntArray, int], IntArray], field: str) -> Edit:
    return _finished(lambda p, s: end(_sum(p, s), p.arguments[field]))


def _cut_first(evidence: Evidence) -> Iterator[Variant]:
    for bits in (8, 9, 10, 12, 16) if _clamps(evidence) else ():
        yield Variant(f"{bits} bits", _cut(bits, with_zero_point=True))
        if evidence.path.y_zero_point:
            yield Variant(f"{bits} bits, before the zero point", _cut(bits, with_zero_point=False))


def _cut(bits: int, *, with_zero_point: bool) -> Edit:
    if with_zero_point:
        return _finished(lambda p, s: p.clamp(wrapped(s + p.y_zero_point, bits)))
    return _finished(lambda p, s: p.clamp(wrapped(s, bits) + p.y_zero_point))


def _symmetric(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.dtype == np.int8:
        yield Variant("", _raised_to(-127))


def _raised_to(low: int) -> Edit:
    """Return an edit that clamps results below, after whatever clamp the op has of its own."""

    def edit(path: Datapath) -> Datapath:
        return path.with_stage(output_stage=lambda p, s: np.maximum(path.output_stage(p, s), low))

    return edit


def _unsigned(evidence: Evidence) -> Iterator[Variant]:
    if _clamps(evidence):
        yield Variant("to 0..255", _finished(lambda p, s: np.clip(s + p.y_zero_point, 0, 255)))


def _relu_missing(evidence: Evidence) -> Iterator[Variant]:
    arguments = evidence.path.arguments
    if evidence.path.dtype == np.int8 and arguments.get("act_min", -128) > -128:
        yield Variant("below", lambda path: path.with_fields(act_min=-128))
    if evidence.path.dtype == np.int8 and arguments.get("act_max", 127) < 127:
        yield Variant("above", lambda path: path.with_fields(act_max=127))


def _relu_at_0(evidence: Evidence) -> Iterator[Variant]:
    """A ReLU to zero point -128 has no clamp of its own; a device may still have one at 0."""
    path = evidence.path
    if path.dtype == np.int8 and path.arguments.get("act_min", -128) != 0:
        yield Variant("", _at_0 if "act_max" in path.arguments else _raised_to(0))


def _at_0(path: Datapath) -> Datapath:
    high = path.arguments["act_max"]
    return path.with_stage(output_stage=lambda p, s: np.clip(s + p.y_zero_point, 0, max(0, high)))


def _relu_extra(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.dtype != np.int8:
        return
    # A table or a pool adds no zero point, but its results have one.
    tensor = path.model.tensor(path.op.output)
    zero = int(path.arguments.get("y_zero_point", tensor.zero_point))
    if path.arguments.get("act_min", -128) < zero:
        yield Variant("", _at_zero_point if path.y_zero_point == zero else _raised_to(zero))


def _at_zero_point(path: Datapath) -> Datapath:
    return path.with_stage(output_stage=lambda p, s: p.clamp(np.maximum(s, 0) + p.y_zero_point))


HYPOTHESES = (
    Hypothesis(
        "output_zero_point_missing",
        "The output's zero point is not added.",
        "the adder after the shift",
        _zero_point(0),
    ),
    Hypothesis(
        "output_zero_point_twice",
        "The output's zero point is added twice.",
        "the adder after the shift, and whether the bias holds the zero point already",
        _zero_point(2),
    ),
    Hypothesis(
        "output_zero_point_subtracted",
        "The output's zero point is subtracted.",
        "the sign of the zero point: some tools store it negated as an offset",
        _zero_point(-1),
    ),
    Hypothesis(
        "output_zero_point_before_rounding",
        "The output's zero point is added before the scaling.",
        "the order of multiplier, shift and zero point",
        _before_rounding,
    ),
    Hypothesis(
        "output_zero_point_other",
        "Another constant is added for the output's zero point.",
        "the constant of the adder after the shift: is it this op's?",
        _other_zero_point,
    ),
    Hypothesis(
        "output_zero_point_after_clamp",
        "The clamp comes before the output's zero point.",
        "the order of the zero point adder and the clamp",
        _after_clamp,
    ),
    Hypothesis(
        "clamp_missing",
        "Results are cut to 8 bits without a clamp, so large ones wrap.",
        "the saturation at the end of the requantize block",
        _missing,
    ),
    Hypothesis(
        "clamp_one_sided",
        "Results are clamped at one end only; beyond the other they are cut to 8 bits and wrap.",
        "the saturation at the end of the requantize block: both of its comparators",
        _one_sided,
    ),
    Hypothesis(
        "clamp_after_cut",
        "Results are cut to a few bits before the clamp, so large ones wrap in front of it.",
        "the width of the signal from the shift to the clamp",
        _cut_first,
    ),
    Hypothesis(
        "clamp_symmetric",
        "Results are clamped to -127, not to -128.",
        "the lower bound of the saturation",
        _symmetric,
        of_bytes=Wording(
            "Results are clamped to the byte 1, not to 0.", "the lower bound of the saturation"
        ),
    ),
    Hypothesis(
        "clamp_unsigned",
        "Results are clamped as unsigned bytes, to 0..255.",
        "signed declarations in the saturation",
        _unsigned,
        of_bytes=Wording(
            "Results are clamped to 128..383 (q 0 to 255) and cut to 8 bits.",
            "the bounds of the saturation: the bytes 0 and 255",
            name="clamp_too_high",
            labels={"to 0..255": ""},
        ),
    ),
    Hypothesis(
        "relu_missing",
        "The activation's own clamp is missing; that to int8 is there.",
        "act_min and act_max of this op",
        _relu_missing,
    ),
    Hypothesis(
        "relu_at_0",
        "Results are clamped below at 0, not at the zero point.",
        "act_min: a real 0 is the output's zero point; and whether the op has an activation",
        _relu_at_0,
        of_bytes=Wording(
            "Results are clamped below at the byte 128 (q 0), not at the zero point.",
            "act_min: a real 0 is the output's zero point; and whether the op has an activation",
            name="relu_at_128",
        ),
    ),
    Hypothesis(
        "relu_extra",
        "Results are clamped below at the zero point, as by an activation that the op lacks.",
        "the enable of the activation, per op",
        _relu_extra,
    ),
)
