"""Ops of a file that are no part of its model but left to the host: as text in its metadata.

One line is one op, such as ``op 6 SOFTMAX(logits, beta=1.0) -> scores float32 1x10``: its number
in the file, its kind, what it reads, its options, and what it produces with dtype and shape.  Names
are those of the model, or are made in the same way.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import ModelError
from ..support.quoting import short_repr, shown

HEAD, TAIL, INPUTS = "host_head", "host_tail", "host_inputs"
"""Entries of a model's metadata: ops before and after the integer part, a line each; inputs of the
file on which no integer depends."""
OUTPUTS = "host_outputs"
"""Entry of a model's metadata: the outputs of a file that has a tail, by name, in their order."""
BOOL_OUTPUTS = "bool_outputs"
"""Entry of a model's metadata: outputs of int8 that are bools."""
CONSTANTS = "host_constants"
"""Entry of a model's metadata: operands of ops of the tail that the host needs, a line each, such
as ``op 63 input 2 float32 1917x4 BASE64``: little-endian, the last axis fastest."""
_LINE = re.compile(r"op (\d+) ([\w ]+)\((.*)\) -> (.+)")
_CONSTANT = re.compile(r"op (\d+) input (\d+) float32 (\d+(?:x\d+)*) ([A-Za-z0-9+/=]*)")
_MADE = re.compile(r"(\w+) (\w+) (scalar|\d+(?:x\d+)*)")


@dataclass(frozen=True)
class HostTensor:
    """What an op of the host produces: its name, dtype and shape, with the batch of the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} {'x'.join(map(str, self.shape)) or 'scalar'}"


@dataclass(frozen=True)
class HostOp:
    """An op that is left to the host.

    Parameters
    ----------
    index : int
        Its number in the file.
    kind : str
        As the schema of the file names it.
    inputs : tuple of str
        Names of tensors; constants as ``[1 2 3]``, or without their values as
        ``constant float32 1917x4``; ``-`` for what is left out.
    outputs : tuple of HostTensor
    options : mapping of str to str
        Such as ``axis`` (counted from the last axis, which is -1) and ``beta``.
    """

    index: int
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[HostTensor, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    __repr__ = short_repr

    def __str__(self) -> str:
        given = ", ".join([*self.inputs, *(f"{k}={v}" for k, v in self.options.items())])
        return f"op {self.index} {self.kind}({given}) -> {', '.join(map(str, self.outputs))}"


def host_ops(metadata: Mapping[str, str], key: str) -> list[HostOp]:
    """Return the ops of `HEAD` or `TAIL` of a model's metadata, none where it has no such entry.

    Raises
    ------
    ModelError
        Naming a line that is none of an op.
    """
    return [_host_op(key, line) for line in metadata.get(key, "").split("\n") if line]


def constant_line(index: int, place: int, values: np.ndarray) -> str:
    """Return the line of a constant operand of an op: float32 of at least one dimension."""
    held = base64.b64encode(values.astype("<f4").tobytes()).decode()
    return f"op {index} input {place} float32 {'x'.join(map(str, values.shape))} {held}"


def without_values(line: str) -> str:
    """Return a line of `CONSTANTS` for people: without what it holds."""
    return line.rpartition(" ")[0]


def host_constants(metadata: Mapping[str, str]) -> dict[tuple[int, int], np.ndarray]:
    """Return the operands of `CONSTANTS` by the number of the op and the place of the operand.

    Raises
    ------
    ModelError
        Naming a line that is no constant.
    """
    found = {}
    for line in filter(None, metadata.get(CONSTANTS, "").split("\n")):
        try:
            at, values = _constant(line)
        except (ValueError, OverflowError):  # no such line; more digits or axes than can be had
            raise ModelError(f"metadata {CONSTANTS}: {shown(line)} is no constant") from None
        found[at] = values
    return found


def _constant(line: str) -> tuple[tuple[int, int], np.ndarray]:
    match = _CONSTANT.fullmatch(line)
    if match is None:
        raise ValueError(line)
    shape = tuple(map(int, match[3].split("x")))
    values = np.frombuffer(base64.b64decode(match[4], validate=True), "<f4").reshape(shape)
    return (int(match[1]), int(match[2])), values.astype(np.float32)


def listed_names(metadata: Mapping[str, str], key: str) -> frozenset[str]:
    """Return the names of `OUTPUTS` or `BOOL_OUTPUTS`, none where there is no such entry."""
    return frozenset(filter(None, metadata.get(key, "").split(", ")))


def quantised_by_host(metadata: Mapping[str, str], name: str) -> bool:
    """Return whether a QUANTIZE produces an input of a model from a float input of the file.

    Its reals are those that the file takes then; after further ops of a head they are not.
    """
    ops = host_ops(metadata, HEAD)
    made = {tensor.name for op in ops for tensor in op.outputs}
    return any(
        op.kind == "QUANTIZE" and op.outputs[0].name == name and made.isdisjoint(op.inputs)
        for op in ops
    )


def _host_op(key: str, line: str) -> HostOp:
    try:
        return _op_of(line)
    except ValueError:  # no such line; a number of more digits than Python reads
        raise ModelError(f"metadata {key}: {shown(line)} is no op") from None


def _op_of(line: str) -> HostOp:
    match = _LINE.fullmatch(line)
    made = [_MADE.fullmatch(part) for part in match[4].split(", ")] if match else []
    if match is None or not all(made):
        raise ValueError(line)
    given = [part for part in match[3].split(", ") if part]
    options = dict(part.split("=", 1) for part in given if "=" in part)
    return HostOp(
        int(match[1]), match[2], tuple(part for part in given if "=" not in part),
        tuple(
            HostTensor(m[1], m[2], () if m[3] == "scalar" else tuple(map(int, m[3].split("x"))))
            for m in made
            if m
        ),
        options,
    )  # fmt: skip
