"""AVERAGE_POOL_2D, MAX_POOL_2D."""

from __future__ import annotations

from typing import Any

from .op_context import OpContext, inner
from .weighted import clamp_fields, slide


def _pool(context: OpContext) -> dict[str, Any]:
    o, shape = context.op.options, inner(context.file(0))
    if len(shape) != 3:
        raise context.fail(f"input of shape {shape} is no image")
    kernel = (o["FilterHeight"], o["FilterWidth"])
    if min(kernel) < 1:
        raise context.fail(f"kernel {kernel}")
    fields = slide(context, kernel, shape)
    del fields["dilation"]
    return {"kernel": kernel, **fields, **clamp_fields(context)}


def average_pool_2d(context: OpContext) -> None:
    """Add an avg_pool2d."""
    form = "raw_up" if context.file(0).dtype == "uint8" else "raw_away"
    context.add("avg_pool2d", context.x(), form=form, **_pool(context))


def max_pool_2d(context: OpContext) -> None:
    """Add a max_pool2d."""
    context.add("max_pool2d", context.x(), **_pool(context))
