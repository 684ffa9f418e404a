"""Folders that are replaced as a whole: by one made beside it, if intgold wrote the old one.

Nothing of a user's is ever deleted: what comes in the last moment is kept, and named.
"""

from __future__ import annotations

import ctypes
import logging
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import IntgoldError
from .folder_records import FolderKind, check_own, is_own_file, paths_below
from .interrupts import Stopped
from .safe_files import hidden_name, umask

_log = logging.getLogger("intgold")


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
                if is_own_file(old / path, own.get(path)):
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


def log_replacement(folder: str | os.PathLike[str], kind: FolderKind, record: bytes) -> None:
    """Log that what is in a folder gives way to something else of its kind."""
    path = Path(folder) / kind.record
    old = path.read_bytes()
    if old != record:
        facts = ""
        with suppress(ValueError, KeyError, TypeError):  # its files are known by their digests
            facts = kind.facts(old)
        log_replacing(f"the {kind.name} in {folder}", facts, path)


def log_replacing(what: str, facts: str, path: Path) -> None:
    """Log that what was written when `path` was gives way."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
    _log.warning("replacing %s (%swritten %s)", what, facts and f"{facts}, ", when)
