"""Compressed files of a set: independent frames, one a block of images, that any tool reads.

A gzip file is a row of members, a zstd file a row of frames; ``zcat`` and ``zstd -d`` read both.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import VectorError

COMPRESSIONS = {"": "", "gz": ".gz", "zst": ".zst"}
"""Suffix by name."""

_LEVEL = {"gz": 6, "zst": 3}


def _zstandard() -> Any:
    try:
        import zstandard
    except ModuleNotFoundError:
        raise VectorError("compression zst needs a package: pip install zstandard") from None
    return zstandard


def check_available(compression: str) -> None:
    """Raise VectorError when the package of a compression is not installed."""
    if compression == "zst":
        _zstandard()


def compress(compression: str, data: bytes) -> bytes:
    """Return one frame; the same data give the same bytes with the same version of the library."""
    if compression == "gz":
        return gzip.compress(data, _LEVEL["gz"], mtime=0)
    if compression == "zst":
        packer = _zstandard().ZstdCompressor(_LEVEL["zst"], write_checksum=True)
        return bytes(packer.compress(data))
    return data


def decompress(compression: str, data: bytes) -> bytes:
    """Return what some whole frames hold; raises one of `DAMAGED`."""
    if compression == "gz":
        return gzip.decompress(data)
    with _Strict(_plain_zstd(io.BytesIO(data)), io.BytesIO()) as stream:
        return io.BufferedReader(stream).read()


def _plain_zstd(stream: BinaryIO) -> Any:
    return _zstandard().ZstdDecompressor().stream_reader(stream, read_across_frames=True)


def open_plain(path: Path) -> BinaryIO:
    """Open a file of any compression, recognised by its name, and read what is in it.

    Reading raises one of `DAMAGED` where the compressed data are damaged.
    """
    if path.name.endswith(COMPRESSIONS["gz"]):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    stream = path.open("rb")
    if path.name.endswith(COMPRESSIONS["zst"]):
        return io.BufferedReader(_Strict(_plain_zstd(stream), stream))
    return stream


class _Strict(io.RawIOBase):
    """A zstd stream whose errors are DataErrors, and which closes its file."""

    def __init__(self, plain: Any, stream: BinaryIO) -> None:
        self._plain, self._stream = plain, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._plain.read(len(buffer))
        except _zstandard().ZstdError as error:
            raise OSError(f"not zstd, or damaged: {error}") from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


DAMAGED = (OSError, EOFError, zlib.error)
"""What reading a damaged compressed file raises."""


class Limited:
    """A stream that ends in an error where a file of its words cannot be that long."""

    def __init__(self, stream: BinaryIO, limit: int, path: Path) -> None:
        self._stream, self._left, self._limit, self._path = stream, limit, limit, path

    def read(self, size: int = -1) -> bytes:
        """Return some bytes, as any stream."""
        if size < 0 or size > 2**24:
            size = min(2**24, self._left + 1) if size > 0 else self._left + 1
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise VectorError(f"{self._path}: more bytes than the limit of {self._limit}")
        return data
