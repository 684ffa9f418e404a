"""Logarithms of a softmax: what is subtracted from a row, and what is rounded last."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ....golden import fixed_point, float32_values, rounding
from ....golden._integers import bit_length
from ....golden.float32_values import Pair
from ....support.array_types import IntArray
from ..datapath import Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant

_Shift = Callable[[IntArray, IntArray], IntArray]
_Log = Callable[[IntArray], IntArray]
_LN_2 = 1488522236  # Q0.31


def _plain(log: IntArray) -> IntArray:
    return log


def _none(log: IntArray) -> IntArray:
    return np.zeros_like(log)


def _of_row_before(log: IntArray) -> IntArray:
    """The first row of an image has its own."""
    rows = log.reshape(len(log), -1)
    return np.concatenate([rows[:, :1], rows[:, :-1]], axis=1).reshape(log.shape)


def _to_base_2(log: IntArray) -> IntArray:
    return np.asarray(rounding.divide_up(log << 31, _LN_2))


def _of_power(total: IntArray) -> IntArray:
    """Only the exponent of a sum: the power of two below it."""
    return np.left_shift(1, bit_length(total) - 1)


def _edit(
    *, log: _Log = _plain, total: _Log = _plain, shift: _Shift | None = None, fixed: int = 0
) -> Edit:
    """Return the edit that changes the logarithm, the sum, or the last rounding.

    `fixed`: what is subtracted from every row for its largest value, if not 0.
    """

    def accumulate(path: Datapath) -> IntArray:
        x = path.inputs[0].astype(np.int64)
        top = np.full((*x.shape[:-1], 1), fixed) if fixed else x.max(axis=-1, keepdims=True)
        arithmetic = _fixed_point if path.op.kind == "log_softmax" else _float32
        return np.clip(arithmetic(path, x, top, log, total, shift), -128, 127)

    return lambda path: path.with_accumulate(accumulate)


def _fixed_point(
    path: Datapath, x: IntArray, top: IntArray, log: _Log, total: _Log, shift: _Shift | None
) -> IntArray:
    given = path.arguments
    a, e, counts = fixed_point.scaled_differences(x - top, given["multiplier"], given["left_shift"])
    s = rounding.away(e, 12).sum(axis=-1, keepdims=True)
    logs = np.where(s > 0, fixed_point.log(total(np.maximum(s, 1))), 0)
    y = (shift or rounding.away)(a - log(logs), np.asarray(22)) + 127
    return np.where(counts, y, -128)


def _float32(
    path: Datapath, x: IntArray, top: IntArray, log: _Log, total: _Log, shift: _Shift | None
) -> IntArray:
    given = path.arguments
    _, (s, exponent) = float32_values.entries_and_sum(x - top, given["table"])
    found = float32_values.log_float32((np.where(s > 0, total(s), 2**23), exponent))
    logs = tuple(log(np.where(s > 0, part, 0)) for part in found)
    unsigned = 128 if given["form"] == "unsigned" else 0
    scale = float32_values.unpacked(np.array(given["scale_bits"], np.int64))
    first, product = (float32_values.times(scale, b + unsigned) for b in (top, x))
    subtracted = float32_values.plus(first, (logs[0], logs[1]))
    difference = float32_values.plus(product, (-subtracted[0], subtracted[1]))
    return _integers(difference, shift or rounding.even) + 127


def _integers(value: Pair, shift: _Shift) -> IntArray:
    """Return 16 times a value as an integer; more than 2^30 only as large."""
    right = 145 - value[1]
    return shift(value[0], np.clip(right, 0, 62)) << np.clip(-right, 0, 30)


def _of(
    *variants: Variant, kinds: tuple[str, ...] = ("log_softmax", "log_softmax_float32")
) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind in kinds:
            yield from variants

    return found


HYPOTHESES = (
    Hypothesis(
        "row_maximum_missing",
        "127 is subtracted from every row; its own largest value should be.",
        "the pass that searches the largest value of a row, and its register",
        _of(Variant("", _edit(fixed=127))),
    ),
    Hypothesis(
        "log_of_sum_missing",
        "The logarithm of the sum is not subtracted.",
        "the subtractor after the logarithm, and when its result is valid",
        _of(Variant("", _edit(log=_none))),
    ),
    Hypothesis(
        "log_of_sum_late",
        "The logarithm of the row before is subtracted.",
        "the register of the logarithm, and when a row may read it",
        _of(Variant("", _edit(log=_of_row_before))),
    ),
    Hypothesis(
        "log_of_sum_otherwise",
        "The logarithm of the sum is another one.",
        "the logarithm unit: SPEC 5.26.1 and 5.27.1",
        lambda evidence: (
            *_of(Variant("of the power of two below the sum", _edit(total=_of_power)))(evidence),
            *_of(Variant("to the base 2", _edit(log=_to_base_2)), kinds=("log_softmax",))(evidence),
        ),
    ),
    Hypothesis(
        "log_softmax_rounded_otherwise",
        "The result is rounded in another way.",
        "what is added before the last shift: SPEC 5.26 and 5.27",
        _of(
            *(
                Variant(label, _edit(shift=shift))
                for label, shift in (
                    ("halves away from zero", rounding.away),
                    ("halves up", rounding.up),
                    ("halves to even", rounding.even),
                    ("down", rounding.down),
                    ("toward zero", rounding.zero),
                )
            )
        ),
    ),
)
