"""Text in pieces that end between tokens, comments taken out, lines counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from ...errors import VectorError

_PIECE = 2**20


def pieces(
    where: str, stream: BinaryIO, comment: re.Pattern[bytes], opening: bytes, end: bytes
) -> Iterator[tuple[int, bytes, bool]]:
    """Yield (number of the first line, text, whether comments were taken out).

    Parameters
    ----------
    where : str
        What an error names.
    stream : binary file
    comment : pattern
        Comments; each becomes the line feeds that it holds.
    opening : bytes
        What only an unclosed comment leaves behind.
    end : bytes
        A piece ends after one of these.
    """
    line, rest = 1, b""
    while True:
        data = stream.read(_PIECE)
        text = rest + data
        if data:
            cut = text.rfind(end) + 1
            # Not within a comment that goes on to the end of its line.
            start = text.rfind(b"\n", 0, cut) + 1
            if any(mark in text[start:cut] for mark in (b"//", b"--")):
                cut = text.rfind(end, 0, start) + 1
            text, rest = text[:cut], text[cut:]
        raw = len(text)
        clean = text
        if opening in text or b"//" in text or b"--" in text:
            clean = comment.sub(lambda m: b"\n" * m[0].count(b"\n") or b" ", text)
            if opening in clean:
                if not data:
                    number = line + clean[: clean.find(opening)].count(b"\n")
                    raise VectorError(f"{where}, line {number}: a comment without its end")
                rest = text + rest
                continue
        if not clean.isascii():
            number = line + next(
                i for i, part in enumerate(clean.split(b"\n")) if not part.isascii()
            )
            raise VectorError(f"{where}, line {number}: not ASCII")
        if text:
            yield line, clean, len(clean) != raw
        line += text.count(b"\n")
        if not data:
            return


def shown(token: bytes) -> str:
    """Return a token for an error."""
    return repr(token[:40].decode("ascii", "replace"))
