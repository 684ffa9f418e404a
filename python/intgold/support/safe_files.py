"""Files that are whole or not there: temporary name, then rename; byte-stable zip and npy."""

from __future__ import annotations

import io
import json
import logging
import math
import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from ..errors import IntgoldError
from .file_kinds import FileKind
from .seals import seal

_log = logging.getLogger("intgold")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_N = rb"(?:0|[1-9]\d{0,9})"
_NPY_HEADER = re.compile(
    rb"\{'descr': '([|<][iufb][1248])', 'fortran_order': (False|True), "
    rb"'shape': \((|%b,|%b(?:, %b){1,7})\), \} *\n" % (_N, _N, _N)
)


ZIP_LIMIT, MAX_MEMBERS = 2**30, 2**16
"""Bytes and members of the largest archive (SPEC 9.1)."""
JSON_LIMIT = 2**26
"""Bytes of the largest JSON file that is read."""


@contextmanager
def replacing(path: str | os.PathLike[str], kind: FileKind | None) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its name when the block succeeds.

    Parameters
    ----------
    path : path
        A link stays one; it is its target that is replaced, by a file of the same mode.
    kind : FileKind or None
        What is written: only a file of this kind, or an empty one, gives way; one that carries a
        seal, while it is unchanged.  None: the caller knows that what is there is its own.

    Raises
    ------
    IntgoldError
        When another file is there, or one that its owner may not write, the folder cannot be
        written or the disk is full; `path` is then untouched.
    """
    temporary = None
    if not os.fspath(path):
        raise IntgoldError(f"cannot write {os.fspath(path)!r}: the path is empty")
    try:
        target = Path(os.path.realpath(path))
        _check_replaceable(path, target, kind)
        handle, temporary = tempfile.mkstemp(prefix=hidden_name(target), dir=target.parent)
        with os.fdopen(handle, "w+b") as file:
            yield file
            if kind is not None and kind.comment is not None:
                seal(file, kind.comment)
        _check_replaceable(path, target, kind)  # again: it took a while
        there = target.exists()
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode) if there else 0o666 & ~umask())
        os.replace(temporary, target)
        temporary = None
        if not any(part.endswith(PARTIAL) for part in target.parts):  # the folder is named
            _log.debug("wrote %s, %d bytes", path, target.stat().st_size)
    except OSError as error:
        raise IntgoldError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def _check_replaceable(path: str | os.PathLike[str], target: Path, kind: FileKind | None) -> None:
    if target.is_symlink() or (target.exists() and not target.is_file()):  # a loop, a device
        raise IntgoldError(f"cannot write {path}: not a plain file")
    check_not_protected(path, target)
    if kind is not None:
        kind.check_replaceable(path, target)


def check_not_protected(path: str | os.PathLike[str], target: Path) -> None:
    """Raise IntgoldError when the file `target`, where `path` leads, is protected from writing."""
    if target.exists() and not target.stat().st_mode & stat.S_IWUSR:
        raise IntgoldError(
            f"cannot write {path}: it is protected from writing; chmod u+w it, or give another name"
        )


PARTIAL = ".partial"
"""How the name of a hidden folder ends in which a set grows."""


def hidden_name(target: Path) -> str:
    """Return how a temporary name beside `target` begins; a long name leaves room for the rest."""
    return f".{target.name[:40]}."


def umask() -> int:
    """Return the mode bits that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def canonical_json(value: Any) -> bytes:
    """Return the one byte string of a JSON value: sorted keys, no spaces to choose, ASCII."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=True).encode() + b"\n"


def read_plain(path: str | os.PathLike[str], limit: int = JSON_LIMIT) -> bytes:
    """Return the bytes of a plain file, which must not be more than `limit`.

    Raises
    ------
    IntgoldError
        Naming the file when it is missing, larger, or a device, a pipe or a folder.
    """
    try:
        size = plain_size(path, limit)
        with open(path, "rb") as file:
            return file.read(size)
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or error or "not enough memory"
        raise IntgoldError(f"{path}: cannot be read: {reason}") from error


def plain_size(path: str | os.PathLike[str], limit: int) -> int:
    """Return the size of a plain file; to open anything else may wait or read for ever."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise IntgoldError(f"{path}: cannot be read: not a plain file")
    if status.st_size > limit:
        raise IntgoldError(f"{path}: {status.st_size} bytes, more than the limit of {limit}")
    return status.st_size


