"""Run a model on a backend: the golden model or the C engine, with or without a trace."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .. import golden
from ..errors import InputError
from ..model.budget import check_golden
from ..model.graph import Model
from ..support.arguments import check
from ..support.deprecation import once_by_position
from ..support.quoting import shown
from .result import NamedArrays, Result, too_large
from .session import prepare, thread_count

BACKENDS = ("golden", "c")
"""What computes a model: the golden model in NumPy, the C engine."""

_CHUNK_VALUES = 2**21
"""Values of the largest tensor that one golden pass holds."""


@once_by_position(4, "trace", "isa")
def run(
    model: Model,
    x: np.ndarray | Mapping[str, np.ndarray],
    backend: str = "c",
    threads: int = 1,
    *,
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
        `intgold.model.budget.MAX_OPERATIONS`, or the variant cannot run here.
    KeyboardInterrupt
        By Ctrl-C, within about a tenth of a second or the image in progress.
    """
    check("run: model", model, Model)
    check("run: backend", backend, str)
    check("run: isa", isa, str)
    check("run: trace", trace, bool)
    if backend == "c":
        return prepare(model, isa, threads).run(x, trace=trace)
    if backend not in BACKENDS:
        raise InputError(f"backend: {shown(backend)} is none of {', '.join(BACKENDS)}")
    thread_count(threads)
    if isa != "auto":
        raise InputError(f"isa: {shown(isa)} is a variant of the C engine, the backend is golden")
    inputs = check_inputs(model, x)
    try:
        tensors, accumulators = _run_golden(model, inputs, trace=trace)
    except MemoryError as error:
        raise too_large(model.name, model.ports, len(inputs[model.inputs[0]]), error) from error
    outputs = {name: tensors[name] for name in model.outputs}
    return Result(outputs, NamedArrays(tensors if trace else {}), NamedArrays(accumulators))


def check_inputs(model: Model, x: np.ndarray | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the inputs by name, in order, or raise InputError."""
    _, arrays = model.ports.check_inputs(x)
    return dict(zip(model.inputs, arrays, strict=True))


def _run_golden(
    model: Model, inputs: dict[str, np.ndarray], *, trace: bool
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    keep = {op.output for op in model.ops} if trace else set(model.outputs)
    count = len(inputs[model.inputs[0]])
    step = max(1, _CHUNK_VALUES // max(t.size for t in model.tensors))
    check_golden(model, count, step, trace=trace)
    chunks = [
        _golden_chunk(model, {n: a[i : i + step] for n, a in inputs.items()}, keep, trace=trace)
        for i in range(0, count, step)
    ]
    joined = []
    for part in (0, 1):
        names = chunks[0][part]
        joined.append({n: np.concatenate([chunk[part][n] for chunk in chunks]) for n in names})
    return joined[0], joined[1]


def _golden_chunk(
    model: Model, inputs: dict[str, np.ndarray], keep: set[str], *, trace: bool
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
