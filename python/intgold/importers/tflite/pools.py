"""AVERAGE_POOL_2D, MAX_POOL_2D."""

from __future__ import annotations

from typing import Any

from .op_context import Step, inner
from .weighted import activation, slide


def _pool(step: Step) -> dict[str, Any]:
    o, shape = step.op.options, inner(step.file(0))
    if len(shape) != 3:
        raise step.fail(f"input of shape {shape} is no image")
    kernel = (o["FilterHeight"], o["FilterWidth"])
    if min(kernel) < 1:
        raise step.fail(f"kernel {kernel}")
    fields = slide(step, kernel, shape)
    del fields["dilation"]
    return {"kernel": kernel, **fields, **activation(step)}


def average_pool_2d(step: Step) -> None:
    """Add an avg_pool2d."""
    form = "raw_up" if step.file(0).dtype == "uint8" else "raw_away"
    step.add("avg_pool2d", step.x(), form=form, **_pool(step))


def max_pool_2d(step: Step) -> None:
    """Add a max_pool2d."""
    step.add("max_pool2d", step.x(), **_pool(step))
