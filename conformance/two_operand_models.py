"""Squared differences, quotients, comparisons, choices, products of matrices: random models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import draws
import numpy as np
from draws import FLOAT, IMAGES, Made, Rng
from factor_models import middle, multiplied_scales
from operand_models import Shape, activation_shapes, any_shape, constant_shape, operand_scales
from tflite_writer import Writer

COMPARISONS = ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")


def _shapes(rng: Rng) -> tuple[list[Shape], bool]:
    """Return two shapes that go together, and whether the second one is of a constant."""
    shape, ways = any_shape(rng), int(rng.integers(3))
    if ways == 1:
        return list(activation_shapes(rng, shape)), False
    return [shape, constant_shape(rng, shape) if ways == 2 else shape], ways == 2


def _values(rng: Rng, shape: Shape, dtype: str, avoid: int | None = None) -> np.ndarray:
    """Return values of every kind, a given one replaced by the next."""
    low = 0 if dtype == "uint8" else -128
    values = rng.integers(low, low + 256, shape)
    if avoid is not None:
        values[values == avoid] = avoid + (1 if avoid < low + 255 else -1)
    return values.astype(dtype)


def _two(
    kind: str, scales: Callable[[Rng], tuple[Any, Any, Any]], options: str = "",
    zero_divides: bool = True, bare: bool = False, version: int = 1,
) -> Callable[[Rng, str], Made]:  # fmt: skip
    """An op of two operands; `bare`: values as they are stored; engines end at divisors of 0."""

    def make(rng: Rng, dtype: str) -> Made:
        w, (shapes, constant) = Writer(), _shapes(rng)
        if kind in COMPARISONS and rng.random() < 0.3:
            shapes, constant = [shapes[0]] * 2, False
        drawn = scales(rng)
        zeros = [draws.zero_point(rng, dtype) for _ in range(3)]
        if bare:
            drawn, zeros = ((None,) * 3 if rng.random() < 0.5 else drawn), [0, 0, 0]
        elif kind in COMPARISONS and rng.random() < 0.4:
            drawn, zeros = (drawn[0], drawn[0], drawn[2]), [zeros[0], zeros[0], zeros[2]]
        avoid = None if zero_divides else zeros[1]
        held = _values(rng, shapes[1], dtype, avoid) if constant else None
        batches = [_values(rng, (IMAGES, *shapes[0][1:]), dtype)]
        if (
            kind == "FLOOR_DIV" and dtype == "int8"
        ):  # -128 / -1 is cast to int8: vector and scalar loops differ
            batches[0][batches[0] == -128] = -127
            held = None if held is None else np.where(held == -128, -127, held)
        if not constant:
            batches.append(_values(rng, (IMAGES, *shapes[1][1:]), dtype, avoid))
        x1 = w.tensor(shapes[0], dtype, drawn[0], zeros[0])
        x2 = w.tensor(shapes[1], dtype, drawn[1], zeros[1], held)
        inputs = [(x1, shapes[0])] if constant else [(x1, shapes[0]), (x2, shapes[1])]
        order = [x1, x2]
        if constant and zero_divides and rng.random() < 0.5:
            order.reverse()
        made = "bool" if kind in COMPARISONS else dtype
        quantised = (None, 0) if made == "bool" else (drawn[2], zeros[2])
        y = w.tensor(np.broadcast_shapes(*shapes), made, *quantised)
        fields = {"FusedActivationFunction": draws.activation(rng)} if options else {}
        w.op(kind, order, y, version, options, **fields)
        return Made(
            w.finish([i for i, _ in inputs], [y]), tuple(inputs), y, dtype, batches=tuple(batches)
        )

    return make


def _every_pair(
    kind: str, scales: Callable[[Rng], tuple[Any, Any, Any]], options: str = "",
    bare: bool = False, version: int = 2, clamped: bool = True,
) -> Callable[[Rng, str], Made]:  # fmt: skip
    """All 65,536 pairs, but of divisors of 0, and some again after the last whole group."""

    def make(rng: Rng, dtype: str) -> Made:
        w, drawn = Writer(), scales(rng)
        zeros = [draws.zero_point(rng, dtype) for _ in range(3)]
        if bare:
            drawn, zeros = (None,) * 3, [0, 0, 0]
        if not clamped:
            zeros[2] = middle(rng, dtype)
        low = 0 if dtype == "uint8" else -128
        a, b = (v.ravel() for v in np.meshgrid(*[np.arange(low, low + 256)] * 2, indexing="ij"))
        if kind in ("DIV", "FLOOR_DIV", "FLOOR_MOD"):
            there = (b != zeros[1]) & ((a != -128) | (b != -1) | (kind != "FLOOR_DIV"))
            a, b = a[there], b[there]
        again = int(rng.integers(16))
        a, b = (np.append(v, v[:again]).astype(dtype)[None] for v in (a, b))
        inputs = [w.tensor(a.shape, dtype, s, z) for s, z in zip(drawn[:2], zeros, strict=False)]
        made = "bool" if kind in COMPARISONS else dtype
        quantised = (None, 0) if made == "bool" else (drawn[2], zeros[2])
        y = w.tensor(a.shape, made, *quantised)
        number = draws.activation(rng) if clamped else 0
        fields = {"FusedActivationFunction": number} if options else {}
        w.op(kind, inputs, y, version, options, **fields)
        of = tuple((i, a.shape) for i in inputs)
        return Made(w.finish(inputs, [y]), of, y, dtype, batches=(a, b))

    return make


def _difference_scales(rng: Rng) -> tuple[Any, Any, Any]:
    first = draws.scale(rng)
    second = FLOAT(first * 10 ** rng.uniform(-1, 1)) if rng.random() < 0.7 else first
    reach = (float(max(first, second)) * 128) ** 2
    return first, second, draws.output_scale(rng, reach)


def _large_difference_scales(rng: Rng) -> tuple[Any, Any, Any]:
    """Of a last factor from 1 to 2: by one bit to the left first, which int32 always holds."""
    first, second, _ = _difference_scales(rng)
    twice = 2 * float(max(first, second))
    return first, second, FLOAT(twice * twice / 2**14 / 2 ** rng.uniform(0.01, 0.99))


def _tied_product_scales(rng: Rng) -> tuple[Any, Any, Any]:
    """A product of q is a half, to within float32; every fourth time any scale."""
    first, second = draws.scale(rng), draws.scale(rng)
    if rng.random() < 0.25:
        return operand_scales(rng, "MUL")
    q = int(10 ** rng.uniform(1, 4))
    return first, second, FLOAT(float(first * second) * q / (int(rng.integers(20)) + 0.5))


def _compared_scales(rng: Rng) -> tuple[Any, Any, Any]:
    first = draws.scale(rng, -4, -0.1)
    ratio = rng.choice([1, 0.5, 0.25, 10 ** rng.uniform(-1, 1)])
    return first, min(FLOAT(first * ratio), FLOAT(0.99)), None


def _quotient_scales(rng: Rng) -> tuple[Any, Any, Any]:
    first, second = draws.scale(rng), draws.scale(rng)
    return first, second, FLOAT(first / second * 10 ** rng.uniform(-2, 0.5))


def _tied_quotient_scales(rng: Rng) -> tuple[np.float32, np.float32, np.float32]:
    """Scales by which a quotient is next to a tie: ways to compute the factor round otherwise."""
    (p, q), k = rng.integers(1, 128, 2), int(rng.integers(100))
    b, y = draws.scale(rng), draws.scale(rng)
    return FLOAT((k + 0.5) * q / p * float(b) * float(y)), b, y


def _choice(kind: str) -> Callable[[Rng, str], Made]:
    """Of an input of bools; of operands of which one may be a constant."""

    def make(rng: Rng, dtype: str) -> Made:
        w, shape = Writer(), any_shape(rng)
        shapes = [shape] * 3
        if kind == "SELECT_V2" and rng.random() < 0.6:
            shapes = [tuple(n if rng.random() < 0.6 else 1 for n in shape) for _ in range(3)]
        c = w.tensor(shapes[0], "bool")
        quantised = (draws.scale(rng), draws.zero_point(rng, dtype))
        constant = int(rng.integers(4))
        held = [_values(rng, s, dtype) if constant == i else None for i, s in enumerate(shapes)]
        a, b = (w.tensor(shapes[i], dtype, *quantised, held[i]) for i in (1, 2))
        inputs = [(t, shapes[i]) for i, t in ((0, c), (1, a), (2, b)) if i == 0 or constant != i]
        batches = [
            rng.integers(0, 2, (IMAGES, *s[1:])).astype(bool) if t == c
            else _values(rng, (IMAGES, *s[1:]), dtype)
            for t, s in inputs
        ]  # fmt: skip
        y = w.tensor(np.broadcast_shapes(*shapes), dtype, *quantised)
        w.op(kind, [c, a, b], y, 1)
        return Made(
            w.finish([i for i, _ in inputs], [y]), tuple(inputs), y, dtype, batches=tuple(batches)
        )

    return make


def _logical(kind: str) -> Callable[[Rng, str], Made]:
    """Of bools that comparisons with a constant make."""

    def make(rng: Rng, dtype: str) -> Made:
        w, shape = Writer(), any_shape(rng)
        shapes = list(activation_shapes(rng, shape)) if rng.random() < 0.5 else [shape, shape]
        inputs, bools = [], []
        for own in shapes[: 1 if kind == "LOGICAL_NOT" else 2]:
            quantised = (draws.scale(rng), draws.zero_point(rng, dtype))
            x = w.tensor(own, dtype, *quantised)
            held = w.tensor((), dtype, *quantised, _values(rng, (), dtype))
            bools.append(w.tensor(own, "bool"))
            w.op("GREATER", [x, held], bools[-1], 2)
            inputs.append((x, own))
        y = w.tensor(np.broadcast_shapes(*(own for _, own in inputs)), "bool")
        w.op(kind, bools, y)
        return Made(w.finish([i for i, _ in inputs], [y]), tuple(inputs), y, dtype)

    return make


def _file_shape(w: Writer, shape: Shape, dtype: str, *quantised: Any) -> tuple[int, int, Shape]:
    """Add an input of the file and a RESHAPE of it: matrices without a batch of 1 first."""
    if shape[0] == 1:
        x = w.tensor(shape, dtype, *quantised)
        return x, x, shape
    flat = (1, int(np.prod(shape)))
    x, made = w.tensor(flat, dtype, *quantised), w.tensor(shape, dtype, *quantised)
    held = w.tensor((len(shape),), "int32", data=np.array(shape))
    w.op("RESHAPE", [x, held], made)
    return x, made, flat


def _flat(w: Writer, y: int, shape: Shape, dtype: str, *quantised: Any) -> int:
    """Return `y`, or a RESHAPE of it that has a batch of 1 first."""
    if shape[0] == 1:
        return y
    flat = (1, int(np.prod(shape)))
    made = w.tensor(flat, dtype, *quantised)
    w.op("RESHAPE", [y, w.tensor((2,), "int32", data=np.array(flat))], made)
    return made


def _batch_matmul(rng: Rng, dtype: str) -> Made:
    """Of rank 2 to 5, either operand transposed, batches that are spread, or a constant."""
    w, scales = Writer(), (draws.scale(rng), draws.scale(rng))
    rows, columns = int(rng.integers(1, 20)), int(rng.integers(1, 20))
    depth = int(rng.choice([rng.integers(1, 9), rng.integers(1, 80), 16, 32, 64]))
    adj_x, adj_y = bool(rng.integers(2)), bool(rng.integers(2))
    full = tuple(int(n) for n in rng.integers(1, 4, int(rng.integers(0, 3))))
    batch: list[Shape] = []
    for _ in range(2):
        own = full if rng.random() < 0.5 else tuple(n if rng.random() < 0.6 else 1 for n in full)
        batch.append(own[int(rng.integers(0, len(own) + 1)) :] if rng.random() < 0.3 else own)
    if rng.random() < 0.5:
        batch = [(1, *b) if len(b) == len(full) else b for b in batch]
    shapes = [
        (*batch[0], *((depth, rows) if adj_x else (rows, depth))),
        (*batch[1], *((columns, depth) if adj_y else (depth, columns))),
    ]
    constant = int(rng.choice([-1, -1, 0, 1, 1]))
    inputs, made, batches = [], [], []
    for i, shape in enumerate(shapes):
        quantised = (scales[i], draws.zero_point(rng, dtype))
        if i == constant:
            made.append(w.tensor(shape, dtype, *quantised, _values(rng, shape, dtype)))
            continue
        x, matrices, given = _file_shape(w, shape, dtype, *quantised)
        inputs.append((x, given))
        made.append(matrices)
        batches.append(_values(rng, (IMAGES, *given[1:]), dtype))
    unit = float(scales[0] * scales[1])
    quantised = (
        draws.output_scale(rng, unit * 4900 * depth**0.5, unit),
        draws.zero_point(rng, dtype),
    )
    out = (*np.broadcast_shapes(*batch), rows, columns)
    y = w.tensor(out, dtype, *quantised)
    w.op("BATCH_MATMUL", made, y, 4, "BatchMatMulOptions", AdjX=adj_x, AdjY=adj_y)
    last = _flat(w, y, out, dtype, *quantised)
    data = w.finish([i for i, _ in inputs], [last])
    return Made(data, tuple(inputs), last, dtype, batches=tuple(batches))


def _fully_connected_data(rng: Rng, dtype: str) -> Made:
    """Of weights that are an input of the file; with biases or without."""
    w, scales = Writer(), (draws.scale(rng), draws.scale(rng))
    in_c, out_c, rows = int(rng.integers(1, 100)), draws.channels(rng), int(rng.integers(1, 5))
    inputs, made, batches = [], [], []
    zeros = [draws.zero_point(rng, dtype) for _ in range(2)]
    for shape, scale, zero in zip(((rows, in_c), (out_c, in_c)), scales, zeros, strict=True):
        x, matrix, given = _file_shape(w, shape, dtype, scale, zero)
        inputs.append((x, given))
        made.append(matrix)
        batches.append(_values(rng, (IMAGES, *given[1:]), dtype))
    unit = float(scales[0] * scales[1])
    if rng.random() < 0.5:
        bias = rng.integers(-3000, 3000, out_c)
        made.append(w.tensor((out_c,), "int32", FLOAT(unit), 0, bias))
    quantised = draws.output_scale(rng, unit * 4900 * in_c**0.5, unit), draws.zero_point(rng, dtype)
    y = w.tensor((rows, out_c), dtype, *quantised)
    w.op(
        "FULLY_CONNECTED", made, y, 4, "FullyConnectedOptions",
        FusedActivationFunction=draws.activation(rng), WeightsFormat=0, KeepNumDims=False,
    )  # fmt: skip
    last = _flat(w, y, (rows, out_c), dtype, *quantised)
    data = w.finish([i for i, _ in inputs], [last])
    return Made(data, tuple(inputs), last, dtype, batches=tuple(batches))


_PAIRS: Mapping[str, Callable[[Rng, str], Made]] = {
    "ADD": _every_pair("ADD", lambda rng: operand_scales(rng, "ADD"), "AddOptions"),
    "SUB": _every_pair("SUB", lambda rng: operand_scales(rng, "SUB"), "SubOptions"),
    "MUL": _every_pair("MUL", _tied_product_scales, "MulOptions"),
    "SQUARED_DIFFERENCE": _every_pair("SQUARED_DIFFERENCE", _difference_scales),
    "DIV": _every_pair("DIV", _quotient_scales, "DivOptions", version=1),
    "FLOOR_DIV": _every_pair("FLOOR_DIV", _quotient_scales, bare=True),
    "FLOOR_MOD": _every_pair("FLOOR_MOD", _quotient_scales, bare=True),
    **{kind: _every_pair(kind, _compared_scales) for kind in ("EQUAL", "LESS")},
}
MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    **{f"{kind}_PAIRS": make for kind, make in _PAIRS.items()},
    "MUL_FACTORS": _every_pair("MUL", multiplied_scales, "MulOptions", clamped=False),
    "DIV_FACTORS": _every_pair("DIV", _tied_quotient_scales, "DivOptions", version=1),
    "SQUARED_DIFFERENCE": _two("SQUARED_DIFFERENCE", _difference_scales, version=2),
    "SQUARED_DIFFERENCE_LARGE": _two("SQUARED_DIFFERENCE", _large_difference_scales, version=2),
    "DIV": _two("DIV", _quotient_scales, "DivOptions", zero_divides=False, version=2),
    "FLOOR_DIV": _two("FLOOR_DIV", _quotient_scales, zero_divides=False, bare=True, version=3),
    "FLOOR_MOD": _two("FLOOR_MOD", _quotient_scales, zero_divides=False, bare=True, version=2),
    **{kind: _two(kind, _compared_scales, version=2) for kind in COMPARISONS},
    **{kind: _choice(kind) for kind in ("SELECT", "SELECT_V2")},
    **{kind: _logical(kind) for kind in ("LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT")},
    "BATCH_MATMUL": _batch_matmul,
    "FULLY_CONNECTED_DATA": _fully_connected_data,
}
"""By name: from a generator and a type, a model."""
ABORTS = {"SQUARED_DIFFERENCE_LARGE": ("litert_reference", "litert_optimised_x86", "xnnpack")}
"""Kernels that end the process where the last factor is 1 or more."""
