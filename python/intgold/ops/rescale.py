"""The op rescale (SPEC 5.11): int32 to int32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bounds import Bounds, InputRanges, need_pre_shift
from .fields import INT32_MAX, INT32_MIN, Requantization
from .kind import OpKind
from .shapes import Fields, Shape, need_channels, rows_dims


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    need_channels("requantize", fields["requantize"].count, shapes[0][-1])
    return shapes[0]


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    lo, hi = (np.array([end], np.int64) for end in inputs.raw[0])
    need_pre_shift(fields["requantize"], lo, hi, "input")
    return Bounds((INT32_MIN, INT32_MAX))


OP = OpKind(
    name="rescale",
    clause="5.11",
    summary="int32 to int32 by a requantize form, saturating",
    inputs=("x",),
    input_dtypes=("int32",),
    fields={"requantize": Requantization()},
    shape=_shape,
    dims=rows_dims,
    bounds=_bounds,
)
