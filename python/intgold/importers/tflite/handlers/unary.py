"""Ops on one value: a table of 256 entries, filled by the engine's formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ....contracts import Algorithm
from ..formulas import roots, tables, tflm_tables
from ..formulas.hard_swish import hard_swish_table
from ..formulas.scales import ends, factors, requantize_by_rule
from .op_context import OpContext, extents, inner


def _quantisation(context: OpContext) -> tuple[np.float32, int, np.float32, int]:
    x, y = context.file(0), context.y
    return context.scale(x), context.zero_point(x), context.scale(y), context.zero_point(y)


def _lut(context: OpContext, table: np.ndarray) -> None:
    context.add("lut", context.x(), table=table)


def real_function(name: str) -> Callable[[OpContext], None]:
    """Return the importer of a function that engines compute in float32."""

    def add(context: OpContext) -> None:
        if context.rule.algorithm is Algorithm.FIXED_POINT:
            tables_of = {"LOGISTIC": tflm_tables.logistic_table, "TANH": tflm_tables.tanh_table}
            _lut(context, tables_of[name](*_quantisation(context)[:2]))
            return
        if context.rule.algorithm is Algorithm.ZERO_POINT_FIRST:
            shift = 128 if context.y.dtype == "uint8" else 0
            real = tables.XNNPACK_REALS[name]
            _lut(context, tables.zero_point_first(real, *_quantisation(context), shift))
            return
        approximate = context.op.options.get("Approximate")
        reals = (
            tables.TFLM_REALS if context.rule.algorithm is Algorithm.FLOAT32_STEPS else tables.REALS
        )
        real = reals[f"{name}/approximate" if approximate else name]
        _lut(context, tables.real_function_table(real, *_quantisation(context)))

    return add


def relu(number: int) -> Callable[[OpContext], None]:
    """Return the importer of RELU, RELU6 or RELU_N1_TO_1, by number in the schema."""

    def add(context: OpContext) -> None:
        x_scale, x_zero, y_scale, y_zero = _quantisation(context)
        if (
            context.rule.algorithm is Algorithm.CLAMP_ONLY
        ):  # of the input, whatever the output's scale
            lo, hi = ends(context.rule, number, x_scale, x_zero, context.y.dtype)
            _lut(context, np.clip(np.arange(-128, 128), lo, hi).astype(np.int8))
            return
        lo, hi = ends(context.rule, number, y_scale, y_zero, context.y.dtype)
        table = tables.requantize_table(context.rule, x_scale, x_zero, y_scale, y_zero, lo, hi)
        _lut(context, table)

    return add


def leaky_relu(context: OpContext) -> None:
    """Add the table of LEAKY_RELU."""
    alpha = np.float32(context.op.options["Alpha"])
    if not np.isfinite(alpha):
        raise context.fail(f"alpha {alpha}")
    x_scale, _, y_scale, _ = _quantisation(context)
    context.decide(float(x_scale / y_scale), slope=float(x_scale / y_scale * alpha))
    if context.rule.algorithm is Algorithm.Q8_MULTIPLIER:
        _lut(context, tables.q8_multiplier(*_quantisation(context), alpha))
        return
    _lut(context, tables.leaky_relu(context.rule, *_quantisation(context), alpha))


def absolute(context: OpContext) -> None:
    """Add the table of ABS."""
    x_scale, x_zero, y_scale, y_zero = _quantisation(context)
    _lut(context, tables.absolute(context.rule, x_scale, x_zero, y_scale, y_zero))


def root(name: str) -> Callable[[OpContext], None]:
    """Return the importer of SQRT or RSQRT, which are of values from the zero point on."""

    def add(context: OpContext) -> None:
        quantisation = _quantisation(context)
        if quantisation[1] > -128:
            context.note("values below the zero point: the engine ends with an error")
        if context.rule.algorithm is Algorithm.PLAIN:
            _lut(context, tables.real_function_table(tables.REALS[name], *quantisation))
            return
        made = {"SQRT": roots.sqrt_table, "RSQRT": roots.rsqrt_table}[name]
        _lut(context, made(*quantisation))

    return add


def hard_swish(context: OpContext) -> None:
    """Add the table of HARD_SWISH."""
    in_float32 = context.rule.factor == "float32"
    _lut(context, hard_swish_table(*_quantisation(context), in_float32=in_float32))


def quantize(context: OpContext) -> None:
    """Add QUANTIZE from int8 or uint8: a table, or, where a kernel's groups show, a scale a place.

    A depthwise_conv2d of 1x1 with weights of 1 has a form for each place.
    """
    if context.file(0).dtype not in ("int8", "uint8"):
        raise context.fail(f"from {context.file(0).dtype}; int8 and uint8 are read")
    x_scale, x_zero, y_scale, y_zero = _quantisation(context)
    context.decide(float(x_scale / y_scale))
    if (
        context.rule.algorithm is Algorithm.Q8_MULTIPLIER
        and context.file(0).dtype != context.y.dtype
    ):
        context.decline("from one type to the other")
    if context.rule.algorithm is Algorithm.Q8_MULTIPLIER:
        _lut(context, tables.q8_multiplier(x_scale, x_zero, y_scale, y_zero, np.float32(1)))
        return
    size, rule = math.prod(inner(context.y)), context.rule
    if rule.group:
        context.need_whole_groups(size, rule.group)
    whole = size // rule.group * rule.group if rule.group else size
    if whole in (0, size):
        form = rule.form if whole else rule.remainder_form
        _lut(
            context,
            tables.requantize_table(replace(rule, form=form), x_scale, x_zero, y_scale, y_zero),
        )
        return
    context.spend(0, size)
    by = requantize_by_rule(rule, factors(rule, x_scale, np.ones(1, np.float32), y_scale), size)
    shape, flat = inner(context.y), (1, 1, size)
    x = context.x()
    if shape != flat:
        x = context.add("reshape", x, last=False, like=context.file(0), shape=flat)
    made = context.add(
        "depthwise_conv2d", x, last=shape == flat, weights=np.ones(flat, np.int8),
        bias=np.zeros(size, np.int32), stride=(1, 1), requantize=by,
    )  # fmt: skip
    if shape != flat:
        context.add("reshape", made, shape=extents(shape))
