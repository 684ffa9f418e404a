"""Operands of elementwise ops: constants, and tensors that are spread over the other one.

No op of SPEC 5 holds a constant tensor, but some can be made to, exactly.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....model.builder import Builder
from ..addresses.address_walk import AddressWalk, Pick
from ..file.reader import FileTensor
from .op_context import IDENTITY, OpContext, as_int8, extents, inner
from .split_rows import join_rows, split_rows

_TYPES = ("int8", "uint8", "bool")


def elementwise(
    context: OpContext, kind: str, *fields: dict[str, Any], run: int = 0, whole: int = 0,
    then: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Add an op of two operands of whatever shapes go together.

    Parameters
    ----------
    kind : str
        ``add``, ``mul``, ``maximum``, ``minimum`` or ``lut2d``.
    *fields : dict
        Of the op; two where it computes the first `whole` values of each `run` differently.
    then : ndarray of int8, shape (256,), optional
        Table of a lut after the op, by which a comparison gives bools.
    """
    constants = constants_of(context, compares=then is not None)
    if len(fields) > 1:
        made = [_tensor(context, i) for i in (0, 1)]
        _by_place(context, kind, made, fields, run, whole)
    elif not constants:
        _add(context, kind, [spread(context, i) for i in (0, 1)], fields[0], then)
    else:
        _with_constant(context, kind, constants[0], fields[0], then)


def _add(
    context: OpContext, kind: str, inputs: list[str], fields: dict[str, Any],
    then: np.ndarray | None,
) -> None:  # fmt: skip
    made = context.add(kind, *inputs, last=then is None, **fields)
    if then is not None:
        context.add("lut", made, table=then)


def constants_of(context: OpContext, *, compares: bool = False) -> list[int]:
    """Return which operand is a constant, after a look at types and shapes.

    Parameters
    ----------
    compares : bool
        The op gives bools.
    """
    a, b = context.file(0), context.file(1)
    if not (a.dtype == b.dtype and context.y.dtype == ("bool" if compares else a.dtype)):
        raise context.fail(f"{a.dtype} and {b.dtype} to {context.y.dtype}")
    try:
        spread = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise context.fail(f"shapes {a.shape} and {b.shape} do not go together") from None
    if spread != context.y.shape:
        raise context.fail(f"shapes {a.shape} and {b.shape} give {spread}, not {context.y.shape}")
    constants = [i for i in (0, 1) if context.file(i).data is not None]
    if len(constants) == 2:
        raise context.fail("both inputs are constants")
    return constants


def _by_place(
    context: OpContext,
    kind: str,
    made: list[str],
    fields: tuple[dict[str, Any], ...],
    run: int,
    whole: int,
) -> None:
    rows = math.prod(inner(context.y)) // run
    cut = [split_rows(context, x, context.file(i), rows, run, whole) for i, x in enumerate(made)]
    parts = [
        context.add(kind, *both, last=False, **own) for *both, own in zip(*cut, fields, strict=True)
    ]
    join_rows(context, parts)


def _tensor(context: OpContext, i: int) -> str:
    """Return input `i`, constant or not, as a tensor of the output's shape."""
    if context.file(i).data is None:
        return spread(context, i)
    return constant_tensor(context, i, 1 - i)


def constant_tensor(context: OpContext, i: int, other: int) -> str:
    """Return the constant input `i` as a tensor of the output's shape, made of input `other`."""
    values = as_int8(context.constant(i, _TYPES))
    return _by_channel(context, spread(context, other), other, values, made=context.file(i))


def _with_constant(
    context: OpContext, kind: str, at: int, fields: dict[str, Any], then: np.ndarray | None
) -> None:
    x = spread(context, 1 - at)
    values = as_int8(context.constant(at, _TYPES))
    if values.size == 1:
        table = table_with(context, kind, at, int(values.ravel()[0]), fields)
        context.add("lut", x, table=table if then is None else then[table.astype(int) + 128])
    elif kind == "mul":
        zero = np.array([context.zero_point(context.file(at))], np.int8)
        _by_channel(context, x, 1 - at, values, weight_zero_point=zero, **fields)
    else:
        held = constant_tensor(context, at, 1 - at)
        _add(context, kind, [held, x] if at == 0 else [x, held], fields, then)


