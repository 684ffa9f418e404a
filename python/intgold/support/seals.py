"""The seal of a text file: its last line, a comment with the SHA-256 of all bytes above it.

It tells a file that is as intgold wrote it from one that was changed since, which is the user's.
"""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO, TypeAlias

Comment: TypeAlias = tuple[str, str]
"""How a line of comment begins and ends in a kind of text."""
SEAL = "intgold: SHA-256 of the text above: "
_BLOCK = 2**20


def seal(file: BinaryIO, comment: Comment) -> None:
    """Append the seal to a file that is open for reading and writing."""
    file.seek(0)
    line = _line(comment, _digest(file, None))
    file.seek(0, os.SEEK_END)
    file.write(line)


def is_sealed(path: str | os.PathLike[str], comment: Comment) -> bool:
    """Return whether a file ends in a seal that fits all that is above it.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    length = len(_line(comment, "0" * 64))
    with open(path, "rb") as file:
        digest = _digest(file, max(0, os.fstat(file.fileno()).st_size - length))
        return file.read(length + 1) == _line(comment, digest)


def _line(comment: Comment, digest: str) -> bytes:
    return f"{comment[0]}{SEAL}{digest}{comment[1]}\n".encode()


def _digest(file: BinaryIO, left: int | None) -> str:
    """Return the SHA-256 of the next bytes of a file, of all where `left` is None."""
    found = hashlib.sha256()
    while block := file.read(_BLOCK if left is None else min(_BLOCK, left)):
        found.update(block)
        left = None if left is None else left - len(block)
    return found.hexdigest()
