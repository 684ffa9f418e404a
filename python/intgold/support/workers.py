"""Worker processes, which end with this one, and at once when it is stopped."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from ..errors import IntgoldError
from .interrupts import WORDS

_STARTING = threading.Lock()
"""Processes are started one after the other."""
_SECONDS = 10
"""Within which a process that has closed its end is gone."""


class Workers:
    """A pool of spawned processes; a context manager.

    Each process has a connection of its own, of which nobody else holds the far end: when it is
    killed, even half-way through a result, whoever reads sees the end.  (A queue that processes
    share waits for the rest of that result for ever.)

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
        When one of them was killed from outside, as by a system that runs out of memory, ended by
        itself, or could not start, as in a script without ``if __name__ == "__main__":``.
    """

    def __init__(
        self, processes: int, initializer: Callable[..., object] | None = None, *arguments: Any
    ) -> None:
        self._first = None if initializer is None else (initializer, arguments)
        self._workers: list[_Worker] = []
        self._over = False
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(processes)  # each starts a process and waits for it

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        try:
            if kind is None:
                self._threads.shutdown(cancel_futures=True)
                for worker in self._workers:
                    worker.end()
        finally:  # a signal may have come meanwhile
            with _STARTING:
                self._over = True
            for worker in self._workers:
                worker.process.kill()
            self._threads.shutdown(cancel_futures=True)
            for worker in self._workers:
                worker.end()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a worker call a function."""
        return self._threads.submit(self._call, work, arguments)

    def _call(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if not hasattr(self._own, "worker"):
            self._own.worker = self._start()
        return self._own.worker.call(work, arguments)

    def _start(self) -> _Worker:
        # A signal's handler runs in the main thread: it cannot leave a process half started here.
        with _STARTING:
            if self._over:
                raise IntgoldError("stopped")
            _hold_signals()
            worker = _Worker(self._first)
            self._workers.append(worker)
            return worker

    def map(self, work: Callable[..., Any], *values: Iterable[Any]) -> Iterator[Any]:
        """Yield what the workers make of each value, in order."""
        futures = [self.submit(work, *each) for each in zip(*values, strict=True)]
        return (future.result() for future in futures)


class _Worker:
    """A process, and this end of the connection to it."""

    def __init__(self, first: tuple[Callable[..., object], tuple[Any, ...]] | None) -> None:
        # What it is to call first may be large: to start it with that would wait until it reads.
        self._first = first
        self._answered = False
        context = get_context("spawn")
        self._connection, far = context.Pipe()
        with far:
            self.process = context.Process(target=_serve, args=(far,))
            self.process.start()

    def call(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return its result for the arguments, or raise what it raised."""
        if self._first is not None:
            self._ask(*self._first)
            self._first = None
        return self._ask(work, arguments)

    def _ask(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        question = pickle.dumps((work, arguments), pickle.HIGHEST_PROTOCOL)
        try:
            self._connection.send_bytes(question)
            answer = self._connection.recv_bytes()
            self._answered = True
        except (EOFError, OSError) as error:
            raise IntgoldError(self._why_it_ended()) from error
        except BaseException:  # such as no memory: the rest of an answer is no answer
            self._connection.close()
            raise
        value, raised, trace = pickle.loads(answer)
        if raised is not None:
            raise raised from _WorkerError(trace)
        return value

    def _why_it_ended(self) -> str:
        self.process.join(_SECONDS)
        status = self.process.exitcode
        if status is None or status < 0:
            return (
                "a worker process was killed, perhaps for want of memory; fewer processes need less"
            )
        if self._answered:
            return f"a worker process ended by itself, with exit status {status}"
        return (
            f"a worker process could not start (exit status {status}): a script that uses several "
            'processes must be a file, and do its work under if __name__ == "__main__":'
        )

    def end(self) -> None:
        """Have it end, and wait for that; nobody may be calling it."""
        self._connection.close()
        self.process.join()


class _WorkerError(Exception):
    """Where an exception was raised in a worker, as text: shown as its cause."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _hold_signals() -> None:
    """Have what this thread starts not see the signals, even before it can ignore them."""
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # or starting a process would, and lift the mask
        signal.pthread_sigmask(signal.SIG_BLOCK, WORDS)


def _serve(connection: Connection) -> None:
    """Answer, in a worker, until the other end is closed."""
    for number in WORDS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            question = connection.recv_bytes()
        except (EOFError, OSError):
            return
        answer = _answer(question)
        del question
        try:
            connection.send_bytes(answer)
        except OSError:  # nobody is there any more
            return
        del answer


def _answer(question: bytes) -> bytes:
    """Return the result of a call, or the exception that it raised, and where."""
    try:
        work, arguments = pickle.loads(question)
        return pickle.dumps((work(*arguments), None, ""), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:
        return pickle.dumps((None, _sendable(error), traceback.format_exc()))


def _sendable(error: BaseException) -> BaseException:
    """Return the exception, or one that says the same where that would not arrive."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _end_with_parent() -> None:
    """End this process when its parent was killed; nobody else would."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
