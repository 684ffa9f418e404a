"""In which line of a file, as whatever tool wrote it, a word stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import VectorError
from ..formats.compression import DAMAGED, Limited, open_plain
from ..formats.word_file import line_or_offset_of
from .plan import SetFile


def line_or_byte_text(file: SetFile, word: int, lane: int = 0, path: Path | None = None) -> str:
    """Return ``line N``, from 1, or ``byte N``, from 0, of a word of a file.

    Parameters
    ----------
    file : SetFile
    word : int
        Of the array, from 0.
    lane : int
        Of the word, from the least significant bits; it says where numbers have lines of their
        own.
    path : Path, optional
        Where the file is: a text of any style is read up to the word. Default: as in a set.

    Raises
    ------
    VectorError
        When the file cannot be read.
    """
    if not file.format.lines:
        return f"byte {line_or_offset_of(file.format, file.words, word)}"
    found = 0
    if path is not None:
        try:
            with open_plain(path) as stream:
                limited: Any = Limited(stream, file.format.max_bytes(file.words), path)
                found = file.format.line_of(str(path), file.words, limited, word, lane)
        except DAMAGED as error:
            raise VectorError(f"{path}: cannot be read: {error}") from error
    return f"line {found or line_or_offset_of(file.format, file.words, word)}"
