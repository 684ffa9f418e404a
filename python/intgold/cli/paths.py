"""Paths on the command line: each option says whether its path is read or written.

They are the types of arguments. What is to be written is checked before any work, for all commands
in one place: its name ends as it must, it is not a file that the command reads, not a folder or a
device, nothing in a vector set, nothing that intgold did not write, and can be written.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import IntgoldError
from ..support.file_kinds import FileKind


class InputPath(str):
    """The path of a file or folder that is read; for a model, perhaps the name of a shipped one."""


class OutputFile(str):
    """The path of a file that is written; one that is there is replaced if it is of its kind."""

    kind: FileKind


@dataclass(frozen=True)
class OutputOf:
    """The type of an option that takes an `OutputFile`: what is written there."""

    kind: FileKind

    def __call__(self, text: str) -> OutputFile:
        """Return the path."""
        path = OutputFile(text)
        path.kind = self.kind
        return path


class OutputFolder(str):
    """The path of a folder that is written; `support.folder_records` says what may be there."""


class OutputFolderOrLines(OutputFolder):
    """The same, or ``-``: lines on the standard output."""


def check_paths(options: argparse.Namespace) -> None:
    """Raise IntgoldError when something that is to be written may not be.

    Raises
    ------
    IntgoldError
        Naming the path.
    """
    given = [path for value in vars(options).values() for path in _paths(value)]
    read = [path for path in given if isinstance(path, InputPath)]
    files = [path for path in given if isinstance(path, OutputFile)]
    for i, path in enumerate(files):
        for other in read:
            _check_apart(path, other)
        if any(_same(path, other) for other in files[:i]):
            raise IntgoldError(f"{path}: two outputs would go to this file")
    for path in files:
        path.kind.suffix(path)
        check_writable(path)
    for path in given:
        if isinstance(path, OutputFolder) and path == "-":
            if not isinstance(path, OutputFolderOrLines):
                raise IntgoldError("-o -: a folder is written; only op-vectors prints lines")
        elif isinstance(path, OutputFolder) and any(_same(path, other) for other in files):
            raise IntgoldError(f"{path}: a file and a folder would have this name")


def _paths(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else [value]


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _check_apart(path: str, read: str) -> None:
    if os.path.exists(path) and os.path.exists(read) and os.path.samefile(path, read):
        raise IntgoldError(f"{path}: is a file to read; give another name to write")
    whole, target = Path(os.path.realpath(read)), Path(os.path.realpath(path))
    if whole in target.parents and (whole / "manifest.json").is_file():
        raise IntgoldError(f"{path}: is in the vector set {read}, which stays as it is")


class _ProbeError(Exception):
    pass


def check_writable(path: OutputFile) -> None:
    """Raise IntgoldError when a file cannot be put there, or one that is there is not ours."""
    from ..support.safe_files import replacing

    with suppress(_ProbeError), replacing(path, path.kind):
        raise _ProbeError  # the block fails, so nothing takes the name
