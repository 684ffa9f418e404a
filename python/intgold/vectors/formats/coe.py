"""Xilinx coefficient files: a radix, and a vector of words without addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import shown
from .word_file import BadWordError, Format, WordFile

_RADIX = re.compile(rb"\s*memory_initialization_radix\s*=\s*(\d+)\s*;", re.I)
_VECTOR = re.compile(rb"\s*memory_initialization_vector\s*=", re.I)
_HEAD_BYTES = 2**14
_DIGITS = {2: rb"[01]+", 10: rb"[0-9]+", 16: rb"[0-9a-fA-F]+"}


class Coe(Format):
    """One word a line, separated by commas, ended by a semicolon."""

    def __init__(self, name: str, suffix: str, radix: int, summary: str) -> None:
        self.name, self.suffix, self.summary, self._radix = name, suffix, summary, radix

    def head(self, file: WordFile) -> bytes:
        """Return the comment and the keywords."""
        comment = f"; {file.title}\n" if file.comments != "none" else ""
        return (
            f"{comment}memory_initialization_radix={self._radix};\nmemory_initialization_vector=\n"
        ).encode()

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return one line a word."""
        if self._radix == 10:
            text = b"".join(b"%d,\n" % v for v in digits.to_integers(words))
        else:
            columns: list[np.ndarray | bytes] = [
                digits.to_digits(words, file.word_bits, self._radix), b",\n",
            ]  # fmt: skip
            text = digits.joined(columns, len(words))
        return text[:-2] + b";\n" if first + len(words) == file.words else text

    def most_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each word room for white space."""
        return 2**16 + (16 + file.word_bits) * file.words

    def place(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return word + 3 + (file.comments != "none")

    def words_at(self, file: WordFile, place: int) -> range:
        """Return the word of a line."""
        return file.only(place - self.place(file, 0))

    def read(self, where: str, file: WordFile, stream: BinaryIO) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        text = stream.read(_HEAD_BYTES)
        body, line = self._after_head(where, text)
        inside = Collector(where, file)
        rest, ended = body, False
        while not ended:
            data = stream.read(2**20)
            text = rest + data
            cut = text.find(b";")
            if cut >= 0:
                ended, text, after = True, text[:cut], text[cut + 1 :] + stream.read(2**16)
                if after.strip():
                    raise VectorError(f"{where}: more follows the end of the vector")
                rest = b""
            elif not data:
                raise VectorError(f"{where}: the vector does not end with a semicolon")
            else:
                # A separator at the cut stays with what follows.
                cut = text.rfind(b",")
                if cut <= 0:
                    rest = text
                    continue
                text, rest = text[:cut], text[cut:]
            tokens = text.split(b",")
            if inside.next and tokens:
                tokens = tokens[1:]
            words = self._words(where, file, tokens, line, inside.next)
            line += text.count(b"\n")
            if words is not None:
                yield from inside.put(where, inside.next, words)
        yield from inside.finish()

    def _after_head(self, where: str, text: bytes) -> tuple[bytes, int]:
        """Return what follows the keywords, and its line."""
        at = 0
        while match := re.compile(rb"\s*;[^\n]*\n").match(text, at):
            at = match.end()
        radix = _RADIX.match(text, at)
        vector = _VECTOR.match(text, radix.end()) if radix else None
        if radix is None or vector is None:
            raise VectorError(f"{where}: not a coefficient file: no radix and vector at its head")
        if int(radix[1]) != self._radix:
            raise VectorError(f"{where}: radix {int(radix[1])} instead of {self._radix}")
        return text[vector.end() :], 1 + text.count(b"\n", 0, vector.end())

    def _words(
        self, where: str, file: WordFile, tokens: list[bytes], line: int, word: int
    ) -> np.ndarray | None:
        good = re.compile(_DIGITS[self._radix])
        width = digits.count(file.word_bits, self._radix) if self._radix != 10 else 0
        values = []
        for i, token in enumerate(tokens):
            digit = token.strip()
            at = line + token[: len(token) - len(token.lstrip())].count(b"\n")
            line += token.count(b"\n")
            if re.search(rb"[xXzZ]", digit) and word + i < file.words:
                raise BadWordError(f"{where}, line {at}", word + i, f"{shown(digit)} is undefined")
            exact = len(digit) == width if width else len(digit) <= 310
            if not good.fullmatch(digit) or not exact:
                many = f"{width} digits" if width else "a number"
                raise VectorError(
                    f"{where}, line {at}: {shown(digit)} is not {many} of radix {self._radix}"
                )
            value = int(digit, self._radix)
            if value >> file.word_bits:
                raise VectorError(
                    f"{where}, line {at}: {shown(digit)} has more than {file.word_bits} bits"
                )
            values.append(value)
        return digits.from_integers(values, file.word_bytes) if values else None
