"""The record of a folder that intgold wrote, and what in the folder is still as the record says.

It has the files with their SHA-256: the manifest of a set, or a marker.  Whatever it does not name,
or names with other bytes, belongs to somebody else: then nothing is written and the first such file
is named.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import IntgoldError
from .json_text import strict_json
from .quoting import short_repr
from .safe_files import canonical_json, read_plain

MARKER = "intgold-files.json"
"""The record of a folder that is replaced as a whole and has no manifest of its own."""
FORMAT, VERSION = "intgold-files", 1
MOVE_AWAY = "move it away, or give another folder"
_KEYS = {"format", "version", "tool", "what", "files"}


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
            check_may_make(where)
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
        known = recorded_files(where, kind, present) if present else {}
        foreign = next((p for p in present if not is_own_file(where / p, known.get(p))), None)
    except OSError as error:
        raise kind.error(f"cannot write {folder}: cannot be read: {error.strerror}") from error
    if foreign is None:
        return {path: known[path] for path in present}
    how = (
        f"{foreign} was changed after intgold wrote it"
        if foreign in known
        else f"{foreign} is not of the {kind.name} that intgold wrote there"
    )
    raise kind.error(f"cannot write {folder}: {how}; {MOVE_AWAY}")


def check_may_make(folder: Path) -> None:
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


def _is_worked_in(folder: Path) -> bool:
    """Return whether the shell would be left in a deleted folder if this one were replaced."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # deleted already
        return False
    return os.path.realpath(folder) in map(str, (here, *here.parents))


def recorded_files(folder: Path, kind: FolderKind, present: Iterable[str]) -> dict[str, str]:
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
            f"{MOVE_AWAY}"
        ) from error


def is_own_file(path: Path, digest: str | None) -> bool:
    """Return whether a file, no link, has the SHA-256 that the record says."""
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
