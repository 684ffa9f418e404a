"""The op depthwise_conv2d (SPEC 5.2): weights (kernel_h, kernel_w, out_c)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bounds import Bounds, InputRanges
from .fields import XY_ZERO_POINTS
from .kind import OpKind
from .shapes import Fields, Shape, image, image_dims, need, windows
from .weighted import SLIDE, fields_of_weighted, need_weighted, weighted_bounds


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    in_shape, (kernel_h, kernel_w, out_c) = image(shapes), fields["weights"].shape
    need(
        out_c % in_shape[2] == 0, f"{out_c} weight channels are no multiple of {in_shape[2]} inputs"
    )
    need_weighted(fields, out_c)
    return (*windows(fields, in_shape, (kernel_h, kernel_w)), out_c)


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    kernel_h, kernel_w, _ = fields["weights"].shape
    return {**image_dims(shapes, out), "kernel_h": kernel_h, "kernel_w": kernel_w}


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    return weighted_bounds(fields, inputs.centred[0], np.moveaxis(fields["weights"], -1, 0))


OP = OpKind(
    name="depthwise_conv2d",
    clause="5.2",
    summary="2-D convolution of each channel by itself, weights HWO",
    inputs=("x",),
    fields=fields_of_weighted(3, SLIDE),
    zero_points=XY_ZERO_POINTS,
    accumulator=True,
    scratch=True,
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
