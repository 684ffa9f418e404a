"""PRELU: the positive values by a table, the negative ones by the slope of their place."""

from __future__ import annotations

import math

import numpy as np

from ....host.multiplier import requantize_for
from ..formulas.scales import FACTORS
from ..formulas.tables import requantize_table
from .op_context import IDENTITY, OpContext, as_int8, inner
from .operands import by_constants


def parametric_relu(context: OpContext) -> None:
    """Add two parts, of which one is at the zero point in every place, and their sum."""
    x, slopes, y = context.file(0), context.file(1), context.y
    alpha = as_int8(context.constant(1, (y.dtype,)))
    if np.broadcast_shapes(x.shape, alpha.shape) != x.shape or inner(x) != inner(y):
        raise context.fail(f"slopes of shape {alpha.shape} for {x.shape} to {y.shape}")
    x_scale, x_zero = context.scale(x), context.zero_point(x)
    y_scale, y_zero = context.scale(y), context.zero_point(y)
    alpha_zero = context.zero_point(slopes)
    above = requantize_table(context.rule, x_scale, x_zero, y_scale, y_zero)
    above[: x_zero + 128] = y_zero
    below = np.minimum(np.arange(-128, 128), x_zero).astype(np.int8)
    real = FACTORS[context.rule.factor](x_scale, context.scale(slopes), y_scale)
    by = requantize_for([real], context.rule.form)
    context.spend(0, math.prod(inner(y)))
    positive = context.add("lut", context.x(), last=False, table=above)
    negative = context.add("lut", context.x(), last=False, like=x, table=below)
    zero, none = np.array([alpha_zero], np.int8), np.zeros(1, np.int32)
    negative = by_constants(
        context, negative, x, alpha, none, last=False, weight_zero_point=zero, requantize=by
    )
    context.add(
        "add", positive, negative, form="shared_scale", left_shift=0, requantize1=IDENTITY,
        requantize2=IDENTITY, requantize=IDENTITY,
    )  # fmt: skip
