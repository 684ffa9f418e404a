"""Time: calls that take turns, round after round, on one core."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

SAMPLE_SECONDS = 0.005
"""A sample repeats what it times for at least about so long."""


Clock = Callable[[], float]

own_time: Clock = getattr(time, "thread_time", time.perf_counter)
"""Seconds that this thread has been on a core: what others do meanwhile does not count."""
wall_time: Clock = time.perf_counter


@contextmanager
def pinned(core: int | None = None) -> Iterator[int | None]:
    """Keep this thread on one core meanwhile, where the system can; yields the core, or None.

    Threads that are started meanwhile stay there as well.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    core = max(before) if core is None else core
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


def _repeats(call: Callable[[int], object], seconds: float, clock: Clock) -> int:
    """Return for which n ``call(n)`` takes about so long; `call` is warm then."""
    call(1)
    n = 1
    while True:
        took = _seconds(call, n, clock)
        if took >= seconds / 4:
            return max(1, round(n * seconds / took))
        n *= 4


def take_turns(
    calls: Mapping[str, Callable[[int], object]],
    rounds: int,
    seconds: float = SAMPLE_SECONDS,
    clock: Clock = own_time,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, list[float]]:
    """Return the seconds of one repeat of each call, a sample a round.

    Every round times every call once, so that whatever else the machine does meets all alike.

    Parameters
    ----------
    calls : mapping of str to callable
        Each takes how often it is to repeat its work.
    rounds : int
    seconds : float
        Of a sample.
    clock : callable
        `own_time` or `wall_time`.
    progress : callable
        Is called after each round.
    """
    counts = {name: _repeats(call, seconds, clock) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(_seconds(call, counts[name], clock) / counts[name])
        progress()
    return samples


def _seconds(call: Callable[[int], object], n: int, clock: Clock) -> float:
    started = clock()
    call(n)
    return clock() - started
