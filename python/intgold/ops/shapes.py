"""Shape rules of the op table: what each op asks of its fields and inputs, and what it gives.

``<op>_shape(fields, input_shapes)`` returns the output's shape or raises ModelError;
``<op>_dims(fields, input_shapes, output_shape)`` returns the dimensions that the C structure of
the op has beside its fields.  Shapes are those of one image, without a batch dimension.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ModelError

Shape = tuple[int, ...]
Fields = Mapping[str, Any]


def _need(condition: bool, message: str) -> None:  # noqa: FBT001 (reads as an assertion)
    if not condition:
        raise ModelError(message)


def _channels(name: str, size: int, channels: int) -> None:
    _need(size in (1, channels), f"{name}: {size} entries for {channels} channels")


def _image(shapes: Sequence[Shape]) -> Shape:
    _need(len(shapes[0]) == 3, f"input shape {shapes[0]} is not (height, width, channels)")
    return shapes[0]


def _clamp(fields: Fields) -> None:
    lo, hi = fields["act_min"], fields["act_max"]
    _need(lo <= hi, f"act_min {lo} is above act_max {hi}")


def _window(in_size: int, kernel: int, stride: int, dilation: int, pads: Shape, axis: str) -> int:
    """Return the output size of a sliding window along one axis (SPEC 5.0)."""
    span = in_size + sum(pads) - ((kernel - 1) * dilation + 1)
    _need(span >= 0, f"kernel of {axis} {kernel} (dilation {dilation}) is larger than the input")
    return span // stride + 1


def _windows(fields: Fields, in_shape: Shape, kernel: Shape) -> Shape:
    stride, pad = fields["stride"], fields["padding"]
    dilation = fields.get("dilation", (1, 1))
    return (
        _window(in_shape[0], kernel[0], stride[0], dilation[0], pad[:2], "height"),
        _window(in_shape[1], kernel[1], stride[1], dilation[1], pad[2:], "width"),
    )


def _weighted(fields: Fields, out_c: int) -> None:
    """Check what the three multiply-accumulate ops share."""
    _need(fields["bias"].size == out_c, f"bias: {fields['bias'].size} entries, not {out_c}")
    _channels("weight_zero_point", fields["weight_zero_point"].size, out_c)
    if fields["weight_scale"] is not None:
        _channels("weight_scale", len(fields["weight_scale"]), out_c)
    if fields["requantize"] is not None:
        _channels("requantize", fields["requantize"].count, out_c)
    _clamp(fields)


def conv2d_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.1; weights (out_c, kernel_h, kernel_w, in_c)."""
    in_shape, (out_c, kernel_h, kernel_w, in_c) = _image(shapes), fields["weights"].shape
    _need(in_c == in_shape[2], f"weights for {in_c} input channels, the input has {in_shape[2]}")
    _weighted(fields, out_c)
    return (*_windows(fields, in_shape, (kernel_h, kernel_w)), out_c)


def depthwise_conv2d_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.2; weights (kernel_h, kernel_w, out_c), out_c a multiple of in_c."""
    in_shape, (kernel_h, kernel_w, out_c) = _image(shapes), fields["weights"].shape
    _need(
        out_c % in_shape[2] == 0, f"{out_c} weight channels are no multiple of {in_shape[2]} inputs"
    )
    _weighted(fields, out_c)
    return (*_windows(fields, in_shape, (kernel_h, kernel_w)), out_c)


def _size(shape: Shape) -> int:
    count = 1
    for extent in shape:
        count *= extent
    return count


def fully_connected_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.3; weights (out_c, values of the input)."""
    out_c, in_c = fields["weights"].shape
    _need(in_c == _size(shapes[0]), f"weights for {in_c} inputs, the input has {_size(shapes[0])}")
    _weighted(fields, out_c)
    return (out_c,)


def lut_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.4."""
    _need(fields["table"].size == 256, f"table of {fields['table'].size} entries instead of 256")
    return shapes[0]


def pwl_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.5; breakpoints rise from -128."""
    breakpoints = fields["breakpoints"].tolist()
    segments = fields["slope"].size
    _need(segments == fields["offset"].size, "slope and offset of different lengths")
    _need(len(breakpoints) == segments, f"{len(breakpoints)} breakpoints for {segments} segments")
    _need(breakpoints[0] == -128, f"the first breakpoint is {breakpoints[0]} instead of -128")
    rising = all(a < b for a, b in itertools.pairwise(breakpoints))
    _need(rising, f"breakpoints {breakpoints} do not rise")
    _clamp(fields)
    return shapes[0]


