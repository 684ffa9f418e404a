"""Lines of digits that Verilog's ``$readmemh`` and ``$readmemb`` read, and Xilinx memory files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import Comments, pieces, shown_token, token_lines
from .tokens import Digits, InvalidTokenError
from .word_file import Format, Sought, WordFile

_COMMENTS = Comments(re.compile(rb"//[^\n]*|#[^\n]*|/\*.*?\*/", re.S), (b"/", b"#"), b"/*")
_ADDRESS = re.compile(rb"@[0-9a-fA-F][0-9a-fA-F_]{0,20}")


class ReadMem(Format):
    """One word a line, with comments and addresses."""

    def __init__(
        self, name: str, radix: int, summary: str, *, always_addresses: bool = False
    ) -> None:
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
        lines = digits.join_columns(columns, len(words))
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

    def max_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each word a line with a comment, and all a preamble."""
        return 2**16 + (64 + 2 * digits.count(file.word_bits, self._radix)) * file.length

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return 1 + self._head_lines(file) + (word // file.run + 1) * self._per_run(file) + word

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the word of a line."""
        extra = self._per_run(file)
        run, at = divmod(line_or_offset - 1 - self._head_lines(file), file.run + extra)
        if line_or_offset <= self._head_lines(file) or at < extra or run >= file.count:
            return range(0)
        return file.only(run * file.run + at - extra)

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file, sought)
        parser = Digits(file.word_bits, self._radix, signed=file.signed)
        addressed = False
        for line, text in pieces(where, stream, _COMMENTS):
            body = text.lstrip()  # of its comments at the top only line feeds are left
            line += text.count(b"\n", 0, len(text) - len(body))
            if not body:
                continue
            quick = self._plain(parser, body)
            if quick is not None:
                place = f"{where}, line {line} or later"
                if not addressed:
                    # One word a line: the first that is too many is named by its own.
                    place = f"{where}, line {line + min(len(quick), inside.room())}"
                yield from inside.put(place, quick, line.__add__)
                continue
            tokens = body.split()
            lines = token_lines(line, body)
            marks = [i for i, t in enumerate(tokens) if t.startswith(b"@")]
            for start, stop in zip([-1, *marks], [*marks, len(tokens)], strict=True):
                if start >= 0:
                    if not _ADDRESS.fullmatch(tokens[start]):
                        problem = f"{shown_token(tokens[start])} is no address"
                        raise VectorError(f"{where}, line {lines[start]}: {problem}")
                    inside.seek(int(tokens[start][1:].replace(b"_", b""), 16))
                    addressed = True
                part, lines_of = tokens[start + 1 : stop], lines[start + 1 : stop]
                if not part:
                    continue
                try:
                    words = parser.words(part, inside.undefined)
                except InvalidTokenError as bad:
                    raise inside.refused(f"{where}, line {lines_of[bad.index]}", bad) from None
                surplus = 0 if addressed or len(part) <= inside.room() else inside.room()
                yield from inside.put(
                    f"{where}, line {lines_of[surplus]}", words, lines_of.__getitem__
                )
        yield from inside.finish()

    @staticmethod
    def _plain(parser: Digits, text: bytes) -> np.ndarray | None:
        """Return the words of lines of only digits; None where there is anything else."""
        if len(text) % (parser.width + 1):
            return None
        rows = np.frombuffer(text, np.uint8).reshape(-1, parser.width + 1)
        if (rows[:, -1] != ord("\n")).any():
            return None
        return parser.rows(rows[:, :-1])
