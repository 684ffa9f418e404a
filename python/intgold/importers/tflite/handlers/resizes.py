"""RESIZE_BILINEAR: where each output lies between inputs, as tables of addresses and weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ....contracts import Algorithm
from ....ops.resize_bilinear import AXES
from .op_context import OpContext, inner

_FLOAT = np.float32
_EXACT_BITS = 14
"""Fraction bits of both weights by which float32 holds each product and sum of bytes."""
_MAX_FRAC_BITS = 11

Pair = tuple[int, int, float]
"""Two inputs, and how far from the first to the second an output lies."""
_Positions = Callable[[int, int, str], list[Pair]]
"""Of the extents of the input and the output, and which corners agree: see `_corners`."""


def resize_bilinear(context: OpContext) -> None:
    """Add a resize_bilinear."""
    x, y, corners = context.file(0), context.y, _corners(context)
    if len(inner(x)) != 3 or len(inner(y)) != 3:
        raise context.fail(f"shapes {x.shape} and {y.shape} are no images")
    if (context.scale(x), context.zero_point(x)) != (context.scale(y), context.zero_point(y)):
        raise context.fail("the input has another scale or zero point than the output")
    size = context.constant(1, ("int32",)).ravel().tolist()
    if len(size) != 2 or min(size) < 1:
        raise context.fail(f"size {size}")
    context.spend(10 * sum(size))
    positions, form, bits = _WAYS[context.rule.algorithm]
    pairs = [positions(a, b, corners) for a, b in zip(inner(x), size, strict=False)]
    frac_bits = bits or _exact_bits(context, pairs)
    fields: dict[str, Any] = {"frac_bits": frac_bits, "form": form}
    for axis, own, in_size in zip(AXES, pairs, inner(x), strict=False):
        first, second, share = (np.array(part) for part in zip(*own, strict=True))
        if first.max() >= in_size:
            raise context.fail(f"{axis} {first.max()} of {in_size} is read, beyond the input")
        weight = np.rint(np.where(first == second, 0.0, share) * 2**frac_bits)
        fields |= {f"{axis}0": first, f"{axis}1": second, f"{axis}_weight": weight.astype(np.int16)}
    context.add("resize_bilinear", context.x(), **fields)


def _corners(context: OpContext) -> str:
    """Return ``aligned`` of corner pixels, ``centred`` of pixels on half places, or ""."""
    aligned, centred = (context.op.options[n] for n in ("AlignCorners", "HalfPixelCenters"))
    if aligned and centred:
        raise context.fail("align_corners with half_pixel_centers")
    return "aligned" if aligned else "centred" if centred else ""


def _exact_bits(context: OpContext, pairs: Sequence[list[Pair]]) -> int:
    """Return the fraction bits of weights that float32 multiplies and adds without rounding."""
    bits = [max(_bits_of(share) for _, _, share in own) for own in pairs]
    if max(bits) > _MAX_FRAC_BITS or sum(bits) > _EXACT_BITS:
        raise context.fail(
            f"{context.y.dtype}: the engine interpolates in float32, and these weights are no "
            f"multiples of 2^-{_MAX_FRAC_BITS}: no integers give its bits"
        )
    return max(bits)


def _bits_of(share: float) -> int:
    """Return the fraction bits of a float32."""
    return Fraction(share).denominator.bit_length() - 1


def _ten_bits(in_size: int, out_size: int, corners: str) -> list[Pair]:
    """Positions of ten fraction bits, in integers."""
    one = 1 << 10
    scale = (one * in_size + out_size // 2) // out_size
    if corners == "aligned" and out_size > 1:
        scale = (one * (in_size - 1) + (out_size - 1) // 2) // (out_size - 1)
    found = []
    for i in range(out_size):
        at = i * scale + (scale // 2 - one // 2 if corners == "centred" else 0)
        first = max(at // one, 0)
        found.append((first, min(-(-at // one), in_size - 1), (at - one * first) / one))
    return found


def _clamped(in_size: int, out_size: int, corners: str) -> list[Pair]:
    """Positions in float32, within the input."""
    found = []
    for at in _float_positions(in_size, out_size, corners):
        inside = min(max(at, _FLOAT(0)), _FLOAT(in_size - 1)) if corners == "centred" else at
        first = int(inside)
        found.append((first, min(first + 1, in_size - 1), float(inside - _FLOAT(first))))
    return found


def _unclamped(in_size: int, out_size: int, corners: str) -> list[Pair]:
    """Positions in float32; the neighbours are within the input."""
    found = []
    for at in _float_positions(in_size, out_size, corners):
        first = max(math.floor(at), 0)
        second = min(math.ceil(at), in_size - 1)
        found.append((first, second, float(at - _FLOAT(first))))
    return found


def _float_positions(in_size: int, out_size: int, corners: str) -> list[np.float32]:
    less = 1 if corners == "aligned" and out_size > 1 else 0
    scale = _FLOAT(in_size - less) / _FLOAT(out_size - less)
    half = _FLOAT(0.5)
    if corners == "centred":
        return [_FLOAT(i) * scale + (half * scale - half) for i in range(out_size)]
    return [_FLOAT(i) * scale for i in range(out_size)]


_WAYS: Mapping[Algorithm, tuple[_Positions, str, int]] = {
    Algorithm.WEIGHTS_OF_10_BITS: (_ten_bits, "away", 10),
    Algorithm.WEIGHTS_OF_11_BITS: (_clamped, "up", 11),
    Algorithm.FLOAT32_WEIGHTS: (_unclamped, "up", 0),
}
"""How positions come about, the form of the rounding, and fraction bits; 0: as they are."""
