"""Random ops of every size that the fast kernels treat in a way of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

from intgold import Model, ModelError, Op, Tensor
from intgold.ops.fields import FORMS, Requantize
from intgold.ops.shapes import Shape
from intgold.vectors.cases.random_models import requantize_of

CHANNELS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 64, 70)


def _requantize(rng: Random, channels: int, reach: int) -> Requantize:
    """Scales that bring `reach` to a few hundred: some outputs clamp, most do not."""
    form = rng.choice(("single", "single", "single", *FORMS))
    count = rng.choice((1, channels))
    m = np.array([rng.randrange(2**30, 2**31) & ~0x7F for _ in range(count)], np.int64)
    narrow = rng.random() < 0.3
    if narrow and not form.startswith("float"):
        m = np.array([rng.choice((1, 3, 5, 8)) << 27 for _ in m], np.int64)
    if rng.random() < 0.2 and not form.startswith("float"):
        m[rng.randrange(count)] = 0
    t = [min((reach * int(v or 2**30)).bit_length() - rng.randint(7, 9), 62) for v in m]
    return Requantize.of(m, np.array(t, np.int64), [form] * count, np.zeros(count, np.int64))


def convolution(seed: int) -> Model:
    """Return a conv2d, often with a lut, and sometimes a 2x2 max_pool2d after it."""
    rng = Random(seed)
    draw = np.random.default_rng(seed)
    in_c, out_c = rng.choice(CHANNELS), rng.choice(CHANNELS)
    kernel = (rng.randint(1, 7), rng.randint(1, 7)) if rng.random() < 0.6 else (3, 3)
    if rng.random() < 0.15:
        kernel = (1, 1)
    dilation = (1, 1) if rng.random() < 0.7 else (rng.randint(1, 3), rng.randint(1, 3))
    stride = (1, 1) if rng.random() < 0.6 else (rng.randint(1, 3), rng.randint(1, 3))
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    pads = [rng.randint(0, s // 2) for s in (span[0], span[0], span[1], span[1])]
    size = [rng.choice((1, 2, 7, 13, 14, 28, 61)), rng.choice((1, 2, 5, 9, 14, 28, 57, 130))]
    while size[0] * size[1] * in_c * out_c * kernel[0] * kernel[1] > 2**24:
        size[rng.randrange(2)] = rng.randint(1, 9)
    padded = (pads[0] + pads[1], pads[2] + pads[3])
    size = [max(size[i], span[i] - padded[i]) for i in range(2)]
    out = [(size[i] + padded[i] - span[i]) // stride[i] + 1 for i in range(2)]
    zero = [0] if rng.random() < 0.8 else draw.integers(-128, 128, rng.choice((1, out_c)))
    depth = kernel[0] * kernel[1] * in_c
    bias = 2 ** rng.randint(0, 16)
    clamp = sorted(draw.integers(-128, 128, 2)) if rng.random() < 0.3 else (-128, 127)
    fields = {
        "stride": stride,
        "padding": tuple(pads),
        "dilation": dilation,
        "weights": draw.integers(-128, 128, (out_c, *kernel, in_c)).astype(np.int8),
        "weight_zero_point": np.array(zero, np.int8),
        "weight_scale": None,
        "bias": draw.integers(-bias, bias, out_c).astype(np.int32),
        "requantize": None
        if rng.random() < 0.1
        else _requantize(rng, out_c, int(np.sqrt(depth)) * 2**13 + bias),
        "act_min": int(clamp[0]),
        "act_max": int(clamp[1]),
    }
    int32 = fields["requantize"] is None
    point = 0 if int32 else rng.randint(-128, 127)
    tensors = [
        Tensor("x", (size[0], size[1], in_c), zero_point=rng.randint(-128, 127)),
        Tensor("y", (out[0], out[1], out_c), "int32" if int32 else "int8", zero_point=point),
    ]
    ops = [Op("conv2d", "conv", ("x",), "y", fields)]
    if not int32 and rng.random() < 0.6:
        table = draw.integers(-128, 128, 256).astype(np.int8)
        if rng.random() < 0.6:
            table.sort()
        tensors.append(Tensor("z", tensors[-1].shape))
        ops.append(Op("lut", "lut", ("y",), "z", {"table": table}))
    if not int32 and min(out) >= 2 and rng.random() < 0.5:
        last = tensors[-1]
        shape = (out[0] // 2, out[1] // 2, out_c)
        tensors.append(Tensor("p", shape, zero_point=last.zero_point))
        pool = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0),
                "act_min": -128, "act_max": 127}  # fmt: skip
        ops.append(Op("max_pool2d", "pool", (last.name,), "p", pool))
    return Model(f"conv{seed}", tensors, ops, ["x"], [tensors[-1].name])


def _first_valid(draft: Callable[[Random], Model], seed: int) -> Model:
    """Draw until no accumulator can leave int32."""
    rng = Random(seed)
    for _ in range(30):
        try:
            return draft(rng)
        except ModelError as error:
            refused = error
    raise refused


def depthwise(seed: int) -> Model:
    """Return a depthwise_conv2d of any shape, zero point and requantize form."""
    return _first_valid(_depthwise, seed)


def _depthwise(rng: Random) -> Model:
    draw = np.random.default_rng(rng.randrange(2**32))
    in_c = rng.randint(1, 70)
    out_c = in_c * rng.choice((1, 1, 2, 3))
    kernel = (rng.randint(1, 7), rng.randint(1, 7)) if rng.random() < 0.7 else (3, 3)
    stride = (rng.randint(1, 3), rng.randint(1, 3))
    dilation = (1, 1) if rng.random() < 0.6 else (rng.randint(1, 3), rng.randint(1, 3))
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    pads = [rng.randint(0, s) for s in (span[0], span[0], span[1], span[1])]
    padded = (pads[0] + pads[1], pads[2] + pads[3])
    size = [max(rng.randint(1, 12), span[i] - padded[i]) for i in range(2)]
    if rng.random() < 0.1:
        size[1] = rng.randint(60, 130)
    out = [(size[i] + padded[i] - span[i]) // stride[i] + 1 for i in range(2)]
    zero = draw.integers(-128, 128, rng.choice((1, out_c)))
    zero[rng.randrange(len(zero))] = rng.choice((0, -128, 127))
    bias = 2 ** rng.randint(0, 16)
    reach = int(np.sqrt(kernel[0] * kernel[1])) * 2**13 + bias
    bare = rng.random() < 0.1
    clamp = sorted(draw.integers(-128, 128, 2)) if rng.random() < 0.3 else (-128, 127)
    fields = {
        "stride": stride,
        "padding": tuple(pads),
        "dilation": dilation,
        "weights": draw.integers(-128, 128, (*kernel, out_c)).astype(np.int8),
        "weight_zero_point": np.zeros(1, np.int8) if rng.random() < 0.4 else zero.astype(np.int8),
        "weight_scale": None,
        "bias": draw.integers(-bias, bias, out_c).astype(np.int32),
        "requantize": None if bare else _any_requantize(rng, out_c, reach),
        "act_min": int(clamp[0]),
        "act_max": int(clamp[1]),
    }
    return _of_one_op(rng, "depthwise_conv2d", (*size, in_c), (*out, out_c), fields)


def transposed(seed: int) -> Model:
    """Return a transpose_conv2d of any shape, stride, cut, zero point and requantize form."""
    return _first_valid(_transposed, seed)


def _transposed(rng: Random) -> Model:
    draw = np.random.default_rng(rng.randrange(2**32))
    in_c, out_c = rng.choice(CHANNELS), rng.choice(CHANNELS)
    kernel, stride = (
        (rng.randint(1, most), rng.randint(1, most)) if rng.random() < 0.7 else usual
        for most, usual in ((7, (3, 3)), (4, (2, 2)))
    )
    size = [rng.choice((1, 2, 5, 7, 14)), rng.choice((1, 2, 5, 9, 28))]
    while size[0] * size[1] * in_c * out_c * kernel[0] * kernel[1] > 2**23:
        size[rng.randrange(2)] = rng.randint(1, 5)
    sides, out = [], []
    for i in range(2):
        full = (size[i] - 1) * stride[i] + kernel[i]
        before = rng.randint(0, min(kernel[i] + 1, full - 1))
        after = rng.randint(1 - stride[i], min(kernel[i] + 1, full - before - 1))
        sides += [before, after]
        out.append(full - before - after)
    zero = draw.integers(-128, 128, rng.choice((1, out_c))).astype(np.int8)
    bias = 2 ** rng.randint(0, 16)
    reach = int(np.sqrt(kernel[0] * kernel[1] * in_c)) * 2**13 + bias
    bare = rng.random() < 0.1
    clamp = sorted(draw.integers(-128, 128, 2)) if rng.random() < 0.3 else (-128, 127)
    fields = {
        "stride": stride,
        "padding": tuple(sides),
        "weights": draw.integers(-128, 128, (out_c, *kernel, in_c)).astype(np.int8),
        "weight_zero_point": np.zeros(1, np.int8) if rng.random() < 0.6 else zero,
        "weight_scale": None,
        "bias": draw.integers(-bias, bias, out_c).astype(np.int32),
        "requantize": None if bare else _any_requantize(rng, out_c, reach),
        "act_min": int(clamp[0]),
        "act_max": int(clamp[1]),
    }
    return _of_one_op(rng, "transpose_conv2d", (*size, in_c), (*out, out_c), fields)


def _of_one_op(rng: Random, kind: str, of: Shape, to: Shape, fields: dict[str, Any]) -> Model:
    """Return the model of an op whose zero points are drawn."""
    bare = fields["requantize"] is None
    point = 0 if bare else rng.randint(-128, 127)
    tensors = [
        Tensor("x", of, zero_point=rng.choice((-128, 127, 0, 5))),
        Tensor("y", to, "int32" if bare else "int8", zero_point=point),
    ]
    return Model(kind, tensors, [Op(kind, kind, ("x",), "y", fields)], ["x"], ["y"])


def _any_requantize(rng: Random, channels: int, reach: int) -> Requantize:
    """One form, as a rule; sometimes mixed ones."""
    return (_requantize if rng.random() < 0.6 else requantize_of)(rng, channels, reach)


ON_VALUES = (
    "lut", "add", "mul", "max_pool2d", "avg_pool2d", "global_avg_pool", "resize_bilinear",
)  # fmt: skip


def on_values(seed: int) -> Model:
    """Return an op of `ON_VALUES` on an image of 1 to 70 channels, rarely a round number."""
    kind = ON_VALUES[seed % len(ON_VALUES)]
    return _first_valid(lambda rng: _on_values(rng, kind), seed)


def _on_values(rng: Random, kind: str) -> Model:
    shape = (rng.randint(1, 9), rng.randint(1, 9), rng.choice((1, 2, 300, *range(3, 71))))
    out = shape
    names = ("x1", "x2") if kind in ("add", "mul") else ("x",)
    fields: dict[str, Any] = {
        "act_min": rng.choice((-128, -3)),
        "act_max": rng.choice((127, 60)),
    }
    if kind in ("max_pool2d", "avg_pool2d"):
        kernel = [rng.randint(1, min(4, s)) for s in shape[:2]]
        pads = [rng.randrange(k) for k in (kernel[0], kernel[0], kernel[1], kernel[1])]
        stride = (rng.randint(1, 3), rng.randint(1, 3))
        room = [shape[i] + pads[2 * i] + pads[2 * i + 1] - kernel[i] for i in range(2)]
        out = (room[0] // stride[0] + 1, room[1] // stride[1] + 1, shape[2])
        fields |= {"kernel": tuple(kernel), "stride": stride, "padding": tuple(pads)}
    if kind == "avg_pool2d":
        fields["form"] = rng.choice(("raw_away", "centred_away", "raw_up"))
    if kind == "global_avg_pool":
        out = (1, 1, shape[2])
        fields["requantize"] = _any_requantize(rng, shape[2], shape[0] * shape[1] * 2**7)
    if kind == "mul":
        fields["requantize"] = _any_requantize(rng, 1, 2**14)
    if kind == "add":
        fields |= _add(rng)
    if kind == "resize_bilinear":
        fields = _resize(rng, shape)
        out = (len(fields["row0"]), len(fields["column0"]), shape[2])
    if kind == "lut":
        fields = {"table": _table(rng)}
    zero_points = [rng.randint(-128, 127) for _ in (*names, "y")]
    if kind == "resize_bilinear":  # in the scale of its input
        zero_points[-1] = zero_points[0]
    shapes = (*(shape for _ in names), out)
    tensors = [
        Tensor(n, s, zero_point=z)
        for n, s, z in zip((*names, "y"), shapes, zero_points, strict=True)
    ]
    return Model(kind, tensors, [Op(kind, kind, names, "y", fields)], list(names), ["y"])


def _table(rng: Random) -> np.ndarray:
    """Return any table, or one that is a line between two bounds, flatter below its bend."""
    if rng.random() < 0.4:
        return np.array([rng.randint(-128, 127) for _ in range(256)], np.int8)
    bent = rng.random() < 0.5
    slope = (1 if bent else rng.choice((-1, 1))) * rng.uniform(0.2, 3)
    offset = rng.uniform(-100, 100)
    x = np.arange(-128, 128) - rng.randint(-60, 60)
    below = rng.uniform(0, slope) if bent else slope
    line = np.floor(np.where(x < 0, below, slope) * x + offset)
    return np.clip(line, rng.choice((-128, -40)), 127).astype(np.int8)


def every_sum(seed: int) -> Model:
    """Return an add of 256x256 values: of any form, as quantisers scale one, or far from that."""
    draft = (_any_sum, _quantised_sum, _far_sum)[seed % 3]
    form = FORMS[seed // 3 % len(FORMS)]

    def draw(rng: Random) -> Model:
        among = (-128, 127) if rng.random() < 0.3 else range(-128, 128)
        return _sum([rng.choice(among) for _ in range(3)], draft(rng, form))

    return _first_valid(draw, seed)


def largest_sum(right_shift: int, zero_point: int, y_zero_point: int) -> Model:
    """Return an add of 256x256 values whose sums, shifted by 22 bits, reach 510/512 of int32."""
    same = Requantize.of(2**30, 30, "single")
    fields = {"form": "shared_scale", "left_shift": 22, "act_min": -128, "act_max": 127}
    scales = {"requantize1": same, "requantize2": same}
    scales["requantize"] = Requantize.of(2**30, 30 + right_shift, "single")
    return _sum([zero_point, zero_point, y_zero_point], fields | scales)


def _sum(zero_points: Sequence[int], fields: dict[str, Any]) -> Model:
    names, shape = ("x1", "x2"), (256, 256, 1)
    tensors = [
        Tensor(n, shape, zero_point=z) for n, z in zip((*names, "y"), zero_points, strict=True)
    ]
    return Model("sums", tensors, [Op("add", "add", names, "y", fields)], list(names), ["y"])


def _any_sum(rng: Random, form: str) -> dict[str, Any]:
    return {"act_min": -128, "act_max": rng.choice((127, 60)), **_add(rng)}


def _quantised_sum(rng: Random, form: str) -> dict[str, Any]:
    fields = {"form": "shared_scale", "left_shift": 20, "act_min": -128, "act_max": 127}
    shifts = {"requantize1": rng.randint(31, 34), "requantize2": 31, "requantize": 49}
    return fields | {
        n: Requantize.of(rng.randrange(2**30, 2**31) & ~0x7F, t, form) for n, t in shifts.items()
    }


def _far_sum(rng: Random, form: str) -> dict[str, Any]:
    """Return fields of sums that other left shifts bring up to 2^17 outputs from the clamp."""
    left_shift, least = rng.randint(12, 22), rng.randint(30, 33)
    beyond = rng.choice((0, 0, 3, 7, 7))  # bits
    act_min, act_max = sorted(rng.sample(range(-128, 128), 2)) if beyond == 0 else (-128, 127)

    def scale(right_shift: int, form: str) -> Requantize:
        multiplier = rng.choice((2**30, rng.randrange(2**30, 2**31) & ~0x7F))
        return Requantize.of(multiplier, right_shift, form)

    return {
        "form": rng.choice(("shared_scale", "shared_scale_difference")),
        "left_shift": left_shift,
        "requantize1": scale(least, rng.choice(FORMS)),
        "requantize2": scale(least + rng.randint(0, 2), rng.choice(FORMS)),
        "requantize": scale(61 + left_shift - least - beyond, form),
        "act_min": act_min,
        "act_max": act_max,
    }


def _add(rng: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {"form": "shared_scale", "left_shift": 20}
    fields |= {f"requantize{i}": _requantize(rng, 1, 2**9) for i in (1, 2)}
    if rng.random() < 0.5:  # as quantisers give the input of the larger scale
        exact = Requantize.of(2**30, rng.choice((29, 31, 33, 50, 51, 55)), "single")
        fields[rng.choice(("requantize1", "requantize2"))] = exact
    fields["requantize"] = _any_requantize(rng, 1, 2**27)
    return fields | _lines(rng) if rng.random() < 0.5 else fields


def _lines(rng: Random) -> dict[str, object]:
    """Return fields of an add that only multiplies and shifts, as XNNPACK adds; up to 2^31."""
    most = rng.choice((2**10, 2**20, 2**21, 2**22))
    slopes = [rng.randint(most // 9, most) for _ in range(2)]
    shift = (256 * max(slopes)).bit_length() - rng.randint(7, 8)
    doubled = rng.choice((0, 0, 5))
    return {
        "left_shift": 8,
        **{f"requantize{i}": Requantize.of(m, 8, "single") for i, m in enumerate(slopes, 1)},
        "requantize": Requantize.of(rng.choice((1, 1, 3)) << doubled, shift + doubled, "single"),
    }


def _resize(rng: Random, shape: Shape) -> dict[str, Any]:
    """Return fields of a resize_bilinear, of neighbours or of any two rows and columns."""
    frac_bits = rng.choice((0, 1, 5, 10, 11))
    fields: dict[str, Any] = {"frac_bits": frac_bits, "form": rng.choice(("up", "away"))}
    for axis, extent in zip(("row", "column"), shape, strict=False):
        first = [rng.randrange(extent) for _ in range(rng.randint(1, 20))]
        far = rng.random() < 0.5
        second = [rng.randrange(extent) if far else min(i + 1, extent - 1) for i in first]
        fields[f"{axis}0"], fields[f"{axis}1"] = np.int32(first), np.int32(second)
        weights = [rng.choice((0, 1 << frac_bits, rng.randint(0, 1 << frac_bits))) for _ in first]
        fields[f"{axis}_weight"] = np.int16(weights)
    return fields
