"""The C op functions, one by one, with the signatures of their golden twins.

``native.conv2d(x, ...)`` takes what ``golden.conv2d(x, ...)`` takes and gives the same bits, by
``intgold_conv2d_s8`` of csrc/conv2d.c, image by image, with the portable kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import accumulators
from ..errors import InputError, ModelError
from ..fields import Scales, integer
from ..lowering import members
from ..model import DTYPE_RANGE
from ..ops import OPS, OpKind
from .compiled import ffi, lib
from .structures import Structures, pointer


def _function(spec: OpKind) -> Callable[..., Any]:
    def call(*inputs: np.ndarray, **arguments: Any) -> Any:
        return _call(spec, inputs, arguments)

    call.__name__ = call.__qualname__ = spec.name
    result = "(y, acc)" if spec.accumulator else "y"
    call.__doc__ = (
        f"SPEC {spec.clause} in C: {spec.summary}.\n\n"
        f"Takes and returns what `intgold.golden.{spec.name}` does: {result}.\n"
    )
    return call


def _call(spec: OpKind, inputs: tuple[np.ndarray, ...], arguments: dict[str, Any]) -> Any:
    count, shapes = _check_inputs(spec, inputs)
    fields, points = _check_arguments(spec, arguments)
    out_shape = spec.shape(fields, shapes)
    ranges = [DTYPE_RANGE[spec.input_dtype]] * len(inputs)
    zeros = [points.get(f"{name}_zero_point", 0) for name in spec.inputs]
    area = int(np.prod(shapes[0][:-1], dtype=np.int64))
    accumulators.prove(spec.name, fields, ranges, zeros, area)

    owner = Structures()
    struct = owner.fields(f"intgold_{spec.name}", members(spec, fields, shapes, out_shape, points))
    function = getattr(lib, spec.c_name)
    dtype = spec.output_dtype(fields)
    y = np.empty((count, *out_shape), dtype)
    acc = np.empty((count, *out_shape), np.int32) if spec.accumulator else None
    bare = acc is not None and dtype == "int32"
    scratch = []
    if spec.scratch:
        size = getattr(lib, f"intgold_{spec.name}_scratch_size")(struct)
        scratch.append(owner.keep(ffi.new("int64_t[]", size // 8 + 1)))
    for i in range(count):
        out = [ffi.NULL if bare else pointer(y[i])]
        out += [] if acc is None else [pointer(acc[i])]
        function(struct, *(pointer(x[i]) for x in inputs), *out, *scratch)
    if acc is None:
        return y
    return (acc.copy() if bare else y), acc


def _check_inputs(
    spec: OpKind, inputs: tuple[np.ndarray, ...]
) -> tuple[int, list[tuple[int, ...]]]:
    if len(inputs) != len(spec.inputs):
        raise InputError(f"{spec.name}: {len(inputs)} inputs instead of {len(spec.inputs)}")
    for name, x in zip(spec.inputs, inputs, strict=True):
        if not isinstance(x, np.ndarray) or x.dtype != np.dtype(spec.input_dtype):
            found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise InputError(f"{name}: {found} instead of an array of {spec.input_dtype}")
        if x.ndim < 2 or x.size == 0:
            raise InputError(f"{name}: shape {x.shape}: a non-empty batch is needed")
        if not (x.flags.c_contiguous and x.flags.aligned):
            raise InputError(f"{name}: not in C order or not aligned; pass x.copy('C')")
        if len(x) != len(inputs[0]):
            raise InputError(f"{name}: {len(x)} images, {spec.inputs[0]} has {len(inputs[0])}")
    return len(inputs[0]), [x.shape[1:] for x in inputs]


def _check_arguments(
    spec: OpKind, arguments: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, int]]:
    read = {n: t for n, t in spec.fields.items() if not isinstance(t, Scales)}
    if set(arguments) != set(read) | set(spec.zero_points):
        odd = sorted(set(arguments) ^ (set(read) | set(spec.zero_points)))
        raise ModelError(f"{spec.name}: missing or unknown arguments {', '.join(odd)}")
    fields: dict[str, Any] = dict.fromkeys(spec.fields)
    fields.update({n: t.check(f"{spec.name} {n}", arguments[n]) for n, t in read.items()})
    points = {n: integer(f"{spec.name} {n}", arguments[n], -128, 127) for n in spec.zero_points}
    return fields, points


FUNCTIONS: dict[str, Callable[..., Any]] = {name: _function(spec) for name, spec in OPS.items()}
"""The C function of every op of the op table."""
