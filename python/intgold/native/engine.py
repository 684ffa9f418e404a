"""Whole models in C: a model as C data, and the contexts that run it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from ..errors import EngineError, ModelError
from ..model.budget import check_memory
from .compiled import ffi, lib
from .lowering import Lowered
from .pace import Pace
from .structures import Structures, pointer
from .thread_pool import ChunkQueue, run_chunks

ISAS = {
    "auto": lib.INTGOLD_ISA_AUTO,
    "portable": lib.INTGOLD_ISA_PORTABLE,
    "avx2": lib.INTGOLD_ISA_AVX2,
    "avxvnni": lib.INTGOLD_ISA_AVXVNNI,
    "avx512vnni": lib.INTGOLD_ISA_AVX512VNNI,
    "avx512vbmi": lib.INTGOLD_ISA_AVX512VBMI,
    "neon": lib.INTGOLD_ISA_NEON,
    "dotprod": lib.INTGOLD_ISA_DOTPROD,
    "amx": lib.INTGOLD_ISA_AMX,
}
"""Variants of the kernels; none can change a bit."""

_WIDTH = {lib.INTGOLD_INT8: 1, lib.INTGOLD_INT32: 4}
_NOTHING, _run = ffi.NULL, lib.intgold_run
_start = ffi.from_buffer
"""Where an array starts, in a tenth of the time of ndarray.ctypes."""


def compiler() -> str:
    """Return name and version of the compiler that built the engine."""
    return bytes(ffi.string(lib.intgold_compiler())).decode()


def status_text(status: int) -> str:
    """Return a status of the C engine in words."""
    return bytes(ffi.string(lib.intgold_status_text(status))).decode()


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
    return bytes(ffi.string(name)).decode()


def acquire_isa(isa: str = "auto") -> str:
    """Return the name of the kernels that run for `isa` here, ready to run.

    AMX asks the system for permission: where it is refused, "auto" is another variant.

    Raises
    ------
    EngineError
        When the variant is unknown or cannot run here.
    """
    isa_name(isa)
    found = lib.intgold_acquire_isa(ISAS[isa])
    if found == lib.INTGOLD_ISA_AUTO:
        raise EngineError(f"isa {isa!r}: the system refuses AMX to this process")
    return isa_name(next(name for name, number in ISAS.items() if number == found))


def variants() -> tuple[str, ...]:
    """Return the names of the kernels that this build has and this CPU can run."""
    return tuple(name for name, isa in ISAS.items() if isa and lib.intgold_isa_name(isa))


def built() -> tuple[str, ...]:
    """Return the names of the kernels that this build has, for whatever CPU."""
    features = [n for n in dir(lib) if n.startswith("INTGOLD_FEATURE_")]
    everything = sum(getattr(lib, name) for name in features)
    # Each is the best one for some set of features.
    best = {lib.intgold_best_isa(subset) for subset in range(everything + 1)}
    return tuple(name for name, isa in ISAS.items() if isa in best)


class ImageStrides(NamedTuple):
    """Bytes from one image to the next: of inputs, outputs, what ops make, accumulators."""

    inputs: list[int]
    outputs: list[int]
    made: list[int]
    accumulators: list[int]


Arrays = Collection[np.ndarray]
"""Arrays that hold a batch, in C order."""
Trace = tuple[Collection[np.ndarray | None], Collection[np.ndarray | None]]
"""Arrays for what each op produces, and for its accumulators; None where nobody asks."""


class Context:
    """Memory of the C engine for one model: serves one thread at a time."""

    def __init__(self, native_model: NativeModel) -> None:
        size = native_model.need()
        check_memory(f"{native_model.largest()}, the arena", size)
        self._arena = np.empty(size, np.uint8)
        made, buffer = ffi.new("intgold_context **"), pointer(self._arena)
        status = lib.intgold_prepare(native_model.model, native_model.isa, buffer, size, made)
        if status:
            native_model.refuse(status, buffer, size)
        self.pointer = made[0]
        self._strides = strides = native_model.strides
        self._inputs, self._outputs, self._made, self._accumulators = (
            ffi.new("void *[]", len(each)) for each in strides
        )
        self._trace = ffi.new("intgold_trace *")
        self._trace.outputs = self._made
        self._trace.accumulators = ffi.cast("int32_t **", self._accumulators)

    def run(
        self, first: int, last: int, inputs: Arrays, outputs: Arrays, trace: Trace | None
    ) -> None:
        """Run images first .. last - 1 of a batch; the GIL is released while C computes."""
        # Written out twice: a function call here would be a tenth of the cost of a run from Python.
        i, pointers, strides = 0, self._inputs, self._strides.inputs
        for array in inputs:
            pointers[i] = _start(array) + first * strides[i] if first else _start(array)
            i += 1  # noqa: SIM113 (enumerate costs twice as much)
        i, pointers, strides = 0, self._outputs, self._strides.outputs
        for array in outputs:
            pointers[i] = _start(array) + first * strides[i] if first else _start(array)
            i += 1  # noqa: SIM113
        traced = _NOTHING
        if trace is not None:
            _put(self._made, trace[0], self._strides.made, first)
            _put(self._accumulators, trace[1], self._strides.accumulators, first)
            traced = self._trace
        status = _run(self.pointer, last - first, self._inputs, self._outputs, traced)
        if status:
            raise EngineError(f"the C engine refused a run: {status_text(status)}")


def _put(
    pointers: Any, arrays: Collection[np.ndarray | None], strides: list[int], image: int
) -> None:
    """Set each of `pointers` to where that image lies, or to NULL where nobody asks."""
    for i, array in enumerate(arrays):
        pointers[i] = _NOTHING if array is None else _start(array) + image * strides[i]


class NativeModel:
    """A model as C data, and contexts for it: one per thread that runs it at the same time.

    Parameters
    ----------
    lowered : Lowered
    isa : str
        A name out of `ISAS`.

    Raises
    ------
    EngineError
        When the variant cannot run here.
    """

    def __init__(self, lowered: Lowered, isa: str) -> None:
        isa_name(isa)
        self.isa = ISAS[isa]
        self._structures = Structures()
        self.model = self._structures.model(lowered)
        sizes = [t.size for t in lowered.tensors]
        bytes_of = [t.size * _WIDTH[t.dtype] for t in lowered.tensors]
        self._name, self._op_names = lowered.name, [op.name for op in lowered.ops]
        made = [op.output for op in lowered.ops]
        self.strides = ImageStrides(
            [bytes_of[i] for i in lowered.inputs], [bytes_of[i] for i in lowered.outputs],
            [bytes_of[i] for i in made], [4 * sizes[i] for i in made],
        )  # fmt: skip
        self._idle: list[Context] = []
        # A trace takes many times as long.
        self._pace, self._traced_pace = Pace(), Pace()

    def _take(self) -> Context:
        """Return a context that nobody else uses; it goes back to `_idle`."""
        try:
            return self._idle.pop()
        except IndexError:
            return Context(self)

    def run(
        self,
        count: int,
        inputs: Arrays,
        outputs: Arrays,
        trace: Trace | None = None,
        threads: int = 1,
    ) -> None:
        """Run `count` images; the arrays are checked, and in the model's order.

        Parameters
        ----------
        count : int
        inputs, outputs : collection of ndarray
        trace : pair of collections of ndarray or None, optional
            For what each op produces, and for its accumulators.
        threads : int
            Over the images, each with a context of its own.
        """
        if threads > 1 and count > 1:
            self._share(count, inputs, outputs, trace, threads)
            return
        pace = self._pace if trace is None else self._traced_pace
        context = self._take()
        try:
            if count <= pace.images:
                context.run(0, count, inputs, outputs, trace)
                return
            # An interrupt is raised between two calls.
            for part in pace.parts(range(count)):
                context.run(part.start, part.stop, inputs, outputs, trace)
        finally:
            self._idle.append(context)

    def _share(
        self, count: int, inputs: Arrays, outputs: Arrays, trace: Trace | None, threads: int
    ) -> None:
        pace = self._pace if trace is None else self._traced_pace

        def work(chunks: ChunkQueue) -> None:
            context = self._take()
            try:
                for chunk in chunks.pop_chunks():
                    for part in pace.parts(chunk):
                        context.run(part.start, part.stop, inputs, outputs, trace)
                        if chunks.stopped:
                            return
            finally:
                self._idle.append(context)

        run_chunks(work, count, threads)

    def arena_size(self, isa: str | None = None) -> int:
        """Return the bytes of the arena of a context, by this or another variant; 0: no such."""
        return int(lib.intgold_arena_size(self.model, self.isa if isa is None else ISAS[isa]))

    def need(self, isa: str | None = None) -> int:
        """Return the bytes of the arena.

        Raises
        ------
        EngineError
            Naming the largest op, when they are more than this machine can address.
        ModelError
            When the C engine refuses the model.
        """
        size = self.arena_size(isa)
        if not size:
            buffer = ffi.new("char[]", 1)
            status = lib.intgold_check_model(self.model, buffer, 0, ffi.NULL)
            if status != lib.INTGOLD_ERROR_BUFFER_TOO_SMALL:
                self.refuse(status, buffer, 0)
            raise EngineError(f"{self.largest()}, the arena more than can be addressed")
        return size

    def refuse(self, status: int, buffer: Any, size: int) -> None:
        """Raise what a status of the engine other than 0 means.

        Parameters
        ----------
        status : int
            Of ``intgold_prepare`` or ``intgold_check_model``.
        buffer : cdata
        size : int
            Bytes of the buffer that it was called with.

        Raises
        ------
        ModelError
            Naming the op, when the model is not legal.
        EngineError
            For any other status.
        """
        op = ffi.new("int32_t *", -1)
        where = f"model {self._name}"
        if lib.intgold_check_model(self.model, buffer, size, op) == status:
            where += f", op {self._op_names[op[0]]}" if op[0] >= 0 else ""
            raise ModelError(f"{where}: the C engine refused it: {status_text(status)}")
        raise EngineError(f"{where}: the C engine refused it: {status_text(status)}")

    def largest(self) -> str:
        """Return the model and its op that takes most of the arena, for messages."""
        sizes = {
            name: lib.intgold_packed_size(self.model, self.isa, i)
            + lib.intgold_scratch_size(self.model, self.isa, i)
            for i, name in enumerate(self._op_names)
        }
        name = max(sizes, key=sizes.__getitem__)
        bytes_of = f"packed weights and scratch of op {name} take {sizes[name]:,} bytes"
        return f"model {self._name}: {bytes_of}"
