"""ADD, SUB, MUL, MAXIMUM, MINIMUM of constants and of other shapes: random models of one op."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import draws
import numpy as np
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

Shape = tuple[int, ...]


def constant_shape(rng: Rng, shape: Shape) -> Shape:
    """Return a shape that goes with `shape`, which it may lack axes of or have more extents of."""
    each = tuple(int(n) if rng.random() < 0.5 else 1 for n in shape)
    choices = [(), (1,), (1,) * len(shape), shape[-1:], (*(1,) * (len(shape) - 1), shape[-1]),
               shape, shape[1:], each]  # fmt: skip
    return choices[int(rng.integers(len(choices)))]


def activation_shapes(rng: Rng, shape: Shape) -> tuple[Shape, Shape]:
    """Return two shapes that are spread over each other."""
    ways = rng.integers(0, 4)
    if ways == 0:
        return shape, (*(1,) * (len(shape) - 1), shape[-1])
    if ways == 1:
        return shape, (1,) * int(rng.integers(2, len(shape) + 1))
    one, other = (tuple(n if rng.random() < 0.6 else 1 for n in shape) for _ in range(2))
    return (shape if ways == 2 else one), other


def operand_scales(rng: Rng, kind: str) -> tuple[Any, Any, Any]:
    """Return scales of two inputs and the output, of sums some a hair off a tie."""
    first = draws.scale(rng)
    if kind != "MUL" and rng.random() < 0.4:
        # Sums a hair off a tie, at which the last bit of the scale that both share can be seen.
        near = FLOAT(first * (1 - int(rng.integers(1, 9)) * 2**-24))
        return (first, near, 2 * first) if rng.random() < 0.5 else (near, first, 2 * first)
    second = FLOAT(first * 10 ** rng.uniform(-1, 1))
    reach = float(first * second) * 10**4 if kind == "MUL" else float(max(first, second)) * 128
    return first, second, draws.output_scale(rng, reach)


def any_shape(rng: Rng) -> Shape:
    """Return the shape of an image, of a row, or of five or six dimensions."""
    ways = rng.random()
    if ways < 0.15:
        return (1, *(int(n) for n in rng.integers(1, 6, int(rng.choice([4, 5])))))
    return draws.image(rng) if ways < 0.75 else (1, draws.channels(rng))


def _constant(kind: str, options: str, version: int) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        w, scales, shape = Writer(), operand_scales(rng, kind), any_shape(rng)
        held = constant_shape(rng, shape)
        if rng.random() < 0.1 and held == shape:
            shape = (*(1,) * (len(shape) - 1), shape[-1])
        low = 0 if dtype == "uint8" else -128
        data = rng.integers(low, low + 256, held)
        zeros = [draws.zero_point(rng, dtype) for _ in range(2)]
        x = w.tensor(shape, dtype, scales[0], zeros[0])
        constant = w.tensor(held, dtype, scales[1], zeros[1], data)
        y = w.tensor(
            np.broadcast_shapes(shape, held), dtype, scales[2], draws.zero_point(rng, dtype)
        )
        inputs = [x, constant] if rng.random() < 0.5 else [constant, x]
        w.op(kind, inputs, y, version, options, FusedActivationFunction=draws.activation(rng))
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


def _broadcast(kind: str, options: str, version: int) -> Callable[[Rng, str], Made]:
    def make(rng: Rng, dtype: str) -> Made:
        w, scales = Writer(), operand_scales(rng, kind)
        shapes = list(activation_shapes(rng, any_shape(rng)))
        if rng.random() < 0.5:
            shapes.reverse()
        inputs = [
            w.tensor(shape, dtype, scale, draws.zero_point(rng, dtype))
            for shape, scale in zip(shapes, scales[:2], strict=True)
        ]
        y = w.tensor(np.broadcast_shapes(*shapes), dtype, scales[2], draws.zero_point(rng, dtype))
        w.op(kind, inputs, y, version, options, FusedActivationFunction=draws.activation(rng))
        return Made(w.finish(inputs, [y]), tuple(zip(inputs, shapes, strict=True)), y, dtype)

    return make


def _rows(kind: str, options: str, version: int) -> Callable[[Rng, str], Made]:
    """Of a value for each channel, with scales a hair off a tie: kernels' rows and groups show."""

    def make(rng: Rng, dtype: str) -> Made:
        w, first, low = Writer(), draws.scale(rng), 0 if dtype == "uint8" else -128
        shape = (1, *(int(n) for n in rng.integers(1, 6, int(rng.choice([2, 2, 3])))))
        shape = (*shape, int(rng.integers(2, 20)))
        near = FLOAT(first * (1 - int(rng.integers(1, 9)) * 2**-24))
        scales = (first, near) if rng.random() < 0.5 else (near, first)
        x = w.tensor(shape, dtype, scales[0], draws.zero_point(rng, dtype))
        data = rng.integers(low, low + 256, shape[-1:])
        held = w.tensor(shape[-1:], dtype, scales[1], draws.zero_point(rng, dtype), data)
        y = w.tensor(shape, dtype, FLOAT(first * rng.choice([1, 2])), draws.zero_point(rng, dtype))
        inputs = [x, held] if rng.random() < 0.5 else [held, x]
        w.op(kind, inputs, y, version, options, FusedActivationFunction=0)
        return Made(w.finish([x], [y]), ((x, shape),), y, dtype)

    return make


def _extreme(kind: str) -> Callable[[Rng, str], Made]:
    """Of two tensors, alike or spread over each other, or of a constant; one scale."""

    def make(rng: Rng, dtype: str) -> Made:
        w, shape = Writer(), any_shape(rng)
        quantised = (draws.scale(rng), draws.zero_point(rng, dtype))
        ways = int(rng.integers(3))
        shapes = [shape, shape]
        if ways == 1:
            shapes = list(activation_shapes(rng, shape))
        elif ways == 2:
            shapes[1] = constant_shape(rng, shape)
        low = 0 if dtype == "uint8" else -128
        inputs = [w.tensor(shapes[0], dtype, *quantised)]
        data = rng.integers(low, low + 256, shapes[1]) if ways == 2 else None
        second = w.tensor(shapes[1], dtype, *quantised, data)
        given = list(zip((*inputs, second), shapes, strict=True))[: 1 if ways == 2 else 2]
        y = w.tensor(np.broadcast_shapes(*shapes), dtype, *quantised)
        order = [inputs[0], second] if rng.random() < 0.5 else [second, inputs[0]]
        w.op(kind, order, y, 2, "MaximumMinimumOptions")
        return Made(w.finish([i for i, _ in given], [y]), tuple(given), y, dtype)

    return make


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "ADD_CONSTANT": _constant("ADD", "AddOptions", 2),
    "SUB_CONSTANT": _constant("SUB", "SubOptions", 3),
    "MUL_CONSTANT": _constant("MUL", "MulOptions", 2),
    "MAXIMUM": _extreme("MAXIMUM"),
    "MINIMUM": _extreme("MINIMUM"),
    "ADD_ROWS": _rows("ADD", "AddOptions", 2),
    "SUB_ROWS": _rows("SUB", "SubOptions", 3),
    "ADD_BROADCAST": _broadcast("ADD", "AddOptions", 2),
    "SUB_BROADCAST": _broadcast("SUB", "SubOptions", 3),
    "MUL_BROADCAST": _broadcast("MUL", "MulOptions", 2),
}
"""By name: from a generator and a type, a model."""
