"""Threads over the images of a batch: kept between calls, each takes the next piece when free."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

_CHUNKS_PER_SHARE = 64
"""The last pieces are as small as a thread's share cut into this many."""


class ChunkQueue:
    """Ranges of images that threads take one after another.

    Attributes
    ----------
    stopped : bool
        Whether the images that are left shall not be run: whoever works looks between two calls.
    """

    def __init__(self, ranges: list[range]) -> None:
        self._left = deque(ranges)
        self.stopped = False

    def pop_chunks(self) -> Iterator[range]:
        """Yield the first piece, and the next, until other threads have taken the rest."""
        while not self.stopped:
            try:
                chunk = self._left.popleft()
            except IndexError:
                return
            yield chunk


def run_chunks(work: Callable[[ChunkQueue], None], count: int, threads: int) -> None:
    """Call ``work(pieces)`` in as many threads, this one among them.

    `chunks` cover `count` images. None of the threads works on when this returns or raises: where
    one fails, or this one is interrupted, all stop.
    """
    ranges = chunk_schedule(count, threads)
    chunks = ChunkQueue(ranges)

    def guarded() -> None:
        try:
            work(chunks)
        except BaseException:
            chunks.stopped = True
            raise

    futures: list[Future[None]] = []
    try:
        # A thread that finds nothing left to take was not needed.
        others = min(threads, len(ranges)) - 1
        executor = _pool.executor(others)
        futures += (executor.submit(guarded) for _ in range(others))
        guarded()
        for future in futures:
            if not future.cancel():
                future.result()
    except BaseException:
        chunks.stopped = True
        wait([future for future in futures if not future.cancel()])
        raise


def chunk_schedule(count: int, threads: int) -> list[range]:
    """Return ranges that cover `count` images, large ones first.

    Each is half of a thread's share of what is left: few pieces, and the last ones so short that
    nobody waits long for a thread that was held up.
    """
    shortest = max(1, count // (threads * _CHUNKS_PER_SHARE))
    chunks, first = [], 0
    while first < count:
        length = max(shortest, (count - first) // (2 * threads))
        chunks.append(range(first, min(first + length, count)))
        first += length
    return chunks


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
