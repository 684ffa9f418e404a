"""Lines of digits that Verilog's ``$readmemh`` and ``$readmemb`` read, and Xilinx memory files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import pieces, shown
from .word_file import BadWordError, Format, WordFile

_COMMENT = re.compile(rb"//[^\n]*|/\*.*?\*/", re.S)
_TOKEN = re.compile(rb"\S+")
_ADDRESS = re.compile(rb"@[0-9a-fA-F][0-9a-fA-F_]{0,20}")
_UNDEFINED = re.compile(rb"[0-9a-fA-FxXzZ_]*[xXzZ][0-9a-fA-FxXzZ_]*")


class ReadMem(Format):
    """One word a line, with comments and addresses."""

    def __init__(self, name: str, radix: int, summary: str, always_addresses: bool = False) -> None:
        self.name, self.suffix, self.summary = name, f".{name}", summary
        self._radix, self._always = radix, always_addresses

    def _addressed(self, file: WordFile) -> bool:
        return self._always or file.addresses or not file.contiguous

    def _per_run(self, file: WordFile) -> int:
        """Lines before the words of each run."""
        return (file.comments == "images") + (not file.contiguous)

    def _head_lines(self, file: WordFile) -> int:
        return (file.comments != "none") + (self._addressed(file) and file.contiguous)

    def head(self, file: WordFile) -> bytes:
        """Return the comment, and the address where one suffices."""
        text = f"// {file.title}\n" if file.comments != "none" else ""
        if self._addressed(file) and file.contiguous:
            text += f"@{file.address:x}\n"
        return text.encode()

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return one line a word."""
        columns: list[np.ndarray | bytes] = [
            digits.to_digits(words, file.word_bits, self._radix), b"\n",
        ]  # fmt: skip
        lines = digits.joined(columns, len(words))
        if not self._per_run(file):
            return lines
        size = len(lines) // len(words) * file.run
        made = []
        for i in range(len(words) // file.run):
            run = first // file.run + i
            if file.comments == "images":
                made.append(f"// image {run}\n".encode())
            if not file.contiguous:
                made.append(f"@{file.address_of(run * file.run):x}\n".encode())
            made.append(lines[i * size : (i + 1) * size])
        return b"".join(made)

    def most_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each word a line with a comment, and all a preamble."""
        return 2**16 + (64 + 2 * digits.count(file.word_bits, self._radix)) * file.words

    def place(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return 1 + self._head_lines(file) + (word // file.run + 1) * self._per_run(file) + word

    def words_at(self, file: WordFile, place: int) -> range:
        """Return the word of a line."""
        extra = self._per_run(file)
        run, at = divmod(place - 1 - self._head_lines(file), file.run + extra)
        if place <= self._head_lines(file) or at < extra or run >= file.count:
            return range(0)
        return file.only(run * file.run + at - extra)

    def read(self, where: str, file: WordFile, stream: BinaryIO) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file)
        address: int | None = None  # of the next word, once a file has told one
        width = digits.count(file.word_bits, self._radix)
        for line, text, changed in pieces(where, stream, _COMMENT, b"/*", b"\n"):
            quick = None if changed else self._plain(file, text, width)
            if quick is not None:
                if address is None:
                    # One word a line: the first that is too many is told by its own.
                    surplus = line + min(len(quick), file.words - inside.next)
                    yield from inside.put(f"{where}, line {surplus}", inside.next, quick)
                else:
                    yield from inside.put_at(f"{where}, line {line} or later", address, quick)
                    address += len(quick)
                continue
            tokens = text.split()
            marks = [i for i, t in enumerate(tokens) if t.startswith(b"@")]
            for start, stop in zip([-1, *marks], [*marks, len(tokens)], strict=True):
                if start >= 0:
                    if not _ADDRESS.fullmatch(tokens[start]):
                        where_line = self._line(where, line, text, start)
                        raise VectorError(f"{where_line}: {shown(tokens[start])} is no address")
                    address = int(tokens[start][1:].replace(b"_", b""), 16)
                part = tokens[start + 1 : stop]
                if not part:
                    continue
                place = self._line(where, line, text, start + 1)
                words = self._words(file, part, width)
                if words is None:
                    self._explain(where, line, text, file, start + 1, stop, inside.next, address)
                    raise AssertionError  # _explain finds what _words refused
                if address is None:
                    yield from inside.put(place, inside.next, words)
                else:
                    yield from inside.put_at(place, address, words)
                    address += len(words)
        yield from inside.finish()

    def _plain(self, file: WordFile, text: bytes, width: int) -> np.ndarray | None:
        """Return the words of lines that are digits alone; None where there is anything else."""
        if len(text) % (width + 1):
            return None
        rows = np.frombuffer(text, np.uint8).reshape(-1, width + 1)
        if (rows[:, -1] != ord("\n")).any():
            return None
        return digits.from_digits(rows[:, :-1], file.word_bits, self._radix)

    def _words(self, file: WordFile, tokens: list[bytes], width: int) -> np.ndarray | None:
        joined = b"".join(tokens)
        if b"_" in joined:
            tokens = [t.replace(b"_", b"") for t in tokens]
            joined = b"".join(tokens)
        if set(map(len, tokens)) != {width}:
            return None
        rows = np.frombuffer(joined, np.uint8).reshape(-1, width)
        return digits.from_digits(rows, file.word_bits, self._radix)

    @staticmethod
    def _line(where: str, line: int, text: bytes, token: int) -> str:
        for i, match in enumerate(_TOKEN.finditer(text)):
            if i == token:
                return f"{where}, line {line + text.count(bytes([10]), 0, match.start())}"
        return where

    def _explain(
        self, where: str, line: int, text: bytes, file: WordFile, start: int, stop: int,
        word: int, address: int | None,
    ) -> None:  # fmt: skip
        """Raise for the first token that is no word."""
        width = digits.count(file.word_bits, self._radix)
        kind = "hex" if self._radix == 16 else "binary"
        for i, match in enumerate(_TOKEN.finditer(text)):
            token = match[0]
            if not start <= i < stop or self._words(file, [token], width) is not None:
                continue
            place = f"{where}, line {line + text.count(bytes([10]), 0, match.start())}"
            here: int | None = word + i - start
            if address is not None:
                here = file.word_of(address + i - start)
            problem = f"{shown(token)} is not {width} {kind} digits"
            if here is not None and here < file.words and _UNDEFINED.fullmatch(token):
                raise BadWordError(place, here, f"{shown(token)} is undefined")
            if self._radix == 16 and re.fullmatch(rb"[0-9a-fA-F]{%d}" % width, token):
                problem = f"{shown(token)} has more than {file.word_bits} bits"
            raise VectorError(f"{place}: {problem}")
