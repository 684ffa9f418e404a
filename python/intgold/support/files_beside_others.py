"""Files that a writer puts into a folder with others: its record says which are its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import IntgoldError
from .folder_records import (
    MOVE_AWAY,
    check_may_make,
    is_own_file,
    marked,
    marker_bytes,
    recorded_files,
    sha256_of,
)
from .folder_replacement import log_replacing
from .safe_files import PARTIAL, check_not_protected, hidden_name, replacing


class FilesInto:
    """Files that a writer puts into a folder, which may hold others of the user's.

    A name that is taken by a file which this writer did not leave there is refused before the
    work begins, and again before the file is written. Each writer has a record of its own,
    ``intgold-WHAT.json``, so several may share a folder. A file is on record before it takes its
    name, with what it replaces: whenever the work ends, what is there is known.

    Parameters
    ----------
    folder : path
        Is made with the first file, where it is not there.
    what : str
        The work, such as "training".
    names : iterable of str

    Raises
    ------
    IntgoldError
        Naming the file in the way, or when the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str], what: str, names: Iterable[str]) -> None:
        self._folder, self._what = Path(folder), what
        self._files: dict[str, str] = {}
        check_may_make(self._folder)
        self._record = f"intgold-{what}.json"
        if os.path.lexists(self._folder / self._record):
            self._files = recorded_files(self._folder, marked(what, self._record), [self._record])
            check_not_protected(self._folder / self._record, self._folder / self._record)
            del self._files[self._record]
        self._old = [name for name in names if os.path.lexists(self._folder / name)]
        for name in self._old:
            self._check(name)

    def _check(self, name: str) -> None:
        path = self._folder / name
        if not os.path.lexists(path):
            return
        if not any(is_own_file(path, digest) for digest in self._files.get(name, "").split()):
            raise IntgoldError(
                f"cannot write {path}: is there, and not as the {self._what} left it; {MOVE_AWAY}"
            )
        check_not_protected(path, path)

    def add(self, name: str, write: Callable[[Path], object]) -> Path:
        """Have a file written, and put it on record; return its path."""
        path = self._folder / name
        self._check(name)  # again: the work took a while
        if old := [name for name in self._old if os.path.lexists(self._folder / name)]:
            log_replacing(f"{', '.join(old)} in {self._folder}", "", self._folder / old[0])
        self._old = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IntgoldError(f"cannot write {self._folder}: {error.strerror}") from error
        try:
            self._write(path, write)
        except OSError as error:
            raise IntgoldError(f"cannot write {path}: {error.strerror or error}") from error
        return path

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        start = hidden_name(path)
        with (
            tempfile.TemporaryDirectory(PARTIAL, start, self._folder) as aside,
            replacing(path, None) as file,
        ):
            made = Path(aside) / path.name
            try:
                write(made)
            except IntgoldError as error:
                raise type(error)(str(error).replace(str(made), str(path))) from error
            digest = sha256_of(made)
            file.write(made.read_bytes())
            self._check(path.name)  # again: it may have come meanwhile
            old = sha256_of(path)
            self._put_on_record(path.name, f"{old} {digest}" if old else digest)
        self._put_on_record(path.name, digest)

    def _put_on_record(self, name: str, digests: str) -> None:
        self._files[name] = digests
        with replacing(self._folder / self._record, None) as file:
            file.write(marker_bytes(self._what, self._files))
