"""The op max_pool2d (SPEC 5.6)."""

from __future__ import annotations

from .bounds import Bounds, InputRanges
from .fields import ACT
from .kind import OpKind
from .pooling import POOL, pool_dims, pool_shape
from .shapes import Fields


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    lo, hi = (min(max(v, fields["act_min"]), fields["act_max"]) for v in inputs.raw[0])
    return Bounds((lo, hi))


OP = OpKind(
    name="max_pool2d",
    clause="5.6",
    summary="largest valid cell of each window",
    inputs=("x",),
    fields={**POOL, **ACT},
    shape=pool_shape,
    dims=pool_dims,
    bounds=_bounds,
)