def table_with(
    context: OpContext, kind: str, at: int, value: int, fields: dict[str, Any]
) -> np.ndarray:
    """Return what the op produces for each int8 and one value, its proof of int32 included."""
    builder = Builder("table")
    for i in (0, 1):
        builder.input(f"x{i}", (256,), zero_point=context.zero_point(context.file(i)))
    builder.op(kind, "x0", "x1", zero_point=context.zero_point(context.y), **fields)
    operands = {f"x{1 - at}": np.arange(-128, 128), f"x{at}": np.full(256, value)}
    batches = {name: v.astype(np.int8)[None] for name, v in operands.items()}
    return np.asarray(builder.model().run(batches, backend="golden").output[0])


def _by_channel(
    context: OpContext,
    x: str,
    i: int,
    values: np.ndarray,
    made: FileTensor | None = None,
    **fields: Any,
) -> str:
    """Add a depthwise_conv2d that multiplies by constants, or produces them as a tensor.

    Parameters
    ----------
    x : str
        Input `i` in the output's shape.
    values : ndarray of int8
        Spread over the output's shape; of as few channels as hold them.
    made : FileTensor, optional
        The constant that the tensor is to be: weights of 0 and a bias, whatever `x` is.
    """
    context.spend(0, math.prod(inner(context.y)))
    none = np.zeros(1, np.int8)
    if made is None:
        return by_constants(context, x, context.file(i), values, none, last=True, **fields)
    bias = values.astype(np.int32) - context.zero_point(made)
    return by_constants(
        context, x, context.file(i), none, bias, last=False, made=made, requantize=IDENTITY
    )


def by_constants(
    context: OpContext, x: str, like: FileTensor, weights: np.ndarray, bias: np.ndarray, *,
    last: bool,
    made: FileTensor | None = None, **fields: Any,
) -> str:  # fmt: skip
    """Add a depthwise_conv2d of a weight and a bias for each place; the budget counts them already.

    Parameters
    ----------
    x : str
        Of scale and zero point of `like`, in the output's shape.
    weights, bias : ndarray
        Spread over the output's shape; of as few channels as hold them.
    last : bool
        It produces the output of the op.
    made : FileTensor, optional
        Whose scale and zero point it has; the output's by default.
    """
    shape = inner(context.y)
    rows = [np.broadcast_to(v, context.y.shape).reshape(-1, shape[-1]) for v in (weights, bias)]
    repeated = all((v == v[0]).all() for v in rows)
    w, b = ((v[0] if repeated else v.ravel()) for v in rows)
    image = (math.prod(shape[:-1]), 1, shape[-1]) if repeated else (1, 1, w.size)
    image = shape if repeated and len(shape) == 3 else image
    x = _reshaped(context, x, shape, image, like)
    y = context.add(
        "depthwise_conv2d", x, last=last and image == shape, like=made,
        weights=w.reshape(1, 1, -1), bias=b.astype(np.int32), **fields,
    )  # fmt: skip
    if not last:
        return _reshaped(context, y, image, shape, made or context.y)
    return y if image == shape else context.add("reshape", y, shape=extents(shape))


def spread(context: OpContext, i: int) -> str:
    """Return input `i` in the shape of the output: its values are repeated."""
    x, like, shape = context.x(i), context.file(i), inner(context.y)
    own, full = inner(like), context.y.shape
    if math.prod(own) == math.prod(shape):
        return _reshaped(context, x, own, shape, like)
    walk = AddressWalk.over((*(1,) * (len(full) - len(like.shape)), *like.shape))
    for axis, (n, target) in enumerate(zip(walk.shape, full, strict=True)):
        if n != target:  # n is 1: the shapes go together
            walk = walk.picked(axis, Pick(0, ((target, 0),)))
    return context.add(
        "strided_copy", x, last=False, like=like, shape=extents(shape), **walk.fields()
    )


def _reshaped(
    context: OpContext, x: str, shape: tuple[int, ...], to: tuple[int, ...], like: FileTensor
) -> str:
    return x if shape == to else context.add("reshape", x, last=False, like=like, shape=extents(to))
