"""Brings words that a file gives by address into order; each must come exactly once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...errors import VectorError
from .word_file import WordFile


class Collector:
    """Hands rising words on at once; words that jump about are held, all of them.

    Parameters
    ----------
    where : str
        The file that an error names.
    file : WordFile
    """

    def __init__(self, where: str, file: WordFile) -> None:
        self._where, self._file = where, file
        self._next = 0
        self._held: np.ndarray | None = None
        self._seen = np.zeros(0, bool)

    @property
    def next(self) -> int:
        """The word that follows the last one in order."""
        return self._next

    def put(self, place: str, first: int, words: np.ndarray) -> Iterator[np.ndarray]:
        """Take words ``first, first + 1, ...``; yield what is in order."""
        stop = first + len(words)
        if stop > self._file.words:
            raise VectorError(
                f"{place}: more words than {self._file.words}, or beyond the last address"
            )
        if self._held is None and first == self._next:
            self._next = stop
            if len(words):
                yield words
            return
        if self._held is None:
            if first < self._next:
                raise VectorError(f"{place}: word {first} is given twice")
            size = (self._file.words - self._next, self._file.word_bytes)
            self._held, self._seen = np.zeros(size, np.uint8), np.zeros(size[0], bool)
        at = slice(first - self._next, stop - self._next)
        if at.start < 0 or self._seen[at].any():
            raise VectorError(f"{place}: word {first} or one that follows is given twice")
        self._held[at], self._seen[at] = words, True

    def put_at(self, place: str, address: int, words: np.ndarray) -> Iterator[np.ndarray]:
        """Take words of rising addresses, the first of which is given."""
        first = self._file.word_of(address)
        last = self._file.word_of(address + len(words) - 1)
        if first is None or last != first + len(words) - 1:
            raise VectorError(
                f"{place}: address 0x{address:x} or one that follows is not of this file"
            )
        yield from self.put(place, first, words)

    def finish(self) -> Iterator[np.ndarray]:
        """Yield what was held; every word must be there."""
        if self._held is None:
            if self._next != self._file.words:
                raise VectorError(
                    f"{self._where}: {self._next} words instead of {self._file.words}"
                )
            return
        if not self._seen.all():
            word = self._next + int(np.argmin(self._seen))
            raise VectorError(f"{self._where}: word {word} is missing")
        yield self._held
