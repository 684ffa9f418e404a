"""Comparisons, SELECT and logical ops: bools are int8 of 0 and 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ....host.multiplier import requantize_for
from ..file.reader import FileTensor
from .op_context import IDENTITY, OpContext, as_int8
from .operands import constant_tensor, elementwise, spread

_SHIFT = 8
"""Fraction bits that operands have when engines compare them."""
_VALUES = np.arange(-128, 128)
_OF_DIFFERENCE: dict[str, np.ndarray] = {
    "EQUAL": _VALUES == 0, "NOT_EQUAL": _VALUES != 0, "GREATER": _VALUES > 0,
    "GREATER_EQUAL": _VALUES >= 0, "LESS": _VALUES < 0, "LESS_EQUAL": _VALUES <= 0,
}  # fmt: skip
COMPARISONS = tuple(_OF_DIFFERENCE)


def comparison(context: OpContext) -> None:
    """Add the sign of a difference, and a lut that says what it is for the comparison.

    Engines bring both operands to a scale of 2^-8 first, rounded: of scales that differ,
    neighbouring reals may be equal.  bools are compared as they are.
    """
    fields = {
        "form": "shared_scale_difference", "left_shift": 0, "requantize1": IDENTITY,
        "requantize2": IDENTITY, "requantize": IDENTITY, "act_min": -1, "act_max": 1,
    }  # fmt: skip
    if context.file(0).dtype != "bool":
        fields["left_shift"] = _SHIFT
        for i in (0, 1):
            scale = float(context.scale(context.file(i)))
            if scale >= 1 and context.rule.form == "double":
                raise context.fail(
                    f"input {i} has a scale of {scale:.8g}: engines shift by a negative number "
                    "where it is 1 or more"
                )
            fields[f"requantize{i + 1}"] = requantize_for([scale], context.rule.form)
    table = _OF_DIFFERENCE[context.op.kind].astype(np.int8)
    elementwise(context, "add", fields, then=table)


def logical(kind: str) -> Callable[[OpContext], None]:
    """Return the importer of LOGICAL_AND (a minimum) or LOGICAL_OR (a maximum)."""

    def add_logical(context: OpContext) -> None:
        _need_bools(context)
        elementwise(context, kind, {})

    return add_logical


def logical_not(context: OpContext) -> None:
    """Add a lut of 1 for 0, and of 0 for what else there may be."""
    _need_bools(context)
    context.add("lut", context.x(), table=_chosen(0, 1))


def _need_bools(context: OpContext) -> None:
    for i in range(len(context.op.inputs)):
        if context.file(i).dtype != "bool":
            raise context.fail(f"input {i} is {context.file(i).dtype}; bool is read")


def _chosen(when_true: int, when_false: int) -> np.ndarray:
    """Return the table of a bool that is one value or another."""
    return np.where(_VALUES != 0, when_true, when_false).astype(np.int8)


def choice(context: OpContext) -> None:
    """Add a multiplexer: the smaller of each operand and a mask, and the larger of these.

    Where the condition is true, the mask of the first operand is 127 and that of the second
    -128, else the other way round: one operand passes, and the other one is -128.
    """
    condition, y = context.file(0), context.y
    operands = [context.file(i) for i in (1, 2)]
    if condition.dtype != "bool" or any(t.dtype != y.dtype for t in operands):
        raise context.fail(
            f"{condition.dtype} of {operands[0].dtype} and {operands[1].dtype} to {y.dtype}"
        )
    _check_shapes(context)
    for i, x in enumerate(operands, 1):
        if (x.scale.tolist(), context.zero_point(x)) != (y.scale.tolist(), context.zero_point(y)):
            raise context.fail(f"input {i} has another scale or zero point than the output")
    chooses = _operand(context, 0)
    constants = [_scalar(t) for t in operands]
    if None not in constants:
        context.add("lut", chooses, table=_chosen(*map(int, constants)))  # type: ignore[arg-type]
        return
    parts = []
    for i, constant in enumerate(constants):
        passes = 127 if constant is None else constant
        table = _chosen(passes, -128) if i == 0 else _chosen(-128, passes)
        part = context.add("lut", chooses, last=False, table=table)
        if constant is None:
            part = context.add("minimum", _operand(context, i + 1), part, last=False)
        parts.append(part)
    context.add("maximum", *parts)


def _check_shapes(context: OpContext) -> None:
    shapes = [context.file(i).shape for i in range(3)]
    try:
        made = np.broadcast_shapes(*shapes)
    except ValueError:
        made = ()
    if context.op.kind == "SELECT" and (
        shapes[1] != shapes[2] or shapes[0] not in ((), (1,), shapes[1])
    ):
        made = ()  # rows by a condition of their own, or what engines refuse
    if made != context.y.shape:
        raise context.fail(f"shapes {', '.join(map(str, shapes))} to {context.y.shape}")
    if all(context.file(i).data is not None for i in range(3)):
        raise context.fail("all inputs are constants")


def _scalar(tensor: FileTensor) -> int | None:
    """Return the value of a constant of one value."""
    if tensor.data is None or tensor.data.size != 1:
        return None
    return int(as_int8(tensor.data).ravel()[0])


def _operand(context: OpContext, i: int) -> str:
    """Return input `i`, constant or not, in the shape of the output."""
    if context.file(i).data is None:
        return spread(context, i)
    other = next(k for k in range(3) if context.file(k).data is None)
    return constant_tensor(context, i, other)
