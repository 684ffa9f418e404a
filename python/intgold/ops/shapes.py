"""What the shape rules of several ops share: checks, sliding windows, sizes.

Shapes are those of one image, without a batch dimension.  Every function that checks raises
ModelError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ModelError

Shape = tuple[int, ...]
Fields = Mapping[str, Any]


def need(condition: bool, message: str) -> None:  # noqa: FBT001 (reads as an assertion)
    """Raise ModelError with this message where the condition does not hold."""
    if not condition:
        raise ModelError(message)


def need_channels(name: str, size: int, channels: int) -> None:
    """Check an array that has one entry, or one for each channel."""
    need(size in (1, channels), f"{name}: {size} entries for {channels} channels")


def need_clamp(fields: Fields) -> None:
    """Check act_min <= act_max."""
    lo, hi = fields["act_min"], fields["act_max"]
    need(lo <= hi, f"act_min {lo} is above act_max {hi}")


def need_equal(shapes: Sequence[Shape]) -> None:
    """Check that two inputs have one shape."""
    need(shapes[0] == shapes[1], f"shapes {shapes[0]} and {shapes[1]} differ")


def image(shapes: Sequence[Shape]) -> Shape:
    """Return the shape of the first input, which must be (height, width, channels)."""
    need(len(shapes[0]) == 3, f"input shape {shapes[0]} is not (height, width, channels)")
    return shapes[0]


def size(shape: Shape) -> int:
    """Return the number of values."""
    count = 1
    for extent in shape:
        count *= extent
    return count


def stated_shape(fields: Fields) -> Shape:
    """Return the field ``shape`` without the 0 of dimensions that the output does not have."""
    shape = tuple(n for n in fields["shape"] if n)
    need(fields["shape"][: len(shape)] == shape, f"shape {fields['shape']}: 0 before an extent")
    need(bool(shape), "shape without an extent")
    return shape


def windows(fields: Fields, in_shape: Shape, kernel: Shape) -> Shape:
    """Return (height, width) of the output of a sliding window (SPEC 5.0)."""
    stride, pad = fields["stride"], fields["padding"]
    dilation = fields.get("dilation", (1, 1))
    return (
        _window(in_shape[0], kernel[0], stride[0], dilation[0], pad[:2], "height"),
        _window(in_shape[1], kernel[1], stride[1], dilation[1], pad[2:], "width"),
    )


def _window(in_size: int, kernel: int, stride: int, dilation: int, pads: Shape, axis: str) -> int:
    span = in_size + sum(pads) - ((kernel - 1) * dilation + 1)
    need(span >= 0, f"kernel of {axis} {kernel} (dilation {dilation}) is larger than the input")
    return span // stride + 1


def image_dims(shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Sizes of the image and the output, as the C structures name them."""
    names = ("in_h", "in_w", "in_c", "out_h", "out_w", "out_c")
    return dict(zip(names, (*shapes[0], *out), strict=True))


def count_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Values of the output."""
    return {"count": size(out)}


def rows_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Rows along the last dimension, and their length."""
    return {"rows": size(shapes[0][:-1]), "depth": shapes[0][-1]}
