"""Models of one op each, in the shapes of MobileNet, ResNet, DS-CNN, the shipped network, U-Net,
DeepLab and feature pyramids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from intgold import Model, Op, Requantize, Tensor

X_ZERO_POINT, Y_ZERO_POINT = 3, -5
X_DEVIATION = W_DEVIATION = 74  # of uniform int8
Y_DEVIATION = 45  # a few outputs clamp, the others spread
ACT = {"act_min": -128, "act_max": 127}


@dataclass(frozen=True)
class Case:
    """One op at one shape.

    Parameters
    ----------
    name : str
    group : str
        Of ops that can be expected to come equally near the roofline.
    model : Model
    products : int
        Multiply-adds; 0 for an op that has none.
    peer : mapping of str to object
        What ort_worker.py has to know beside the fields.
    """

    name: str
    group: str
    model: Model
    products: int
    peer: Mapping[str, object] = field(default_factory=dict)

    def inputs(self) -> dict[str, np.ndarray]:
        """Return one image of noise for each input."""
        draw = np.random.default_rng(1)
        return {
            n: draw.integers(-128, 128, (1, *self.model.tensor(n).shape)).astype(np.int8)
            for n in self.model.inputs
        }


def _requantize(depth: int, channels: int) -> Requantize:
    """Per channel, in form ``single``, so that sums of `depth` products of noise spread."""
    scale = Y_DEVIATION / (np.sqrt(depth) * X_DEVIATION * W_DEVIATION)
    fraction, exponent = np.frexp(scale * np.random.default_rng(2).uniform(0.7, 1.4, channels))
    return Requantize.of((fraction * 2**31).astype(np.int64), 31 - exponent.astype(np.int64))


def _weighted(shape: tuple[int, ...], depth: int, out_c: int) -> dict[str, object]:
    draw = np.random.default_rng(3)
    return {
        "weights": draw.integers(-127, 128, shape).astype(np.int8),
        "weight_zero_point": np.zeros(1, np.int8),
        "weight_scale": None,
        "bias": draw.integers(-(2**12), 2**12, out_c).astype(np.int32),
        "requantize": _requantize(depth, out_c),
        **ACT,
    }


def _one_op(
    kind: str, inputs: tuple[tuple[int, ...], ...], out: tuple[int, ...], fields: dict[str, object]
) -> Model:
    names = [f"x{i}" for i in range(1, len(inputs) + 1)]
    tensors = [Tensor(n, s, zero_point=X_ZERO_POINT) for n, s in zip(names, inputs, strict=True)]
    # Where outputs are inputs, or lie between them, they have one scale.
    zero_point = Y_ZERO_POINT if "requantize" in fields else X_ZERO_POINT
    tensors.append(Tensor("y", out, zero_point=zero_point))
    return Model("one_op", tensors, [Op(kind, kind, tuple(names), "y", fields)], names, ["y"])


def _slide(
    size: tuple[int, int], kernel: tuple[int, int], stride: int
) -> tuple[tuple[int, int], dict[str, object]]:
    """Return the output's size and the fields, padded so that it is the input's over the stride."""
    out = [-(-n // stride) for n in size]
    spare = [max((o - 1) * stride + k - n, 0) for o, k, n in zip(out, kernel, size, strict=True)]
    top, left = spare[0] // 2, spare[1] // 2
    padding = (top, spare[0] - top, left, spare[1] - left)
    return (out[0], out[1]), {"stride": (stride, stride), "padding": padding}


def _where(size: tuple[int, int], stride: int) -> str:
    at = f"{size[0]}" if size[0] == size[1] else f"{size[0]}x{size[1]}"
    return f"{f' s{stride}' if stride > 1 else ''} @{at}"


def conv(
    size: tuple[int, int], kernel: tuple[int, int], in_c: int, out_c: int, stride: int = 1
) -> Case:
    """Return a conv2d of an image of `size`."""
    out, fields = _slide(size, kernel, stride)
    depth = kernel[0] * kernel[1] * in_c
    fields |= {"dilation": (1, 1)} | _weighted((out_c, *kernel, in_c), depth, out_c)
    name = f"{kernel[0]}x{kernel[1]} {in_c}->{out_c}{_where(size, stride)}"
    group = "1x1" if kernel == (1, 1) else "conv" if in_c >= 16 else "few channels"
    model = _one_op("conv2d", ((*size, in_c),), (*out, out_c), fields)
    return Case(f"conv {name}", group, model, out[0] * out[1] * out_c * depth)


def depthwise(side: int, kernel: int, channels: int, stride: int = 1) -> Case:
    """Return a depthwise_conv2d of a square image."""
    size, window = (side, side), (kernel, kernel)
    out, fields = _slide(size, window, stride)
    weighted = _weighted((*window, channels), kernel * kernel, channels)
    model = _one_op(
        "depthwise_conv2d", ((*size, channels),), (*out, channels),
        fields | {"dilation": (1, 1)} | weighted,
    )  # fmt: skip
    name = f"depthwise {kernel}x{kernel} {channels}{_where(size, stride)}"
    return Case(name, "depthwise", model, out[0] * out[1] * channels * kernel * kernel)


def fully_connected(in_c: int, out_c: int) -> Case:
    """Return a fully_connected."""
    fields = _weighted((out_c, in_c), in_c, out_c)
    model = _one_op("fully_connected", ((in_c,),), (out_c,), fields)
    return Case(f"fully connected {in_c}->{out_c}", "fully connected", model, in_c * out_c)


def global_avg_pool(side: int, channels: int) -> Case:
    """Return a global_avg_pool, whose means spread as values do."""
    scale = Y_DEVIATION / (side * X_DEVIATION)
    fraction, exponent = np.frexp(scale)
    fields = {"requantize": Requantize.of(int(fraction * 2**31), 31 - int(exponent)), **ACT}
    model = _one_op("global_avg_pool", ((side, side, channels),), (1, 1, channels), fields)
    return Case(f"global avg pool {side}x{side}x{channels}", "values", model, 0)


def add(side: int, channels: int) -> Case:
    """Return an add of two tensors of different scales."""
    shape = (side, side, channels)
    fields = {
        "form": "shared_scale",
        "left_shift": 20,
        "requantize1": Requantize.of(2**30, 31),
        "requantize2": Requantize.of(int(0.6 * 2**31), 32),
        "requantize": Requantize.of(int(0.6 * 2**31), 50),
        **ACT,
    }
    model = _one_op("add", (shape, shape), shape, fields)
    return Case(f"add {side}x{side}x{channels}", "values", model, 0)


def max_pool(side: int, channels: int, kernel: int = 3, stride: int = 2) -> Case:
    """Return a max_pool2d; 3x3 of stride 2 in ResNet."""
    window = (kernel, kernel)
    out, fields = _slide((side, side), window, stride)
    model = _one_op(
        "max_pool2d", ((side, side, channels),), (*out, channels),
        fields | {"kernel": window} | ACT,
    )  # fmt: skip
    name = f"max pool {kernel}x{kernel} s{stride} {side}x{side}x{channels}"
    return Case(name, "values", model, 0)


def mul(side: int, channels: int) -> Case:
    """Return a mul of two tensors."""
    shape = (side, side, channels)
    fields = {"requantize": Requantize.of(int(Y_DEVIATION / X_DEVIATION**2 * 2**37), 37), **ACT}
    model = _one_op("mul", (shape, shape), shape, fields)
    return Case(f"mul {side}x{side}x{channels}", "values", model, 0)


def looked_up(name: str, side: int, channels: int) -> Case:
    """Return a lut: "leaky relu", two straight lines, or "sigmoid"."""
    x = np.arange(-128, 128) - X_ZERO_POINT
    reals = np.where(x < 0, 0.1 * x, x) if name == "leaky relu" else 120 / (1 + np.exp(-0.05 * x))
    table = np.clip(np.floor(reals + 0.5) + X_ZERO_POINT, -128, 127).astype(np.int8)
    shape = (side, side, channels)
    model = _one_op("lut", (shape,), shape, {"table": table})
    peer = {"node": "QLinearLeakyRelu"} if name == "leaky relu" else {}
    return Case(f"lut {name} {side}x{side}x{channels}", "values", model, 0, peer)


def softmax_float32(rows: int, depth: int) -> Case:
    """Return a softmax_float32 of an input scale of 0.02."""
    table = np.exp(np.float32(0.02) * np.arange(-255, 1, dtype=np.float32)).view(np.int32)
    fields = {"form": "rounded", "table": table}
    model = _one_op("softmax_float32", ((rows, depth),), (rows, depth), fields)
    return Case(f"softmax {rows}x{depth}", "values", model, 0)


def extreme(kind: str, side: int, channels: int) -> Case:
    """Return a maximum or minimum."""
    shape = (side, side, channels)
    model = _one_op(kind, (shape, shape), shape, {})
    return Case(f"{kind} {side}x{side}x{channels}", "values", model, 0)


def transposed(side: int, kernel: int, in_c: int, out_c: int) -> Case:
    """Return a transpose_conv2d of stride 2 that doubles an image."""
    spare = kernel - 2
    fields = {"stride": (2, 2), "padding": (spare // 2, spare - spare // 2) * 2}
    fields |= _weighted((out_c, kernel, kernel, in_c), kernel * kernel * in_c // 4, out_c)
    out = (2 * side, 2 * side, out_c)
    model = _one_op("transpose_conv2d", ((side, side, in_c),), out, fields)
    name = f"transpose conv {kernel}x{kernel} s2 {in_c}->{out_c} @{side}"
    return Case(name, "transpose conv", model, side * side * kernel * kernel * in_c * out_c)


def bilinear(side: int, out: int, channels: int) -> Case:
    """Return a resize_bilinear that keeps the corners, its positions to ten bits."""
    at = np.arange(out) * (side - 1) * 1024 // (out - 1)
    first, weight = np.int32(at // 1024), np.int16(at % 1024)
    second = np.minimum(first + 1, side - 1).astype(np.int32)
    fields: dict[str, object] = {"frac_bits": 10, "form": "away"}
    for axis in ("row", "column"):
        fields |= {f"{axis}0": first, f"{axis}1": second, f"{axis}_weight": weight}
    model = _one_op("resize_bilinear", ((side, side, channels),), (out, out, channels), fields)
    peer = {"node": "Resize", "mode": "linear"}
    return Case(f"bilinear {side}->{out} x{channels}", "resize", model, 0, peer)


def _moved(
    name: str, shape: tuple[int, ...], out: tuple[int, ...], counters: list[tuple[int, int]],
    peer: Mapping[str, object] | None = None,
) -> Case:  # fmt: skip
    """Return a strided_copy by counters and their strides, outermost first."""
    counts, strides = zip(*([(1, 0)] * (6 - len(counters)) + counters), strict=True)
    fields = {"shape": out, "counts": counts, "strides": strides, "offset": 0}
    return Case(name, "copy", _one_op("strided_copy", (shape,), out, fields), 0, peer or {})


def nearest(side: int, channels: int) -> Case:
    """Return a strided_copy that doubles an image."""
    counters = [(side, side * channels), (2, 0), (side, channels), (2, 0), (channels, 1)]
    return _moved(
        f"nearest {side}->{2 * side} x{channels}", (side, side, channels),
        (2 * side, 2 * side, channels), counters, {"node": "Resize", "mode": "nearest"},
    )  # fmt: skip


def channels_first(side: int, channels: int) -> Case:
    """Return a strided_copy from HWC to CHW."""
    counters = [(channels, 1), (side, side * channels), (side, channels)]
    return _moved(
        f"transpose {side}x{side}x{channels}", (side, side, channels), (channels, side, side),
        counters, {"node": "Transpose", "perm": [0, 3, 1, 2]},
    )  # fmt: skip


def depth_to_space(side: int, channels: int) -> Case:
    """Return a strided_copy of blocks of 2x2."""
    depth = channels // 4
    counters = [
        (side, side * channels), (2, 2 * depth), (side, channels), (2, depth), (depth, 1),
    ]  # fmt: skip
    return _moved(
        f"depth to space {side}x{side}x{channels}", (side, side, channels),
        (2 * side, 2 * side, depth), counters,
    )  # fmt: skip


def gathered(rows: int, depth: int, count: int) -> Case:
    """Return a gather of rows, as of an embedding."""
    indices = np.random.default_rng(4).integers(0, rows, count).astype(np.int32)
    fields = {"axis": 0, "indices": indices}
    model = _one_op("gather", ((rows, depth),), (count, depth), fields)
    return Case(f"gather {count} of {rows}x{depth}", "copy", model, 0, {"node": "Gather"})


def cases() -> list[Case]:
    """Return every op at every shape."""
    return [
        conv((56, 56), (1, 1), 64, 128),
        conv((56, 56), (1, 1), 256, 64),
        conv((14, 14), (1, 1), 512, 512),
        conv((7, 7), (1, 1), 1024, 1024),
        conv((56, 56), (3, 3), 64, 64),
        conv((56, 56), (3, 3), 128, 128, 2),
        conv((14, 14), (3, 3), 256, 256),
        conv((7, 7), (3, 3), 512, 512),
        conv((28, 28), (3, 3), 16, 32),
        conv((28, 28), (3, 3), 8, 16),
        conv((28, 28), (3, 3), 1, 8),
        conv((224, 224), (3, 3), 3, 32, 2),
        conv((224, 224), (7, 7), 3, 64, 2),
        conv((49, 10), (10, 4), 1, 64, 2),
        depthwise(112, 3, 32),
        depthwise(112, 3, 64),
        depthwise(56, 3, 128, 2),
        depthwise(28, 5, 96),
        depthwise(14, 3, 512),
        depthwise(7, 3, 1024),
        fully_connected(1024, 1000),
        fully_connected(64, 10),
        global_avg_pool(7, 1024),
        add(56, 256),
        max_pool(112, 64),
        max_pool(128, 32, 2),
        max_pool(16, 64, 2),
        mul(56, 64),
        looked_up("leaky relu", 64, 32),
        looked_up("sigmoid", 64, 32),
        softmax_float32(256, 16),
        extreme("maximum", 96, 16),
        extreme("minimum", 48, 32),
        transposed(128, 2, 32, 16),
        transposed(64, 2, 64, 32),
        transposed(16, 4, 128, 64),
        transposed(128, 2, 4, 1),
        bilinear(33, 513, 21),
        bilinear(17, 257, 2),
        bilinear(32, 64, 128),
        nearest(20, 64),
        nearest(128, 32),
        nearest(64, 8),
        channels_first(32, 64),
        depth_to_space(64, 16),
        gathered(1000, 64, 128),
    ]
