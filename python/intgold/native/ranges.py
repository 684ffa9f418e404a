"""Threads over the images of a batch: kept between calls, each takes the next piece when free."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

_PIECES = 64
"""The last pieces are as small as a thread's share cut into so many."""


def over_ranges(work: Callable[[deque[range]], None], count: int, threads: int) -> None:
    """Call ``work(pieces)`` in as many threads, this one among them.

    `pieces` are ranges of images that cover `count`, the same for all; see `taken`.
    """
    pieces = deque(guided(count, threads))
    # A thread that finds nothing left to take was not needed.
    others = min(threads, len(pieces)) - 1
    executor = _pool.executor(others)
    futures = [executor.submit(work, pieces) for _ in range(others)]
    try:
        work(pieces)
    finally:
        pieces.clear()
        for future in futures:
            if not future.cancel():
                future.result()


def taken(pieces: deque[range]) -> Iterator[range]:
    """Yield the first piece, and the next, until other threads have taken the rest."""
    while True:
        try:
            piece = pieces.popleft()
        except IndexError:
            return
        yield piece


def guided(count: int, threads: int) -> list[range]:
    """Return ranges that cover `count` images, large ones first.

    Each is half of a thread's share of what is left: few pieces, and the last ones so short that
    nobody waits long for a thread that was held up.
    """
    least = max(1, count // (threads * _PIECES))
    pieces, first = [], 0
    while first < count:
        length = max(least, (count - first) // (2 * threads))
        pieces.append(range(first, min(first + length, count)))
        first += length
    return pieces


class _Pool:
    """The threads, started when first needed and kept."""

    def __init__(self) -> None:
        self._size = 0
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def executor(self, size: int) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None or self._size < size:
                self._executor = ThreadPoolExecutor(size, thread_name_prefix="intgold")
                self._size = size
            return self._executor


_pool = _Pool()


def _forget_threads() -> None:
    """A forked child has none of its parent's threads, and the lock may have been held."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
