"""The op avg_pool2d (SPEC 5.7)."""

from __future__ import annotations

from .bounds import Bounds, InputRanges, span
from .fields import ACT, XY_ZERO_POINTS, Choice
from .kind import OpKind
from .pooling import POOL, pool_dims, pool_shape
from .shapes import Fields


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    x = inputs.centred[0] if fields["form"] == "centred_away" else inputs.raw[0]
    cells = fields["kernel"][0] * fields["kernel"][1]
    # The rounding constant n/2 is added to the sum before the division.
    lo, hi = min(x[0], 0) * cells - cells // 2, max(x[1], 0) * cells + cells // 2
    return span(fields, lo, hi)


OP = OpKind(
    name="avg_pool2d",
    clause="5.7",
    summary="rounded mean of the valid cells of each window",
    inputs=("x",),
    fields={**POOL, "form": Choice(("raw_away", "centred_away", "raw_up")), **ACT},
    zero_points=XY_ZERO_POINTS,
    accumulator=True,
    shape=pool_shape,
    dims=pool_dims,
    bounds=_bounds,
)
