"""AVERAGE_POOL_2D, MAX_POOL_2D."""

from __future__ import annotations

from typing import Any

from .step import Step, inner
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


def _one_scale(step: Step) -> None:
    x, y = step.file(0), step.y
    if step.scale(x) != step.scale(y) or step.zero_point(x) != step.zero_point(y):
        raise step.fail("input and output differ in scale or zero point")


def average_pool_2d(step: Step) -> None:
    """Add an avg_pool2d."""
    _one_scale(step)
    form = "raw_up" if step.file(0).dtype == "uint8" else "raw_away"
    step.add("avg_pool2d", step.x(), form=form, **_pool(step))


def max_pool_2d(step: Step) -> None:
    """Add a max_pool2d."""
    _one_scale(step)
    step.add("max_pool2d", step.x(), **_pool(step))
