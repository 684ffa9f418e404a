"""Text in whole lines: comments taken out, line ends of any system, lines counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ...errors import VectorError

_PIECE = 2**20
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Comments:
    """What a format passes over.

    Parameters
    ----------
    pattern : pattern
        A comment; it becomes the line feeds that it holds.
    marks : tuple of bytes
        One of these is in every comment.
    opening : bytes
        What only an unclosed comment leaves; empty: comments end with their line.
    """

    pattern: re.Pattern[bytes]
    marks: tuple[bytes, ...]
    opening: bytes = b""

    def without(self, text: bytes) -> bytes:
        """Return the text without them, on the same lines."""
        if not any(mark in text for mark in self.marks):
            return text
        return self.pattern.sub(lambda m: b"\n" * m[0].count(b"\n") or b" ", text)

    def is_open(self, clean: bytes) -> bool:
        """Return whether a comment has no end in text that was made clean."""
        return bool(self.opening) and self.opening in clean


def pieces(where: str, stream: BinaryIO, comments: Comments) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the first line, text without comments).

    Text is some whole lines, about a megabyte; it ends in a line feed unless the file does not.

    Parameters
    ----------
    where : str
        What an error names.
    stream : binary file
    comments : Comments

    Raises
    ------
    VectorError
        When a comment has no end, or anything else is not ASCII.
    """
    line, held = 1, b""
    for text in _lines(where, stream):
        text = held + text
        clean = comments.without(text)
        if comments.is_open(clean):
            held = text
            continue
        held = b""
        _check(where, line, clean)
        yield line, clean
        line += text.count(b"\n")
    if held:
        clean = comments.without(held)
        number = line + clean[: clean.find(comments.opening)].count(b"\n")
        raise VectorError(f"{where}, line {number}: a comment without its end")


def _lines(where: str, stream: BinaryIO) -> Iterator[bytes]:
    """Yield whole lines, each ended by only a line feed, without the mark of UTF-8.

    Carriage returns end the lines of a file that has no line feed.
    """
    parts: list[bytes] = []
    first, feeds = True, False
    while data := stream.read(_PIECE):
        if first:
            data += stream.read(2) if len(data) < 3 else b""
            if data.startswith(_WIDE):
                raise VectorError(f"{where}: in UTF-16; save it as ASCII or UTF-8")
            data = data.removeprefix(_BOM)
            first = False
        cut = data.rfind(b"\n") + 1
        if cut:
            feeds = True
            yield _unix(b"".join([*parts, data[:cut]]))
            parts = []
        parts.append(data[cut:])
    remainder = b"".join(parts)
    if remainder:
        yield _unix(remainder) if feeds else remainder.replace(b"\r", b"\n")


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text


def _check(where: str, line: int, clean: bytes) -> None:
    if not clean.isascii():
        lines = clean.split(b"\n")
        number = line + next(i for i, part in enumerate(lines) if not part.isascii())
        raise VectorError(f"{where}, line {number}: not ASCII")


def token_lines(line: int, text: bytes, separators: bytes = b"") -> list[int]:
    """Return the line of each token of a piece that starts at `line`.

    Tokens are what white space, and any of `separators`, leave.
    """
    if separators:
        text = text.translate(bytes(32 if c in separators else c for c in range(256)))
    return [at for at, row in enumerate(text.split(b"\n"), line) for _ in row.split()]


def shown_token(token: bytes) -> str:
    """Return a token for an error."""
    return repr(token[:40].decode("ascii", "replace"))
