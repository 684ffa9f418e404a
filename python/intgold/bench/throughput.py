"""Images per second from Python: variants of the kernels, batches, threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..model import Model
from ..session import Session
from .clock import pinned, take_turns, wall_time


@dataclass(frozen=True)
class Rate:
    """Images per second of one way to run, by the best of the rounds."""

    isa: str
    threads: int
    batch: int
    images_per_second: float


def time_batches(
    model: Model,
    isas: Sequence[str],
    batches: Sequence[int],
    threads: Sequence[int],
    x: Mapping[str, np.ndarray],
    rounds: int,
    progress: Callable[[], object] = lambda: None,
) -> list[Rate]:
    """Time `Session.run` for all combinations; a batch with fewer images than threads is left out.

    Parameters
    ----------
    x : mapping of str to ndarray
        As many images as the largest batch.
    rounds : int
        Of every way to run, in turns; by the clock on the wall.

    Other parameters are as in `intgold.bench.bench`.
    """
    rates = []
    for count in threads:
        ways = {
            (isa, batch): _repeat(model.prepare(isa, count), {n: a[:batch] for n, a in x.items()})
            for isa in isas
            for batch in batches
            if batch >= count
        }
        calls = {f"{isa} {batch}": call for (isa, batch), call in ways.items()}
        if count == 1:
            with pinned():
                samples = take_turns(calls, rounds, clock=wall_time, progress=progress)
        else:  # threads that started on one core would stay there
            samples = take_turns(calls, rounds, clock=wall_time, progress=progress)
        rates += [
            Rate(isa, count, batch, batch / min(samples[f"{isa} {batch}"])) for isa, batch in ways
        ]
    return rates


def _repeat(session: Session, x: Mapping[str, np.ndarray]) -> Callable[[int], None]:
    given = next(iter(x.values())) if len(x) == 1 else x

    def times(n: int) -> None:
        for _ in range(n):
            session.run(given)

    return times
