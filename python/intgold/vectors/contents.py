"""What belongs in a vector set of a model (SPEC 10.1): one list for its writer and its reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..fields import Array, Requantization
from ..model import Model

PARTS = ("multiplier", "right_shift", "multiplier_low")
"""Of a requantize, as names of parameters."""


@dataclass(frozen=True)
class Entry:
    """An array of a set: its role and owner (SPEC 10.3), and where it lies.

    Parameters
    ----------
    role : str
        ``parameter``, ``stimulus``, ``output`` or ``accumulator``.
    owner : str
        Op, or input tensor of a stimulus.
    name : str
        Tensor, or field of a parameter.
    path : str
        Relative, without the extension of a format.
    dtype, shape
        Of the array, images included.
    """

    role: str
    owner: str
    name: str
    path: str
    dtype: str
    shape: tuple[int, ...]


def parameters(model: Model) -> Iterator[tuple[Entry, np.ndarray]]:
    """Yield every array field of every op; the parts of a requantize by their own names."""
    for op in model.ops:
        for name, kind in op.spec.fields.items():
            arrays: dict[str, np.ndarray] = {}
            if isinstance(kind, Array):
                arrays[name] = op[name]
            elif isinstance(kind, Requantization) and op[name] is not None:
                arrays = {f"{name}.{part}": getattr(op[name], part) for part in PARTS}
            for field, array in arrays.items():
                path = f"parameters/{op.name}.{field}"
                yield Entry("parameter", op.name, field, path, array.dtype.name, array.shape), array


def stimuli(model: Model, count: int) -> list[Entry]:
    """Return the stimulus of every input, for `count` images."""
    tensors = map(model.tensor, model.inputs)
    return [
        Entry("stimulus", t.name, t.name, f"stimulus/{t.name}", t.dtype, (count, *t.shape))
        for t in tensors
    ]


def results(model: Model, count: int) -> list[Entry]:
    """Return what a run of `count` images makes: every op's output, then its accumulator."""
    entries = []
    for op in model.ops:
        tensor = model.tensor(op.output)
        kinds = [("output", tensor.dtype)]
        kinds += [("accumulator", "int32")] if op.spec.accumulator else []
        for role, dtype in kinds:
            path = f"{role}s/{tensor.name}"
            entries.append(Entry(role, op.name, tensor.name, path, dtype, (count, *tensor.shape)))
    return entries


def ops(model: Model) -> list[dict[str, object]]:
    """Return what a manifest says of the ops, in execution order."""
    return [
        {"name": o.name, "kind": o.kind, "inputs": list(o.inputs), "output": o.output}
        for o in model.ops
    ]
