"""The op pwl (SPEC 5.5): segments whose breakpoints rise from -128."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..errors import ModelError
from .bounds import Bounds, InputRanges, span
from .fields import ACT, INT32_MAX, Array, Integer
from .kind import OpKind
from .shapes import Fields, Shape, need, need_clamp, size


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    breakpoints = fields["breakpoints"].tolist()
    segments = fields["slope"].size
    need(segments == fields["offset"].size, "slope and offset of different lengths")
    need(len(breakpoints) == segments, f"{len(breakpoints)} breakpoints for {segments} segments")
    need(breakpoints[0] == -128, f"the first breakpoint is {breakpoints[0]} instead of -128")
    rising = all(a < b for a, b in pairwise(breakpoints))
    need(rising, f"breakpoints {breakpoints} do not rise")
    need_clamp(fields)
    return shapes[0]


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    return {"count": size(out), "segments": fields["slope"].size}


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    frac_bits, (smallest, largest) = fields["frac_bits"], inputs.raw[0]
    half = 1 << (frac_bits - 1) if frac_bits else 0
    slope, offset = (np.abs(fields[n].astype(np.int64)) for n in ("slope", "offset"))
    reach = slope * 128 + offset + half
    worst = int(reach.argmax())
    if reach[worst] > INT32_MAX:
        raise ModelError(f"segment {worst}: |slope|*128 + |offset| + half is {reach[worst]}")
    q = np.arange(smallest, largest + 1)
    k = np.searchsorted(fields["breakpoints"], q, side="right") - 1
    product, start = fields["slope"].astype(np.int64)[k] * q, fields["offset"].astype(np.int64)[k]
    # Whichever is formed first, and what is shifted at last.
    lo = min(0, product.min(), start.min(), (product + start).min())
    hi = max(0, product.max(), start.max(), (product + start).max() + half)
    return span(fields, lo, hi)


OP = OpKind(
    name="pwl",
    clause="5.5",
    summary="a unary function by piecewise-linear segments",
    inputs=("x",),
    fields={
        "breakpoints": Array("int8", 1),
        "slope": Array("int16", 1),
        "offset": Array("int32", 1),
        "frac_bits": Integer(0, 15),
        **ACT,
    },
    accumulator=True,
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
