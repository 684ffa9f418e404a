"""RESHAPE and its like, PAD, CONCATENATION, SOFTMAX."""

from __future__ import annotations

import math

import numpy as np

from ...host.multiplier import fixed_point
from . import tables
from .op_context import IDENTITY, Step, as_int8, extents, inner
from .operands import by_constants


def reshape(step: Step) -> None:
    """Add a reshape to the shape of the output."""
    if math.prod(inner(step.y)) != math.prod(inner(step.file(0))):
        raise step.fail(f"{inner(step.file(0))} as {inner(step.y)}")
    step.add("reshape", step.x(), shape=extents(inner(step.y)))


def pad(step: Step) -> None:
    """Add a pad; its cells are real zeros, or PADV2's constant."""
    sides = step.constant(1, ("int32", "int64"))
    if sides.shape != (len(step.file(0).shape), 2):
        raise step.fail(f"paddings of shape {sides.shape}")
    if (sides < 0).any() or sides[0].any():
        raise step.fail("paddings of the batch, or negative ones")
    value = step.zero_point(step.y)
    if step.op.kind == "PADV2":
        value = int(as_int8(step.constant(2, ("int8", "uint8"))).ravel()[0])
    before, after = (([int(v) for v in sides[1:, i]] + [0, 0, 0])[:3] for i in (0, 1))
    step.add("pad", step.x(), before=before, after=after, value=value)


def concatenation(step: Step) -> None:
    """Add a chain of concats; where constants go, pads make room."""
    if step.op.options["FusedActivationFunction"]:
        raise step.fail("a fused activation")
    rank = len(step.y.shape)
    axis = step.op.options["Axis"] + (rank if step.op.options["Axis"] < 0 else 0)
    if not 1 <= axis < max(rank, 2):
        raise step.fail(f"axis {step.op.options['Axis']}")
    count = len(step.op.inputs)
    if count == 1:
        step.add("reshape", _rescaled(step, 0), shape=extents(inner(step.y)))
        return
    constants = [i for i in range(count) if step.file(i).data is not None]
    if constants:
        _with_constants(step, axis, constants)
        return
    made = _rescaled(step, 0)
    for i in range(1, count):
        made = step.add("concat", made, _rescaled(step, i), last=i == count - 1, axis=axis - 1)


def _with_constants(step: Step, axis: int, constants: list[int]) -> None:
    """Add pads in place of constants, and what writes those of several values into them.

    That is a depthwise_conv2d: weights of 1 and no bias keep a value, weights of 0 and a bias make
    a constant.
    """
    y, count = step.y, len(step.op.inputs)
    shapes = [step.file(i).shape for i in range(count)]
    for i, shape in enumerate(shapes):
        if (*shape[:axis], *shape[axis + 1 :]) != (*y.shape[:axis], *y.shape[axis + 1 :]):
            raise step.fail(f"input {i} of shape {shape} in an output of {y.shape}")
    if sum(shape[axis] for shape in shapes) != y.shape[axis]:
        raise step.fail(f"{count} inputs that do not fill an output of {y.shape}")
    held = {i: _constant(step, i) for i in constants}
    if len(held) == count:
        raise step.fail("all inputs are constants")
    plain = all(values.min() == values.max() for values in held.values())
    first = min(set(range(count)) - set(held))
    made = _rescaled(step, first)
    order = [*reversed(range(first)), *range(first + 1, count)]
    for i in order:
        last = plain and i == order[-1]
        if i not in held:
            made = step.add("concat", made, _rescaled(step, i), last=last, axis=axis - 1)
            continue
        sides, none = [0, 0, 0], [0, 0, 0]
        sides[axis - 1] = shapes[i][axis]
        before, after = (sides, none) if i < first else (none, sides)
        value = int(held[i].flat[0])
        made = step.add("pad", made, last=last, before=before, after=after, value=value)
    if plain:
        return
    step.take_room(0, math.prod(y.shape))
    kept = [np.full(shape, i not in held, np.int8) for i, shape in enumerate(shapes)]
    zero = step.zero_point(y)
    biases = [
        held[i].astype(np.int32) - zero if i in held else np.zeros(shape, np.int32)
        for i, shape in enumerate(shapes)
    ]
    weights, bias = (np.concatenate(parts, axis) for parts in (kept, biases))
    by_constants(step, made, y, weights, bias, last=True, requantize=IDENTITY)


def _constant(step: Step, i: int) -> np.ndarray:
    """Return the values of a constant as int8, at the output's scale and zero point."""
    values, table = as_int8(step.constant(i, (step.y.dtype,))), _table(step, i)
    return values if table is None else table[values.astype(np.int16) + 128]


def _rescaled(step: Step, i: int) -> str:
    """Return input `i` at the output's scale and zero point."""
    table = _table(step, i)
    return step.x(i) if table is None else step.add("lut", step.x(i), last=False, table=table)


def _table(step: Step, i: int) -> np.ndarray | None:
    """Return what brings input `i` to the output's scale and zero point; None: it has them.

    Kernels do so with uint8 alone.
    """
    x, y = step.file(i), step.y
    if step.scale(x) == step.scale(y) and step.zero_point(x) == step.zero_point(y):
        return None
    if x.dtype != "uint8" or y.dtype != "uint8":
        raise step.fail(f"input {i} has another scale or zero point than the output")
    factor = step.scale(x) * (np.float32(1) / step.scale(y))
    x_zero, y_zero = (np.float32(step.zero_point(t) + 128) for t in (x, y))
    at = np.arange(256, dtype=np.float32) * factor + -x_zero * factor
    moved = np.trunc(at.astype(np.float64) + np.copysign(0.5, at)) + y_zero
    table: np.ndarray = np.clip(moved, 0, 255) - 128
    return table.astype(np.int8)


_OVERFLOW = 2**9
"""Where sums of exponentials in Q12.19 have so many integer bits that int8 is 32 bits below."""
_FORMS = {"float32_table": "rounded", "float32_table_half_added": "half_added"}


def softmax(step: Step) -> None:
    """Add a softmax, or a softmax_float32 (SPEC 8.10, with beta)."""
    y = step.y
    if float(step.scale(y)) != 1 / 256 or step.zero_point(y) != -128:
        raise step.fail("an output that is not of scale 1/256 and zero point -128")
    scale, beta = step.scale(step.file(0)), np.float32(step.op.options["Beta"])
    if step.rule.way in _FORMS:
        with np.errstate(over="ignore"):
            product = scale * beta
        if not 0 <= product < np.inf:
            raise step.fail(f"beta {beta} times its scale is {product}")
        table = tables.exponentials(scale, beta)
        step.add("softmax_float32", step.x(), form=_FORMS[step.rule.way], table=table)
        return
    real = min(float(beta) * float(scale) * 2**26, 2.0**31 - 1)
    if not real > 1:
        raise step.fail(f"beta {beta} times its scale is too small")
    depth = inner(y)[-1]
    if step.rule.overflow and depth >= _OVERFLOW:
        step.note(
            f"depth {depth}: where the exponentials of a row add up to {_OVERFLOW} times the "
            f"largest, as {_OVERFLOW} equal maxima do, {step.rule.overflow}"
        )
    m, t = fixed_point(real / 2)  # which takes reals below 2^30
    step.add("softmax", step.x(), multiplier=m, left_shift=32 - t)
