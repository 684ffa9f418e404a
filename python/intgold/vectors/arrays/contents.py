"""What belongs in a vector set of a model (SPEC 10.1): one list for its writer and its reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...model.graph import Model, Op, Tensor
from ...ops.fields import Array, Requantization
from .partials import LoopOrder

PARTS = ("multiplier", "right_shift", "multiplier_low")
"""Of a requantize, as names of parameters."""

FOLDERS = {
    "parameter": "parameters",
    "stimulus": "stimulus",
    "output": "outputs",
    "accumulator": "accumulators",
    "partial": "partials",
}

_WEIGHT_AXES = {
    "conv2d": "OHWI",
    "depthwise_conv2d": "HWO",
    "fully_connected": "OI",
    "transpose_conv2d": "OHWI",
}
_TABLE_AXES = {"lut2d": "OT"}  # a row for each value of x1


@dataclass(frozen=True)
class ArraySpec:
    """An array of a set: its role and owner (SPEC 10.5), and where it lies.

    Parameters
    ----------
    role : str
        A key of `FOLDERS`.
    owner : str
        Op, or input tensor of a stimulus.
    name : str
        Tensor, or field of a parameter.
    dtype : str
    shape : tuple of int
        Of a whole parameter, or of one image.
    axes : str
        A letter for each dimension: H, W, C of tensors, O, H, W, I of weights, S of the steps of
        a loop order, T of tables and segments.
    images : bool
        Whether there is one for each image.
    zero_point : int
        Of the tensor; 0 for what has none.
    """

    role: str
    owner: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    axes: str
    images: bool
    zero_point: int = 0

    @property
    def path(self) -> str:
        """Where it lies, without the extension of a format."""
        name = f"{self.owner}.{self.name}" if self.role == "parameter" else self.name
        return f"{FOLDERS[self.role]}/{name}"

    @property
    def identifier(self) -> str:
        """The path as a name of C and SystemVerilog."""
        return self.path.replace("/", "_").replace(".", "_")

    def whole(self, count: int) -> tuple[int, ...]:
        """Return the shape with `count` images."""
        return (count, *self.shape) if self.images else self.shape


def parameter_specs(op: Op) -> Iterator[tuple[ArraySpec, np.ndarray]]:
    """Yield every array field of an op; the parts of a requantize by their own names."""
    for name, kind in op.spec.fields.items():
        arrays: dict[str, np.ndarray] = {}
        if isinstance(kind, Array):
            arrays[name] = op[name]
        elif isinstance(kind, Requantization) and op[name] is not None:
            arrays = {f"{name}.{part}": getattr(op[name], part) for part in PARTS}
        for field, array in arrays.items():
            axes = {**_WEIGHT_AXES, **_TABLE_AXES}[op.kind] if array.ndim > 1 else _axis(op, field)
            yield (
                ArraySpec("parameter", op.name, field, array.dtype.name, array.shape, axes, False),
                array,
            )


def _axis(op: Op, field: str) -> str:
    of_channels = field.startswith("requantize") or field == "bias" or op.kind in _WEIGHT_AXES
    return "O" if of_channels else "T"


def stimulus_spec(tensor: Tensor) -> ArraySpec:
    """Return the stimulus of an input."""
    return _of_tensor("stimulus", tensor.name, tensor, tensor.dtype)


def output_spec(model: Model, op: Op) -> ArraySpec:
    """Return the output of an op."""
    tensor = model.tensor(op.output)
    return _of_tensor("output", op.name, tensor, tensor.dtype)


def accumulator_spec(model: Model, op: Op) -> ArraySpec | None:
    """Return the accumulator of an op (SPEC 6.4); None where it has none."""
    if not op.spec.accumulator:
        return None
    return _of_tensor("accumulator", op.name, model.tensor(op.output), "int32")


def partial_spec(model: Model, op: Op, order: LoopOrder) -> ArraySpec | None:
    """Return the partial accumulators of an op (SPEC 10.6); None where it has none."""
    steps = order.steps(op)
    if not steps:
        return None
    tensor = model.tensor(op.output)
    plain = _of_tensor("partial", op.name, tensor, "int32")
    return ArraySpec(
        "partial", op.name, tensor.name, "int32", (steps, *plain.shape), "S" + plain.axes, True
    )


def _of_tensor(role: str, owner: str, tensor: Tensor, dtype: str) -> ArraySpec:
    axes = "HWC"[3 - len(tensor.shape) :]
    zero_point = 0 if role in ("accumulator", "partial") else tensor.zero_point
    return ArraySpec(role, owner, tensor.name, dtype, tensor.shape, axes, True, zero_point)


def op_entries(model: Model) -> list[dict[str, object]]:
    """Return what a manifest says of the ops, in execution order."""
    return [
        {"name": o.name, "kind": o.kind, "inputs": list(o.inputs), "output": o.output}
        for o in model.ops
    ]
