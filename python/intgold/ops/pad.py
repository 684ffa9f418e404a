"""The op pad (SPEC 5.15)."""

from __future__ import annotations

from collections.abc import Sequence

from .bounds import Bounds, InputRanges
from .fields import Integer, Integers
from .kind import OpKind
from .shapes import Fields, Shape, need


def _shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    shape, before, after = shapes[0], fields["before"], fields["after"]
    beyond = any(before[len(shape) :]) or any(after[len(shape) :])
    need(not beyond, f"before {before} and after {after} pad dimensions that {shape} lacks")
    return tuple(b + n + a for b, n, a in zip(before, shape, after, strict=False))


def _dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Extents of the input, 1 for those that it lacks."""
    return dict(zip(("in0", "in1", "in2"), (*shapes[0], 1, 1), strict=False))


def _bounds(fields: Fields, inputs: InputRanges) -> Bounds:
    (lo, hi), value = inputs.raw[0], fields["value"]
    return Bounds((min(lo, value), max(hi, value)))


OP = OpKind(
    name="pad",
    clause="5.15",
    summary="a tensor set into a larger one of a constant",
    inputs=("x",),
    fields={
        "before": Integers(("before0", "before1", "before2"), 0, 2**15),
        "after": Integers(("after0", "after1", "after2"), 0, 2**15),
        "value": Integer(-128, 127),
    },
    since="1.3",
    shape=_shape,
    dims=_dims,
    bounds=_bounds,
)
