"""The op matmul (SPEC 5.25): rows of one tensor by rows of another one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bounds import Bounds, InputRanges
from .fields import ACT, Array, Requantization
from .kind import OpKind
from .shapes import Fields, Shape, need, need_clamp


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    x1, x2 = shapes
    need(
        len(x1) == len(x2) and len(x1) in (2, 3),
        f"shapes {x1} and {x2} are not (rows, depth) and (columns, depth), or batches of them",
    )
    need(x1[-1] == x2[-1], f"depths {x1[-1]} and {x2[-1]} differ")
    need(x1[:-2] == x2[:-2], f"shapes {x1} and {x2}: batches {x1[0]} and {x2[0]} differ")
    size, count = fields["bias"].size, fields["requantize"].count
    need(size == x2[-2], f"bias of {size} entries for {x2[-2]} columns")
    need(count == 1, f"requantize has {count} entries instead of 1")
    need_clamp(fields)
    return (*x1[:-1], x2[-2])


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    batch = shapes[0][0] if len(out) == 3 else 1
    return {"batch": batch, "rows": out[-2], "columns": out[-1], "depth": shapes[0][-1]}


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    depth = inputs.shape[-1]
    products = [a * b for a in inputs.centred[0] for b in inputs.centred[1]]
    bias = fields["bias"].astype(np.int64)
    lo = np.minimum(bias, 0) + depth * min(*products, 0)
    hi = np.maximum(bias, 0) + depth * max(*products, 0)
    return Bounds((fields["act_min"], fields["act_max"]), lo, hi)


OP = OpKind(
    name="matmul",
    clause="5.25",
    summary="product of two matrices, the second one transposed; batches of them",
    inputs=("x1", "x2"),
    fields={"bias": Array("int32", 1), "requantize": Requantization(), **ACT},
    zero_points=("x1_zero_point", "x2_zero_point", "y_zero_point"),
    accumulator=True,
    scratch=True,
    since="1.5",
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
