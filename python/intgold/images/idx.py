"""IDX files of unsigned bytes, the format of MNIST, raw or in gzip; no header is trusted."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..support.arguments import checked

_DTYPE_UINT8 = 0x08  # the third byte of an IDX magic: unsigned bytes
_MAX_INFLATION = 1032  # times a gzip file's size is the most that it can unpack to


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Return the bytes before the values of an IDX file of unsigned bytes of this shape."""
    sizes = np.array(shape, ">u4").tobytes()
    return bytes((0, 0, _DTYPE_UINT8, len(shape))) + sizes


@checked
def read_idx(path: str | os.PathLike[str], shape: tuple[int, ...]) -> np.ndarray:
    """Read an IDX file of unsigned bytes that must hold exactly `shape`.

    The header is compared with what is expected before a byte is read or memory is reserved on
    its word, and never more than the expected size (and one byte) is unpacked.

    Parameters
    ----------
    path : path
        A raw file, or one in gzip (recognised by its first two bytes, not by its name).
    shape : tuple of int
        The count first: (60000, 28, 28) for the training images.

    Returns
    -------
    ndarray, uint8, of that shape

    Raises
    ------
    DataError
        When the file is missing, truncated, longer, foreign or of another shape.
    """
    rank = len(shape)
    header_size = 4 + 4 * rank
    body_size = int(np.prod(shape, dtype=np.int64))
    data = _read_at_most(Path(path), header_size + body_size + 1)
    magic = data[:4]
    expected = bytes((0, 0, _DTYPE_UINT8, rank))
    if magic != expected:
        raise DataError(
            f"{path}: magic 0x{magic.hex()}, wants 0x{expected.hex()}: no such IDX file"
        )
    if len(data) < header_size:
        raise DataError(f"{path}: truncated in its header, {len(data)} of {header_size} bytes")
    stated = tuple(int(n) for n in np.frombuffer(data, ">u4", rank, 4))
    if stated != tuple(shape):
        raise DataError(f"{path}: states shape {stated}, wants {tuple(shape)}")
    if len(data) < header_size + body_size:
        raise DataError(f"{path}: truncated, {len(data)} of {header_size + body_size} bytes")
    if len(data) > header_size + body_size:
        raise DataError(f"{path}: bytes follow the {header_size + body_size} that belong there")
    return np.frombuffer(data, np.uint8, offset=header_size).reshape(shape)


@checked
def read_idx_header(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """Return the shape that an IDX file of unsigned bytes states, of 1 to 3 dimensions.

    Raises
    ------
    DataError
        When the file is missing or no such file.
    """
    data = _read_at_most(Path(path), 16)
    rank = data[3] if len(data) > 3 else 0
    if data[:3] != bytes((0, 0, _DTYPE_UINT8)) or not 1 <= rank <= 3 or len(data) < 4 + 4 * rank:
        raise DataError(f"{path}: neither a .npy file nor an IDX file of bytes")
    return tuple(int(n) for n in np.frombuffer(data, ">u4", rank, 4))


def _read_at_most(path: Path, limit: int) -> bytes:
    """Return the first `limit` bytes of a raw or gzip file, unpacked."""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            # Memory is reserved for what may be there only, not for what a header states.
            size = os.fstat(file.fileno()).st_size
            limit = min(limit, size * _MAX_INFLATION if packed else size)
            if not packed:
                return file.read(limit)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return unpacked.read(limit)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
