"""RESHAPE and its like, PAD, CONCATENATION, SOFTMAX."""

from __future__ import annotations

import math

import numpy as np

from ...floating.multiplier import fixed_point
from .step import Step, as_int8, extents, inner


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
    """Add a chain of concats."""
    if step.op.options["FusedActivationFunction"]:
        raise step.fail("a fused activation")
    rank = len(step.y.shape)
    axis = step.op.options["Axis"] + (rank if step.op.options["Axis"] < 0 else 0)
    if not 1 <= axis < max(rank, 2):
        raise step.fail(f"axis {step.op.options['Axis']}")
    count = len(step.op.inputs)
    for i in range(count):
        x = step.file(i)
        if step.scale(x) != step.scale(step.y) or step.zero_point(x) != step.zero_point(step.y):
            raise step.fail(f"input {i} has another scale or zero point than the output")
    made = step.x(0)
    if count == 1:
        step.add("reshape", made, shape=extents(inner(step.y)))
    for i in range(1, count):
        made = step.add("concat", made, step.x(i), last=i == count - 1, axis=axis - 1)


def softmax(step: Step) -> None:
    """Add a softmax (SPEC 8.10 with beta)."""
    y = step.y
    if float(step.scale(y)) != 1 / 256 or step.zero_point(y) != -128:
        raise step.fail("an output that is not of scale 1/256 and zero point -128")
    beta = float(np.float32(step.op.options["Beta"]))
    real = min(beta * float(step.scale(step.file(0))) * 2**26, 2.0**31 - 1)
    if not real > 1:
        raise step.fail(f"beta {beta} times its scale is too small")
    m, t = fixed_point(real)
    step.add("softmax", step.x(), multiplier=m, left_shift=31 - t)
