"""Ops on one value: a table of 256 entries, filled by the engine's formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import tables, tflm_tables
from .hard_swish import hard_swish_table
from .op_context import Step, extents, inner
from .scales import ends, factors, requantize


def _quantisation(step: Step) -> tuple[np.float32, int, np.float32, int]:
    x, y = step.file(0), step.y
    return step.scale(x), step.zero_point(x), step.scale(y), step.zero_point(y)


def _lut(step: Step, table: np.ndarray) -> None:
    step.add("lut", step.x(), table=table)


def of_reals(name: str) -> Callable[[Step], None]:
    """Return the importer of a function that engines compute in float32."""

    def add(step: Step) -> None:
        if step.rule.way == "fixed_point":
            tables_of = {"LOGISTIC": tflm_tables.logistic_table, "TANH": tflm_tables.tanh_table}
            _lut(step, tables_of[name](*_quantisation(step)[:2]))
            return
        if step.rule.way == "zero_point_first":
            shift = 128 if step.y.dtype == "uint8" else 0
            real = tables.XNNPACK_REALS[name]
            _lut(step, tables.zero_point_first(real, *_quantisation(step), shift))
            return
        approximate = step.op.options.get("Approximate")
        reals = tables.TFLM_REALS if step.rule.way == "float32_steps" else tables.REALS
        real = reals[f"{name}/approximate" if approximate else name]
        _lut(step, tables.of_reals(real, *_quantisation(step)))

    return add


def relu(number: int) -> Callable[[Step], None]:
    """Return the importer of RELU, RELU6 or RELU_N1_TO_1, by number in the schema."""

    def add(step: Step) -> None:
        x_scale, x_zero, y_scale, y_zero = _quantisation(step)
        if step.rule.way == "clamp_alone":  # of the input, whatever the output's scale
            lo, hi = ends(step.rule, number, x_scale, x_zero, step.y.dtype)
            _lut(step, np.clip(np.arange(-128, 128), lo, hi).astype(np.int8))
            return
        lo, hi = ends(step.rule, number, y_scale, y_zero, step.y.dtype)
        table = tables.requantized(step.rule, x_scale, x_zero, y_scale, y_zero, lo, hi)
        _lut(step, table)

    return add


def leaky_relu(step: Step) -> None:
    """Add the table of LEAKY_RELU."""
    alpha = np.float32(step.op.options["Alpha"])
    if not np.isfinite(alpha):
        raise step.fail(f"alpha {alpha}")
    x_scale, _, y_scale, _ = _quantisation(step)
    step.decide(float(x_scale / y_scale), slope=float(x_scale / y_scale * alpha))
    if step.rule.way == "eighths":
        _lut(step, tables.eighths(*_quantisation(step), alpha))
        return
    _lut(step, tables.leaky_relu(step.rule, *_quantisation(step), alpha))


def hard_swish(step: Step) -> None:
    """Add the table of HARD_SWISH."""
    in_float32 = step.rule.factor == "float32"
    _lut(step, hard_swish_table(*_quantisation(step), in_float32=in_float32))


def quantize(step: Step) -> None:
    """Add QUANTIZE from int8 or uint8: a table, or, where a kernel's groups show, a scale a place.

    A depthwise_conv2d of 1x1 with weights of 1 has a form for each place.
    """
    if step.file(0).dtype not in ("int8", "uint8"):
        raise step.fail(f"from {step.file(0).dtype}; int8 and uint8 are read")
    x_scale, x_zero, y_scale, y_zero = _quantisation(step)
    step.decide(float(x_scale / y_scale))
    if step.rule.way == "eighths" and step.file(0).dtype != step.y.dtype:
        step.decline("from one type to the other")
    if step.rule.way == "eighths":
        _lut(step, tables.eighths(x_scale, x_zero, y_scale, y_zero, np.float32(1)))
        return
    size, rule = math.prod(inner(step.y)), step.rule
    whole = size // rule.group * rule.group if rule.group else size
    if whole in (0, size):
        form = rule.form if whole else rule.rest
        _lut(step, tables.requantized(replace(rule, form=form), x_scale, x_zero, y_scale, y_zero))
        return
    step.take_room(0, size)
    by = requantize(rule, factors(rule, x_scale, np.ones(1, np.float32), y_scale), size)
    shape, flat = inner(step.y), (1, 1, size)
    x = step.x()
    if shape != flat:
        x = step.add("reshape", x, last=False, like=step.file(0), shape=flat)
    made = step.add(
        "depthwise_conv2d", x, last=shape == flat, weights=np.ones(flat, np.int8),
        bias=np.zeros(size, np.int32), stride=(1, 1), requantize=by,
    )  # fmt: skip
    if shape != flat:
        step.add("reshape", made, shape=extents(shape))
