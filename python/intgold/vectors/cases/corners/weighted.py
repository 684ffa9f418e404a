"""Corners of ops with weights: what their sums and clamps can do.

Most need no window: rows of weights by a vector of inputs.  A conv2d or transpose_conv2d has the
vector as the channels of one pixel, a depthwise_conv2d as the pixels of one channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ....ops.fields import (
    DOUBLE_FORMS,
    FLOAT_FORMS,
    FORMS,
    INT32_MAX,
    INT32_MIN,
    SINGLE_FORMS,
    Requantize,
)
from ....ops.table import OPS
from .case import FULL, QUARTERS, UNIT, Case, Fields, each_form, most, one_op, requantize_entries

SLIDE: Fields = {"stride": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1)}
_COUNT = len(FORMS)


def weighted_cases(kind: str) -> Iterator[Case]:
    """Yield the cases that do not depend on a window."""
    for cases in (_sums, _ties, _float_forms, _fields_of_requantize, _channels, _accumulators):
        yield from cases(kind)
    for bits in range(1, 9):
        yield _narrow_multiplier(kind, bits)


def weighted_fields(weights: np.ndarray, out_c: int, **other: Any) -> Fields:
    """Return the common fields; weights without zero point, no bias, R(acc) = acc."""
    fields = {
        "weights": weights,
        "weight_zero_point": [0],
        "weight_scale": None,
        "bias": [0] * out_c,
        "requantize": UNIT,
        **FULL,
        **other,
    }
    return {
        **fields,
        "weight_zero_point": np.array(fields["weight_zero_point"], np.int8),
        "bias": np.array(fields["bias"], np.int32),
    }


def _rows(
    kind: str, name: str, reason: str, rows: Any, x: Any, x_zero: int = 0, y_zero: int = 0,
    **other: Any,
) -> Case:  # fmt: skip
    """Return a case of rows (out_c, taps) by vectors x (n, taps), without a window."""
    weights, vectors = np.array(rows, np.int8), np.array(x, np.int8)
    (out_c, taps), count = weights.shape, len(vectors)
    if kind in ("conv2d", "transpose_conv2d"):
        weights = weights.reshape(out_c, 1, 1, taps)
        vectors = vectors.reshape(count, 1, 1, taps)
    elif kind == "depthwise_conv2d":
        weights = weights.T.reshape(1, taps, out_c)
        vectors = vectors.reshape(count, 1, taps, 1)
    fields = {**_geometry(kind), **weighted_fields(weights, out_c, **other)}
    return one_op(kind, name, reason, fields, {"x": vectors}, {"x": x_zero, "y": y_zero})


def _geometry(kind: str) -> Fields:
    """Return the fields of a window of stride 1 without padding."""
    return {name: SLIDE[name] for name in SLIDE if name in OPS[kind].fields}


def _single(
    kind: str, name: str, reason: str, weights: Sequence[int], x: Sequence[int], **other: Any
) -> Case:
    """Return a case of one weight per channel by one value: acc = weight * x + bias."""
    return _rows(kind, name, reason, [[w] for w in weights], [[v] for v in x], **other)


def _sums(kind: str) -> Iterator[Case]:
    yield _single(
        kind, "smallest", "one input, one output, every int8 value", [1], range(-128, 128)
    )
    yield _single(
        kind, "saturation",
        "both saturations, by one (128 and -129 before the clamp) and by far",
        [1, 1, 127, -127], [-128, -127, 0, 126, 127], bias=[1, -1, 0, 0],
    )  # fmt: skip
    for name, reason, lo, hi, y_zero in (
        ("narrow_clamp", "act_min -3 and act_max 5, values one inside and outside", -3, 5, 0),
        ("one_value_clamp", "act_min = act_max = 7: nothing else comes out", 7, 7, 0),
        ("relu", "act_min is the zero point -20: negative values become it", -20, 127, -20),
    ):
        x = [-128, -21, -20, -4, -3, -2, -1, 0, 1, 4, 5, 6, 7, 8, 127]
        yield _single(kind, name, reason, [1], x, y_zero=y_zero, act_min=lo, act_max=hi)
    for x_zero in (-128, 127):
        for y_zero in (-128, 127):
            yield _single(
                kind, f"zero_points_{_sign(x_zero)}_{_sign(y_zero)}",
                f"zero points {x_zero} of x, {y_zero} of y, -128 and 127 of the weights",
                [127, -128, -128, 127, 0, 0], [-128, -127, 0, 126, 127],
                x_zero=x_zero, y_zero=y_zero, weight_zero_point=[-128, 127] * 3,
                requantize=Requantize.of(2**30, 39),
            )  # fmt: skip
    for x_zero in (-128, 127):
        yield _rows(
            kind, f"largest_products_{_sign(x_zero)}",
            f"16 products of a weight end by an input 255 from its zero point {x_zero}",
            [[-128] * 16, [127] * 16], [[-x_zero - 1] * 16, [x_zero] * 16],
            x_zero=x_zero, requantize=Requantize.of(2**30, 43),
        )  # fmt: skip


def _sign(point: int) -> str:
    return "low" if point < 0 else "high"


def _ties(kind: str) -> Iterator[Case]:
    ones = [1] * _COUNT
    yield _single(
        kind, "ties", "halves of odd values, of both signs and parities, a channel per form",
        ones, range(-15, 16, 2), requantize=each_form(2**30, 31),
    )  # fmt: skip
    yield _single(
        kind, "second_ties",
        "odd halves of both signs and parities in the second rounding of the double forms, "
        "a channel per form",
        ones, range(-14, 15, 4), requantize=each_form(2**30, 32),
    )  # fmt: skip
    yield _single(
        kind, "double_rounding",
        "quarters: the first rounding of the double forms produces ties that were not there",
        ones, QUARTERS, requantize=each_form(2**30, 32),
    )  # fmt: skip
    forms = ("single", "double", "double_up")
    yield _single(
        kind, "double_rounding_alone",
        "no tie anywhere near: the double forms still miss the nearest integer, on both sides",
        [1] * 3 + [2] * 3, [-68, -45, 0, 45, 113],
        requantize=Requantize.of(1518500250, 37, forms * 2),
    )  # fmt: skip
    bias = [b for b in (256, -256, 768, -768) for _ in FORMS]
    yield _single(
        kind, "near_ties",
        "one below, at and above 0.5, -0.5, 1.5 and -1.5, a channel per form and tie",
        ones * 4, [-1, 0, 1], bias=bias, requantize=each_form(2**30, 39, 4),
    )  # fmt: skip


def _float_forms(kind: str) -> Iterator[Case]:
    """Yield what the roundings inside the float forms do, beside form single."""
    parts, bias = [], []
    for base, t in ((2**24, 55), (3 * 2**23, 54)):
        for sign in (1, -1):
            parts += [(form, 2**30, t, 0) for form in ("float32", "single_away")]
            bias += [sign * base] * 2
    yield _single(
        kind, "float32_accumulator",
        "accumulators of 25 bits, an odd one next to a tie: float32 rounds it onto the tie",
        [1] * len(bias), [-1, 0, 1], bias=bias, requantize=requantize_entries(*parts),
    )  # fmt: skip
    sixth32, sixth64 = (11184811 * 2**7, 33, 0), (1431655765, 33, 1398101)
    yield _single(
        kind, "float_products",
        "3 by the nearest to 1/6: the product loses its last bit in the float forms and is a tie",
        [1] * 4, [-3, -1, 0, 1, 3],
        requantize=requantize_entries(
            ("float32", *sixth32), ("single", *sixth32),
            ("float64", *sixth64), ("single", sixth64[0], sixth64[1], 0),
        ),
    )  # fmt: skip


def _fields_of_requantize(kind: str) -> Iterator[Case]:
    ones = [1] * _COUNT
    yield _single(
        kind, "dead_channel", "multiplier 0: the zero point, whatever the sum, in every form",
        [127] * _COUNT, [-128, -1, 0, 1, 127], y_zero=-3, requantize=each_form(0, 31),
    )  # fmt: skip
    singles, doubles, floats = SINGLE_FORMS, DOUBLE_FORMS, FLOAT_FORMS
    parts = [(f, 1, 1, 0) for f in singles]
    parts += [(f, 1, 1, 0) for f in doubles for _ in range(3)]
    parts += [(f, 2**30, 1, 0) for f in floats]
    # The double forms shift an accumulator left by 30 here: it must lie in [-2, 1].
    weights, bias = [1] * 5 + [0] * 6 + [2] * 2, [0] * 5 + [1, -1, -2] * 2 + [0] * 2
    yield _single(
        kind, "right_shift_1",
        "the smallest right_shift: ties by multiplier 1, the ends of the double forms' left shift, "
        "and float forms far beyond int32",
        weights, [-3, -2, -1, 0, 1, 2, 3], bias=bias, requantize=requantize_entries(*parts),
    )  # fmt: skip
    parts = [(f, most(f)[0], 62, most(f)[1]) for f in FORMS for _ in range(2)]
    parts += [(f, 2**30, 62, 0) for f in FORMS]
    bias = [INT32_MAX - 127, INT32_MIN + 128] * _COUNT + [INT32_MIN + 128] * _COUNT
    yield _single(
        kind, "right_shift_62",
        "the largest right_shift: int32's ends by the largest multiplier are nearly 1 and -1; "
        "the smallest value by 2^30 is the tie -0.5",
        [1] * len(bias), [-128, 0, 127], bias=bias, requantize=requantize_entries(*parts),
    )  # fmt: skip
    parts = [(f, most(f)[0], 38, most(f)[1]) for f in FORMS]
    parts += [(f, 2**30, 37, 0) for f in FORMS]
    parts += [(f, 1, 7, 0) for f in singles + doubles]
    yield _single(
        kind, "multiplier_ends",
        "the multipliers 2^31-1 (the largest of the form), 2^30 and 1: 1/128 and just below",
        [1] * len(parts), [-128, -127, -65, -64, -63, -1, 0, 1, 63, 64, 65, 127],
        requantize=requantize_entries(*parts),
    )  # fmt: skip
    by = requantize_entries(*[(f, 2**30 + (c << 25), 33 + c % 3, 0) for c, f in enumerate(FORMS)])
    yield _single(
        kind, "per_channel",
        "a form, multiplier, right_shift, weight zero point and bias for each channel",
        range(-4, 5), [-128, -1, 0, 1, 127], requantize=by,
        weight_zero_point=[5 * c - 30 for c in range(_COUNT)],
        bias=[100 * c - 400 for c in range(_COUNT)],
    )  # fmt: skip
    yield _single(
        kind, "per_tensor", "one requantize entry and one weight zero point for all channels",
        [*ones[:3], -1, 5, 7], [-128, -1, 0, 1, 127],
        requantize=Requantize.of(2**30, 33), weight_zero_point=[-2],
    )  # fmt: skip


def _narrow_multiplier(kind: str, bits: int) -> Case:
    """Return ties of both signs by multipliers of few bits, one channel per form and multiplier."""
    odd = sorted({2 ** (bits - 1) | 1, (2 ** (bits - 1) | 3) % 2**bits})
    weight = 4 if bits == 8 else 2
    # With t = 32, acc * m_b / 2^(bits + 1): a tie for odd multiples of 2^bits.
    step = 2**bits // weight
    x = [s * (k * step + d) for k in (1, 3) for d in (-1, 0, 1) for s in (1, -1)]
    return _single(
        kind, f"narrow_multiplier_{bits}",
        f"multipliers of {bits} significant bits ({', '.join(map(str, odd))}): exact ties of both "
        "signs, a channel per form",
        [weight] * _COUNT * len(odd), [v for v in x if -128 <= v <= 127],
        requantize=requantize_entries(*[(f, m << (31 - bits), 32, 0) for m in odd for f in FORMS]),
    )  # fmt: skip


def _channels(kind: str) -> Iterator[Case]:
    """Yield cases in which only the first or only the last channel counts, on either side."""
    in_c, out_c = 17, 34 if kind == "depthwise_conv2d" else 9
    x = np.full((3, in_c), 5, np.int8)
    x[1, 0], x[2, -1] = 12, 13

    def case(name: str, reason: str, weights: np.ndarray) -> Case:
        """Return a case of weights (out_c, in_c), or (out_c, 1) for a depthwise_conv2d."""
        if kind != "depthwise_conv2d":
            return _rows(kind, name, reason, weights, x, x_zero=5)
        fields = {**SLIDE, **weighted_fields(weights.reshape(1, 1, out_c), out_c)}
        return one_op(kind, name, reason, fields, {"x": x.reshape(3, 1, 1, in_c)}, {"x": 5})

    per_output = 1 if kind == "depthwise_conv2d" else in_c
    row = (np.arange(out_c * per_output) % 15 - 7).astype(np.int8)
    row[row == 0] = 8
    weights = row.reshape(out_c, per_output)
    yield case(
        "input_channel_ends",
        "17 input channels at the zero point but none, the first, the last",
        weights,
    )
    for name, channel in (("first_output_channel", 0), ("last_output_channel", out_c - 1)):
        single = np.zeros_like(weights)
        single[channel] = weights[channel]
        reason = f"of {out_c} output channels only number {channel} has weights that are not zero"
        yield case(name, reason, single)


def _accumulators(kind: str) -> Iterator[Case]:
    reach = 16 * 255 * 255
    bias = [INT32_MAX - reach, INT32_MIN + reach]
    yield _rows(
        kind, "accumulator_ends",
        "the proof's bounds are 2^31-1 and -2^31, and 16 products of 255*255 reach them; "
        "left as int32",
        [[127] * 16, [-128] * 16], [[-128] * 16, [0] * 16, [127] * 16],
        x_zero=-128, weight_zero_point=[-128, 127], bias=bias, requantize=None,
    )  # fmt: skip
    yield _rows(
        kind, "accumulator_ends_scaled",
        "accumulators 2^31-1 and -2^31, divided by 2^25, two channels per form",
        [[127] * 16, [-128] * 16] * _COUNT, [[-128] * 16, [0] * 16, [127] * 16],
        x_zero=-128, weight_zero_point=[-128, 127] * _COUNT, bias=bias * _COUNT,
        requantize=requantize_entries(*[(f, 2**30, 55, 0) for f in FORMS for _ in range(2)]),
    )  # fmt: skip
    yield _single(
        kind, "int32_left",
        "requantize none: the accumulator comes out, neither clamped nor moved",
        [127, -128], [-128, -1, 0, 1, 127], bias=[2**20, -(2**20)], requantize=None,
        act_min=3, act_max=3,
    )  # fmt: skip
