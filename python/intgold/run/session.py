"""A session: a model made ready once, and run many times at the smallest cost of a call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import InputError
from ..model.budget import check_memory, check_work
from ..model.graph import Model
from ..native.lowering import lower
from ..support.arguments import check, checked
from ..support.quoting import shown
from .result import NamedArrays, Result, too_large

if TYPE_CHECKING:
    from .. import native


_sessions: WeakKeyDictionary[Model, dict[tuple[str, int], Session]] = WeakKeyDictionary()


def sessions_of(model: Model) -> dict[tuple[str, int], Session]:
    """Return the sessions that `prepare` made of a model, by variant and threads."""
    found = _sessions.get(model)
    return _sessions.setdefault(model, {}) if found is None else found


def prepare(model: Model, isa: str = "auto", threads: int = 1) -> Session:
    """Return a session: the model ready to run on the C engine, its weights packed.

    It is kept as long as the model lives, so that asking for it again costs next to nothing.

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
    sessions = sessions_of(model)
    if type(threads) is int and type(isa) is str and (isa, threads) in sessions:
        return sessions[isa, threads]  # True and 1.0 equal 1, but are refused
    check("prepare: isa", isa, str)
    threads = thread_count(threads)
    # Two threads may come here at once: both sessions are right, one is kept.
    return sessions.setdefault((isa, threads), Session(model, isa, threads))


def thread_count(threads: int) -> int:
    """Return a number of threads, or raise InputError."""
    is_whole = isinstance(threads, (int, np.integer)) and not isinstance(threads, bool)
    if not is_whole or not 1 <= threads <= 1024:
        raise InputError(f"threads: {shown(threads)} is not a number from 1 to 1024")
    return int(threads)


class Session:
    """A model that is ready to run on the C engine: what `Model.prepare` gives.

    Its weights are packed for one variant of the kernels, and its memory is kept between calls.
    Any number of threads may call it at once. It works on without the model.

    Attributes
    ----------
    name : str
        The model's.
    isa : str
        The variant of the kernels, a name out of `intgold.native.variants`.
    threads : int
        That a run takes, over its images.

    Examples
    --------
    >>> session = model.prepare()
    >>> logits = np.empty((1, 10), np.int32)
    >>> for image in images:
    ...     session.run(image[np.newaxis], out=logits)
    """

    @checked
    def __init__(self, model: Model, isa: str = "auto", threads: int = 1) -> None:
        from .. import native  # golden needs no C

        check_work(model)
        self.name, self.isa, self.threads = model.name, native.acquire_isa(isa), threads
        shared = [s._native_model for s in list(sessions_of(model).values()) if s.isa == self.isa]
        self._native_model: native.NativeModel = (
            shared[0] if shared else native.NativeModel(lower(model), self.isa)
        )
        self._ports = model.ports
        self._outputs = [(port.name, port.dtype, port.shape) for port in model.ports.outputs]
        made = [model.tensor(op.output) for op in model.ops]
        self._made = [(t.name, np.dtype(t.dtype), t.shape) for t in made]
        ends = sum(port.dtype.itemsize * math.prod(port.shape) for port in model.ports.outputs)
        self._bytes = {False: ends, True: ends + sum(t.span + 4 * t.size for t in made)}
        accumulate = [op.spec.accumulator for op in model.ops]
        self._accumulators = [
            (name, np.dtype(np.int32), shape) if has else None
            for (name, _, shape), has in zip(self._made, accumulate, strict=True)
        ]

    def __repr__(self) -> str:
        return f"<Session {self.name}, {self.isa}, threads={self.threads}>"

    @property
    def arena_size(self) -> int:
        """Bytes of the memory that one thread works in: packed weights, tensors, scratch."""
        return self._native_model.arena_size()

    def run(
        self,
        x: np.ndarray | Mapping[str, np.ndarray],
        out: np.ndarray | Mapping[str, np.ndarray] | None = None,
        trace: bool = False,  # noqa: FBT001, FBT002 (as in `Model.run`)
    ) -> Result:
        """Run a batch; what is in C order is not copied, and the GIL is released while C computes.

        Parameters
        ----------
        x : ndarray or mapping of str to ndarray
            int8, shape (n, ...) of the input; several inputs are given by name.
        out : ndarray or mapping of str to ndarray, optional
            Where to write the output, or each output by name: dtype and shape (n, ...) of the
            output, C order. They become the outputs of the result; without them they are new.
        trace : bool
            Keep every op's output and accumulator.

        Returns
        -------
        Result

        Raises
        ------
        InputError
            Naming the input or output and what is wrong with it.
        EngineError
            When the memory does not suffice.
        KeyboardInterrupt
            By Ctrl-C, within about a tenth of a second or the image in progress. Arrays of `out`
            are then partly written; the session works on.
        """
        if trace is not True and trace is not False:
            check("run: trace", trace, bool)
            trace = bool(trace)
        count, inputs = self._ports.check_inputs(x)
        try:
            outputs: dict[str, np.ndarray] = NamedArrays()
            if out is None or trace:
                check_memory(
                    f"model {self.name}: what is kept of {count} images takes",
                    count * self._bytes[trace],
                )
            if out is None:
                for name, dtype, shape in self._outputs:
                    outputs[name] = np.empty((count, *shape), dtype)
            else:
                given = self._ports.check_outputs(out, count, inputs)
                outputs.update((s[0], a) for s, a in zip(self._outputs, given, strict=True))
            if trace:
                return self._trace(count, inputs, outputs)
            self._native_model.run(count, inputs, outputs.values(), None, self.threads)
            return Result(outputs, NamedArrays(), NamedArrays())
        except MemoryError as error:
            raise too_large(self.name, self._ports, count, error) from error

    def _trace(
        self, count: int, inputs: list[np.ndarray], outputs: dict[str, np.ndarray]
    ) -> Result:
        # An output is written where the caller wants it: C keeps no second copy.
        kept = [None if n in outputs else np.empty((count, *s), t) for n, t, s in self._made]
        accumulators = [
            None if a is None else np.empty((count, *a[2]), a[1]) for a in self._accumulators
        ]
        self._native_model.run(count, inputs, outputs.values(), (kept, accumulators), self.threads)
        names = [name for name, _, _ in self._made]
        tensors = NamedArrays(
            (n, outputs[n] if a is None else a) for n, a in zip(names, kept, strict=True)
        )
        pairs = zip(names, accumulators, strict=True)
        return Result(outputs, tensors, NamedArrays((n, a) for n, a in pairs if a is not None))
