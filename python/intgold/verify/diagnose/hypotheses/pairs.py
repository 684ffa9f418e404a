"""Tables of pairs of values, and products of two matrices that are data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ....support.array_types import IntArray
from ..datapath import Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant, Wording

_Change = Callable[[Datapath, IntArray, IntArray], tuple[IntArray, IntArray]]
_PORTS = (((0,), "the first"), ((1,), "the second"), ((0, 1), "both"))


def _of(kind: str, *variants: Variant) -> Callable[[Evidence], Iterator[Variant]]:
    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == kind:
            yield from variants

    return found


def _index_unsigned(ports: tuple[int, ...]) -> Edit:
    def accumulate(path: Datapath) -> IntArray:
        table: IntArray = path.arguments["table"].astype(np.int64)
        index = [
            x.astype(np.int64) & 255 if i in ports else x.astype(np.int64) + 128
            for i, x in enumerate(path.inputs)
        ]
        return np.asarray(table[index[0], index[1]])

    return lambda path: path.with_accumulate(accumulate)


def _product(change: _Change) -> Edit:
    """Multiply what `change` gives for the centred rows of both inputs."""

    def accumulate(path: Datapath) -> IntArray:
        rows, columns = change(path, *(_centred(path, i) for i in (0, 1)))
        return np.asarray(path.arguments["bias"] + rows @ columns.swapaxes(-1, -2))

    return lambda path: path.with_accumulate(accumulate)


def _centred(path: Datapath, i: int, *, unsigned: bool = False) -> IntArray:
    x: IntArray = path.inputs[i].astype(np.int64)
    return (x & 255 if unsigned else x) - int(path.arguments[f"x{i + 1}_zero_point"])


def _unsigned(ports: tuple[int, ...]) -> _Change:
    def change(path: Datapath, rows: IntArray, columns: IntArray) -> tuple[IntArray, IntArray]:
        made = [_centred(path, i, unsigned=i in ports) for i in (0, 1)]
        return made[0], made[1]

    return change


def _without_zero_point(ports: tuple[int, ...]) -> _Change:
    def change(path: Datapath, rows: IntArray, columns: IntArray) -> tuple[IntArray, IntArray]:
        made = [
            x + int(path.arguments[f"x{i + 1}_zero_point"]) if i in ports else x
            for i, x in enumerate((rows, columns))
        ]
        return made[0], made[1]

    return change


def _zero_points_exchanged(
    path: Datapath, rows: IntArray, columns: IntArray
) -> tuple[IntArray, IntArray]:
    step = int(path.arguments["x1_zero_point"]) - int(path.arguments["x2_zero_point"])
    return rows + step, columns - step


def _other_order(which: int) -> _Change:
    """The memory of a matrix is read as if its other axis ran fastest."""

    def change(path: Datapath, *operands: IntArray) -> tuple[IntArray, IntArray]:
        made = list(operands)
        x = made[which]
        turned = x.reshape(*x.shape[:-2], x.shape[-1], x.shape[-2])
        made[which] = turned.swapaxes(-1, -2)
        return made[0], made[1]

    return change


def _first_batch(which: int) -> _Change:
    def change(path: Datapath, *operands: IntArray) -> tuple[IntArray, IntArray]:
        made = list(operands)
        if made[which].ndim == 4:
            made[which] = np.broadcast_to(made[which][:, :1], made[which].shape)
        return made[0], made[1]

    return change


def _without(place: slice) -> _Change:
    return lambda path, rows, columns: (rows[..., place], columns[..., place])


def _square_missing(evidence: Evidence) -> Iterator[Variant]:
    arguments = evidence.path.arguments
    if arguments.get("form") == "shared_scale_squared_difference":
        plain = {"form": "shared_scale_difference"}
        yield Variant("", lambda path: path.with_fields(**plain))


HYPOTHESES = (
    Hypothesis(
        "pair_index_unsigned",
        "The byte itself is a half of the address: the table of pairs is read 128 rows or columns "
        "off.",
        "the address of the table: both values + 128, that is the bytes with their upper bits "
        "inverted",
        _of("lut2d", *(Variant(label, _index_unsigned(ports)) for ports, label in _PORTS)),
        of_bytes=Wording(
            "The upper bit of a half of the address is inverted: the table is read 128 rows or "
            "columns off.",
            "the address of the table: the unsigned bytes as they are, without x ^ 0x80",
            name="pair_index_signed",
        ),
    ),
    Hypothesis(
        "square_missing",
        "The difference is not squared.",
        "the multiplier after the subtractor, and its bypass",
        _square_missing,
    ),
    Hypothesis(
        "matrix_in_other_order",
        "A matrix is read as if it lay in memory with its other axis fastest.",
        "the addresses of the operand: both matrices lie row by row along the depth, the second "
        "one transposed",
        _of(
            "matmul",
            Variant("the second", _product(_other_order(1))),
            Variant("the first", _product(_other_order(0))),
        ),
    ),
    Hypothesis(
        "batch_of_first",
        "Every batch reads the first matrix of one operand.",
        "the base address of the operand, and when it advances",
        _of(
            "matmul",
            Variant("of the second", _product(_first_batch(1))),
            Variant("of the first", _product(_first_batch(0))),
        ),
    ),
    Hypothesis(
        "matrix_zero_point_ignored",
        "The zero point of a matrix is not subtracted.",
        "the subtraction before the multiplier, or the correction by sums of rows",
        _of("matmul", *(Variant(label, _product(_without_zero_point(p))) for p, label in _PORTS)),
    ),
    Hypothesis(
        "matrix_zero_points_exchanged",
        "Each matrix has the zero point of the other one.",
        "which zero point register feeds which operand",
        _of("matmul", Variant("", _product(_zero_points_exchanged))),
    ),
    Hypothesis(
        "matrix_unsigned",
        "A matrix is read as unsigned bytes.",
        "signed declarations at the multiplier",
        _of("matmul", *(Variant(label, _product(_unsigned(p))) for p, label in _PORTS)),
        of_bytes=Wording(
            "A matrix is read as if its bytes had been signed.",
            "signed declarations at the multiplier",
            name="matrix_signed",
        ),
    ),
    Hypothesis(
        "matrix_term_missing",
        "The first or the last product of each sum is missing.",
        "the bounds of the loop over the depth, and when the accumulator is cleared",
        _of(
            "matmul",
            Variant("the last", _product(_without(slice(None, -1)))),
            Variant("the first", _product(_without(slice(1, None)))),
        ),
    ),
)
