"""Shapes that a file computes, and tensors that lost the batch of 1; random models of one op."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import draws
import numpy as np
import tflite
from draws import FLOAT, Made, Rng
from tflite_writer import Writer

_INT32 = tflite.TensorType.INT32


class Shapes:
    """Adds ops of shapes to a file, as converters write them for a network of a free batch."""

    def __init__(self, w: Writer) -> None:
        self.w = w

    def held(self, values: Any) -> int:
        """Add a constant of int32."""
        return self.w.tensor(np.shape(values), "int32", data=np.array(values))

    def op(
        self, kind: str, inputs: list[int], shape: tuple[int, ...], options: str, **fields: Any
    ) -> int:
        """Add an op on int32 and return its output."""
        y = self.w.tensor(shape, "int32")
        self.w.op(kind, inputs, y, 1, options, **fields)
        return y

    def shape_of(self, x: int, rank: int) -> int:
        """Add the SHAPE of a tensor."""
        return self.op("SHAPE", [x], (rank,), "ShapeOptions", OutType=_INT32)

    def first(self, shape: int) -> int:
        """Add the first value of a shape."""
        ends = [self.held([0]), self.held([1]), self.held([1])]
        return self.op(
            "STRIDED_SLICE", [shape, *ends], (), "StridedSliceOptions", ShrinkAxisMask=1
        )  # fmt: skip

    def gather(self, shape: int, at: list[int]) -> int:
        """Add some values of a shape."""
        return self.op("GATHER", [shape, self.held(at)], (len(at),), "GatherOptions", Axis=0)

    def product(self, extents: int) -> int:
        """Add the product of extents."""
        inputs = [extents, self.held([0])]
        return self.op("REDUCE_PROD", inputs, (), "ReducerOptions", KeepDims=False)

    def pack(self, values: list[int]) -> int:
        """Add a vector of values."""
        count = len(values)
        return self.op("PACK", values, (count,), "PackOptions", ValuesCount=count, Axis=0)

    def join(self, shape: int, rank: int, last: int) -> int:
        """Add a shape with one more extent."""
        return self.op(
            "CONCATENATION", [shape, self.held([last])], (rank + 1,), "ConcatenationOptions",
            Axis=0, FusedActivationFunction=0,
        )  # fmt: skip


def _reshape(rng: Rng, dtype: str) -> Made:
    """RESHAPE to the batch, packed with extents that are known, or with one -1."""
    w, shape, scale = Writer(), draws.image(rng), draws.scale(rng)
    zero, s = draws.zero_point(rng, dtype), Shapes(w)
    x = w.tensor(shape, dtype, scale, zero)
    out = (1, shape[1] * shape[2], shape[3]) if rng.random() < 0.5 else (1, int(np.prod(shape)))
    wanted = [*out[1:-1], -1] if rng.random() < 0.3 else [*out[1:]]
    batch = s.first(s.shape_of(x, 4))
    computed = s.pack([batch, *(s.held(n) for n in wanted)])
    y = w.tensor(out, dtype, scale, zero)
    w.op("RESHAPE", [x, computed], y)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _rows(rng: Rng) -> tuple[tuple[int, ...], int]:
    """Return the shape of an input of some rows, and how many values FULLY_CONNECTED makes."""
    inner = [int(n) for n in rng.integers(1, 7, int(rng.integers(1, 3)))]
    return (1, *inner, int(rng.integers(1, 70))), draws.channels(rng)


def _dense(
    rng: Rng, w: Writer, dtype: str, x: tuple[int, Any], rows: int, of: tuple[int, int]
) -> tuple[int, Any, int]:
    """Add FULLY_CONNECTED of `of` channels to rows; return its output, scale and zero point."""
    held, product = draws.weights(rng, w, dtype, of, 0, x[1])
    scale, zero = (
        draws.output_scale(rng, product * 4900 * of[1] ** 0.5),
        draws.zero_point(rng, dtype),
    )
    y = w.tensor((rows, of[0]), dtype, scale, zero)
    w.op(
        "FULLY_CONNECTED", [x[0], *held], y, 4, "FullyConnectedOptions",
        FusedActivationFunction=draws.activation(rng), WeightsFormat=0, KeepNumDims=False,
    )  # fmt: skip
    return y, scale, zero


def _computed_rows(rng: Rng, dtype: str) -> Made:
    """What converters make of a dense layer on rows: extents that they cannot tell are 1."""
    w, scale, zero, (shape, out_c) = (
        Writer(),
        draws.scale(rng),
        draws.zero_point(rng, dtype),
        _rows(rng),
    )
    s, last = Shapes(w), len(shape) - 1
    x = w.tensor(shape, dtype, scale, zero)
    extents = s.shape_of(x, last + 1)
    before, behind = s.gather(extents, [*range(last)]), s.gather(extents, [last])
    back = s.join(before, last, out_c)
    flat = w.tensor((1, 1), dtype, scale, zero)
    w.op("RESHAPE", [x, s.pack([s.product(before), s.product(behind)])], flat)
    made, scale, zero = _dense(rng, w, dtype, (flat, scale), 1, (out_c, shape[-1]))
    y = w.tensor((*shape[:-1], out_c), dtype, scale, zero)
    w.op("RESHAPE", [made, back], y)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _whole(rng: Rng, dtype: str) -> Made:
    """A dense layer on rows that are no batch, and an op that counts no axes after it."""
    w, scale, zero, (shape, out_c) = (
        Writer(),
        draws.scale(rng),
        draws.zero_point(rng, dtype),
        _rows(rng),
    )
    s, rows = Shapes(w), int(np.prod(shape[:-1]))
    x = w.tensor(shape, dtype, scale, zero)
    flat = w.tensor((rows, shape[-1]), dtype, scale, zero)
    w.op("RESHAPE", [x, s.held([rows, shape[-1]])], flat)
    made, scale, zero = _dense(rng, w, dtype, (flat, scale), rows, (out_c, shape[-1]))
    if rng.random() < 0.7:
        made, scale, zero = _behind(rng, w, dtype, made, scale, (rows, out_c))
    y = w.tensor((*shape[:-1], out_c), dtype, scale, zero)
    w.op("RESHAPE", [made, s.held([*shape[:-1], out_c])], y)
    return Made(w.finish([x], [y]), ((x, shape),), y, dtype)


def _behind(
    rng: Rng, w: Writer, dtype: str, x: int, scale: Any, shape: tuple[int, ...]
) -> tuple[int, Any, int]:
    kind = str(rng.choice(["ADD", "SUB", "MUL", "QUANTIZE", "SOFTMAX"]))
    low, y_scale, zero = 0 if dtype == "uint8" else -128, FLOAT(scale * 1.37), 3
    inputs, options = [x], f"{kind.capitalize()}Options"
    fields: dict[str, Any] = {"FusedActivationFunction": 0}
    if kind == "SOFTMAX":
        y_scale, zero, fields = FLOAT(1 / 256), low, {"Beta": 1.0}
    elif kind == "QUANTIZE":
        fields = {}
    else:
        own = [(), shape[-1:], shape][int(rng.integers(3))]
        second = FLOAT(0.02 if kind == "MUL" else scale * 0.7)
        inputs.append(w.tensor(own, dtype, second, 5, rng.integers(low, low + 256, own)))
    y = w.tensor(shape, dtype, y_scale, zero)
    w.op(kind, inputs, y, 2, options, **fields)
    return y, y_scale, zero


MODELS: Mapping[str, Callable[[Rng, str], Made]] = {
    "RESHAPE_COMPUTED": _reshape,
    "FULLY_CONNECTED_COMPUTED": _computed_rows,
    "FULLY_CONNECTED_WHOLE": _whole,
}
"""By name: from a generator and a type, a model."""
