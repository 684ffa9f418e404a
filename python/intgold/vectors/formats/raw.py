"""Words as bytes, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from .collector import Collector
from .word_file import Format, InvalidWordError, Sought, WordFile, too_few_words

_PIECE = 2**20


class Raw(Format):
    """Raw binary, little or big endian."""

    lines = False

    def __init__(self, name: str, suffix: str, *, big: bool, summary: str) -> None:
        self.name, self.suffix, self.summary, self._big = name, suffix, summary, big

    def head(self, file: WordFile) -> bytes:
        """Return nothing."""
        return b""

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return the bytes of the words."""
        return (words[:, ::-1] if self._big else words).tobytes()

    def max_bytes(self, file: WordFile) -> int:
        """Return the only size, and one byte by which a file may be seen to be too long."""
        return file.length * file.word_bytes + 1

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the byte offset of a word."""
        return word * file.word_bytes

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the word of a byte."""
        return file.only(line_or_offset // file.word_bytes)

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        most = max(1, _PIECE // file.word_bytes) * file.word_bytes
        spare = 8 * file.word_bytes - file.word_bits
        inside = Collector(where, file)
        size, have = file.length * file.word_bytes, 0
        while data := read_exactly(stream, most):
            have += len(data)
            if have > size:
                raise VectorError(f"{where}: more bytes than {size}")
            if len(data) % file.word_bytes:
                break
            words = np.frombuffer(data, np.uint8).reshape(-1, file.word_bytes)
            words = words[:, ::-1] if self._big else words
            if spare:
                for i in np.flatnonzero(words[:, -1] >> (8 - spare)).tolist():
                    number = inside.number(i)
                    if number is not None:
                        raise InvalidWordError(where, number, f"more than {file.word_bits} bits")
            yield from inside.put(where, words)
        if (have != size and not file.memory_words) or have % file.word_bytes:
            problem = f"{have} bytes instead of {size}"
            if have % file.word_bytes:
                raise VectorError(f"{where}: {problem}")
            raise too_few_words(where, problem, file, have // file.word_bytes)
        yield from inside.finish()


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Return `size` bytes, fewer at the end of the stream only."""
    data = stream.read(size)
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data
