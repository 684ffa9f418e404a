"""Folders that are replaced as a whole or written into: only what intgold wrote itself.

A folder that a writer creates has a record of its files with their SHA-256: the manifest of a
set, or a marker.  Whatever the record does not name, or names with other bytes, belongs to
somebody else: then nothing is written and the first such file is named.  Nothing of a user's is
ever deleted.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import IntgoldError
from .interrupts import Stopped
from .json_text import strict_json
from .quoting import short_repr
from .safe_files import (
    PARTIAL,
    canonical_json,
    check_not_protected,
    hidden_name,
    read_plain,
    replacing,
    umask,
)

MARKER = "intgold-files.json"
"""The record of a folder that is replaced as a whole and has no manifest of its own."""
FORMAT, VERSION = "intgold-files", 1
_KEYS = {"format", "version", "tool", "what", "files"}
_HINT = "move it away, or give another folder"
_log = logging.getLogger("intgold")


@dataclass(frozen=True)
class FolderKind:
    """What a writer leaves in a folder, and how that is known again.

    Parameters
    ----------
    name : str
        Such as "vector set".
    record : str
        The file that lists the others.
    stated : callable
        Takes the bytes of the record; returns the SHA-256 of each file by its path in the folder,
        or raises ValueError or IntgoldError where that is no such record.
    error : type
        Is raised where the folder holds anything else.
    facts : callable
        Takes the bytes of the record; returns in a few words what it is of.
    """

    __repr__ = short_repr

    name: str
    record: str
    stated: Callable[[bytes], Mapping[str, str]]
    error: type[IntgoldError] = IntgoldError
    facts: Callable[[bytes], str] = lambda record: ""


def check_own(folder: str | os.PathLike[str], kind: FolderKind) -> dict[str, str]:
    """Return the files of a folder that may be replaced: absent, empty, or as `kind` left it.

    Returns
    -------
    dict of str to str
        The SHA-256 of each file that is there, by its path.

    Raises
    ------
    IntgoldError
        `kind.error`, naming the first file that is not so; files that are missing do not matter.
    """
    where = Path(folder)
    try:
        if not where.exists():
            _check_may_make(where)
            return {}
        if not where.is_dir():
            raise kind.error(
                f"cannot write {folder}: there is a file of that name; a folder is needed"
            )
        if _is_worked_in(where):
            raise kind.error(
                f"cannot write {folder}: the command runs in this folder, which would be replaced; "
                "give another folder"
            )
        present = paths_below(where)
        known = _known(where, kind, present) if present else {}
        foreign = next((p for p in present if not _is_own(where / p, known.get(p))), None)
    except OSError as error:
        raise kind.error(f"cannot write {folder}: cannot be read: {error.strerror}") from error
    if foreign is None:
        return {path: known[path] for path in present}
    how = (
        f"{foreign} was changed after intgold wrote it"
        if foreign in known
        else f"{foreign} is not of the {kind.name} that intgold wrote there"
    )
    raise kind.error(f"cannot write {folder}: {how}; {_HINT}")


def _is_worked_in(folder: Path) -> bool:
    """Return whether the shell would be left in a deleted folder if this one were replaced."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # deleted already
        return False
    return os.path.realpath(folder) in map(str, (here, *here.parents))


def _known(folder: Path, kind: FolderKind, present: Iterable[str]) -> dict[str, str]:
    """Return the digests that the record of a folder states, its own among them."""
    try:
        data = read_plain(folder / kind.record)
        return {**kind.stated(data), kind.record: hashlib.sha256(data).hexdigest()}
    except (ValueError, KeyError, IntgoldError) as error:
        first = next(iter(present))
        there = os.path.lexists(folder / kind.record)
        reason = f"{kind.record}: {error}" if there else f"it has no {kind.record}"
        raise kind.error(
            f"cannot write {folder}: it holds {first} and is no {kind.name} of intgold ({reason}); "
            f"{_HINT}"
        ) from error


def _is_own(path: Path, digest: str | None) -> bool:
    return digest is not None and not path.is_symlink() and sha256_of(path) == digest


