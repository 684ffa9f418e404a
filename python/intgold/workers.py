"""Worker processes, which end with this one, and at once when it is stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

from .errors import IntgoldError


class Workers:
    """A pool of spawned processes; a context manager.

    Ctrl-C reaches a whole group of processes, but these leave it to their parent: when a block ends
    in an exception, whichever it is, they are killed, whatever they were at.

    Parameters
    ----------
    processes : int
    initializer : callable, optional
        Is called first in each, with `arguments`.

    Raises
    ------
    IntgoldError
        When one of them was killed from outside, as by a system that runs out of memory.
    """

    def __init__(
        self, processes: int, initializer: Callable[..., object] | None = None, *arguments: Any
    ) -> None:
        self._others = set(active_children())
        self._executor = ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=_start,
            initargs=(initializer, arguments),
        )  # fmt: skip

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if kind is not None:
            for process in set(active_children()) - self._others:
                process.kill()
        self._executor.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise IntgoldError(
                "a worker process was killed, perhaps for want of memory; fewer processes need less"
            ) from error

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a worker call a function."""
        with _interrupts_held():  # a worker that starts now inherits that
            return self._executor.submit(work, *arguments)

    def map(self, work: Callable[..., Any], *values: Iterable[Any]) -> Iterator[Any]:
        """Yield what the workers make of each value, in order."""
        futures = [self.submit(work, *each) for each in zip(*values, strict=True)]
        return (future.result() for future in futures)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # or it would, and lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(initializer: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _end_with_parent() -> None:
    """End this process when its parent was killed; nobody else would."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
