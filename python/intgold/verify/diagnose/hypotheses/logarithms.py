"""Logarithms of a softmax: what is subtracted from a row, and what is rounded last."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ....golden import fixed_point, rounding
from ....golden._integers import bit_length
from ....support.array_types import IntArray
from ..datapath import Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant

_SHIFT = 22
"""From Q5.26 to units of 1/16 (SPEC 5.26)."""


def _of(*variants: Variant) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "log_softmax":
            yield from variants

    return found


def _differences(path: Datapath, x: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    a = path.arguments
    return fixed_point.scaled_differences(x, a["multiplier"], a["left_shift"])


def _log_of_sum(path: Datapath, x: IntArray) -> IntArray:
    _, e, _ = _differences(path, x)
    return fixed_point.log(rounding.away(e, 12).sum(axis=-1, keepdims=True))


def _logarithms(
    log: Callable[[Datapath, IntArray], IntArray] = _log_of_sum,
    shift: Callable[[IntArray, int], IntArray] = rounding.away,
) -> Edit:
    """Subtract another logarithm, or round in another way."""

    def accumulate(path: Datapath) -> IntArray:
        x = path.inputs[0].astype(np.int64)
        a, _, counts = _differences(path, x)
        y = np.clip(shift(a - log(path, x), _SHIFT) + 127, -128, 127)
        return np.where(counts, y, -128)

    return lambda path: path.with_accumulate(accumulate)


def _no_maximum(path: Datapath) -> Datapath:
    """Take 127 for the largest value of every row: the same where nothing leaves Q5.26."""

    def accumulate(path: Datapath) -> IntArray:
        x = path.inputs[0].astype(np.int64)
        with_largest = np.concatenate([x, np.full((*x.shape[:-1], 1), 127)], axis=-1)
        a, e, counts = (v[..., :-1] for v in _differences(path, with_largest))
        total = rounding.away(e, 12).sum(axis=-1, keepdims=True)
        made = a - np.where(total > 0, fixed_point.log(np.maximum(total, 1)), 0)
        y = np.clip(rounding.away(made, _SHIFT) + 127, -128, 127)
        return np.where(counts, y, -128)

    return path.with_accumulate(accumulate)


def _no_log(path: Datapath, x: IntArray) -> IntArray:
    return np.zeros((*x.shape[:-1], 1), np.int64)


def _log_of_row_before(path: Datapath, x: IntArray) -> IntArray:
    """The first row of an image has its own."""
    logs = _log_of_sum(path, x)
    rows = logs.reshape(len(x), -1)
    return np.concatenate([rows[:, :1], rows[:, :-1]], axis=1).reshape(logs.shape)


def _log_of_power(path: Datapath, x: IntArray) -> IntArray:
    """Only the exponent of the sum: the logarithm of a power of two."""
    _, e, _ = _differences(path, x)
    total = rounding.away(e, 12).sum(axis=-1, keepdims=True)
    return fixed_point.log(np.int64(1) << bit_length(total) - 1)


def _log_2(path: Datapath, x: IntArray) -> IntArray:
    """The logarithm to the base 2: without the factor ln 2."""
    return np.asarray(rounding.divide_up(_log_of_sum(path, x) << 31, 1488522236))


HYPOTHESES = (
    Hypothesis(
        "row_maximum_missing",
        "127 is subtracted from every row; its own largest value should be.",
        "the pass that searches the largest value of a row, and its register",
        _of(Variant("", _no_maximum)),
    ),
    Hypothesis(
        "log_of_sum_missing",
        "The logarithm of the sum is not subtracted.",
        "the subtractor after the logarithm, and when its result is valid",
        _of(Variant("", _logarithms(_no_log))),
    ),
    Hypothesis(
        "log_of_sum_late",
        "The logarithm of the row before is subtracted.",
        "the register of the logarithm, and when a row may read it",
        _of(Variant("", _logarithms(_log_of_row_before))),
    ),
    Hypothesis(
        "log_of_sum_otherwise",
        "The logarithm of the sum is another one.",
        "the logarithm unit: SPEC 5.26.1",
        _of(
            Variant("of the power of two below the sum", _logarithms(_log_of_power)),
            Variant("to the base 2", _logarithms(_log_2)),
        ),
    ),
    Hypothesis(
        "log_softmax_rounded_otherwise",
        "The result is rounded in another way.",
        "what is added before the last shift, by 22: SPEC 5.26",
        _of(
            *(
                Variant(label, _logarithms(shift=shift))
                for label, shift in (
                    ("halves up", rounding.up),
                    ("halves to even", rounding.even),
                    ("down", rounding.down),
                    ("toward zero", rounding.zero),
                )
            )
        ),
    ),
)