def paths_below(folder: Path) -> list[str]:
    """Return whatever is no folder, links included, and folders without anything, in order.

    Raises
    ------
    OSError
        When one of them cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise error

    found = []
    for where, folders, names in os.walk(folder, onerror=fail):
        inside = Path(where).relative_to(folder)
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        found += [(inside / name).as_posix() for name in (*names, *links)]
        if not folders and not names and inside.parts:
            found.append(f"{inside.as_posix()}/")
    return sorted(found)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a plain file; "" of anything else."""
    digest = hashlib.sha256()
    if not path.is_file():
        return ""
    with open(path, "rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def replacing_folder(path: str | os.PathLike[str], kind: FolderKind) -> Iterator[Path]:
    """Make a temporary folder beside `path` that takes its name when the block succeeds.

    Raises
    ------
    IntgoldError
        When it cannot be made, the disk is full, or `path` is not as `kind` left it; `path` is
        then untouched.
    """
    check_own(path, kind)
    temporary = None
    try:
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=hidden_name(target), dir=target.parent))
        try:
            yield temporary
        except Stopped as stopped:
            stopped.__dict__.pop("kept", None)  # what was kept in there goes with it
            raise
        own = check_own(path, kind)  # again: it took a while
        if kind.record in own:
            log_replacement(path, kind, (temporary / kind.record).read_bytes())
        put_folder(temporary, target, own)
    except OSError as error:
        raise IntgoldError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:  # never the old folder: see `put_folder`
            shutil.rmtree(temporary, ignore_errors=True)


def put_folder(made: Path, target: Path, own: Mapping[str, str]) -> None:
    """Give a folder the name of one beside it, whose files `own` are then deleted.

    What else turns up there in the last moment, or is changed, is kept under a name of its own, as
    is all that is left when this is interrupted. The old folder never has the name `made`, so
    whoever tidies that up takes nothing of a user's. The folder has the mode of the one that it
    replaces.

    Parameters
    ----------
    own : mapping of str to str
        As `check_own` returned it.

    Raises
    ------
    OSError
        When that fails; `made` and `target` are then as they were.
    Stopped
        Its `kept` says so where `target` is the new folder already.
    """
    there = target.exists()
    os.chmod(made, stat.S_IMODE(target.stat().st_mode) if there else 0o777 & ~umask())
    count = len(paths_below(made))
    new = _identity(made)
    old = target.with_name(f"{hidden_name(target)}kept.{secrets.token_hex(4)}")
    try:
        if there:
            _exchange(made, target, old)
            _take_away(old, target, own)
        else:
            os.rename(made, target)
        _log.debug("wrote folder %s, %d files", target, count)
    except BaseException as error:
        if _identity(target) != new:
            _put_back(made, target, old, new)
            raise
        _log_after_exchange(target, old, error)
        if not isinstance(error, OSError):
            raise


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return what stays the same of a folder under any name; None where there is none."""
    with suppress(OSError):
        status = os.lstat(folder)
        return status.st_dev, status.st_ino
    return None


def _exchange(made: Path, target: Path, old: Path) -> None:
    """Have `target` be the new folder, and `old` the one that was there."""
    os.rename(made, old)
    if not _swap(old, target):
        os.rename(old, made)
        os.rename(target, old)
        os.rename(made, target)


def _put_back(made: Path, target: Path, old: Path, new: tuple[int, int] | None) -> None:
    """Undo what was done of `_exchange`, wherever it ended."""
    try:
        if _identity(old) == new:
            os.rename(old, made)
        elif not os.path.lexists(target) and os.path.lexists(old):
            os.rename(old, target)
    except OSError as error:
        _log.warning("%s: cannot get its name %s back: %s", _left(old), target, error.strerror)


def _swap(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, so that no kill finds neither; False where Linux cannot."""
    try:
        exchange = ctypes.CDLL(None).renameat2
    except (OSError, TypeError, AttributeError):
        return False
    here, rename_exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(exchange(here, os.fsencode(one), here, os.fsencode(other), rename_exchange) == 0)


def _take_away(old: Path, target: Path, own: Mapping[str, str]) -> None:
    """Delete of a folder what is still as intgold wrote it; name the folder where more is left."""
    with suppress(OSError):
        for path in paths_below(old):  # through no link
            with suppress(OSError):
                if _is_own(old / path, own.get(path)):
                    os.unlink(old / path)
        ours = {Path(), *(parent for path in own for parent in Path(path).parents)}
        for where, _, _ in os.walk(old, topdown=False):
            if Path(where).relative_to(old) in ours:
                with suppress(OSError):
                    os.rmdir(where)
    if left := _left(old):
        _log.warning(
            "%s: holds what was added to the replaced %s or changed there meanwhile, or cannot be "
            "deleted", left, target,
        )  # fmt: skip


