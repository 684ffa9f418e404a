"""RESHAPE and its like, PAD, CONCATENATION: values move, and keep their bits."""

from __future__ import annotations

import math

import numpy as np

from .op_context import IDENTITY, OpContext, as_int8, extents, inner
from .operands import by_constants


def reshape(context: OpContext) -> None:
    """Add a reshape to the shape of the output."""
    if math.prod(inner(context.y)) != math.prod(inner(context.file(0))):
        raise context.fail(f"{inner(context.file(0))} as {inner(context.y)}")
    context.add("reshape", context.x(), shape=extents(inner(context.y)))


def cast(context: OpContext) -> None:
    """Add what keeps the bytes of int8 or uint8: of two types, q ^ 0x80 in the model."""
    if context.file(0).dtype == context.y.dtype:
        context.add("reshape", context.x(), shape=extents(inner(context.y)))
        return
    table = (np.arange(-128, 128).astype(np.int8).view(np.uint8) ^ np.uint8(0x80)).view(np.int8)
    context.add("lut", context.x(), table=table)


def pad(context: OpContext) -> None:
    """Add a pad; its cells are real zeros, or PADV2's constant."""
    sides = context.constant(1, ("int32", "int64"))
    if sides.shape != (len(context.file(0).shape), 2):
        raise context.fail(f"paddings of shape {sides.shape}")
    if (sides < 0).any() or sides[0].any():
        raise context.fail("paddings of the batch, or negative ones")
    value = context.zero_point(context.y)
    if context.op.kind == "PADV2":
        value = int(as_int8(context.constant(2, ("int8", "uint8"))).ravel()[0])
    before, after = (([int(v) for v in sides[1:, i]] + [0, 0, 0])[:3] for i in (0, 1))
    context.add("pad", context.x(), before=before, after=after, value=value)


def concatenation(context: OpContext) -> None:
    """Add a chain of concats; where constants go, pads make room."""
    if context.op.options["FusedActivationFunction"]:
        raise context.fail("a fused activation")
    rank = len(context.y.shape)
    axis = context.op.options["Axis"] + (rank if context.op.options["Axis"] < 0 else 0)
    if not 1 <= axis < max(rank, 2):
        raise context.fail(f"axis {context.op.options['Axis']}")
    count = len(context.op.inputs)
    if count == 1:
        context.add("reshape", _rescaled(context, 0), shape=extents(inner(context.y)))
        return
    constants = [i for i in range(count) if context.file(i).data is not None]
    if constants:
        _with_constants(context, axis, constants)
        return
    made = _rescaled(context, 0)
    for i in range(1, count):
        made = context.add(
            "concat", made, _rescaled(context, i), last=i == count - 1, axis=axis - 1
        )


def _with_constants(context: OpContext, axis: int, constants: list[int]) -> None:
    """Add pads in place of constants, and what writes those of several values into them.

    That is a depthwise_conv2d: weights of 1 and no bias keep a value, weights of 0 and a bias make
    a constant.
    """
    y, count = context.y, len(context.op.inputs)
    shapes = [context.file(i).shape for i in range(count)]
    for i, shape in enumerate(shapes):
        if (*shape[:axis], *shape[axis + 1 :]) != (*y.shape[:axis], *y.shape[axis + 1 :]):
            raise context.fail(f"input {i} of shape {shape} in an output of {y.shape}")
    if sum(shape[axis] for shape in shapes) != y.shape[axis]:
        raise context.fail(f"{count} inputs that do not fill an output of {y.shape}")
    held = {i: _constant(context, i) for i in constants}
    if len(held) == count:
        raise context.fail("all inputs are constants")
    plain = all(values.min() == values.max() for values in held.values())
    first = min(set(range(count)) - set(held))
    made = _rescaled(context, first)
    order = [*reversed(range(first)), *range(first + 1, count)]
    for i in order:
        last = plain and i == order[-1]
        if i not in held:
            made = context.add("concat", made, _rescaled(context, i), last=last, axis=axis - 1)
            continue
        sides, none = [0, 0, 0], [0, 0, 0]
        sides[axis - 1] = shapes[i][axis]
        before, after = (sides, none) if i < first else (none, sides)
        value = int(held[i].flat[0])
        made = context.add("pad", made, last=last, before=before, after=after, value=value)
    if plain:
        return
    context.spend(0, math.prod(y.shape))
    kept = [np.full(shape, i not in held, np.int8) for i, shape in enumerate(shapes)]
    zero = context.zero_point(y)
    biases = [
        held[i].astype(np.int32) - zero if i in held else np.zeros(shape, np.int32)
        for i, shape in enumerate(shapes)
    ]
    weights, bias = (np.concatenate(parts, axis) for parts in (kept, biases))
    by_constants(context, made, y, weights, bias, last=True, requantize=IDENTITY)


def _constant(context: OpContext, i: int) -> np.ndarray:
    """Return the values of a constant as int8, at the output's scale and zero point."""
    values, table = as_int8(context.constant(i, (context.y.dtype,))), _table(context, i)
    return values if table is None else table[values.astype(np.int16) + 128]


def _rescaled(context: OpContext, i: int) -> str:
    """Return input `i` at the output's scale and zero point."""
    table = _table(context, i)
    return (
        context.x(i) if table is None else context.add("lut", context.x(i), last=False, table=table)
    )


def _table(context: OpContext, i: int) -> np.ndarray | None:
    """Return what brings input `i` to the output's scale and zero point; None: it has them.

    Kernels do so only with uint8.
    """
    x, y = context.file(i), context.y
    if context.scale(x) == context.scale(y) and context.zero_point(x) == context.zero_point(y):
        return None
    if x.dtype != "uint8" or y.dtype != "uint8":
        raise context.fail(f"input {i} has another scale or zero point than the output")
    factor = context.scale(x) * (np.float32(1) / context.scale(y))
    x_zero, y_zero = (np.float32(context.zero_point(t) + 128) for t in (x, y))
    at = np.arange(256, dtype=np.float32) * factor + -x_zero * factor
    moved = np.trunc(at.astype(np.float64) + np.copysign(0.5, at)) + y_zero
    table: np.ndarray = np.clip(moved, 0, 255) - 128
    return table.astype(np.int8)
