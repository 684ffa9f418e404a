"""R done differently: another form, another shift, a narrower multiplier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log2

import numpy as np

from ....golden import rounding as shifts
from ....ops.fields import FORMS, Requantize
from ..datapath import Datapath, replace_entries
from .hypothesis import Edit, Evidence, Hypothesis, Variant

_DONE_BY = {
    "single": "one product and one rounding, halves up: intgold's default",
    "single_away": "one product and one rounding, halves away from zero",
    "single_even": "one product and one rounding, halves to even",
    "single_down": "one product and a plain arithmetic shift, with no rounding constant",
    "single_zero": "one product, then truncation toward zero",
    "double": "two roundings, the second away from zero: TFLite's reference, TFLM, CMSIS-NN",
    "double_up": "two roundings, the second up: LiteRT's optimised x86 kernels",
    "float32": "one product in float32, rounded to even: XNNPACK, ONNX Runtime",
    "float64": "one product in float64, halves away from zero: LiteRT's reference fully_connected",
}

Change = Callable[[Requantize], Requantize | None]


def changed(evidence: Evidence, change: Change) -> Iterator[Variant]:
    """Yield an edit for each requantize of the op (all of them at once too, where there are)."""
    names = [n for n, v in evidence.path.arguments.items() if isinstance(v, Requantize)]
    for group in [[n] for n in names] + ([names] if len(names) > 1 else []):
        if any(change(evidence.path.arguments[n]) is not None for n in group):
            yield Variant(" and ".join(group) if len(names) > 1 else "", _edit(group, change))


def _edit(names: list[str], change: Change) -> Edit:
    def edit(path: Datapath) -> Datapath:
        made = {n: change(path.arguments[n]) for n in names}
        return path.with_fields(**{n: by for n, by in made.items() if by is not None})

    return edit


def _to_form(form: str) -> Change:
    def change(by: Requantize) -> Requantize | None:
        if set(by.form) == {form}:
            return None
        m = by.multiplier.astype(np.int64)
        if form == "float32":
            m = shifts.to_significand(m, 24)
        return replace_entries(by, form=(form,) * by.count, multiplier=m, multiplier_low=0 * m)

    return change


def _form(form: str) -> Hypothesis:
    return Hypothesis(
        f"rounds_{form}",
        f"The accumulator is scaled with {_DONE_BY[form]}.",
        f"the requantize block: SPEC 4.2 has the exact formula of {form} and of the model's own",
        lambda evidence: changed(evidence, _to_form(form)),
    )


def _shifted(by_how_much: int, channel: int | None = None) -> Change:
    """Every channel's shift, or that of one."""

    def change(by: Requantize) -> Requantize | None:
        old = by.right_shift.astype(np.int64)
        new = old + by_how_much
        moves = (new >= 0) & (new <= 62)
        if channel is not None:
            moves &= (np.arange(by.count) == channel) & (by.count > 1)
        new = np.where(moves, new, old)
        return replace_entries(by, right_shift=new) if (new != old).any() else None

    return change


def _shift_of_one(evidence: Evidence) -> Iterator[Variant]:
    """Of the channel that differs, where only one does."""
    differs = evidence.differs()
    found = np.flatnonzero(differs.reshape(-1, differs.shape[-1]).any(axis=0))
    if len(found) != 1:
        return
    channel, bits = int(found[0]), log2(2 * differs.shape[-1])
    for by_how_much, word in ((1, "more"), (-1, "less")):
        for variant in changed(evidence, _shifted(by_how_much, channel)):
            label = f"channel {channel}, one {word} {variant.label}".rstrip()
            yield Variant(label, variant.edit, bits)


def _narrowed(bits: int, *, rounded: bool) -> Change:
    def change(by: Requantize) -> Requantize | None:
        m, drop = by.multiplier.astype(np.int64), 31 - bits
        narrow = (shifts.up(m, drop) if rounded else m >> drop) << drop
        return (
            replace_entries(by, multiplier=narrow, multiplier_low=0 * m)
            if (narrow != m).any()
            else None
        )

    return change


def _narrow(*, rounded: bool) -> Callable[[Evidence], Iterator[Variant]]:
    def variants(evidence: Evidence) -> Iterator[Variant]:
        for bits in range(30, 0, -1):
            for variant in changed(evidence, _narrowed(bits, rounded=rounded)):
                yield Variant(f"{bits} bits {variant.label}".rstrip(), variant.edit)

    return variants


def _picked(part: str, pick: Callable[[np.ndarray], np.ndarray]) -> Change:
    def change(by: Requantize) -> Requantize | None:
        values = getattr(by, part).astype(np.int64)
        return (
            replace_entries(by, **{part: pick(values)}) if (pick(values) != values).any() else None
        )

    return change


def _of_channel_0(part: str) -> Callable[[Evidence], Iterator[Variant]]:
    return lambda evidence: changed(evidence, _picked(part, lambda v: np.full_like(v, v[0])))


def _of_neighbour(evidence: Evidence) -> Iterator[Variant]:
    for by, word in ((1, "before"), (-1, "after")):

        def change(requantize: Requantize, by: int = by) -> Requantize | None:
            moved = {
                p: np.roll(getattr(requantize, p).astype(np.int64), by)
                for p in ("multiplier", "right_shift", "multiplier_low")
            }
            same = all((moved[p] == getattr(requantize, p)).all() for p in moved)
            return None if same else replace_entries(requantize, **moved)

        yield from (Variant(f"the channel {word}", v.edit) for v in changed(evidence, change))


HYPOTHESES = (
    *(_form(form) for form in FORMS),
    Hypothesis(
        "right_shift_one_more",
        "The right shift is one more than the model's, so results are half as large.",
        "the shift amount: is it counted from bit 31 or from bit 32 of the product?",
        lambda evidence: changed(evidence, _shifted(1)),
    ),
    Hypothesis(
        "right_shift_one_less",
        "The right shift is one less than the model's, so results are twice as large.",
        "the shift amount, and whether a doubling high multiply has doubled already",
        lambda evidence: changed(evidence, _shifted(-1)),
    ),
    Hypothesis(
        "right_shift_of_one_channel",
        "The right shift of one channel is one more or one less than the model's.",
        "that channel's entry in the shift table",
        _shift_of_one,
        solved=True,
    ),
    Hypothesis(
        "multiplier_truncated",
        "The multiplier keeps its upper bits only, cut off.",
        "the width of the multiplier port and of the table that feeds it",
        _narrow(rounded=False),
    ),
    Hypothesis(
        "multiplier_rounded",
        "The multiplier keeps its upper bits only, rounded.",
        "the width of the multiplier table; --multiplier-bits produces a model for a narrow one",
        _narrow(rounded=True),
    ),
    Hypothesis(
        "multiplier_of_channel_0",
        "Every channel is scaled with the multiplier of channel 0.",
        "the index of the multiplier table: per channel, not per tensor",
        _of_channel_0("multiplier"),
    ),
    Hypothesis(
        "right_shift_of_channel_0",
        "Every channel is shifted by the right_shift of channel 0.",
        "the index of the shift table: per channel, not per tensor",
        _of_channel_0("right_shift"),
    ),
    Hypothesis(
        "multiplier_of_neighbour",
        "Each channel is scaled with multiplier and right_shift of the channel beside it.",
        "the pipeline stage that fetches multiplier and shift: one cycle early or late",
        _of_neighbour,
    ),
)
