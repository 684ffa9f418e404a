"""Writes the files of a set block by block; a run that was killed goes on where it was.

Everything grows in a hidden folder beside the set's place, which takes its name at the end.  A
journal tells, after each block of images, the size of every file and the digest of all that it
holds so far.  Whoever comes next with the same plan reads the files against the journal, keeps the
blocks that are whole, and cuts off the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ...errors import IntgoldError, VectorError
from ...support.folder_records import check_own
from ...support.folder_replacement import put_folder
from ...support.interrupts import Stopped
from ...support.safe_files import PARTIAL, hidden_name
from ..formats.compression import DAMAGED, compress, decompress
from .manifest import SET

_PIECE = 2**20
_OWN = {"lock", "identity", "journal", "set", "aside"}


class _FileDigests:
    """The digests of a file under way: of what is in it, and of the bytes on disk."""

    def __init__(self, compression: str) -> None:
        self.size = 0
        self.stored = hashlib.sha256()
        self.plain = hashlib.sha256() if compression else self.stored

    def grow(self, stored: bytes, plain: bytes | None) -> None:
        self.size += len(stored)
        self.stored.update(stored)
        if plain is not None:
            self.plain.update(plain)

    def copy(self) -> _FileDigests:
        twin = _FileDigests("")
        twin.size, twin.stored = self.size, self.stored.copy()
        twin.plain = twin.stored if self.plain is self.stored else self.plain.copy()
        return twin


Content = tuple[bytes, bytes | None]
"""Bytes on disk, and what they hold where they are compressed."""


class SetWriter:
    """The files of a set under way; a context manager.

    Parameters
    ----------
    target : Path
        The set's place.
    identity : str
        A digest of all that decides the bytes; another one starts anew.
    paths : iterable of str
        The files that grow, relative.
    compression : str

    Attributes
    ----------
    done : int
        How many blocks are there already.

    Raises
    ------
    VectorError
        When another run writes the same set.
    IntgoldError
        When the disk is full; no file is left then.
    """

    def __init__(self, target: Path, identity: str, paths: list[str], compression: str) -> None:
        self._target = Path(os.path.realpath(target))
        self._given = target
        self._identity, self._compression = identity, compression
        self._files = {path: _FileDigests(compression) for path in paths}
        mark = hashlib.sha256(os.fsencode(self._target.name)).hexdigest()[:8]
        self._work = self._target.with_name(f"{hidden_name(self._target)}{mark}{PARTIAL}")
        self._lock: IO[bytes] | None = None
        self.done = 0

    def __enter__(self) -> SetWriter:
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._make_work()
            self._lock = open(self._work / "lock", "ab")
            self._take_lock()
            try:
                self._resume()
            except (OSError, ValueError, KeyError, TypeError):
                self._start()
        except OSError as error:
            shutil.rmtree(self._work, ignore_errors=True)
            self._release()
            raise self._failure(error) from error
        except Stopped as stopped:  # before it is known what of an earlier run is whole
            stopped.kept = f"{self._work} stays as it was: the same command goes on from there"
            self._release()
            raise
        except VectorError:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        # An interrupted run goes on later; after an error no file is left.
        in_place = not self.folder.exists()
        if isinstance(error, Stopped) and self.done > 1 and not in_place:
            error.kept = (
                f"what is whole is kept in {self._work}: the same command goes on from there, "
                "or delete that folder"
            )
        elif in_place or kind is None or issubclass(kind, (Exception, Stopped)):
            shutil.rmtree(self._work, ignore_errors=True)
        self._release()
        if isinstance(error, OSError):
            raise self._failure(error) from error

    def _make_work(self) -> None:
        """Make the hidden folder, or find the one that an earlier run left."""
        self._work.mkdir(exist_ok=True)
        foreign = {path.name for path in self._work.iterdir()} - _OWN
        if foreign or self._work.is_symlink():
            what = f"holds {min(foreign)}" if foreign else "is a link"
            raise VectorError(
                f"cannot write {self._given}: {self._work} {what}, and is for what is under way; "
                "move it away"
            )

    def _failure(self, error: OSError) -> IntgoldError:
        return IntgoldError(f"cannot write {self._given}: {error.strerror or error}")

    def _take_lock(self) -> None:
        import fcntl

        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VectorError(f"{self._given}: another run is writing it") from None

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def folder(self) -> Path:
        """Where the files grow."""
        return self._work / "set"

    def _start(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("journal", "identity"):
            (self._work / name).unlink(missing_ok=True)
        self.folder.mkdir()
        (self._work / "identity").write_text(self._identity)
        self._files = {path: _FileDigests(self._compression) for path in self._files}
        self.done = 0

    def _resume(self) -> None:
        """Keep the blocks that are whole, or raise when none is."""
        if (self._work / "identity").read_text() != self._identity:
            raise ValueError("another set")
        lines = (self._work / "journal").read_bytes().splitlines(keepends=True)
        records = list(_whole(lines))
        histories = {path: list(self._history(path, records)) for path in self._files}
        good = min(map(len, histories.values()))
        if not good:
            raise ValueError("nothing is whole")
        for path, history in histories.items():
            self._files[path] = history[good - 1]
            os.truncate(self.folder / path, self._files[path].size)
        os.truncate(self._work / "journal", sum(map(len, lines[:good])))
        self.done = good

    def _history(self, path: str, records: list[dict[str, Any]]) -> Iterator[_FileDigests]:
        """Yield the file as each record tells it, up to the first that is not so."""
        state = _FileDigests(self._compression)
        known = state.copy()
        with open(self.folder / path, "rb") as stream:
            for record in records:
                if path in record:
                    size, digest = record[path]
                    if not self._read_on(state, stream, size) or state.stored.hexdigest() != digest:
                        return
                    known = state.copy()
                yield known

    def _read_on(self, state: _FileDigests, stream: IO[bytes], size: int) -> bool:
        """Take in the file up to `size`; False when it is damaged."""
        if self._compression:
            data = stream.read(size - state.size)
            try:
                state.grow(data, decompress(self._compression, data))
            except DAMAGED:
                return False
            return state.size == size
        while state.size < size:
            data = stream.read(min(_PIECE, size - state.size))
            if not data:
                return False
            state.grow(data, None)
        return state.size == size

    def add(self, contents: Mapping[str, Content]) -> None:
        """Append to files; what is added at once is kept at once."""
        for path, (stored, plain) in contents.items():
            self._append(path, stored, plain)
        record = {p: (self._files[p].size, self._files[p].stored.hexdigest()) for p in contents}
        line = json.dumps(record).encode()
        with open(self._work / "journal", "ab") as journal:
            journal.write(b"%08x %b\n" % (zlib.crc32(line), line))
        self.done += 1

    def _append(self, path: str, stored: bytes, plain: bytes | None) -> None:
        # Not kept open: a model may have more tensors than a process may have files.
        where = self.folder / path
        where.parent.mkdir(exist_ok=True)
        with open(where, "ab") as stream:
            stream.write(stored)
        self._files[path].grow(stored, plain)

    def close_files(self, tails: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
        """Append what stands at the end; return the digests of each file, plain and stored."""
        for path, tail in tails.items():
            if tail:
                self._append(path, *packed(self._compression, tail))
        return {
            path: (
                f.plain.hexdigest(), f.stored.hexdigest() if self._compression else "",
            )
            for path, f in self._files.items()
        }  # fmt: skip

    def write(self, path: str, data: bytes) -> str:
        """Write a whole file beside the growing ones; return its digest."""
        (self.folder / path).write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    def write_by(self, path: str, save: Callable[[Path], object]) -> str:
        """Write a whole file by a function that takes a path; return its digest.

        It may leave files of its own where it is killed: in a folder that is emptied first.
        """
        aside = self._work / "aside"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        save(aside / path)
        data = (aside / path).read_bytes()
        shutil.rmtree(aside)
        return self.write(path, data)

    def finish(self) -> None:
        """Give the set its place."""
        own = check_own(self._given, SET)  # checked again: the set took a while
        put_folder(self.folder, self._target, own)


def packed(compression: str, data: bytes) -> Content:
    """Return data as they go to the disk, and as they are where that is something else."""
    return (compress(compression, data), data) if compression else (data, None)


def _whole(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the records of a journal up to the first line that is damaged."""
    for line in lines:
        check, _, text = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(text):
            return
        yield json.loads(text)
