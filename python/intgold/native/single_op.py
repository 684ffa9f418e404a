"""The C op functions, one by one, with the signatures of their golden twins.

``native.conv2d(x, ...)`` takes what ``golden.conv2d(x, ...)`` takes and gives the same bits, by
``intgold_conv2d_s8`` of csrc/ops/conv2d.c, image by image, with the portable kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from ..ops.arguments import check_call
from ..ops.kind import OpKind
from ..ops.table import OPS
from .compiled import ffi, lib
from .lowering import struct_members
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
    fields, points, shapes, out_shape = check_call(spec, inputs, arguments)
    for name, x in zip(spec.inputs, inputs, strict=True):
        if not (x.flags.c_contiguous and x.flags.aligned):
            raise InputError(f"{name}: not in C order or not aligned; pass x.copy('C')")
    count = len(inputs[0])

    owner = Structures()
    struct = owner.fields(
        f"intgold_{spec.name}", struct_members(spec, fields, shapes, out_shape, points)
    )
    function = getattr(lib, spec.c_name(inputs[0].dtype.name))
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


FUNCTIONS: dict[str, Callable[..., Any]] = {name: _function(spec) for name, spec in OPS.items()}
"""The C function of every op of the op table."""
