"""C structures filled from lowered models, with the arrays that they point to kept alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..ops.fields import FORMS, Requantize
from .compiled import ffi
from .lowering import Lowered, Member

_C_TYPES = {"int8": "int8_t *", "int16": "int16_t *", "int32": "int32_t *", "uint8": "uint8_t *"}


def pointer(array: np.ndarray) -> Any:
    """Return the address of a C-ordered array; the caller keeps the array alive."""
    return ffi.cast(_C_TYPES[array.dtype.name], array.ctypes.data)


class Structures:
    """Owner of C structures: what it made lives as long as it does."""

    def __init__(self) -> None:
        self._alive: list[Any] = []

    def keep(self, value: Any) -> Any:
        """Keep a cdata or array alive and return it."""
        self._alive.append(value)
        return value

    def array(self, values: np.ndarray) -> Any:
        """Return a pointer to a kept, C-ordered copy in native byte order."""
        return pointer(self.keep(np.array(values, values.dtype.newbyteorder("="), order="C")))

    def integers(self, values: tuple[int, ...]) -> Any:
        """Return a pointer to int32 values."""
        return self.keep(ffi.new("int32_t[]", list(values)))

    def fields(self, struct: str, members: Mapping[str, Member]) -> Any:
        """Return a pointer to a structure of this name with every member set.

        Raises
        ------
        AttributeError
            When `members` are not exactly those of the C structure.
        """
        made = self.keep(ffi.new(f"{struct} *"))
        declared = {name for name, _ in ffi.typeof(struct).fields}
        if declared != set(members):
            raise AttributeError(
                f"{struct}: members {sorted(declared ^ set(members))} do not match"
            )
        for name, value in members.items():
            if isinstance(value, np.ndarray):
                setattr(made, name, self.array(value))
            elif isinstance(value, Requantize):
                self.requantize(getattr(made, name), value)
            elif value is not None:
                setattr(made, name, value)
        return made

    def requantize(self, made: Any, by: Requantize) -> None:
        """Fill an ``intgold_requantize``."""
        made.count = by.count
        made.form = self.array(np.array([FORMS.index(f) for f in by.form], np.uint8))
        made.multiplier = self.array(by.multiplier)
        made.right_shift = self.array(by.right_shift)
        made.multiplier_low = self.array(by.multiplier_low)

    def model(self, lowered: Lowered) -> Any:
        """Return a pointer to an ``intgold_model``."""
        tensors = self.keep(ffi.new("intgold_tensor[]", len(lowered.tensors)))
        for made, tensor in zip(tensors, lowered.tensors, strict=True):
            made.name = self.keep(ffi.new("char[]", tensor.name.encode()))
            made.dtype, made.size, made.offset = tensor.dtype, tensor.size, tensor.offset
        ops = self.keep(ffi.new("intgold_op[]", len(lowered.ops)))
        for made, op in zip(ops, lowered.ops, strict=True):
            made.kind, made.output = op.kind, op.output
            made.fields = self.fields(op.struct, op.members)
            made.inputs = self.integers(op.inputs)
        model = self.keep(ffi.new("intgold_model *"))
        model.name = self.keep(ffi.new("char[]", lowered.name.encode()))
        model.n_tensors, model.n_ops = len(lowered.tensors), len(lowered.ops)
        model.n_inputs, model.n_outputs = len(lowered.inputs), len(lowered.outputs)
        model.activations_size = lowered.activations_size
        model.tensors, model.ops = tensors, ops
        model.inputs, model.outputs = map(self.integers, (lowered.inputs, lowered.outputs))
        return model
