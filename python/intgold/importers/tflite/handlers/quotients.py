"""DIV, FLOOR_DIV, FLOOR_MOD: tables of two operands, of one where the other is one constant."""

from __future__ import annotations

import numpy as np

from ....contracts import Algorithm
from ..formulas.quotients import div_table, floor_div_table, floor_mod_table
from .op_context import OpContext
from .operands import constants_of, elementwise
from .weighted import clamp_fields

_FLOAT = np.float32


def div(context: OpContext) -> None:
    """Add a lut2d of quotients of reals."""
    a, b, y = (context.scale(t) for t in (context.file(0), context.file(1), context.y))
    zeros = [context.zero_point(t) for t in (context.file(0), context.file(1), context.y)]
    ends = clamp_fields(context)
    exact = context.rule.algorithm is not Algorithm.FIXED_POINT
    in_float64 = context.rule.factor == "float64"
    real = float(a) / (float(b) * float(y)) if in_float64 else float(a / _FLOAT(b * y))
    table = div_table(
        (zeros[0], zeros[1], zeros[2]), real, (ends["act_min"], ends["act_max"]), exact=exact
    )
    _look_up(context, table, "the engine's answer to a divisor of 0 is undefined", zeros[1])


def floor_div(context: OpContext) -> None:
    """Add a lut2d of quotients of the stored values, toward minus infinity."""
    divisor = context.file(1).data
    if divisor is None or (divisor == -1).any():
        context.note("-128 / -1: the engine's cast of 128 to int8 is undefined")
    _look_up(context, floor_div_table(), "the engine refuses a divisor of 0", 0)


def floor_mod(context: OpContext) -> None:
    """Add a lut2d of remainders of the stored values, of the sign of the divisor."""
    _look_up(context, floor_mod_table(), "the engine refuses a divisor of 0", 0)


def _look_up(context: OpContext, table: np.ndarray, note: str, zero: int) -> None:
    """Add the table; say what it does not know, unless all divisors are constants and not 0."""
    constants = constants_of(context)
    divisor = context.file(1).data
    if divisor is None or (divisor == zero + (128 if context.y.dtype == "uint8" else 0)).any():
        context.note(note)
    if not (constants and context.file(constants[0]).shape in ((), (1,))):
        context.spend(table.size)
    elementwise(context, "lut2d", {"table": table})
