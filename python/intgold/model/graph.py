"""The integer model: frozen dataclasses of a general graph, checked as a whole when built.

A `Model` that exists obeys SPEC.md: shapes agree, fields are in range, every accumulator is
proved to fit int32.  Nothing downstream checks again.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..ops.bounds import Bounds
from ..ops.fields import DTYPE_RANGE, INT32_MAX, Scales, integer, scale
from ..ops.kind import OpKind
from ..ops.table import OPS
from ..support.arguments import ADVICE, check, check_fields, fits
from ..support.moved import renamed_attribute
from ..support.quoting import given, shown
from .ports import ModelPort, ModelPorts

if TYPE_CHECKING:
    from ..describe import summary as _summary
    from ..host import affine as _affine
    from ..run import backends as _backends
    from ..run import classify as _classify
    from ..run import session as _session
    from ..run.result import Result
    from ..run.session import Session
    from . import artefact as _artefact

SPEC_VERSION = "1.5"
"""Version of SPEC.md; any changed output bit raises it."""

BOUNDARY = 64
"""Tensors between ops start on a multiple of this many bytes."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def _name(where: str, value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ModelError(f"{where}: {shown(value)} is not a name (letters, digits, _; at most 64)")
    return value


@dataclass(frozen=True)
class Tensor:
    """A tensor of one image (SPEC 3).

    Parameters
    ----------
    name : str
    shape : tuple of int
        Without the batch: (height, width, channels) or (channels,).
    dtype : str
        ``int8`` or ``int32``.
    scale : float or None
        ``real = (q - zero_point) * scale``; metadata for the host, None when unknown.
    zero_point : int
        In the range of int8; 0 for int32.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "int8"
    scale: float | None = None
    zero_point: int = 0

    def __post_init__(self) -> None:
        _name("tensor", self.name)
        where = f"tensor {self.name}"
        if not isinstance(self.dtype, str) or self.dtype not in DTYPE_RANGE:
            raise ModelError(f"{where}: dtype {shown(self.dtype)} is neither int8 nor int32")
        if not isinstance(self.shape, (tuple, list)) or not 1 <= len(self.shape) <= 3:
            raise ModelError(f"{where}: shape {shown(self.shape)} does not have 1 to 3 dimensions")
        shape = tuple(integer(f"{where} shape", n, 1, 2**24) for n in self.shape)
        object.__setattr__(self, "shape", shape)
        integer(f"{where} size", self.size, 1, 2**28)
        lo, hi = (-128, 127) if self.dtype == "int8" else (0, 0)
        object.__setattr__(
            self, "zero_point", integer(f"{where} zero_point", self.zero_point, lo, hi)
        )
        if self.scale is not None:
            object.__setattr__(self, "scale", scale(f"{where} scale", self.scale))

    @property
    def size(self) -> int:
        """Number of values of one image."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count

    @property
    def span(self) -> int:
        """Bytes of one image, rounded up to a multiple of `BOUNDARY`."""
        width = 4 if self.dtype == "int32" else 1
        return -(-self.size * width // BOUNDARY) * BOUNDARY


def _did_you_mean(unknown: Sequence[str], kind: OpKind) -> str:
    """Return what may be meant by fields that an op does not have, and those that it has."""
    known = [*kind.fields, "scale", "zero_point"]  # the last two are of the op's tensor
    suggestions = [
        found[0] for name in unknown if (found := get_close_matches(str(name)[:100], known, 1))
    ]
    names = f"; known: {', '.join(kind.fields)}; of the output tensor: scale, zero_point"
    return f": did you mean {', '.join(suggestions)}?{names}" if suggestions else names


@dataclass(frozen=True, eq=False)
class Op:
    """One op of a graph: its kind, its tensors by name and its checked fields."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    output: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _name("op", self.name)
        where = f"op {self.name}"
        if not isinstance(self.kind, str) or self.kind not in OPS:
            raise ModelError(f"{where}: unknown kind {shown(self.kind)}; known: {', '.join(OPS)}")
        _name(f"{where} tensor", self.output)
        check_fields(self, where)
        declared = OPS[self.kind].fields
        for what, names in (
            ("missing", set(declared) - set(self.fields)),
            ("unknown", set(self.fields) - set(declared)),
        ):
            if names:
                raise ModelError(
                    f"{where} ({self.kind}): {what} fields {', '.join(sorted(names))}"
                    f"{_did_you_mean(sorted(names), OPS[self.kind]) if what == 'unknown' else ''}"
                )
        if len(self.inputs) != len(OPS[self.kind].inputs):
            raise ModelError(f"{where} ({self.kind}): {len(self.inputs)} inputs")
        for name in self.inputs:
            _name(f"{where} tensor", name)
        checked = {n: t.check(f"{where} {n}", self.fields[n]) for n, t in declared.items()}
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "fields", MappingProxyType(checked))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={shown(value)}" for name, value in self.fields.items())
        return f"<Op {self.name}: {self.kind}({', '.join(self.inputs)}) -> {self.output}; {fields}>"

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __reduce__(self) -> tuple[Any, ...]:
        return Op, (self.kind, self.name, self.inputs, self.output, dict(self.fields))

    @property
    def spec(self) -> OpKind:
        """The op's row of the op table."""
        return OPS[self.kind]


@dataclass(frozen=True, eq=False)
class Model:
    """A frozen integer model (SPEC 6): tensors, ops in execution order, inputs and outputs.

    Parameters
    ----------
    name : str
    tensors : sequence of Tensor
        Inputs first, then the output of each op.
    ops : sequence of Op
        In execution order; each reads tensors that exist before it.
    inputs, outputs : sequence of str
        Names of tensors; an output is produced by an op.
    contract : str
        Name of the engine arithmetic that the numbers follow; provenance, never read by code.
    metadata : mapping of str to str
        Provenance for people.

    Raises
    ------
    ModelError
        Naming the op or tensor and the value that breaks a rule.
    """

    name: str
    tensors: Sequence[Tensor]
    ops: Sequence[Op]
    inputs: Sequence[str]
    outputs: Sequence[str]
    contract: str = "intgold"
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _name("model", self.name)
        _name("contract", self.contract)
        pairs = self.metadata.items() if isinstance(self.metadata, Mapping) else ()
        for key, value in pairs:
            if not isinstance(key, str) or not isinstance(value, str):
                raise ModelError(f"metadata {shown(key)}: {shown(value)} is not text")
        check_fields(self, f"model {self.name}")
        for part in ("tensors", "ops", "inputs", "outputs"):
            object.__setattr__(self, part, tuple(getattr(self, part)))
        for name in (*self.inputs, *self.outputs):
            _name("input or output", name)
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        self._check_names()
        size = sum(t.span for t in self.tensors)
        if size > INT32_MAX:
            raise ModelError(f"model {self.name}: its tensors have {size} bytes, at most 2^31 - 1")
        bounds = {}
        ranges = {n: DTYPE_RANGE[self.tensor(n).dtype] for n in self.inputs}
        for op in self.ops:
            self._check_shapes(op)
            bounds[op.name] = self._prove(op, ranges)
            ranges[op.output] = bounds[op.name].output
        object.__setattr__(self, "bounds", MappingProxyType(bounds))

    bounds: Mapping[str, Bounds] = field(init=False, repr=False)

    def _check_names(self) -> None:
        for what, names in (
            ("tensor", [t.name for t in self.tensors]),
            ("op", [o.name for o in self.ops]),
            ("input", self.inputs),
            ("output", self.outputs),
        ):
            if not names:
                raise ModelError(f"model {self.name}: no {what}")
            twice = [n for n, times in Counter(names).items() if times > 1]
            if twice:
                raise ModelError(f"model {self.name}: {what} {min(twice)} appears twice")
        ready = dict.fromkeys(self.inputs)  # in order
        for op in self.ops:
            for name in op.inputs:
                if name not in ready:
                    raise ModelError(f"op {op.name}: input {name} is not made before it")
            if op.output in ready:
                raise ModelError(f"op {op.name}: output {op.output} exists already")
            ready[op.output] = None
        if list(ready) != [t.name for t in self.tensors]:
            raise ModelError(f"model {self.name}: tensors are not inputs, then outputs of ops")
        inputs = set(self.inputs)
        for name in self.outputs:
            if name in inputs or name not in ready:
                raise ModelError(f"model {self.name}: output {name} is not made by an op")

    def _check_shapes(self, op: Op) -> None:
        ins, out = [self.tensor(n) for n in op.inputs], self.tensor(op.output)
        for tensor in ins:
            if tensor.dtype not in op.spec.input_dtypes:
                raise ModelError(
                    f"op {op.name}: input {tensor.name} is {tensor.dtype}, "
                    f"{op.kind} takes {op.spec.takes}"
                )
        try:
            shape = op.spec.shape(op.fields, [t.shape for t in ins])
        except ModelError as error:
            raise ModelError(f"op {op.name}: {error}") from None
        dtype = op.spec.output_dtype(op.fields)
        if (out.shape, out.dtype) != (shape, dtype):
            raise ModelError(
                f"op {op.name}: produces {dtype} {shape}, "
                f"tensor {out.name} is {out.dtype} {out.shape}"
            )

    def _prove(self, op: Op, ranges: Mapping[str, tuple[int, int]]) -> Bounds:
        ins = [self.tensor(n) for n in op.inputs]
        points = [t.zero_point for t in ins]
        try:
            return op.spec.prove(op.fields, [ranges[n] for n in op.inputs], points, ins[0].shape)
        except ModelError as error:
            raise ModelError(f"op {op.name}: {error}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.name, self.tensors, self.ops, self.inputs, self.outputs, self.contract)
        return Model, (*parts, dict(self.metadata))

    @cached_property
    def _by_name(self) -> dict[str, Tensor]:
        return {t.name: t for t in self.tensors}

    def tensor(self, name: str) -> Tensor:
        """Return the tensor of this name or raise ModelError."""
        try:
            return self._by_name[name]
        except (KeyError, TypeError):
            text = name if isinstance(name, str) else given(name)
            raise ModelError(f"model {self.name}: no tensor {text}") from None

    def arguments(self, op: Op) -> dict[str, Any]:
        """Return what an engine's op function takes by keyword: fields and zero points."""
        check("arguments: op", op, Op)
        tensors = dict(zip((*op.spec.inputs, "y"), (*op.inputs, op.output), strict=True))
        points = {n: self.tensor(t).zero_point for n, t in tensors.items()}
        named = {n: points[n.removesuffix("_zero_point")] for n in op.spec.zero_points}
        declared = op.spec.fields
        read = {n: v for n, v in op.fields.items() if not isinstance(declared[n], Scales)}
        return {**read, **named}

    @cached_property
    def ports(self) -> ModelPorts:
        """The inputs and outputs, to check arrays against."""
        inputs, outputs = (
            tuple(ModelPort(t.name, np.dtype(t.dtype), t.shape) for t in map(self.tensor, names))
            for names in (self.inputs, self.outputs)
        )
        return ModelPorts(inputs, outputs, sum(t.span for t in self.tensors))

    signature = renamed_attribute("Model", "signature", "ports")

    # The facade: what other rooms do with a model, under its own name. Only here does this room
    # reach up, at the first call.

    def __repr__(self) -> str:
        return _summary.summary(self)

    def prepare(self, isa: str = "auto", threads: int = 1) -> Session:
        """Return the model ready to run on the C engine; see `intgold.run.session.prepare`."""
        return _session.prepare(self, isa, threads)

    def run(
        self,
        x: np.ndarray | Mapping[str, np.ndarray],
        backend: str = "c",
        threads: int = 1,
        trace: bool = False,  # noqa: FBT001, FBT002 (a wrapper that warns would cost each run)
        isa: str = "auto",
    ) -> Result:
        """Run the model; see `intgold.run.backends.run`."""
        if isinstance(backend, str) and backend == "c":  # the session checks the rest: 1 us less
            return self.prepare(isa, threads).run(x, trace=trace)
        return _backends.run(self, x, backend, threads, trace=trace, isa=isa)

    def predict(self, images: np.ndarray, backend: str = "c", threads: int = 1) -> np.ndarray:
        """Return the index of the largest output of each image; see `intgold.run.classify`."""
        _classify.check_predictable(self)  # before what is wrong with the images
        return _classify.predict(self, images, backend, threads)

    def quantize_input(self, images: np.ndarray, name: str | None = None) -> np.ndarray:
        """Return camera bytes or reals as an int8 input; see `intgold.host.affine`."""
        return _affine.quantize_input(self, images, name)

    def dequantize(self, values: np.ndarray, tensor: str | None = None) -> np.ndarray:
        """Return the reals that integers of a tensor stand for; see `intgold.host.affine`."""
        return _affine.dequantize_tensor(self, values, tensor)

    def describe(self) -> str:
        """Return a table of the ops for people; see `intgold.describe.summary`."""
        return _summary.describe(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the artefact; see `intgold.model.artefact.save`."""
        _artefact.save(self, path)

    @cached_property
    def sha256(self) -> str:
        """Digest of the content (SPEC 9), the same for equal models on every machine."""
        return _artefact.content_sha256(self)


def _advice(value: Any, hint: Any) -> str | None:
    if hint is Model:
        if isinstance(value, (str, os.PathLike)):
            return ": intgold.load(path) gives one; or are the arguments swapped?"
        if isinstance(value, (list, tuple)) and any(isinstance(v, Model) for v in value):
            return ": give one of them"
    if isinstance(value, Model):
        return ": write [model]" if fits([value], hint) else ": are the arguments swapped?"
    return None


ADVICE.append(_advice)


class _Room:
    """A module of a higher room: loaded when a function of it is first called."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, function: str) -> Any:
        """Keep the function: the second call finds it as fast as in a module."""
        found = self.__dict__[function] = getattr(import_module(self._name, __package__), function)
        return found


if not TYPE_CHECKING:
    _summary, _affine = _Room("..describe.summary"), _Room("..host.affine")
    _backends, _classify = _Room("..run.backends"), _Room("..run.classify")
    _session, _artefact = _Room("..run.session"), _Room(".artefact")
