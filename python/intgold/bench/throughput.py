"""Images per second from Python: variants of the kernels, batches, threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..model.graph import Model
from ..native import ISAS
from ..native.compiled import lib
from ..run.session import Session
from .clock import pinned, take_turns, wall_time


@dataclass(frozen=True)
class Rate:
    """Images per second of one way to run, by the best of the rounds."""

    isa: str
    threads: int
    batch: int
    images_per_second: float


@dataclass(frozen=True)
class DotRate:
    """What the dot-product instruction of a variant does in registers, on all threads at once.

    Its growth with the threads is what the cores allow: two that are one core's share it.
    """

    isa: str
    threads: int
    macs_per_second: float


def time_batches(
    model: Model,
    isas: Sequence[str],
    batches: Sequence[int],
    threads: Sequence[int],
    x: Mapping[str, np.ndarray],
    rounds: int,
    progress: Callable[[], object] = lambda: None,
) -> tuple[list[Rate], list[DotRate]]:
    """Time `Session.run` for all combinations; a batch with fewer images than threads is left out.

    The variants' dot products take turns with them, on as many threads.

    Parameters
    ----------
    x : mapping of str to ndarray
        As many images as the largest batch.
    rounds : int
        Of every way to run, in turns; by the clock on the wall.

    Other parameters are as in `intgold.bench.bench`.
    """
    rates, dots = [], []
    for count in threads:
        calls_by_variant = {
            (isa, batch): _repeat(model.prepare(isa, count), {n: a[:batch] for n, a in x.items()})
            for isa in isas
            for batch in batches
            if batch >= count
        }
        calls = {f"{isa} {batch}": call for (isa, batch), call in calls_by_variant.items()}
        loops = {isa: DotLoop(isa, count) for isa in isas}
        calls.update({f"{isa} dot": loop for isa, loop in loops.items() if loop.macs})
        if count == 1:
            with pinned():
                samples = take_turns(calls, rounds, clock=wall_time, progress=progress)
        else:  # threads that started on one core would stay there
            samples = take_turns(calls, rounds, clock=wall_time, progress=progress)
        rates += [
            Rate(isa, count, batch, batch / min(samples[f"{isa} {batch}"]))
            for isa, batch in calls_by_variant
        ]
        dots += [
            DotRate(isa, count, loop.macs / min(samples[f"{isa} dot"]))
            for isa, loop in loops.items()
            if loop.macs
        ]
    return rates, dots


class DotLoop:
    """The dot product of a variant, some `ROUNDS` times on each of `threads` threads at once.

    Attributes
    ----------
    macs : int
        Multiply-adds of a call with 1; 0 where the variant has no such instruction.
    """

    ROUNDS = 50_000  # a fraction of a millisecond: far longer than it takes to start

    def __init__(self, isa: str, threads: int) -> None:
        self._isa, self._threads = ISAS[isa], threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.macs = lib.intgold_measure_dot(self._isa, self.ROUNDS) * threads

    def __call__(self, n: int) -> None:
        """Do it n times."""
        rounds = [n * self.ROUNDS] * self._threads
        for _ in self._pool.map(self._run, rounds) if self._pool else map(self._run, rounds):
            pass

    def _run(self, rounds: int) -> None:
        lib.intgold_measure_dot(self._isa, rounds)


def _repeat(session: Session, x: Mapping[str, np.ndarray]) -> Callable[[int], None]:
    given = next(iter(x.values())) if len(x) == 1 else x

    def times(n: int) -> None:
        for _ in range(n):
            session.run(given)

    return times