def npy_bytes(array: np.ndarray) -> bytes:
    """Return the .npy file (version 1.0) of a C-ordered, little-endian copy of `array`."""
    stream = io.BytesIO()
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    np.lib.format.write_array(stream, little, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def write_zip(
    path: str | os.PathLike[str], members: Mapping[str, bytes], kind: FileKind | None = None
) -> None:
    """Write a stored (uncompressed) zip with fixed dates: the same members, the same bytes.

    Parameters
    ----------
    path : path
    members : mapping of str to bytes
    kind : FileKind or None
        See `replacing`.

    Raises
    ------
    IntgoldError
        When it cannot be written, or is more than `read_zip` takes.
    """
    size = sum(len(name) + len(data) + 200 for name, data in members.items())  # with headers
    if len(members) > MAX_MEMBERS or size > ZIP_LIMIT:
        raise IntgoldError(
            f"cannot write {path}: {len(members)} members of {size} bytes, "
            f"at most {MAX_MEMBERS} of {ZIP_LIMIT}"
        )
    with replacing(path, kind) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)


def read_zip(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """Return the members of a stored zip, checked against the file's size before they are read.

    Raises
    ------
    IntgoldError
        Naming the file when it is missing, no zip, compressed, damaged, larger than `ZIP_LIMIT` or
        of more than `MAX_MEMBERS`.
    """
    try:
        left = size = plain_size(path, ZIP_LIMIT)
        _check_members(path)
        members: dict[str, bytes] = {}
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1:
                    raise IntgoldError(f"{path}: member {info.filename} is compressed or encrypted")
                # Members that lie over one another could be more than the file.
                left -= info.file_size
                if left < 0 or info.compress_size != info.file_size:
                    raise IntgoldError(f"{path}: member {info.filename} states a wrong size")
                if info.filename in members:
                    raise IntgoldError(f"{path}: member {info.filename} appears twice")
                members[info.filename] = archive.read(info)
        return members
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise IntgoldError(f"{path}: cannot be read: {reason}") from error
    except MemoryError:
        raise IntgoldError(f"{path}: not enough memory for its {size} bytes") from None


def _check_members(path: str | os.PathLike[str]) -> None:
    """Refuse more members than `MAX_MEMBERS` before `zipfile` creates an object for each."""
    mark, found, remainder = b"PK\x01\x02", 0, b""
    with open(path, "rb") as file:
        while block := file.read(2**20):
            found += (remainder + block).count(mark)
            remainder = block[-len(mark) + 1 :]
    if found > MAX_MEMBERS:
        raise IntgoldError(f"{path}: {found} members, more than the limit of {MAX_MEMBERS}")


def read_npy(where: str, data: bytes, *, fortran: bool = False) -> np.ndarray:
    """Return the array in .npy bytes, which must be exactly its header and its values.

    Parameters
    ----------
    where : str
        What an error names.
    data : bytes
        Version 1.0, little-endian, at most 8 dimensions.
    fortran : bool
        Take Fortran order as well.

    Raises
    ------
    IntgoldError
        When a byte of the header is not as NumPy writes it, or the size does not fit.
    """
    start = 10 + int.from_bytes(data[8:10], "little")
    dtype, shape, in_fortran = npy_header(where, data[:start])
    if in_fortran and not fortran:
        raise IntgoldError(f"{where}: in Fortran order; save numpy.ascontiguousarray(x)")
    order: Literal["C", "F"] = "F" if in_fortran else "C"
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise IntgoldError(f"{where}: shape {shape} does not match {len(data) - start} bytes")
    values = np.frombuffer(data, dtype, offset=start).reshape(shape, order=order)
    return values.astype(dtype.newbyteorder("="), copy=False)


def npy_header(where: str, head: bytes) -> tuple[np.dtype, tuple[int, ...], bool]:
    """Return dtype, shape and whether in Fortran order, of the header of a .npy file.

    Raises
    ------
    IntgoldError
        When a byte is not as NumPy writes it.
    """
    header = _NPY_HEADER.fullmatch(head[10:])
    if (
        head[:8] != b"\x93NUMPY\x01\x00"
        or header is None
        or len(head) != 10 + int.from_bytes(head[8:10], "little")
    ):
        raise IntgoldError(f"{where}: not a .npy file, version 1.0, little-endian, of numbers")
    try:
        dtype = np.dtype(header[1].decode())
    except TypeError:
        raise IntgoldError(f"{where}: unknown dtype {header[1].decode()}") from None
    shape = tuple(int(n) for n in header[3].split(b",") if n.strip())
    return dtype, shape, header[2] == b"True"
