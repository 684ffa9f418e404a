"""SOFTMAX and LOG_SOFTMAX: in fixed point, or by a float32 table."""

from __future__ import annotations

import numpy as np

from ....contracts import Algorithm
from ....host.multiplier import fixed_point
from ....ops.log_softmax_float32 import MOST_SCALE_BITS
from ..formulas import tables
from .op_context import OpContext, inner

_OVERFLOW = 2**9
"""Where sums of exponentials in Q12.19 have enough integer bits that int8 is 32 bits below."""
_FORMS = {
    Algorithm.FLOAT32_TABLE: "rounded",
    Algorithm.FLOAT32_TABLE_HALF_ADDED: "half_added",
}


def softmax(context: OpContext) -> None:
    """Add a softmax, or a softmax_float32 (SPEC 8.10, with beta)."""
    y = context.y
    if float(context.scale(y)) != 1 / 256 or context.zero_point(y) != -128:
        raise context.fail("an output that is not of scale 1/256 and zero point -128")
    scale, beta = context.scale(context.file(0)), np.float32(context.op.options["Beta"])
    if context.rule.algorithm in _FORMS:
        with np.errstate(over="ignore"):
            product = scale * beta
        if not 0 <= product < np.inf:
            raise context.fail(f"beta {beta} times its scale is {product}")
        table = tables.exponentials(scale, beta)
        context.add(
            "softmax_float32", context.x(), form=_FORMS[context.rule.algorithm], table=table
        )
        return
    m, shift = _scaling(context, float(beta) * float(scale), f"beta {beta} times its scale")
    depth = inner(y)[-1]
    if context.rule.overflow and depth >= _OVERFLOW:
        context.note(
            f"depth {depth}: where the exponentials of a row add up to {_OVERFLOW} times the "
            f"largest, as {_OVERFLOW} equal maxima do, {context.rule.overflow}"
        )
    context.add("softmax", context.x(), multiplier=m, left_shift=shift)


def log_softmax(context: OpContext) -> None:
    """Add a log_softmax, or a log_softmax_float32 (SPEC 8.10)."""
    y = context.y
    if float(context.scale(y)) != 1 / 16 or context.zero_point(y) != 127:
        raise context.fail("an output that is not of scale 1/16 and zero point 127")
    scale = context.scale(context.file(0))
    if context.rule.algorithm is Algorithm.FLOAT32_LOGARITHM:
        bits = int(scale.view(np.int32))
        if bits > MOST_SCALE_BITS:
            raise context.fail(f"an input scale of {scale}: more than 2^113")
        form = "unsigned" if context.file(0).dtype == "uint8" else "signed"
        table = tables.exponentials(scale, np.float32(1))
        context.add("log_softmax_float32", context.x(), form=form, scale_bits=bits, table=table)
        return
    m, shift = _scaling(context, float(scale), "its scale")
    context.add("log_softmax", context.x(), multiplier=m, left_shift=shift)


def _scaling(context: OpContext, scale: float, what: str) -> tuple[int, int]:
    """Return multiplier and left_shift of a scale (SPEC 8.10)."""
    real = min(scale * 2**26, 2.0**31 - 1)
    if not real > 1:
        raise context.fail(f"{what} is too small")
    m, t = fixed_point(real / 2)  # which takes reals below 2^30
    return m, 32 - t
