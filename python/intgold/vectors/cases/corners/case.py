"""A case: one op, the stimulus that brings it to a corner, and why the corner is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....model.graph import Model, Op, Tensor
from ....ops.fields import FORMS, Requantize
from ....ops.shapes import Shape
from ....ops.table import OPS
from ....support.quoting import short_repr

Fields = dict[str, Any]

FULL: Fields = {"act_min": -128, "act_max": 127}
UNIT = Requantize.of(2**30, 30)
"""R(acc) = acc."""
QUARTERS = tuple(range(-18, 19))
"""Values whose quarters are whole, ties and neither, of both signs and parities.

Half of an odd one is a tie as well: the first rounding of the double forms.
"""


def strided_fields(shape: Shape, counts: Shape, strides: Shape, offset: int = 0) -> Fields:
    """Return the fields of a strided_copy of up to six counters."""
    unused = 6 - len(counts)
    return {
        "shape": (*shape, 0, 0)[:3], "counts": (1,) * unused + tuple(counts),
        "strides": (0,) * unused + tuple(strides), "offset": offset,
    }  # fmt: skip


def most(form: str) -> tuple[int, int]:
    """Return the largest (multiplier, multiplier_low) of a form."""
    if form == "float32":
        return 2**31 - 2**7, 0
    return 2**31 - 1, 2**22 - 1 if form == "float64" else 0


def each_form(multiplier: int, right_shift: int, times: int = 1) -> Requantize:
    """Return an entry per form, in the order of FORMS; `times` such rounds."""
    return Requantize.of(multiplier, right_shift, FORMS * times)


def requantize_entries(*parts: tuple[str, int, int, int]) -> Requantize:
    """Return one entry per (form, multiplier, right_shift, multiplier_low)."""
    forms, m, t, low = zip(*parts, strict=True)
    return Requantize.of(m, t, forms, low)


@dataclass(frozen=True, eq=False)
class Case:
    """A model of one op and the stimulus that causes what the reason says.

    Parameters
    ----------
    name : str
        Unique among the cases of the op.
    reason : str
        What happens, in a line.
    model : Model
    x : dict of str to ndarray
        Every input of the model by name, shape (n, ...).
    """

    name: str
    reason: str
    model: Model
    x: dict[str, np.ndarray]

    __repr__ = short_repr


def one_op(
    kind: str,
    name: str,
    reason: str,
    fields: Fields,
    x: Mapping[str, Any],
    zero_points: Mapping[str, int] | None = None,
    dtype: str | None = None,
) -> Case:
    """Return a case of one op.

    Parameters
    ----------
    x : mapping of str to array
        Stimulus by input, shape (n, ...), which also gives the shape of the tensor.  A single
        array for an op of two inputs is read as both.
    zero_points : mapping of str to int, optional
        By tensor; the output is ``y``; 0 where none is given.
    dtype : str, optional
        Of the inputs, where the op takes several.
    """
    spec = OPS[kind]
    points = {} if zero_points is None else zero_points
    dtype = dtype or spec.input_dtypes[0]
    arrays = {n: _exact(a, dtype) for n, a in x.items()}
    tensors = [Tensor(n, a.shape[1:], dtype, None, points.get(n, 0)) for n, a in arrays.items()]
    inputs = tuple(arrays) if len(arrays) == len(spec.inputs) else tuple(arrays) * len(spec.inputs)
    op = Op(kind, "op", inputs, "y", fields)
    shape = spec.shape(op.fields, [arrays[n].shape[1:] for n in inputs])
    y = Tensor("y", shape, spec.output_dtype(op.fields), None, points.get("y", 0))
    metadata = {"reason": reason}
    model = Model(f"{kind}_{name}", [*tensors, y], [op], list(arrays), ["y"], metadata=metadata)
    return Case(name, reason, model, arrays)


def _exact(values: Any, dtype: str) -> np.ndarray:
    """Return the values as this type, in C order; none of them may change."""
    array = np.array(values, dtype=np.int64, order="C")
    narrow = array.astype(dtype)
    if not np.array_equal(narrow, array):
        raise ValueError(f"stimulus from {array.min()} to {array.max()} for {dtype}")
    return narrow
