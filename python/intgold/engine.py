"""Run a model on a backend: the golden model or the C engine, with or without a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import golden
from .arguments import check, checked
from .budget import check_golden
from .errors import EngineError, InputError
from .model import Model
from .quoting import batch_of, shown

if TYPE_CHECKING:
    from .session import Session
    from .signature import Signature

BACKENDS = ("golden", "c")

_MOST_ROWS = 6  # of each kind of array that the repr of a result lists
_CHUNK_VALUES = 2**21
"""Values of the largest tensor that one golden pass holds."""


class Arrays(dict[str, np.ndarray]):
    """Arrays by name; a name that is none is refused with those that are."""

    def __missing__(self, name: object) -> np.ndarray:
        known = f"there are {', '.join(self)}" if self else "run with trace=True to keep them"
        raise InputError(f"tensor {shown(name)}: {known}")


@dataclass(eq=False, slots=True)
class Result:
    """What a run gives.

    Parameters
    ----------
    outputs : dict of str to ndarray
        Every output of the model by name, shape (n, ...), in its own dtype.
    tensors : dict of str to ndarray
        With a trace: the output of every op by tensor name, in execution order.
    accumulators : dict of str to ndarray of int32
        With a trace: the accumulators of the ops that have one (SPEC 6), by output tensor name.
    """

    outputs: dict[str, np.ndarray]
    tensors: dict[str, np.ndarray]
    accumulators: dict[str, np.ndarray]

    def __repr__(self) -> str:
        lines = ["<Result"]
        for title, arrays in (
            ("outputs", self.outputs), ("tensors", self.tensors),
            ("accumulators", self.accumulators),
        ):  # fmt: skip
            rows = [f"    {n}: {a.dtype} {a.shape}" for n, a in arrays.items()]
            if len(rows) > _MOST_ROWS:
                rows = [*rows[:_MOST_ROWS], f"    ... and {len(rows) - _MOST_ROWS} more"]
            lines += [f"  {title}:" if rows else f"  {title}: none, without a trace", *rows]
        return "\n".join(lines) + ">"

    @property
    def output(self) -> np.ndarray:
        """The first output."""
        return next(iter(self.outputs.values()))


def run(
    model: Model,
    x: np.ndarray | Mapping[str, np.ndarray],
    backend: str = "c",
    threads: int = 1,
    trace: bool = False,
    isa: str = "auto",
) -> Result:
    """Run `model` on a batch.

    Parameters
    ----------
    model : Model
    x : ndarray or mapping of str to ndarray
        int8, shape (n, ...) of the input; several inputs are given by name.
    backend : {"c", "golden"}
        Cannot change a bit of the result.
    threads : int
        Of the C engine, over images; cannot change a bit of the result.
    trace : bool
        Keep every op's output and accumulator.
    isa : str
        The variant of the C kernels, a name out of `intgold.native.variants`; "auto" is the
        fastest. Cannot change a bit of the result.

    Raises
    ------
    InputError
        Naming the input and what is wrong with it.
    EngineError
        When the memory does not suffice, an image takes more operations than
        `intgold.budget.MOST_OPERATIONS`, or the variant cannot run here.
    KeyboardInterrupt
        By Ctrl-C, within about a tenth of a second or the image in progress.
    """
    check("run: model", model, Model)
    check("run: backend", backend, str)
    check("run: isa", isa, str)
    check("run: trace", trace, bool)
    if backend == "c":
        return model.prepare(isa, threads).run(x, trace=trace)
    if backend not in BACKENDS:
        raise InputError(f"backend: {shown(backend)} is none of {', '.join(BACKENDS)}")
    _thread_count(threads)
    if isa != "auto":
        raise InputError(f"isa: {shown(isa)} is a variant of the C engine, the backend is golden")
    inputs = check_inputs(model, x)
    try:
        tensors, accumulators = _run_golden(model, inputs, trace)
    except MemoryError as error:
        raise too_large(model.name, model.signature, len(inputs[model.inputs[0]]), error) from error
    outputs = {name: tensors[name] for name in model.outputs}
    return Result(outputs, Arrays(tensors if trace else {}), Arrays(accumulators))


def prepare(model: Model, isa: str = "auto", threads: int = 1) -> Session:
    """Return a session: the model ready to run on the C engine, its weights packed.

    The model keeps it, so that asking for it again costs next to nothing.

    Parameters
    ----------
    model : Model
    isa, threads
        As in `run`; they cannot change a bit.

    Raises
    ------
    InputError
        When `threads` is not a number from 1 to 1024.
    EngineError
        When the variant cannot run here.
    """
    check("prepare: model", model, Model)
    check("prepare: isa", isa, str)
    threads = _thread_count(threads)
    from .session import Session

    # Two threads may come here at once: both sessions are right, one is kept.
    return model.sessions.setdefault((isa, threads), Session(model, isa, threads))


def _thread_count(threads: int) -> int:
    is_whole = isinstance(threads, (int, np.integer)) and not isinstance(threads, bool)
    if not is_whole or not 1 <= threads <= 1024:
        raise InputError(f"threads: {shown(threads)} is not a number from 1 to 1024")
    return int(threads)


def too_large(name: str, signature: Signature, count: int, error: MemoryError) -> EngineError:
    """Return the error of a batch that the memory does not hold."""
    return EngineError(
        f"model {name}: not enough memory for {count} images, "
        f"the tensors of one have {signature.span} bytes: {error}"
    )


@checked
def predict(model: Model, images: np.ndarray, backend: str = "c", threads: int = 1) -> np.ndarray:
    """Return the class of each image (SPEC 8.12).

    That is the index of the largest value of the first output, ties to the lowest index; where an
    ``argmax`` makes that output, what it says.

    Parameters
    ----------
    images : ndarray
        Camera bytes (uint8), reals, or the int8 input itself; see `Model.quantize_input`.

    Returns
    -------
    ndarray of int32, shape (n,)

    Raises
    ------
    InputError
        When the model has several inputs, or an image more than one answer, as in segmentation,
        or one number that no ``argmax`` makes, as in regression.
    """
    check_predictable(model)
    if images.dtype != np.int8:
        images = model.quantize_input(images)
    return _decide(model, model.run(images, backend=backend, threads=threads).output)


def check_predictable(model: Model) -> None:
    """Raise InputError where images alone give no class, before anything is read or run."""
    if len(model.inputs) > 1:
        raise InputError(
            f"model {model.name} has the inputs {', '.join(model.inputs)}; predict takes models of "
            "one input: model.run({name: model.quantize_input(x, name), ...}) runs it"
        )
    tensor = model.tensor(model.inputs[0])
    if tensor.dtype != "int8":
        raise InputError(f"model {model.name}: input {tensor.name} is {tensor.dtype}, not int8")
    _is_decided(model)


@checked
def is_decided(model: Model) -> bool:
    """Return whether the first output is already the class: whether an ``argmax`` makes it.

    Raises
    ------
    InputError
        When an image has more than one answer, or one number that is no class.
    """
    return _is_decided(model)


def _is_decided(model: Model) -> bool:
    name = model.outputs[0]
    tensor = model.tensor(name)
    if tensor.size != tensor.shape[-1]:
        raise InputError(f"output {name}: shape {tensor.shape} is more than one answer per image")
    decided = any(op.kind == "argmax" and op.output == name for op in model.ops)
    if tensor.size == 1 and not decided:
        raise InputError(
            f"output {name} of model {model.name} is one number each, which is no class: "
            "model.dequantize(model.run(x).output) gives it"
        )
    return decided


@checked
def decide(model: Model, output: np.ndarray) -> np.ndarray:
    """Return the classes, int32 (n,), of what a run left in the first output; see `predict`."""
    tensor = model.tensor(model.outputs[0])
    if output.shape[1:] != tensor.shape or output.dtype != tensor.dtype:
        raise InputError(
            f"output {tensor.name}: {output.dtype} {output.shape} instead of {tensor.dtype} "
            f"{batch_of(tensor.shape)}"
        )
    return _decide(model, output)


def _decide(model: Model, output: np.ndarray) -> np.ndarray:
    values = output.astype(np.int32)
    classes = values if _is_decided(model) else golden.FUNCTIONS["argmax"](values)
    return classes.reshape(len(values))


def check_inputs(model: Model, x: np.ndarray | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the inputs by name, in order, or raise InputError."""
    _, arrays = model.signature.check_inputs(x)
    return dict(zip(model.inputs, arrays, strict=True))


def _run_golden(
    model: Model, inputs: dict[str, np.ndarray], trace: bool
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    keep = {op.output for op in model.ops} if trace else set(model.outputs)
    count = len(inputs[model.inputs[0]])
    step = max(1, _CHUNK_VALUES // max(t.size for t in model.tensors))
    check_golden(model, count, step, trace)
    chunks = [
        _golden_chunk(model, {n: a[i : i + step] for n, a in inputs.items()}, keep, trace)
        for i in range(0, count, step)
    ]
    joined = []
    for part in (0, 1):
        names = chunks[0][part]
        joined.append({n: np.concatenate([chunk[part][n] for chunk in chunks]) for n in names})
    return joined[0], joined[1]


def _golden_chunk(
    model: Model, inputs: dict[str, np.ndarray], keep: set[str], trace: bool
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    live, kept, accumulators = dict(inputs), {}, {}
    for op in model.ops:
        result = golden.FUNCTIONS[op.kind](*(live[n] for n in op.inputs), **model.arguments(op))
        if op.spec.accumulator:
            result, acc = result
            if trace:
                accumulators[op.output] = acc
        live[op.output] = result
        if op.output in keep:
            kept[op.output] = result
    return kept, accumulators
