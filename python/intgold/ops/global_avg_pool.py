"""The op global_avg_pool (SPEC 5.8)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges, span
from .fields import ACT, XY_ZERO_POINTS, Requantization
from .kind import OpKind
from .shapes import Fields, Shape, image, need_channels, need_clamp, size


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    need_channels("requantize", fields["requantize"].count, image(shapes)[2])
    need_clamp(fields)
    return (1, 1, shapes[0][2])


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    return dict(zip(("in_h", "in_w", "in_c"), shapes[0], strict=True))


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    lo, hi = inputs.centred[0]
    area = size(inputs.shape[:-1])
    return span(fields, min(lo, 0) * area, max(hi, 0) * area)


OP = OpKind(
    name="global_avg_pool",
    clause="5.8",
    summary="mean over height and width, requantized to a scale of its own",
    inputs=("x",),
    fields={"requantize": Requantization(), **ACT},
    zero_points=XY_ZERO_POINTS,
    accumulator=True,
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
