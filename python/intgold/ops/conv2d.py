"""The op conv2d (SPEC 5.1): weights (out_c, kernel_h, kernel_w, in_c)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import XY_ZERO_POINTS
from .kind import OpKind
from .shapes import Fields, Shape, image, image_dims, need, windows
from .weighted import SLIDE, fields_of_weighted, need_weighted, weighted_bounds


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    in_shape, (out_c, kernel_h, kernel_w, in_c) = image(shapes), fields["weights"].shape
    need(in_c == in_shape[2], f"weights for {in_c} input channels, the input has {in_shape[2]}")
    need_weighted(fields, out_c)
    return (*windows(fields, in_shape, (kernel_h, kernel_w)), out_c)


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    _, kernel_h, kernel_w, _ = fields["weights"].shape
    return {**image_dims(shapes, out), "kernel_h": kernel_h, "kernel_w": kernel_w}


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return weighted_bounds(fields, inputs.centred[0], fields["weights"])


OP = OpKind(
    name="conv2d",
    clause="5.1",
    summary="2-D convolution, weights OHWI",
    inputs=("x",),
    fields=fields_of_weighted(4, SLIDE),
    zero_points=XY_ZERO_POINTS,
    accumulator=True,
    scratch=True,
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
