"""What goes into a model and comes out: arrays checked against names, dtypes and shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..support.arguments import array_advice
from ..support.quoting import batch_of, given, labelled, short_repr, shown

_NDARRAY = np.ndarray
_ORDERED, _WRITABLE = 0x0101, 0x0501
"""The bits of ndarray.flags for C order and alignment; and for an array that can be written."""


@dataclass(frozen=True, eq=False)
class ModelPort:
    """An input or output of a model: its name, dtype, and shape without the batch."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    def check(self, role: str, array: Any) -> int:
        """Return how many images `array` has, or raise InputError."""
        where = labelled(role, self.name)
        plain = isinstance(array, np.ndarray) and not isinstance(array, np.ma.MaskedArray)
        if not plain or array.dtype != self.dtype:
            found = array.dtype if plain else given(array)
            raise InputError(
                f"{where}: {found} instead of an array of {self.dtype}" + self._advice(role, array)
            )
        if array.shape[1:] != self.shape:
            raise InputError(f"{where}: shape {array.shape} instead of {batch_of(self.shape)}")
        if role == "output" and array.flags.num & _ORDERED != _ORDERED:
            raise InputError(f"{where}: not in C order or not aligned; pass x.copy('C')")
        return len(array)

    def _advice(self, role: str, array: Any) -> str:
        """Return what to do about an input that is bytes, reals or no array."""
        advice = array_advice(array, str(self.dtype))
        kind = array.dtype.kind if isinstance(array, np.ndarray) and not advice else ""
        if role == "input" and self.dtype == np.int8 and kind and kind in "uf":
            return ": model.quantize_input(x) produces it from camera bytes (uint8) or reals"
        return advice


@dataclass(frozen=True, eq=False)
class ModelPorts:
    """The inputs and outputs of a model, in its order.

    Parameters
    ----------
    inputs, outputs : tuple of ModelPort
    span : int
        Bytes of all tensors of one image.
    """

    __repr__ = short_repr

    inputs: tuple[ModelPort, ...]
    outputs: tuple[ModelPort, ...]
    span: int

    def check_inputs(self, x: Any) -> tuple[int, list[np.ndarray]]:
        """Return the number of images and the inputs in order, as they are where C can read them.

        Raises
        ------
        InputError
            Naming the input and what is wrong with it.
        """
        # The usual case in one look; what fails it gets a message that says why.
        port = self.inputs[0]
        if (
            type(x) is _NDARRAY
            and x.dtype == port.dtype
            and x.shape[1:] == port.shape
            and x.flags.num & _ORDERED == _ORDERED
            and len(x)
            and len(self.inputs) == 1
        ):
            return len(x), [x]
        arrays = _in_order("input", self.inputs, x)
        count = port.check("input", arrays[0])
        for other, array in zip(self.inputs[1:], arrays[1:], strict=True):
            if (found := other.check("input", array)) != count:
                raise InputError(
                    f"{labelled('input', other.name)}: {found} images, another has {count}"
                )
        if not count:
            raise InputError(f"{labelled('input', port.name)}: no images")
        return count, [np.require(array, requirements=("C", "A")) for array in arrays]

    def check_outputs(self, out: Any, count: int, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the arrays that `out` gives for the outputs of `count` images, in order.

        Raises
        ------
        InputError
            Naming the output; also where an array cannot be written or shares its memory.
        """
        port = self.outputs[0]
        if (
            type(out) is _NDARRAY
            and out.dtype == port.dtype
            and out.shape[1:] == port.shape
            and out.flags.num & _WRITABLE == _WRITABLE
            and len(out) == count
            and len(self.outputs) == len(inputs) == 1
            and not np.may_share_memory(out, inputs[0])
        ):
            return [out]
        arrays = _in_order("output", self.outputs, out)
        for i, (port, array) in enumerate(zip(self.outputs, arrays, strict=True)):
            if (found := port.check("output", array)) != count:
                raise InputError(f"output {port.name}: {found} images, the inputs have {count}")
            if not array.flags.writeable:
                raise InputError(f"output {port.name}: cannot be written")
            for other in (*inputs, *arrays[:i]):
                if np.may_share_memory(array, other):
                    raise InputError(f"output {port.name}: shares memory with another array")
        return arrays


def _in_order(role: str, ports: tuple[ModelPort, ...], x: Any) -> list[Any]:
    if isinstance(x, np.ndarray) or not isinstance(x, Mapping):
        if len(ports) != 1:
            listed = ", ".join(port.name for port in ports)
            raise InputError(f"the model has {role}s {listed}: give them by name")
        return [x]
    names = [port.name for port in ports]
    if set(x) != set(names):
        unknown, missing = set(x) - set(names), set(names) - set(x)
        wrong, fault = (unknown, "unknown") if unknown else (missing, "missing")
        listed = ", ".join(names)
        raise InputError(f"{role} {shown(min(wrong, key=str))} is {fault}; {role}s: {listed}")
    return [x[name] for name in names]
