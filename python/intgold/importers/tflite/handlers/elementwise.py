"""Sums, differences, products and extremes by contracts; `operands` brings the shapes together."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ....contracts import Algorithm
from ....host.multiplier import requantize_for
from ....ops.fields import Requantize
from ..addresses.loops import broadcast_length, contiguous_length
from ..formulas.scales import FACTORS
from .floor_emulation import add_floor_emulation
from .op_context import OpContext, inner
from .operands import constants_of, elementwise
from .weighted import clamp_fields

_FLOAT = np.float32
_GROUP = 8
"""Values that kernels take at once, at least."""
_ROUNDS_TO_1 = 1 - 2.0**-32
"""The smallest factor that is a multiplier of 2^31 of 31 bits."""
_BEYOND_FLOAT32 = 2.0 ** (128 - 14)
_FLOORED = 8
"""Values that kernels take at once which floor their inputs at last."""


def add(context: OpContext) -> None:
    """Add an add."""
    _sum(context, "shared_scale")


def sub(context: OpContext) -> None:
    """Add an add of form shared_scale_difference."""
    _sum(context, "shared_scale_difference")


def _sum(context: OpContext, form: str) -> None:
    constants_of(context)  # shapes that go together, before they are walked
    a, b, y = (context.scale(t) for t in (context.file(0), context.file(1), context.y))
    context.decide(float(a / y), float(b / y))
    rule, ends = context.rule, clamp_fields(context)
    if rule.algorithm is Algorithm.DIRECT:
        elementwise(context, "add", {"form": form, **_direct(a, b, y), **ends})
        return
    if rule.int16:
        ends_of = [
            [v * float(s) / float(y) for v in _centred(context, i)] for i, s in ((0, a), (1, b))
        ]
        _need_int16(context, *map(sum, zip(*ends_of, strict=True)))
    fields = {"form": form, **_shared_scale(context, a, b, y, rule.form), **ends}
    if not rule.group:
        elementwise(context, "add", fields)
        return
    run, row = (
        f(context.file(0).shape, context.file(1).shape)
        for f in (contiguous_length, broadcast_length)
    )
    group, first = rule.group, fields
    if rule.algorithm is Algorithm.FLOORED_INPUTS or (row >= _FLOORED and run == 1 and a != b):
        group, run = _FLOORED, run if run > 1 else max(run, row)
        first = add_floor_emulation(context, fields)
    else:  # a group is brought to the shared scale in one rounding
        first = fields | _shared_scale(context, a, b, y, "single")
    if run == math.prod(inner(context.y)) and (run == row or not constants_of(context)):
        context.need_whole_groups(run, group)  # the row goes on over the images
    whole = run // group * group
    parts = [own for own, n in ((first, whole), (fields, run - whole)) if n]
    elementwise(context, "add", *parts, run=run, whole=whole)


def _shared_scale(
    context: OpContext, a: np.float32, b: np.float32, y: np.float32, form: str
) -> dict[str, Any]:
    """Both inputs at twice the larger scale, 20 bits to the left, in a form of their own."""
    twice = 2 * float(max(a, b))
    reals = [float(a) / twice, float(b) / twice, twice / (2**20 * float(y))]
    forms = (form, form, context.rule.form)
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


def squared_difference(context: OpContext) -> None:
    """Add an add of form shared_scale_squared_difference."""
    a, b, y = (float(context.scale(t)) for t in (context.file(0), context.file(1), context.y))
    twice = 2 * max(a, b)
    reals = [a / twice, b / twice, twice * twice / (2**14 * y)]
    if context.rule.below_1 and reals[2] >= _ROUNDS_TO_1:
        raise context.fail(
            f"its last factor is {reals[2]:.8g}: the engine ends the process where it is 1 or more"
        )
    if context.rule.form == "double" and y >= _BEYOND_FLOAT32:
        raise context.fail(f"its output has a scale of {y:.8g}: 2^14 of it is beyond float32")
    names = ("requantize1", "requantize2", "requantize")
    by = [requantize_for([real], context.rule.form) for real in reals]
    fields = dict(zip(names, by, strict=True))
    form = "shared_scale_squared_difference"
    elementwise(context, "add", {"form": form, "left_shift": 7, **fields})


def mul(context: OpContext) -> None:
    """Add a mul."""
    a, b, y = (context.scale(t) for t in (context.file(0), context.file(1), context.y))
    context.decide(FACTORS[context.rule.factor](a, b, y))
    real = FACTORS[context.rule.factor](a, b, y)
    if context.rule.int16:
        products = [u * v * real for u in _centred(context, 0) for v in _centred(context, 1)]
        _need_int16(context, min(products), max(products))
    by = requantize_for([real], context.rule.form)
    elementwise(context, "mul", {"requantize": by, **clamp_fields(context)})


def extreme(kind: str) -> Callable[[OpContext], None]:
    """Return the importer of MAXIMUM or MINIMUM.

    Kernels compare values as they are stored, whatever the scales: where these differ, that is no
    order of reals, and such a file is refused.
    """

    def add_extreme(context: OpContext) -> None:
        constants_of(context)
        x1, x2, y = (
            (context.scale(t), context.zero_point(t))
            for t in (context.file(0), context.file(1), context.y)
        )
        for i, x in enumerate((x1, x2)):
            if x != y:
                raise context.fail(f"input {i} has another scale or zero point than the output")
        elementwise(context, kind, {})

    return add_extreme


def _centred(context: OpContext, i: int) -> tuple[int, int]:
    """Return the ends of input `i` less its zero point."""
    zero = context.zero_point(context.file(i))
    return -128 - zero, 127 - zero


def _need_int16(context: OpContext, low: float, high: float) -> None:
    """Refuse outputs that kernels of whole groups wrap: they add the zero point in int16."""
    zero = context.zero_point(context.y) + (128 if context.y.dtype == "uint8" else 0)
    held = low + zero - 1 > -(2**15) and high + zero + 1 < 2**15
    if not held and math.prod(inner(context.y)) >= _GROUP:
        raise context.fail(
            f"values from {low + zero:.0f} to {high + zero:.0f} before the clamp, in int16"
        )
