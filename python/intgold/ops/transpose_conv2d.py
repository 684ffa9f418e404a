"""The op transpose_conv2d (SPEC 5.20): weights (out_c, kernel_h, kernel_w, in_c)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import STRIDE, XY_ZERO_POINTS, Integers
from .kind import OpKind
from .shapes import Fields, Shape, image, image_dims, need
from .weighted import fields_of_weighted, need_weighted, weighted_bounds

_CROP = Integers(("pad_top", "pad_bottom", "pad_left", "pad_right"), -(2**15), 2**15)
"""What is cut off the full result; less than nothing at the bottom and right only."""


def _extent(in_size: int, kernel: int, stride: int, before: int, after: int, axis: str) -> int:
    need(before >= 0, f"padding of {axis}: {before} before the first, which cannot be below 0")
    out = (in_size - 1) * stride + kernel - before - after
    need(out >= 1, f"padding of {axis} {before} and {after} leaves {out} of the result")
    return out


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    in_shape, (out_c, kernel_h, kernel_w, in_c) = image(shapes), fields["weights"].shape
    need(in_c == in_shape[2], f"weights for {in_c} input channels, the input has {in_shape[2]}")
    need_weighted(fields, out_c)
    stride, pad = fields["stride"], fields["padding"]
    return (
        _extent(in_shape[0], kernel_h, stride[0], pad[0], pad[1], "height"),
        _extent(in_shape[1], kernel_w, stride[1], pad[2], pad[3], "width"),
        out_c,
    )


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    _, kernel_h, kernel_w, _ = fields["weights"].shape
    return {**image_dims(shapes, out), "kernel_h": kernel_h, "kernel_w": kernel_w}


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return weighted_bounds(fields, inputs.centred[0], fields["weights"])


OP = OpKind(
    name="transpose_conv2d",
    clause="5.20",
    summary="2-D transposed convolution, weights OHWI",
    inputs=("x",),
    fields=fields_of_weighted(4, {"stride": STRIDE, "padding": _CROP}),
    zero_points=XY_ZERO_POINTS,
    accumulator=True,
    scratch=True,
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
    since="1.5",
)
