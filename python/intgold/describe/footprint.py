"""What a model costs: bytes of its constants by kind, of the engine's arena; multiply-adds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..model.graph import Model, Op
from ..ops.fields import Requantize
from ..support.arguments import checked

__all__ = ["Footprint", "arena_sizes", "footprint", "multiply_adds"]


@dataclass(frozen=True)
class Footprint:
    """Bytes of constants by kind.

    Parameters
    ----------
    weights : int
        With their zero points; one byte a weight, whatever number of bits its values use.
    biases : int
        Four bytes each.
    multipliers : int
        Of all requantize entries: four bytes of multiplier and one of right_shift; in form
        ``float64`` four more.
    tables : int
        256 bytes of each lut, 65,536 of each lut2d, 1,024 of each softmax_float32 and
        log_softmax_float32; seven of each
        pwl segment (breakpoint, slope, offset); ten of each output row and column of a
        resize_bilinear; four of each index of a gather.
    """

    weights: int = 0
    biases: int = 0
    multipliers: int = 0
    tables: int = 0

    @property
    def total(self) -> int:
        """All bytes."""
        return self.weights + self.biases + self.multipliers + self.tables

    def __add__(self, other: Footprint) -> Footprint:
        return Footprint(
            self.weights + other.weights, self.biases + other.biases,
            self.multipliers + other.multipliers, self.tables + other.tables,
        )  # fmt: skip


_ARRAYS = {
    "weights": "weights", "weight_zero_point": "weights", "bias": "biases", "table": "tables",
    "indices": "tables", "row0": "tables", "row1": "tables", "row_weight": "tables",
    "column0": "tables", "column1": "tables", "column_weight": "tables",
    "breakpoints": "tables", "slope": "tables", "offset": "tables",
}  # fmt: skip


@checked
def footprint(part: Model | Op) -> Footprint:
    """Return the bytes of the constants of a model or of one op."""
    if isinstance(part, Model):
        return sum((footprint(op) for op in part.ops), Footprint())
    bytes_of = dict.fromkeys(("weights", "biases", "multipliers", "tables"), 0)
    for name, value in part.fields.items():
        if isinstance(value, Requantize):
            bytes_of["multipliers"] += sum(9 if f == "float64" else 5 for f in value.form)
        elif isinstance(value, np.ndarray):
            bytes_of[_ARRAYS[name]] += value.nbytes
    return Footprint(**bytes_of)


@checked
def arena_sizes(model: Model) -> dict[str, int]:
    """Return the bytes that the C engine works in, for every variant that runs here.

    That is the arena of ``intgold_prepare``: packed weights, tensors between ops, scratch. A run
    allocates nothing.

    Raises
    ------
    EngineError
        Naming the largest op, when an arena is more than this machine can address.
    """
    from .. import native
    from ..native.lowering import lower

    native_model = native.NativeModel(lower(model), "portable")
    return {isa: native_model.need(isa) for isa in native.variants()}


@checked
def multiply_adds(model: Model) -> dict[str, int]:
    """Return the products of each op with weights, and of each matmul, per image.

    Padded and cut ones count too.
    """
    found = {}
    for op in model.ops:
        if op.kind == "matmul":
            found[op.name] = model.tensor(op.output).size * model.tensor(op.inputs[0]).shape[-1]
        if "weights" in op.fields:
            outputs = model.tensor(op.output).size
            weights = op["weights"]
            if op.kind == "transpose_conv2d":
                pixels = math.prod(model.tensor(op.inputs[0]).shape[:2])
                found[op.name] = pixels * weights.size
                continue
            taps = (
                weights[0].size if op.kind != "depthwise_conv2d" else math.prod(weights.shape[:2])
            )
            found[op.name] = outputs * taps
    return found