def pool_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clauses 5.6 and 5.7; every window has a valid cell."""
    in_shape, kernel, pad = _image(shapes), fields["kernel"], fields["padding"]
    fits = max(pad[:2]) < kernel[0] and max(pad[2:]) < kernel[1]
    _need(fits, f"padding {pad} leaves windows of kernel {kernel} without a valid cell")
    _clamp(fields)
    return (*_windows(fields, in_shape, kernel), in_shape[2])


def global_avg_pool_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.8."""
    _channels("requantize", fields["requantize"].count, _image(shapes)[2])
    _clamp(fields)
    return (1, 1, shapes[0][2])


def add_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.9."""
    _need(shapes[0] == shapes[1], f"shapes {shapes[0]} and {shapes[1]} differ")
    for name in ("requantize1", "requantize2", "requantize"):
        _need(fields[name].count == 1, f"{name} has {fields[name].count} entries instead of 1")
    _clamp(fields)
    return shapes[0]


def mul_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.13."""
    _need(shapes[0] == shapes[1], f"shapes {shapes[0]} and {shapes[1]} differ")
    count = fields["requantize"].count
    _need(count == 1, f"requantize has {count} entries instead of 1")
    _clamp(fields)
    return shapes[0]


def concat_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.14."""
    (x1, x2), axis = shapes, fields["axis"]
    apart = f"shapes {x1} and {x2} cannot be joined along axis {axis}"
    _need(len(x1) == len(x2) and axis < len(x1), apart)
    _need(x1[:axis] + x1[axis + 1 :] == x2[:axis] + x2[axis + 1 :], apart)
    return (*x1[:axis], x1[axis] + x2[axis], *x1[axis + 1 :])


def pad_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.15."""
    shape, before, after = shapes[0], fields["before"], fields["after"]
    beyond = any(before[len(shape) :]) or any(after[len(shape) :])
    _need(not beyond, f"before {before} and after {after} pad dimensions that {shape} lacks")
    return tuple(b + n + a for b, n, a in zip(before, shape, after, strict=False))


def reshape_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.16."""
    shape = tuple(n for n in fields["shape"] if n)
    _need(fields["shape"][: len(shape)] == shape, f"shape {fields['shape']}: 0 before an extent")
    _need(bool(shape), "shape without an extent")
    _need(_size(shape) == _size(shapes[0]), f"shape {shape} does not hold the values {shapes[0]}")
    return shape


def softmax_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.10; its sum is exact up to 4095 values."""
    depth = shapes[0][-1]
    _need(depth <= 4095, f"softmax over {depth} values; the exact sum allows 4095")
    return shapes[0]


def softmax_float32_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.17; the entries are bits of float32, from 0 to 1, the last one 1."""
    table, one = fields["table"], 127 << 23
    _need(table.size == 256, f"table of {table.size} entries instead of 256")
    for i, bits in enumerate(table.tolist()):
        _need(0 <= bits <= one, f"table entry {i} is {bits}, not the bits of a float32 from 0 to 1")
    _need(int(table[255]) == one, f"table ends with {table[255]} instead of {one}, the bits of 1")
    return shapes[0]


def rescale_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.11."""
    _channels("requantize", fields["requantize"].count, shapes[0][-1])
    return shapes[0]


def argmax_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Clause 5.12."""
    return (*shapes[0][:-1], 1)


def _image_dims(shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    names = ("in_h", "in_w", "in_c", "out_h", "out_w", "out_c")
    return dict(zip(names, (*shapes[0], *out), strict=True))


def conv2d_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Sizes of image, output and kernel."""
    _, kernel_h, kernel_w, _ = fields["weights"].shape
    return {**_image_dims(shapes, out), "kernel_h": kernel_h, "kernel_w": kernel_w}


def depthwise_conv2d_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Sizes of image, output and kernel."""
    kernel_h, kernel_w, _ = fields["weights"].shape
    return {**_image_dims(shapes, out), "kernel_h": kernel_h, "kernel_w": kernel_w}


def fully_connected_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Values of the input and the output."""
    return {"in_c": _size(shapes[0]), "out_c": out[0]}


def count_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Values of the output."""
    return {"count": _size(out)}


def pwl_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Values of the output, and segments."""
    return {"count": _size(out), "segments": fields["slope"].size}


def rows_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Rows along the last dimension, and their length."""
    return {"rows": _size(shapes[0][:-1]), "depth": shapes[0][-1]}


def concat_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Rows before the axis, and the values that each input has of a row."""
    axis = fields["axis"]
    sizes = [_size(shape[axis:]) for shape in shapes]
    return {"rows": _size(out[:axis]), "depth1": sizes[0], "depth2": sizes[1]}


def pad_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Extents of the input, 1 for those that it lacks."""
    return dict(zip(("in0", "in1", "in2"), (*shapes[0], 1, 1), strict=False))


def pool_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Sizes of the image, the windows and the output; the kernel is a field."""
    return _image_dims(shapes, out)


def global_avg_pool_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Sizes of the image."""
    return dict(zip(("in_h", "in_w", "in_c"), shapes[0], strict=True))
