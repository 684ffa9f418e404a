"""What a file of memory words holds, and what every format does with it (SPEC 10.3).

A format sees memory words only: which tensor lane lies where is the business of the layout.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from ...errors import VectorError


class InvalidWordError(VectorError):
    """A word of a file that is none, such as a simulator's ``xx``.

    Parameters
    ----------
    where : str
        The file, with the line where it has lines.
    word : int
        Which word of the file, from 0.
    problem : str
    """

    def __init__(self, where: str, word: int, problem: str) -> None:
        super().__init__(f"{where}: word {word}: {problem}")
        self.where, self.word, self.problem = where, word, problem


class InvalidAddressError(VectorError):
    """A word of a whole memory that is none, and that is not of the array which is read.

    Parameters
    ----------
    where : str
        The file, with the line where it has lines.
    address : int
        In the memory, or in its bank.
    problem : str
    """

    def __init__(self, where: str, address: int, problem: str) -> None:
        super().__init__(f"{where}: address 0x{address:x}: {problem}")
        self.where, self.address, self.problem = where, address, problem


class FewImagesError(VectorError):
    """A file that holds exactly the first images of an array, and no more.

    Parameters
    ----------
    where, problem : str
    images, of : int
        How many it holds, of how many.
    """

    def __init__(self, where: str, problem: str, images: int, of: int) -> None:
        super().__init__(f"{where}: {problem}: the first {images} of {of} images")
        self.images = images


def too_few_words(where: str, problem: str, file: WordFile, words: int) -> VectorError:
    """Return the error of a file that ends after `words` words: whole images are counted."""
    images, remainder = divmod(words, file.run)
    if 0 < images < file.count and not remainder:
        return FewImagesError(where, problem, images, file.count)
    return VectorError(f"{where}: {problem}")


@dataclass(frozen=True)
class Lanes:
    """The numbers in a word: `count` of `bits` bits each, from the least significant one up.

    Parameters
    ----------
    count, bits : int
        At most as many bits as the word has; those above them are 0.
    signed : bool
    high_first : bool
        Whether the first number is the most significant one.
    big_endian : bool
        Whether the bytes of each number are in reverse.
    """

    count: int
    bits: int
    signed: bool
    high_first: bool = False
    big_endian: bool = False


@dataclass(frozen=True)
class WordFile:
    """The words of one file: `count` runs (one an image) of `run` words each.

    Word k of run i has the address ``address + i*step + k`` in its memory, counted in words.

    Parameters
    ----------
    name : str
        An identifier (letters, digits, _), such as ``outputs_conv1``.
    title : str
        One line of ASCII for people: dtype, shape, order.
    word_bits : int
        8 to 1024.
    count, run : int
        Runs, and words of each.
    address : int
        Of the first word, within its memory.
    step : int
        Distance of the first words of two runs; at least `run`.
    base : int
        Byte address of the memory's word 0 in the system's address space.
    dtype, shape
        Of the array that the file holds; for `npy`, which ignores layouts, and for comments.
    signed : bool
        Each word is one signed value of exactly `word_bits` bits.
    addresses : bool
        Write addresses where the format may leave them out.  Formats that may leave them out
        also write them where `step` is not `run`.
    comments : str
        ``none``, ``head`` (one comment line at the top) or ``images`` (one more before each run).
    lanes : Lanes or None
        The numbers in a word, for formats that write numbers; None: the word is one.
    memory_words : int
        Of a file that holds a whole memory, the words of this array among others; it is read, not
        written. Words in a row start at address 0. 0: the file holds only this array.
    """

    name: str
    title: str
    word_bits: int
    count: int
    run: int
    dtype: str
    shape: tuple[int, ...]
    address: int = 0
    step: int = 0
    base: int = 0
    signed: bool = False
    addresses: bool = False
    comments: str = "head"
    lanes: Lanes | None = None
    memory_words: int = 0

    def __post_init__(self) -> None:
        if self.step == 0:
            object.__setattr__(self, "step", self.run)

    @property
    def words(self) -> int:
        """Number of words."""
        return self.count * self.run

    @property
    def length(self) -> int:
        """Number of words that the file has in a row."""
        return self.memory_words or self.words

    @property
    def word_bytes(self) -> int:
        """Bytes that hold a word."""
        return -(-self.word_bits // 8)

    @property
    def contiguous(self) -> bool:
        """True when the addresses have no gap."""
        return self.step == self.run or self.count == 1

    @property
    def end(self) -> int:
        """One more than the last word's address."""
        return self.address + (self.count - 1) * self.step + self.run

    def address_of(self, word: int) -> int:
        """Return the address of word number `word` of the file."""
        return self.address + word // self.run * self.step + word % self.run

    def only(self, word: int) -> range:
        """Return a word of the file by itself; no word where it has none of that number."""
        return range(word, word + 1) if 0 <= word < self.words else range(0)

    def word_of(self, address: int) -> int | None:
        """Return which word of the file has this address; None when none has."""
        run, offset = divmod(address - self.address, self.step)
        if not (0 <= run < self.count and offset < self.run):
            return None
        return run * self.run + offset

    def overlaps(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Yield (address, end, word of the file) of each stretch within some addresses."""
        count, size, step = self.count, self.run, self.step
        if self.contiguous:
            count, size, step = 1, self.words, self.words
        first = max(0, (start - self.address) // step)
        last = min(count, (stop - 1 - self.address) // step + 1)
        for run in range(first, last):
            address = self.address + run * step
            at, end = max(start, address), min(stop, address + size)
            if at < end:
                yield at, end, run * size + at - address


@dataclass
class Sought:
    """A word of a file whose line a reader is to find.

    Parameters
    ----------
    word : int
        Of the array, from 0.
    lane : int
        Of that word, from the least significant bits: where each number has a line of its own.
    line : int
        What the reader found; 0: not yet.
    final : bool
        Whether no later line may give the word again.
    """

    word: int
    lane: int = 0
    line: int = 0
    final: bool = False


def line_or_offset_of(form: Format, file: WordFile, word: int) -> int:
    """Return `Format.line_or_offset` of a word, in a file of the whole memory as well."""
    if file.memory_words:
        whole = replace(file, address=0, count=1, run=file.memory_words, step=0, memory_words=0)
        return form.line_or_offset(whole, file.address_of(word))
    return form.line_or_offset(file, word)


def words_of_line(form: Format, file: WordFile, line_or_offset: int) -> list[int]:
    """Return the words of the array at a line or byte, in a file of the whole memory as well."""
    if not file.memory_words:
        return [*form.words_at(file, line_or_offset)]
    whole = replace(file, address=0, count=1, run=file.memory_words, step=0, memory_words=0)
    found = (file.word_of(address) for address in form.words_at(whole, line_or_offset))
    return [word for word in found if word is not None]


class Format(ABC):
    """A file format: one writer and one reader of words.

    Words are arrays of uint8, shape (n, `WordFile.word_bytes`), least significant byte first; the
    bits above `word_bits` are 0.
    """

    name: str
    """As ``--format`` takes it."""
    suffix: str
    """Of a path, with its dot."""
    summary: str
    """One line for ``--help``."""
    lines: bool = True
    """Text: places are given as lines; in other files as byte offsets."""

    @abstractmethod
    def head(self, file: WordFile) -> bytes:
        """Return what stands before the words."""

    @abstractmethod
    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return the bytes of some whole runs.

        Parameters
        ----------
        file : WordFile
        words : ndarray of uint8, shape (n, word_bytes)
        first : int
            Which word of the file ``words[0]`` is; a multiple of ``file.run``, as n is.
        """

    def tail(self, file: WordFile) -> bytes:
        """Return what stands after the words."""
        return b""

    @abstractmethod
    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield all words in order, in parts of some megabytes at most.

        Of a text, the line of the word `sought` is noted in it, as the file is.

        Raises
        ------
        VectorError
            Naming `where` (with the line) and what is wrong: another number of words, another
            width, an address that does not fit, anything that is not of the format.
        InvalidWordError
            When a word has digits that are none.
        """

    @abstractmethod
    def max_bytes(self, file: WordFile) -> int:
        """Return a size that no file of these words exceeds, comments and white space included."""

    @abstractmethod
    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the line (from 1) of a word in a file that `body` made, or its byte offset."""

    def line_of(self, where: str, file: WordFile, stream: BinaryIO, word: int, lane: int) -> int:
        """Return the line (from 1) of a word, or of its lane, in a text of any style.

        The file is read up to the word. Raises as `read` does.
        """
        sought = Sought(word, lane)
        for _ in self.read(where, file, stream, sought):
            if sought.final:
                break
        return sought.line

    @abstractmethod
    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the words of a line or byte offset; none where it holds none."""
