"""FLOAT32_CHAIN: DEQUANTIZE, float ops of one value, QUANTIZE, as a table."""

from __future__ import annotations

import math

import numpy as np

from ....contracts import Algorithm
from ..file.reader import FileOp
from ..formulas.float32_ops import FLOAT32_OPS, FUSED
from .op_context import OpContext, inner
from .split_rows import join_rows, split_rows

_FLOAT = np.float32
_EVERY = np.arange(-128, 128)
_MOST = 2.0**30
"""What a value over the output's scale stays below, so that every engine's int32 holds it."""
_NORMAL = np.finfo(_FLOAT).tiny


def float_chain(context: OpContext) -> None:
    """Add a lut, or one for whole groups of values and one for the rest."""
    once, twice = _reals(context)
    if context.rule.algorithm is not Algorithm.ZERO_POINT_TIMES_SCALE:
        context.add("lut", context.x(), table=_table(context, once))
        return
    size, group = math.prod(inner(context.y)), context.rule.group
    context.need_whole_groups(size, group)
    whole = size // group * group
    tables = [_table(context, twice), _table(context, once, rest=True)]
    if whole in (0, size):
        context.add("lut", context.x(), table=tables[whole == 0])
        return
    parts = split_rows(context, context.x(), context.file(0), 1, size, whole)
    join_rows(
        context,
        [
            context.add("lut", x, last=False, table=table)
            for x, table in zip(parts, tables, strict=True)
        ],
    )


def _reals(context: OpContext) -> tuple[np.ndarray, np.ndarray]:
    """Return the floats of -128 to 127, rounded once, and those of a rounded zero point."""
    x = context.file(0)
    if x.dtype == "bool":
        bools = (_EVERY != 0).astype(_FLOAT)
        return bools, bools
    shift, scale = 128 if x.dtype == "uint8" else 0, context.scale(x)
    zero = context.zero_point(x) + shift
    once = scale * (_EVERY + shift - zero).astype(_FLOAT)
    return once, scale * (_EVERY + shift).astype(_FLOAT) + scale * _FLOAT(-zero)


def _table(context: OpContext, reals: np.ndarray, *, rest: bool = False) -> np.ndarray:
    """Return what the chain gives for reals, as int8.

    Parameters
    ----------
    reals : ndarray of float32, shape (256,)
        What DEQUANTIZE gives for -128 to 127.
    rest : bool
        By the kernel of the values after the last whole group.
    """
    y_scale, zero = context.scale(context.y), context.zero_point(context.y)
    _need_normal(context, context.op, np.array([y_scale, _FLOAT(1) / y_scale]))
    made, algorithm = _computed(context, reals), context.rule.algorithm
    if rest:
        quotients = made.astype(np.float64) / np.float64(y_scale)
    elif algorithm is Algorithm.QUOTIENT_AWAY:
        quotients = (made / y_scale).astype(np.float64)
    else:
        quotients = (made * (_FLOAT(1) / y_scale)).astype(np.float64)
    if not (np.abs(quotients) < _MOST).all():  # nor is a value that is no number
        at = int(np.argmin(np.abs(quotients) < _MOST))
        raise context.fail(
            f"int8 {_EVERY[at]} becomes {made[at]:.6g} in float, {quotients[at]:.6g} scales"
        )
    away = rest or algorithm is Algorithm.QUOTIENT_AWAY
    rounded = np.trunc(quotients + np.copysign(0.5, quotients)) if away else np.rint(quotients)
    table: np.ndarray = np.clip(rounded + zero, -128, 127)
    return table.astype(np.int8)


def _computed(context: OpContext, reals: np.ndarray) -> np.ndarray:
    """Return what the float ops make of what DEQUANTIZE produces; float32, shape (256,)."""
    values: dict[int, np.ndarray] = {}
    for op in context.op.options["ops"]:
        if op.kind not in FLOAT32_OPS:  # DEQUANTIZE or CAST
            values[op.outputs[0]] = made = reals
            _need_normal(context, op, made)
            continue
        operands = [values[at] if at in values else _constant(context, at) for at in op.inputs]
        if op.kind == "DIV" and not operands[1].all():
            raise context.fail(f"{op} divides by 0, of which engines differ in the sign")
        fused = op.options.get("FusedActivationFunction", 0)
        if fused not in FUSED:
            raise context.fail(f"{op}: fused activation {fused}")
        made = FUSED[fused](FLOAT32_OPS[op.kind].function(*operands))
        values[op.outputs[0]] = made
        _need_normal(context, op, *operands, made)
    return made


def _need_normal(context: OpContext, op: FileOp, *values: np.ndarray) -> None:
    """Refuse subnormal floats of XNNPACK, which takes them for 0."""
    if context.rule.algorithm is not Algorithm.INVERSE_EVEN:
        return
    every = np.concatenate(values)
    subnormal = every[(every != 0) & (np.abs(every) < _NORMAL)]
    if subnormal.size:
        raise context.fail(f"{op}: {subnormal[0]:.8g} is no normal float32; the engine takes 0")


def _constant(context: OpContext, at: int) -> np.ndarray:
    """Return a constant of one value, shape (1,)."""
    data = context.tensors[at].data
    assert data is not None  # what is no constant is made within the chain
    return data.reshape(1)
