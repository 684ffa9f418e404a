"""Whole models in C: prepared contexts that are kept between calls, and threads over images."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..errors import EngineError
from ..lowering import lower
from ..model import Model
from .compiled import ffi, lib
from .structures import Structures, pointer

Arrays = dict[str, np.ndarray]

ISAS = {
    "auto": lib.INTGOLD_ISA_AUTO,
    "portable": lib.INTGOLD_ISA_PORTABLE,
    "avx2": lib.INTGOLD_ISA_AVX2,
    "avxvnni": lib.INTGOLD_ISA_AVXVNNI,
    "avx512vnni": lib.INTGOLD_ISA_AVX512VNNI,
    "avx512vbmi": lib.INTGOLD_ISA_AVX512VBMI,
    "neon": lib.INTGOLD_ISA_NEON,
    "dotprod": lib.INTGOLD_ISA_DOTPROD,
}
"""Variants of the kernels; none can change a bit."""

_STATUS = {
    lib.INTGOLD_ERROR_ARGUMENT: "a null pointer or a negative count",
    lib.INTGOLD_ERROR_KIND: "an op kind that the engine does not know",
    lib.INTGOLD_ERROR_ISA: "a variant that this build or this CPU does not have",
    lib.INTGOLD_ERROR_MEMORY: "an arena that is too small",
}


def run(
    model: Model, inputs: Arrays, threads: int = 1, trace: bool = False, isa: str = "auto"
) -> tuple[Arrays, Arrays]:
    """Run a batch on the C engine; the GIL is released while C computes.

    Parameters
    ----------
    model : Model
    inputs : dict of str to ndarray
        Checked, C-ordered, in the model's order (see `intgold.engine.check_inputs`).
    threads : int
        The images are cut into as many ranges, each with a context of its own.
    trace : bool
        Give every op's output and accumulator instead of the model's outputs only.
    isa : str
        A name out of `ISAS`.

    Returns
    -------
    tensors, accumulators : dict of str to ndarray
        By tensor name; shape (n, *tensor shape).

    Raises
    ------
    EngineError
        When the variant cannot run here.
    """
    prepared = _prepared(model, isa)
    count = len(inputs[model.inputs[0]])
    names = [op.output for op in model.ops] if trace else list(model.outputs)
    tensors = {n: _empty(model, n, count, model.tensor(n).dtype) for n in names}
    traced = [op.output for op in model.ops if trace and op.spec.accumulator]
    accumulators = {n: _empty(model, n, count, "int32") for n in traced}

    def part(first: int, last: int) -> None:
        x, y, acc = (
            {n: a[first:last] for n, a in arrays.items()}
            for arrays in (inputs, tensors, accumulators)
        )
        prepared.run(last - first, x, y, acc, trace)

    _over_ranges(part, count, threads)
    return tensors, accumulators


def compiler() -> str:
    """Return name and version of the compiler that built the engine."""
    return bytes(ffi.string(lib.intgold_compiler())).decode()


def isa_name(isa: str = "auto") -> str:
    """Return the name of the kernels that run for `isa` here.

    Raises
    ------
    EngineError
        When the variant is unknown or cannot run here.
    """
    name = lib.intgold_isa_name(ISAS[isa]) if isa in ISAS else ffi.NULL
    if name == ffi.NULL:
        raise EngineError(f"isa {isa!r} does not run here; known: {', '.join(ISAS)}")
    return ffi.string(name).decode()


def variants() -> tuple[str, ...]:
    """Return the names of the kernels that this build has and this CPU can run."""
    return tuple(name for name, isa in ISAS.items() if isa and lib.intgold_isa_name(isa))


def _empty(model: Model, name: str, count: int, dtype: str) -> np.ndarray:
    return np.empty((count, *model.tensor(name).shape), dtype)


class _Prepared:
    """A model as C data, and contexts for it: one per thread that runs it at the same time."""

    def __init__(self, model: Model, isa: str) -> None:
        self._structures = Structures()
        lowered = lower(model)
        self._model = self._structures.model(lowered)
        self._inputs = tuple(model.inputs)
        self._outputs = tuple(model.outputs)
        self._made = tuple(op.output for op in model.ops)
        isa_name(isa)
        self._isa = ISAS[isa]
        self._idle: list[tuple[Any, np.ndarray]] = []

    def run(
        self, count: int, inputs: Arrays, tensors: Arrays, accumulators: Arrays, trace: bool
    ) -> None:
        """Run `count` images into the given arrays, with a context that nobody else uses."""
        try:
            context, arena = self._idle.pop()
        except IndexError:
            context, arena = self._prepare()
        try:
            traced = ffi.NULL
            if trace:
                buffers = [
                    ffi.new("void *[]", [_address(arrays, n) for n in self._made])
                    for arrays in (tensors, accumulators)
                ]
                traced = ffi.new("intgold_trace *")
                traced.outputs = buffers[0]
                traced.accumulators = ffi.cast("int32_t **", buffers[1])
            sources = ffi.new("void *[]", [_address(inputs, n) for n in self._inputs])
            targets = ffi.new("void *[]", [_address(tensors, n) for n in self._outputs])
            # An output is written where the trace keeps it.
            if trace:
                for i, name in enumerate(self._made):
                    if name in self._outputs:
                        buffers[0][i] = ffi.NULL
            _check(lib.intgold_run(context, count, sources, targets, traced))
        finally:
            self._idle.append((context, arena))

    def _prepare(self) -> tuple[Any, np.ndarray]:
        size = lib.intgold_arena_size(self._model, self._isa)
        arena = np.empty(size, np.uint8)
        made = ffi.new("intgold_context **")
        _check(lib.intgold_prepare(self._model, self._isa, pointer(arena), size, made))
        return made[0], arena


def _address(arrays: Arrays, name: str) -> Any:
    return ffi.cast("void *", arrays[name].ctypes.data) if name in arrays else ffi.NULL


def _check(status: int) -> None:
    if status != lib.INTGOLD_OK:
        raise EngineError(f"the C engine refused: {_STATUS.get(status, status)}")


_lock = threading.Lock()
_models: weakref.WeakKeyDictionary[Model, dict[str, _Prepared]] = weakref.WeakKeyDictionary()


def _prepared(model: Model, isa: str) -> _Prepared:
    with _lock:
        variants = _models.setdefault(model, {})
        if isa not in variants:
            variants[isa] = _Prepared(model, isa)
        return variants[isa]


class _Pool:
    """The threads, started when first needed and kept."""

    def __init__(self) -> None:
        self._size = 0
        self._executor: ThreadPoolExecutor | None = None

    def executor(self, size: int) -> ThreadPoolExecutor:
        with _lock:
            if self._executor is None or self._size < size:
                self._executor = ThreadPoolExecutor(size, thread_name_prefix="intgold")
                self._size = size
            return self._executor


_pool = _Pool()


def _forget_threads() -> None:
    """A forked child has none of its parent's threads, and the lock may have been held."""
    global _lock, _pool
    _lock, _pool = threading.Lock(), _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def _over_ranges(part: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call part(first, last) over `threads` ranges of nearly equal length that cover `count`."""
    threads = min(threads, count)
    if threads == 1:
        part(0, count)
        return
    edges = [count * i // threads for i in range(threads + 1)]
    # This thread takes the last range itself, the pool the others.
    executor = _pool.executor(threads - 1)
    futures = [executor.submit(part, edges[i], edges[i + 1]) for i in range(threads - 1)]
    part(edges[-2], edges[-1])
    for future in futures:
        future.result()
