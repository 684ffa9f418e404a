"""What the functions of single ops take, in any engine: checked by the op table before a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import accumulators
from .errors import InputError, ModelError
from .fields import Scales, integer
from .model import DTYPE_RANGE
from .ops import OpKind
from .quoting import given
from .shapes import Shape

Checked = tuple[dict[str, Any], dict[str, int], list[Shape], Shape]
"""Fields, zero points, the shapes of the inputs and of the output, the batch apart."""


def check_call(spec: OpKind, inputs: tuple[Any, ...], arguments: Mapping[str, Any]) -> Checked:
    """Return what an op is called with, checked as a whole, the int32 proof included.

    Raises
    ------
    InputError
        Naming the input that is no batch of the op's dtype.
    ModelError
        Naming the argument that is missing, unknown or out of its range, or what does not fit.
    """
    shapes = _check_inputs(spec, inputs)
    fields, points = _check_arguments(spec, arguments)
    made = spec.shape(fields, shapes)
    ranges = [DTYPE_RANGE[spec.input_dtype]] * len(inputs)
    zeros = [points.get(f"{name}_zero_point", 0) for name in spec.inputs]
    area = int(np.prod(shapes[0][:-1], dtype=np.int64))
    accumulators.prove(spec.name, fields, ranges, zeros, area)
    return fields, points, shapes, made


def _check_inputs(spec: OpKind, inputs: tuple[Any, ...]) -> list[Shape]:
    if len(inputs) != len(spec.inputs):
        raise InputError(f"{spec.name}: {len(inputs)} inputs instead of {len(spec.inputs)}")
    for name, x in zip(spec.inputs, inputs, strict=True):
        if not isinstance(x, np.ndarray) or x.dtype != np.dtype(spec.input_dtype):
            found = x.dtype if isinstance(x, np.ndarray) else given(x)
            raise InputError(f"{name}: {found} instead of an array of {spec.input_dtype}")
        if x.ndim < 2 or x.size == 0:
            raise InputError(f"{name}: shape {x.shape}: a non-empty batch is needed")
        if len(x) != len(inputs[0]):
            raise InputError(f"{name}: {len(x)} images, {spec.inputs[0]} has {len(inputs[0])}")
    return [x.shape[1:] for x in inputs]


def _check_arguments(
    spec: OpKind, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, int]]:
    read = {n: t for n, t in spec.fields.items() if not isinstance(t, Scales)}
    if set(arguments) != set(read) | set(spec.zero_points):
        odd = sorted(set(arguments) ^ (set(read) | set(spec.zero_points)))
        raise ModelError(f"{spec.name}: missing or unknown arguments {', '.join(odd)}")
    fields: dict[str, Any] = dict.fromkeys(spec.fields)
    fields.update({n: t.check(f"{spec.name} {n}", arguments[n]) for n, t in read.items()})
    points = {n: integer(f"{spec.name} {n}", arguments[n], -128, 127) for n in spec.zero_points}
    return fields, points
