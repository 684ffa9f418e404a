"""ADD, SUB, MUL: the arithmetic of contracts; `operands` brings the shapes together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...host.multiplier import requantize_for
from ...ops.fields import Requantize
from .floor_emulation import floored_inputs
from .loops import along, standing
from .op_context import Step, inner
from .operands import constants_of, elementwise
from .scales import FACTORS
from .weighted import activation

_FLOAT = np.float32
_GROUP = 8
"""Values that kernels take at once, at the least."""
_FLOORED = 8
"""Values that kernels take at once which floor their inputs at last."""


def add(step: Step) -> None:
    """Add an add."""
    _sum(step, "shared_scale")


def sub(step: Step) -> None:
    """Add an add of form shared_scale_difference."""
    _sum(step, "shared_scale_difference")


def _sum(step: Step, form: str) -> None:
    constants_of(step)  # shapes that go together, before they are walked
    a, b, y = (step.scale(t) for t in (step.file(0), step.file(1), step.y))
    step.decide(float(a / y), float(b / y))
    rule, ends = step.rule, activation(step)
    if rule.way == "direct":
        elementwise(step, "add", {"form": form, **_direct(a, b, y), **ends})
        return
    if rule.int16:
        ends_of = [
            [v * float(s) / float(y) for v in _centred(step, i)] for i, s in ((0, a), (1, b))
        ]
        _need_int16(step, *map(sum, zip(*ends_of, strict=True)))
    fields = {"form": form, **_shared_scale(step, a, b, y, rule.form), **ends}
    if not rule.group:
        elementwise(step, "add", fields)
        return
    run, row = (f(step.file(0).shape, step.file(1).shape) for f in (along, standing))
    group, first = rule.group, fields
    if rule.way == "floored_inputs" or (row >= _FLOORED and run == 1 and a != b):
        group, run = _FLOORED, max(run, row)
        first = floored_inputs(step, fields)
    else:  # a group is brought to the shared scale in one rounding
        first = fields | _shared_scale(step, a, b, y, "single")
    whole = run // group * group
    parts = [own for own, n in ((first, whole), (fields, run - whole)) if n]
    elementwise(step, "add", *parts, run=run, whole=whole)


def _shared_scale(
    step: Step, a: np.float32, b: np.float32, y: np.float32, form: str
) -> dict[str, Any]:
    """Both inputs at twice the larger scale, 20 bits to the left, in a form of their own."""
    twice = 2 * float(max(a, b))
    reals = [float(a) / twice, float(b) / twice, twice / (2**20 * float(y))]
    forms = (form, form, step.rule.form)
    by = [requantize_for([real], own) for real, own in zip(reals, forms, strict=True)]
    names = ("requantize1", "requantize2", "requantize")
    return {"left_shift": 20, **dict(zip(names, by, strict=True))}


def _direct(a: np.float32, b: np.float32, y: np.float32) -> dict[str, Any]:
    """acc = x1 * m1 + x2 * m2, rounded once: the products are exact."""
    ratios = [_FLOAT(a / y), _FLOAT(b / y)]
    shift = 21 - math.frexp(float(max(ratios)))[1]
    m1, m2 = (int(np.rint(math.ldexp(float(r), shift))) for r in ratios)
    return {
        "left_shift": 8,
        "requantize1": Requantize.of(m1, 8),
        "requantize2": Requantize.of(m2, 8),
        "requantize": Requantize.of(1, shift),
    }


def mul(step: Step) -> None:
    """Add a mul."""
    a, b, y = (step.scale(t) for t in (step.file(0), step.file(1), step.y))
    step.decide(FACTORS[step.rule.factor](a, b, y))
    real = FACTORS[step.rule.factor](a, b, y)
    if step.rule.int16:
        products = [u * v * real for u in _centred(step, 0) for v in _centred(step, 1)]
        _need_int16(step, min(products), max(products))
    by = requantize_for([real], step.rule.form)
    elementwise(step, "mul", {"requantize": by, **activation(step)})


def _centred(step: Step, i: int) -> tuple[int, int]:
    """Return the ends of input `i` less its zero point."""
    zero = step.zero_point(step.file(i))
    return -128 - zero, 127 - zero


def _need_int16(step: Step, low: float, high: float) -> None:
    """Refuse outputs that kernels of whole groups wrap: they add the zero point in int16."""
    zero = step.zero_point(step.y) + (128 if step.y.dtype == "uint8" else 0)
    held = low + zero - 1 > -(2**15) and high + zero + 1 < 2**15
    if not held and math.prod(inner(step.y)) >= _GROUP:
        raise step.fail(
            f"values from {low + zero:.0f} to {high + zero:.0f} before the clamp, in int16"
        )
