"""Xilinx coefficient files: a radix, and a vector of words without addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import Comments, pieces, shown_token, token_lines
from .tokens import Decimals, Digits, InvalidTokenError
from .word_file import Format, Sought, WordFile

_RADIX = rb"memory_initialization_radix\s*=\s*(\d{1,9})\s*;"
_VECTOR = rb"memory_initialization_vector\s*="
_HEAD = re.compile(rb"[;\s]*" + _RADIX + rb"[;\s]*" + _VECTOR, re.I)
# What follows a semicolon in its line, unless it is a keyword.
_COMMENTS = Comments(
    re.compile(rb"(?<=;)(?!\s*memory_initialization_(?:radix|vector)\s*=)[^\n]+", re.I), (b";",)
)
_HEAD_BYTES = 2**20


class Coe(Format):
    """One word a line, separated by commas, ended by a semicolon; read in any radix."""

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
            text = digits.join_columns(columns, len(words))
        return text[:-2] + b";\n" if first + len(words) == file.words else text

    def max_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each word room for white space."""
        return 2**16 + (16 + file.word_bits) * file.length

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return word + 3 + (file.comments != "none")

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the word of a line."""
        return file.only(line_or_offset - self.line_or_offset(file, 0))

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file, sought)
        parser: Digits | Decimals | None = None
        head, ended, comma = b"", False, True
        for line, piece in pieces(where, stream, _COMMENTS):
            text = piece
            if parser is None:
                head += piece
                match = _HEAD.match(head)
                if match is None:
                    if len(head) > _HEAD_BYTES:
                        break
                    continue
                parser = self._parser(where, file, int(match[1]))
                text = head[match.end() :]
                line += piece.count(b"\n") - text.count(b"\n")
            data, semicolon, remainder = (b"", b";", text) if ended else text.partition(b";")
            ended = ended or bool(semicolon)
            if remainder.strip(b"; \t\r\n"):
                raise VectorError(f"{where}: more follows the end of the vector")
            if not data.strip():
                continue
            comma = self._check_commas(where, line, data, comma=comma)
            tokens = data.replace(b",", b" ").split()
            if not tokens:
                continue
            try:
                words = parser.words(tokens, inside.undefined)
            except InvalidTokenError as bad:
                number = token_lines(line, data, b",")[bad.index]
                raise inside.refused(f"{where}, line {number}", bad) from None
            lines = partial(token_lines, line, data, b",")
            number = lines()[inside.room()] if len(words) > inside.room() else line
            place = f"{where}, line {number}"
            yield from inside.put(place, words, partial(_nth, lines))
        if parser is None:
            raise VectorError(f"{where}: not a coefficient file: no radix and vector at its head")
        yield from inside.finish()

    @staticmethod
    def _parser(where: str, file: WordFile, radix: int) -> Digits | Decimals:
        """The file says its radix, whatever the name that it has."""
        if radix == 10:
            return Decimals(file.word_bits)
        if radix not in (2, 8, 16):
            raise VectorError(f"{where}: radix {radix} is none of 2, 8, 10, 16")
        return Digits(file.word_bits, radix, signed=file.signed)

    @staticmethod
    def _check_commas(where: str, line: int, data: bytes, *, comma: bool) -> bool:
        """Refuse a comma with no word before it; return whether the last thing is one."""
        found = re.match(rb"\s*,", data) if comma else None
        found = found or re.search(rb",\s*,", data)
        if found:
            number = line + data.count(b"\n", 0, found.end())
            raise VectorError(
                f"{where}, line {number}: {shown_token(b',')} without a word before it"
            )
        return data.rstrip().endswith(b",")


def _nth(lines: Callable[[], list[int]], index: int) -> int:
    return lines()[index]
