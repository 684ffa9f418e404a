"""Brings the words that a file gives, in a row or by address, into the order of the array."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ...errors import VectorError
from .tokens import InvalidTokenError
from .word_file import (
    FewImagesError,
    InvalidAddressError,
    InvalidWordError,
    Sought,
    WordFile,
    too_few_words,
)

_FILLED, _GIVEN = 1, 2

LineOfWord = Callable[[int], int]
"""The line of the i-th of the words that are put."""


class AbsentError(VectorError):
    """A file of a whole memory that has no word of the array."""


class Collector:
    """Hands rising words on at once; from the first that jumps about or fills on, holds them all.

    Every word must come exactly once; what fills a range may be overwritten. Of a file that holds
    a whole memory (`WordFile.memory_words`) the words of other arrays are passed over.

    Parameters
    ----------
    where : str
        The file that an error names.
    file : WordFile
    sought : Sought, optional
        A word whose line is noted.
    """

    def __init__(self, where: str, file: WordFile, sought: Sought | None = None) -> None:
        self._where, self._file, self._sought = where, file, sought
        self._row = 0  # words in a row so far
        self._address: int | None = 0 if file.memory_words else None  # of the next word
        self._next = 0  # word of the array
        self._held: np.ndarray | None = None
        self._seen = np.zeros(0, np.uint8)
        self._gaps: list[int] = []  # which of the next words are undefined
        self._undefined: int | None = None  # the first such word of the array
        self._undefined_at = where  # its line, where there are lines

    def seek(self, address: int) -> None:
        """Say the address of the next word."""
        self._address = address

    def number(self, ahead: int = 0) -> int | None:
        """Return which word of the array comes `ahead` words later; None: none of them."""
        if self._address is not None:
            return self._file.word_of(self._address + ahead)
        return self._row + ahead if self._row + ahead < self._file.words else None

    def undefined(self, ahead: int) -> int | None:
        """Return which word of the array an undefined one is; None: it may be passed over.

        A memory's undefined words are as if they were not there, until the end shows what lacks.
        """
        number = self.number(ahead)
        if number is not None and self._file.memory_words:
            self._gaps.append(ahead)
            return None
        return number

    def refused(self, place: str, bad: InvalidTokenError) -> VectorError:
        """Return the error of a token among the next words."""
        number, whole = self.number(bad.index), self._file.memory_words
        if number is not None and (bad.undefined or whole):
            return InvalidWordError(place, number, bad.problem)
        if whole and self._address is not None:
            return InvalidAddressError(place, self._address + bad.index, bad.problem)
        return VectorError(f"{place}: {bad.problem}")

    @property
    def has_gaps(self) -> bool:
        """Whether some of the next words are undefined: of them the lines are needed."""
        return bool(self._gaps) and self._undefined is None

    def room(self) -> int:
        """Return how many words may still come in a row."""
        return self._file.length - (self._row if self._address is None else self._address)

    def put(
        self, place: str, words: np.ndarray, line_of: LineOfWord | None = None
    ) -> Iterator[np.ndarray]:
        """Take the next words, of the lines that are given; yield what is in order."""
        start, count = self._address, len(words)
        if start is None:
            if count > self.room():
                raise VectorError(
                    f"{place}: more words than {self._file.words}, or beyond the last address"
                )
            self._row += count
            self._note(self._row - count, count, 0, line_of)
            yield from self.take(place, self._row - count, words)
            return
        if self.has_gaps:
            self._undefined = self._file.word_of(start + self._gaps[0])
            line = f", line {line_of(self._gaps[0])}" if line_of else ""
            self._undefined_at = f"{self._where}{line}"
        self._address = start + count
        gaps, self._gaps = self._gaps, []
        passed_over = len(gaps)
        for first, last in zip([0, *(g + 1 for g in gaps)], [*gaps, count], strict=True):
            for at, stop, word in self._file.overlaps(start + first, start + last):
                self._note(word, stop - at, at - start, line_of)
                yield from self.take(place, word, words[at - start : stop - start])
                passed_over += stop - at
        if passed_over == count:
            return
        if not self._file.memory_words:
            at = self._outside(start, count)
            place = f"{self._where}, line {line_of(at - start)}" if line_of else place
            raise VectorError(f"{place}: address 0x{at:x} is not of this file, {self._addresses()}")
        if start + count > self._file.memory_words:
            raise VectorError(
                f"{place}: address 0x{start + count - 1:x} is beyond the "
                f"{self._file.memory_words} words of the memory"
            )

    def _outside(self, start: int, count: int) -> int:
        """Return the first of some addresses that is not of the file."""
        at = start
        for first, stop, _ in self._file.overlaps(start, start + count):
            if first != at:
                break
            at = stop
        return at

    def _addresses(self) -> str:
        file = self._file
        described = f"whose addresses are 0x{file.address:x} to 0x{file.end - 1:x}"
        if file.contiguous:
            return described
        return (
            f"{described}, 0x{file.run:x} from each multiple of 0x{file.step:x} after the first on"
        )

    def _note(self, word: int, count: int, ahead: int, line_of: LineOfWord | None) -> None:
        """Keep the line of the word that is sought, where it is among these."""
        sought = self._sought
        if sought is not None and line_of is not None and word <= sought.word < word + count:
            sought.line, sought.final = line_of(ahead + sought.word - word), True

    def fill(
        self, place: str, start: int, stop: int, pattern: np.ndarray, line_of: LineOfWord
    ) -> Iterator[np.ndarray]:
        """Take a range of addresses with the words of `pattern` in turn; others may follow there.

        `line_of` is of the words of the pattern.

        Addresses outside the array are passed over, and a pattern that is undefined.
        """
        if self._gaps:
            if self._undefined is None:
                self._undefined = self.number(self._gaps[0])
                self._undefined_at = place
            self._gaps = []
            return
        for at, end, word in self._file.overlaps(start, stop):
            turn = np.arange(at - start, end - start) % len(pattern)
            if self._sought is not None and not self._sought.final:
                ahead = at - start
                self._note(word, end - at, ahead, lambda i: line_of(i % len(pattern)))
                self._sought.final = False  # another line may give it
            yield from self.take(place, word, pattern[turn], _FILLED)

    def take(
        self, place: str, first: int, words: np.ndarray, how: int = _GIVEN
    ) -> Iterator[np.ndarray]:
        """Take words by their numbers, from `first` on; yield what is in order."""
        stop = first + len(words)
        if self._held is None:
            if first < self._next:
                raise InvalidWordError(place, first, "given twice")
            if first == self._next and how == _GIVEN:
                self._next = stop
                if len(words):
                    yield words
                return
            size = self._file.words - self._next
            self._held = np.zeros((size, self._file.word_bytes), np.uint8)
            self._seen = np.zeros(size, np.uint8)
        at = slice(first - self._next, stop - self._next)
        if at.start < 0:
            raise InvalidWordError(place, first, "given twice")
        if (self._seen[at] == _GIVEN).any():
            twice = first + int(np.argmax(self._seen[at] == _GIVEN))
            raise InvalidWordError(place, twice, "given twice")
        self._held[at], self._seen[at] = words, how

    def finish(self) -> Iterator[np.ndarray]:
        """Yield what was held; every word must be there."""
        file, words = self._file, self._file.words
        if self._held is None:
            if self._next == words:
                return
            if self._address is None:
                problem = f"{self._next} words instead of {words}"
                raise too_few_words(self._where, problem, file, self._next)
            if file.memory_words and not self._next:
                raise AbsentError(f"{self._where}: no word of {file.name} is in it")
            self._seen = np.zeros(words - self._next, np.uint8)
        if self._held is None or not self._seen.all():
            raise self._lacking(self._next + int(np.argmin(self._seen)))
        yield self._held

    def _lacking(self, word: int) -> VectorError:
        """Return the error of the first word that is not there."""
        number = self._undefined
        if number is not None and number >= self._next and not self._seen[number - self._next]:
            return InvalidWordError(self._undefined_at, number, "undefined")
        problem = f"missing, at address 0x{self._file.address_of(word):x}"
        if not self._seen[word - self._next :].any():
            few = too_few_words(self._where, f"word {word}: {problem}", self._file, word)
            if isinstance(few, FewImagesError):
                return few
        if self._file.memory_words:  # of which every error has the address
            problem = "missing"
        return InvalidWordError(self._where, word, problem)
