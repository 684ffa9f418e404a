"""What conv2d, depthwise_conv2d and fully_connected share: fields, checks, bounds of the sums."""

from __future__ import annotations

import numpy as np

from .bounds import Bounds, Range
from .fields import (
    ACT,
    DILATION,
    PADDING,
    STRIDE,
    Array,
    Field,
    Requantization,
    Scales,
)
from .shapes import Fields, need, need_channels, need_clamp

SLIDE: dict[str, Field] = {"stride": STRIDE, "padding": PADDING, "dilation": DILATION}


def fields_of_weighted(weight_dims: int, geometry: dict[str, Field]) -> dict[str, Field]:
    """Return the fields of an op that multiplies weights of `weight_dims` dimensions."""
    return {
        **geometry,
        "weights": Array("int8", weight_dims),
        "weight_zero_point": Array("int8", 1),
        "weight_scale": Scales(),
        "bias": Array("int32", 1),
        "requantize": Requantization(optional=True),
        **ACT,
    }


def need_weighted(fields: Fields, out_c: int) -> None:
    """Check all but the weights."""
    need(fields["bias"].size == out_c, f"bias: {fields['bias'].size} entries, not {out_c}")
    need_channels("weight_zero_point", fields["weight_zero_point"].size, out_c)
    if fields["weight_scale"] is not None:
        need_channels("weight_scale", len(fields["weight_scale"]), out_c)
    if fields["requantize"] is not None:
        need_channels("requantize", fields["requantize"].count, out_c)
    need_clamp(fields)


def weighted_bounds(fields: Fields, x: Range, weights: np.ndarray) -> Bounds:
    """Return the bounds of bias plus products; weights (out_c, ...), x centred."""
    rows = weights.reshape(weights.shape[0], -1).astype(np.int16)
    rows -= fields["weight_zero_point"].astype(np.int16).reshape(-1, 1)
    positive = np.maximum(rows, 0).sum(axis=1, dtype=np.int64)
    negative = np.minimum(rows, 0).sum(axis=1, dtype=np.int64)
    bias = fields["bias"].astype(np.int64)
    smallest, largest = min(x[0], 0), max(x[1], 0)  # a partial sum may lack any product
    hi = np.maximum(bias, 0) + positive * largest + negative * smallest
    lo = np.minimum(bias, 0) + positive * smallest + negative * largest
    if fields["requantize"] is None:
        return Bounds((int(lo.min()), int(hi.max())), lo, hi)
    return Bounds((fields["act_min"], fields["act_max"]), lo, hi)
