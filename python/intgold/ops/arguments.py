"""What the functions of single ops take, in any engine: checked by the op table before a run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from ..errors import InputError, ModelError
from ..support.quoting import given
from .fields import DTYPE_RANGE, Array, Field, Scales, integer
from .kind import OpKind
from .shapes import Shape
from .table import OPS

Checked = tuple[dict[str, Any], dict[str, int], list[Shape], Shape]
"""Fields, zero points, the shapes of the inputs and of the output, without the batch."""

_TAKEN = {name: [np.dtype(d) for d in spec.input_dtypes] for name, spec in OPS.items()}
_PLAIN = {int, str, tuple}
_INT = {int}


def check_call(spec: OpKind, inputs: tuple[Any, ...], arguments: Mapping[str, Any]) -> Checked:
    """Return what an op is called with, checked as a whole, the int32 proof included.

    What it returns is only to be read.

    Raises
    ------
    InputError
        Naming the input that is no batch of the op's dtype.
    ModelError
        Naming the argument that is missing, unknown or out of its range, or what does not fit.
    """
    shapes = _check_inputs(spec, inputs)
    if _are_plain(arguments):
        return _check_plain(spec.name, tuple(shapes), tuple(arguments.items()))
    return _check(spec, shapes, arguments)


def _are_plain(arguments: Mapping[str, Any]) -> bool:
    """Return whether all are integers, text and tuples of integers: equal ones are the same."""
    values = arguments.values()
    if not _PLAIN.issuperset(map(type, values)):
        return False
    tuples = [v for v in values if type(v) is tuple]
    return _INT.issuperset(map(type, chain.from_iterable(tuples)))


@functools.lru_cache(1024)
def _check_plain(
    name: str, shapes: tuple[Shape, ...], arguments: tuple[tuple[str, Any], ...]
) -> Checked:
    return _check(OPS[name], list(shapes), dict(arguments))


def _check(spec: OpKind, shapes: list[Shape], arguments: Mapping[str, Any]) -> Checked:
    fields, points = _check_arguments(spec, arguments)
    made = spec.shape(fields, shapes)
    if not spec.can_overflow:
        return fields, points, shapes, made
    ranges = [DTYPE_RANGE[spec.input_dtypes[0]]] * len(shapes)
    zeros = [points.get(f"{name}_zero_point", 0) for name in spec.inputs]
    spec.prove(fields, ranges, zeros, shapes[0])
    return fields, points, shapes, made


def _check_inputs(spec: OpKind, inputs: tuple[Any, ...]) -> list[Shape]:
    if len(inputs) != len(spec.inputs):
        raise InputError(f"{spec.name}: {len(inputs)} inputs instead of {len(spec.inputs)}")
    for name, x in zip(spec.inputs, inputs, strict=True):
        if not isinstance(x, np.ndarray) or x.dtype not in _TAKEN[spec.name]:
            found = x.dtype if isinstance(x, np.ndarray) else given(x)
            raise InputError(f"{name}: {found} instead of an array of {spec.takes}")
        if x.ndim < 2 or x.size == 0:
            raise InputError(f"{name}: shape {x.shape}: a non-empty batch is needed")
        if len(x) != len(inputs[0]):
            raise InputError(f"{name}: {len(x)} images, {spec.inputs[0]} has {len(inputs[0])}")
    return [x.shape[1:] for x in inputs]


def _check_arguments(
    spec: OpKind, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, int]]:
    read, names = _declared(spec.name)
    if arguments.keys() != names:
        odd = sorted(arguments.keys() ^ names)
        raise ModelError(f"{spec.name}: missing or unknown arguments {', '.join(odd)}")
    fields: dict[str, Any] = dict.fromkeys(spec.fields)
    fields.update({n: _field(spec, n, t, arguments[n]) for n, t in read.items()})
    points = {n: integer(f"{spec.name} {n}", arguments[n], -128, 127) for n in spec.zero_points}
    return fields, points


@functools.cache
def _declared(name: str) -> tuple[dict[str, Field], frozenset[str]]:
    """Return the fields that an op's function takes, and the names of all that it takes."""
    read: dict[str, Field] = {
        n: t for n, t in OPS[name].fields.items() if not isinstance(t, Scales)
    }
    return read, frozenset((*read, *OPS[name].zero_points))


def _field(spec: OpKind, name: str, kind: Field, value: Any) -> Any:
    # An array is read before the call returns: the copy that a model keeps is not needed.
    if isinstance(kind, Array) and type(value) is np.ndarray and kind.holds(value):
        return value
    return kind.check(f"{spec.name} {name}", value)
