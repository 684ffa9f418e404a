"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ....contracts import Algorithm
from ..file.reader import FileTensor
from ..formulas.scales import ends, factors, requantize_by_rule
from .matrices import weights_of_data
from .op_context import OpContext, as_int8, extents, inner
from .split_rows import join_rows, part_of_rows

_SAME, _VALID = 0, 1


def padding(kind: int, size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the padding (before, after) of one axis: SAME puts an odd cell after."""
    if kind == _VALID:
        return 0, 0
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def slide(context: OpContext, kernel: tuple[int, int], in_shape: tuple[int, ...]) -> dict[str, Any]:
    """Return stride, padding and dilation of a window op."""
    o = context.op.options
    stride = (o["StrideH"], o["StrideW"])
    dilation = (o.get("DilationHFactor", 1), o.get("DilationWFactor", 1))
    if min(*stride, *dilation) < 1:
        raise context.fail(f"stride {stride}, dilation {dilation}")
    if o["Padding"] not in (_SAME, _VALID):
        raise context.fail(f"padding {o['Padding']} is neither SAME nor VALID")
    if "Sides" in o:  # of a folded chain, see dilated_convolutions
        return {"stride": stride, "dilation": dilation, "padding": o["Sides"]}
    sides = [
        padding(o["Padding"], n, k, s, d)
        for n, k, s, d in zip(in_shape[:2], kernel, stride, dilation, strict=True)
    ]
    return {"stride": stride, "dilation": dilation, "padding": (*sides[0], *sides[1])}


def clamp_fields(context: OpContext) -> dict[str, Any]:
    """Return act_min and act_max of the fused activation."""
    number = context.op.options["FusedActivationFunction"]
    if number not in (0, 1, 2, 3):
        raise context.fail(f"fused activation {number}; none, RELU, RELU_N1_TO_1, RELU6 are known")
    lo, hi = ends(
        context.rule,
        number,
        context.scale(context.y),
        context.zero_point(context.y),
        context.y.dtype,
    )
    if lo > hi:
        raise context.fail(f"its activation leaves no value: [{lo}, {hi}]")
    return {"act_min": lo, "act_max": hi}


def _weights(context: OpContext, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (weights as int8, their zero points, their scales), per tensor or channel."""
    tensor = context.file(1)
    data = as_int8(context.constant(1, ("int8", "uint8")))
    count = tensor.shape[axis]
    if tensor.scale.size not in (1, count):
        raise context.fail(f"{tensor.scale.size} scales of weights; 1 or {count}")
    if tensor.scale.size > 1 and tensor.axis != axis:
        raise context.fail(f"weights are quantised along axis {tensor.axis} instead of {axis}")
    if not (np.isfinite(tensor.scale) & (tensor.scale > 0)).all():
        raise context.fail("a scale of its weights is not positive and finite")
    shift = 128 if tensor.dtype == "uint8" else 0
    zeros = np.unique(tensor.zero_point) if tensor.zero_point.size else np.zeros(1, np.int64)
    if zeros.size > 1:
        raise context.fail("weights with several zero points")
    whole = context.op.kind == "FULLY_CONNECTED" and tensor.scale.size == 1
    if tensor.dtype == "int8" and zeros.any() and not whole:
        raise context.fail(f"int8 weights of zero point {zeros[0]}; kernels take it for 0")
    return data, (zeros - shift).astype(np.int8), tensor.scale


def _bias(context: OpContext, count: int, at: int = 2) -> np.ndarray:
    if not context.has(at):
        return np.zeros(count, np.int32)
    found = context.constant(at, ("int32",)).ravel()
    if found.size != count:
        raise context.fail(f"{found.size} biases for {count} channels")
    return found.astype(np.int32)


def _tail(
    context: OpContext, weight_scales: np.ndarray, channels: int, x_at: int = 0
) -> dict[str, Any]:
    x, y = context.scale(context.file(x_at)), context.scale(context.y)
    if context.rule.algorithm is Algorithm.AXIS_0 and context.file(1).axis != 0:
        context.decline("weights of one scale whose quantized dimension is not 0")
    context.decide(*factors(context.rule, x, weight_scales, y))
    reals = factors(context.rule, x, weight_scales, y)
    return {
        "requantize": requantize_by_rule(context.rule, reals, channels),
        "weight_scale": [float(s) for s in weight_scales],
        **clamp_fields(context),
    }


def conv2d(context: OpContext) -> None:
    """Add a conv2d; groups become weights of zero."""
    weights, zero, scales = _weights(context, 0)
    if weights.ndim != 4:
        raise context.fail(f"weights of shape {weights.shape}")
    shape = inner(context.file(0))
    if len(shape) != 3:
        raise context.fail(f"input of shape {shape} is no image")
    if weights.shape[3] != shape[2] and context.rule.form == "double_up":
        context.rule = replace(
            context.rule, form="double"
        )  # optimised kernels leave groups to others
    weights = _ungrouped(context, weights, int(zero[0]), shape[2])
    context.add(
        "conv2d", context.x(), weights=weights, weight_zero_point=zero,
        bias=_bias(context, len(weights)), **slide(context, weights.shape[1:3], shape),
        **_tail(context, scales, len(weights)),
    )  # fmt: skip


def _ungrouped(context: OpContext, weights: np.ndarray, zero: int, in_c: int) -> np.ndarray:
    out_c, kernel_h, kernel_w, own = weights.shape
    if own == in_c:
        return weights
    if not own or in_c % own or out_c % (in_c // own):
        raise context.fail(f"weights of {own} channels on an input of {in_c}")
    groups = in_c // own
    context.spend(out_c * kernel_h * kernel_w * in_c)
    wide = np.full((out_c, kernel_h, kernel_w, in_c), zero, np.int8)
    for g in range(groups):
        rows = slice(g * out_c // groups, (g + 1) * out_c // groups)
        wide[rows, :, :, g * own : (g + 1) * own] = weights[rows]
    return wide


def depthwise_conv2d(context: OpContext) -> None:
    """Add a depthwise_conv2d."""
    weights, zero, scales = _weights(context, 3)
    if weights.ndim != 4 or weights.shape[0] != 1:
        raise context.fail(f"weights of shape {weights.shape}")
    shape = inner(context.file(0))
    if len(shape) != 3:
        raise context.fail(f"input of shape {shape} is no image")
    count, times = weights.shape[3], context.op.options["DepthMultiplier"]
    if times * shape[2] != count:
        raise context.fail(f"depth multiplier {times} of {shape[2]} channels to {count}")
    context.add(
        "depthwise_conv2d", context.x(), weights=weights[0], weight_zero_point=zero,
        bias=_bias(context, count), **slide(context, weights.shape[1:3], shape),
        **_tail(context, scales, count),
    )  # fmt: skip


def fully_connected(context: OpContext) -> None:
    """Add a fully_connected, of several rows a conv2d of 1x1."""
    if context.op.options["WeightsFormat"]:
        raise context.fail(f"weights format {context.op.options['WeightsFormat']}")
    held = context.file(1)
    if len(held.shape) != 2:
        raise context.fail(f"weights of shape {held.shape}")
    out_c, in_c = held.shape
    size = int(np.prod(context.file(0).shape))
    if context.op.options["KeepNumDims"] and context.file(0).shape[-1:] != (in_c,):
        raise context.fail(f"input of shape {context.file(0).shape}, rows of {in_c} that it keeps")
    if not in_c or size % in_c:
        raise context.fail(f"{size} values do not fill rows of {in_c}")
    rows, out, bias = size // in_c, inner(context.y), _bias(context, out_c)
    if held.data is None:
        _by_data(context, bias)
        return
    context.rule = replace(context.rule, fallback=None)  # only of weights that are data
    weights, zero, scales = _weights(context, 0)
    fields = {"weight_zero_point": zero, "bias": bias, **_tail(context, scales, out_c)}
    if context.rule.form == "float64":
        _need_int32(context, weights, zero, bias, scales)
    flat = out == (out_c,)
    if rows == 1:
        made = context.add("fully_connected", context.x(), weights=weights, last=flat, **fields)
    else:
        x = _reshaped(context, context.x(), context.file(0), (rows, 1, in_c))
        made = context.add(
            "conv2d", x, weights=weights[:, None, None], last=out == (rows, 1, out_c), **fields
        )
        flat = out == (rows, 1, out_c)
    if not flat:
        context.add("reshape", made, shape=extents(out))


def _by_data(context: OpContext, bias: np.ndarray) -> None:
    """Add a matmul: the weights are those that an op produces."""
    if context.rule.fallback is not None:
        context.decline("its weights are no constant")
    weights_of_data(context, bias, **clamp_fields(context))


def transpose_conv(context: OpContext) -> None:
    """Add a transpose_conv2d: the engine pads as for a convolution of the output."""
    weights, zero, scales = _weights(context, 0)
    shape, out = inner(context.file(2)), context.y.shape
    if context.has(0):
        context.constant(0, ("int32",))  # by which the output has its shape

    if weights.ndim != 4 or len(shape) != 3 or weights.shape[3] != shape[2]:
        raise context.fail(f"weights of shape {weights.shape} on an input of shape {shape}")
    if len(out) != 4 or out[0] != 1 or out[3] != len(weights) or min(out) < 1:
        raise context.fail(f"output shape {out}; 1, height, width, {len(weights)} is needed")
    o, kernel = context.op.options, weights.shape[1:3]
    stride = (o["StrideH"], o["StrideW"])
    if min(stride) < 1 or o["Padding"] not in (_SAME, _VALID):
        raise context.fail(f"stride {stride}, padding {o['Padding']}")
    sides: list[int] = []
    for in_size, size, k, s in zip(shape[:2], out[1:3], kernel, stride, strict=True):
        if in_size != (-(-size // s) if o["Padding"] == _SAME else (size - k) // s + 1):
            raise context.fail(
                f"output shape {out}, that no convolution brings to the input's {shape}"
            )
        before = padding(o["Padding"], size, k, s, 1)[0]
        sides += [before, (in_size - 1) * s + k - before - size]
    fields: dict[str, Any] = {
        "weights": weights, "weight_zero_point": zero, "bias": _bias(context, len(weights), 3),
        "stride": stride, "padding": sides,
    }  # fmt: skip
    if context.rule.algorithm is Algorithm.STRIDE_WITHIN_KERNEL:
        if not context.has(0):
            context.decline("its output shape is computed")
        elif o["Padding"] == _SAME and (stride[0] > kernel[0] or stride[1] > kernel[1]):
            context.decline("SAME padding with a stride beyond the kernel")
        else:  # another ratio of scales is refused
            context.rule = replace(context.rule, fallback=None)
    flat_groups = context.y.dtype == "uint8" and context.rule.group
    if flat_groups and _in_groups(context, fields, scales, math.prod(out)):
        return
    context.add(
        "transpose_conv2d", context.x(2), **fields, **_tail(context, scales, len(weights), 2)
    )


def _in_groups(context: OpContext, fields: dict[str, Any], scales: np.ndarray, size: int) -> bool:
    """Add an op for the values of whole groups and one for the rest, where there are both.

    Else the rule becomes that of all values.
    """
    context.need_whole_groups(size, context.rule.group)
    whole, rule = size // context.rule.group * context.rule.group, context.rule
    groups, rest = (replace(rule, form=f, group=0) for f in (rule.form, rule.remainder_form))
    if whole in (0, size):
        context.rule = groups if whole else rest
        return False
    parts, channels = [], len(fields["weights"])
    context.spend(2 * fields["weights"].size)
    for context.rule in (groups, rest):
        tail = _tail(context, scales, channels, 2)
        made = context.add("transpose_conv2d", context.x(2), last=False, **fields, **tail)
        places = range(whole) if context.rule is groups else range(whole, size)
        parts.append(part_of_rows(context, made, context.y, (1, size), places))
    join_rows(context, parts)
    return True


def _need_int32(
    context: OpContext, weights: np.ndarray, zero: np.ndarray, bias: np.ndarray, scales: np.ndarray
) -> None:
    """Refuse outputs that a cast from float64 to int32 does not hold."""
    each = np.abs(weights.astype(np.int16) - zero.astype(np.int16)).sum(axis=1, dtype=np.int64)
    reals = np.array(
        factors(context.rule, context.scale(context.file(0)), scales, context.scale(context.y))
    )
    reach = float(((255.0 * each + np.abs(bias.astype(np.float64))) * reals).max())
    if reach >= 2**31:
        raise context.fail(f"values of up to {reach:.3g} before the clamp, beyond int32")


def _reshaped(context: OpContext, x: str, like: FileTensor, shape: tuple[int, ...]) -> str:
    if inner(like) == shape:
        return x
    return context.add("reshape", x, last=False, like=like, shape=extents(shape))