def _left(old: Path) -> Path | None:
    """Return where what is left of a hidden folder is, now under a name that is seen."""
    seen = old.with_name(old.name.removeprefix("."))
    with suppress(OSError):
        os.rename(old, seen)
    return next((path for path in (seen, old) if os.path.lexists(path)), None)


def _log_after_exchange(target: Path, old: Path, error: BaseException) -> None:
    """Say, when something ends the work after the exchange, where everything is."""
    text = f"{target} is written and in its place"
    if left := _left(old):
        text += f"; what is left of the one that it replaces is kept in {left}"
    if isinstance(error, Stopped):
        error.kept = text
    else:
        _log.warning("%s", text)


def marked(what: str, record: str = MARKER) -> FolderKind:
    """Return the kind of folders with such a record that a writer called `what` creates."""

    def stated(data: bytes) -> Mapping[str, str]:
        document = strict_json(data)
        if not isinstance(document, dict) or set(document) != _KEYS:
            raise ValueError("not a list of files")
        files = document["files"]
        if (document["format"], document["version"], document["what"]) != (FORMAT, VERSION, what):
            raise ValueError(f"not of a {what}")
        if not isinstance(files, dict) or not all(isinstance(v, str) for v in files.values()):
            raise ValueError(f"files {files!r}")
        return files

    return FolderKind(what, record, stated)


def marker_bytes(what: str, files: Mapping[str, str]) -> bytes:
    """Return the record of a folder: the SHA-256 of each file by its path."""
    document: dict[str, Any] = {
        "format": FORMAT, "version": VERSION, "what": what, "files": dict(files),
        "tool": {"name": "intgold", "version": version("intgold")},
    }  # fmt: skip
    return canonical_json(document)


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
        _check_may_make(self._folder)
        self._record = f"intgold-{what}.json"
        if os.path.lexists(self._folder / self._record):
            self._files = _known(self._folder, marked(what, self._record), [self._record])
            check_not_protected(self._folder / self._record, self._folder / self._record)
            del self._files[self._record]
        self._old = [name for name in names if os.path.lexists(self._folder / name)]
        for name in self._old:
            self._check(name)

    def _check(self, name: str) -> None:
        path = self._folder / name
        if not os.path.lexists(path):
            return
        if not any(_is_own(path, digest) for digest in self._files.get(name, "").split()):
            raise IntgoldError(
                f"cannot write {path}: is there, and not as the {self._what} left it; {_HINT}"
            )
        check_not_protected(path, path)

    def add(self, name: str, write: Callable[[Path], object]) -> Path:
        """Have a file written, and put it on record; return its path."""
        path = self._folder / name
        self._check(name)  # again: the work took a while
        if old := [name for name in self._old if os.path.lexists(self._folder / name)]:
            _log_replacing(f"{', '.join(old)} in {self._folder}", "", self._folder / old[0])
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


def _check_may_make(folder: Path) -> None:
    """Raise IntgoldError unless files could be put into a folder, which may have to be made."""
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        reason = "" if there.is_dir() else f"{there} is not a folder"
    except OSError as error:
        reason = str(error.strerror)
    if not reason and not os.access(there, os.W_OK | os.X_OK):
        reason = f"no permission to write into {there}"
    if reason:
        raise IntgoldError(f"cannot write {folder}: {reason}")


def log_replacement(folder: str | os.PathLike[str], kind: FolderKind, record: bytes) -> None:
    """Log that what is in a folder gives way to something else of its kind."""
    path = Path(folder) / kind.record
    old = path.read_bytes()
    if old != record:
        facts = ""
        with suppress(ValueError, KeyError, TypeError):  # its files are known by their digests
            facts = kind.facts(old)
        _log_replacing(f"the {kind.name} in {folder}", facts, path)


def _log_replacing(what: str, facts: str, path: Path) -> None:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
    _log.warning("replacing %s (%swritten %s)", what, facts and f"{facts}, ", when)
