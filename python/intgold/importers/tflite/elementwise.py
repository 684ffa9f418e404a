"""ADD, SUB, MUL: two tensors, of equal shapes or one of them spread over the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...fields import Requantize
from ...floating.multiplier import requantize_for
from .scales import FACTORS
from .step import Step, inner
from .weighted import activation

_FLOAT = np.float32


def _operands(step: Step) -> list[str]:
    shapes = [inner(step.file(i)) for i in (0, 1)]
    if shapes[0] != shapes[1]:
        raise step.fail(f"shapes {shapes[0]} and {shapes[1]}: operands are not spread")
    return [step.x(0), step.x(1)]


def add(step: Step) -> None:
    """Add an add."""
    _sum(step, "shared_scale")


def sub(step: Step) -> None:
    """Add an add of form shared_scale_difference."""
    _sum(step, "shared_scale_difference")


def _sum(step: Step, form: str) -> None:
    a, b, y = (step.scale(t) for t in (step.file(0), step.file(1), step.y))
    step.check_ratios(float(a / y), float(b / y))
    ways = {"": _shared_scale, "direct": _direct}
    fields = ways[step.rule.way](step, a, b, y)
    step.add("add", *_operands(step), form=form, **fields, **activation(step))


def _shared_scale(step: Step, a: np.float32, b: np.float32, y: np.float32) -> dict[str, Any]:
    """Both inputs at twice the larger scale, 20 bits to the left."""
    twice = 2 * float(max(a, b))
    reals = [float(a) / twice, float(b) / twice, twice / (2**20 * float(y))]
    by = [requantize_for([real], step.rule.form) for real in reals]
    names = ("requantize1", "requantize2", "requantize")
    return {"left_shift": 20, **dict(zip(names, by, strict=True))}


def _direct(step: Step, a: np.float32, b: np.float32, y: np.float32) -> dict[str, Any]:
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
    real = FACTORS[step.rule.factor](a, b, y)
    step.check_ratios(real)
    by = requantize_for([real], step.rule.form)
    step.add("mul", *_operands(step), requantize=by, **activation(step))
