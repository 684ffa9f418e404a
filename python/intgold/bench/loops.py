"""A model run image after image inside C, whole or up to an op."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import EngineError
from ..model.graph import Model
from ..native.compiled import ffi, lib
from ..native.engine import Context, NativeModel
from ..native.lowering import Lowered, lower


@dataclass(frozen=True)
class Group:
    """Ops that the engine runs in one go.

    Parameters
    ----------
    first, last : int
        Numbers of the ops.
    name : str
        Their names, ``conv2+selu2+pool2``.
    """

    first: int
    last: int
    name: str


def groups(model: Model, isa: str) -> list[Group]:
    """Return the ops in execution order, those that run together as one."""
    absorbed = _absorbed(NativeModel(lower(model), isa))
    found, first = [], 0
    while first < len(model.ops):
        last = first + absorbed[first]
        name = "+".join(op.name for op in model.ops[first : last + 1])
        found.append(Group(first, last, name))
        first = last + 1
    return found


class ImageLoop:
    """Calls of the C engine with one image each, made by a loop in C: no Python between them.

    Outputs go to the same place every time, as those of a caller with batch 1 do.

    Parameters
    ----------
    model : Model
    x : mapping of str to ndarray
        Checked inputs by name; the loop goes round them.
    isa : str
    last : int, optional
        Stop after this op, the last of a group.
    """

    def __init__(
        self, model: Model, x: Mapping[str, np.ndarray], isa: str = "auto", last: int | None = None
    ) -> None:
        whole = lower(model)
        self._native_model = NativeModel(whole if last is None else _prefix(whole, last), isa)
        self._context = Context(self._native_model)
        if last is not None and _absorbed(self._native_model) != _absorbed(
            NativeModel(whole, isa), last
        ):
            raise EngineError(
                f"model {model.name}: its first {last + 1} ops run differently without the rest"
            )
        steps = self._native_model.strides
        self._count = len(next(iter(x.values())))
        self._arrays = [x[name] for name in model.inputs]
        self._inputs = ffi.new("char *[]", [ffi.from_buffer(a) for a in self._arrays])
        self._steps = ffi.new("size_t[]", steps.inputs)
        self._made = [np.empty(size, np.uint8) for size in steps.outputs]
        self._outputs = ffi.new("void *[]", [ffi.from_buffer(a) for a in self._made])

    def __call__(self, n: int) -> None:
        """Run n images."""
        status = lib.intgold_measure_run(
            self._context.pointer, n, self._count, len(self._arrays),
            ffi.cast("char const * *", self._inputs), self._steps, self._outputs,
        )  # fmt: skip
        if status != lib.INTGOLD_OK:
            raise EngineError(f"the C engine refused: {status}")

    def outputs(self) -> list[np.ndarray]:
        """Return the bytes of the outputs of the last image, in the order of `outputs` there."""
        return self._made


def _prefix(whole: Lowered, last: int) -> Lowered:
    """Return the model up to op `last`: what is read later, or asked for, are its outputs; if there
    is no such thing, what op `last` produces.

    So each tensor has as many readers as before, or an op that nobody else reads, and the engine
    decides alike what runs together.
    """
    ops, remaining = whole.ops[: last + 1], whole.ops[last + 1 :]
    later = {*whole.outputs, *(i for op in remaining for i in op.inputs)}
    outputs = tuple(op.output for op in ops if op.output in later) or (ops[-1].output,)
    made = len(whole.inputs) + len(ops)  # a tensor per input, then one per op
    tensors = tuple(  # outputs lie with the caller
        replace(t, offset=-1) if i in outputs else t for i, t in enumerate(whole.tensors[:made])
    )
    return replace(whole, tensors=tensors, ops=ops, outputs=outputs)


def _absorbed(native_model: NativeModel, last: int | None = None) -> Sequence[int]:
    context, ops = Context(native_model), native_model.model.n_ops if last is None else last + 1
    return [lib.intgold_fused_ops(context.pointer, i) for i in range(ops)]
