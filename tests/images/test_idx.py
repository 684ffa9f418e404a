"""The IDX reader takes exactly what it is asked for; what else it meets, it names."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from intgold.errors import DataError
from intgold.images import idx

SHAPE = (3, 4, 5)
VALUES = np.arange(60, dtype=np.uint8).reshape(SHAPE)


def written(array: np.ndarray) -> bytes:
    """Return an IDX file, written here only from its description."""
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
def test_reads_what_was_written(tmp_path: Path, pack) -> None:
    """Raw and gzip files give the same values, whatever the file is called."""
    file = tmp_path / "digits"
    file.write_bytes(pack(written(VALUES)))
    array = idx.read_idx(file, SHAPE)
    assert array.dtype == np.uint8
    assert np.array_equal(array, VALUES)


WHOLE = written(VALUES)
SPOILT = {
    "empty": (b"", "magic 0x,"),
    "truncated in the magic": (WHOLE[:3], "magic 0x000008"),
    "truncated in the header": (WHOLE[:11], "truncated in its header, 11 of 16"),
    "truncated in the values": (WHOLE[:-1], "truncated, 75 of 76"),
    "a byte too many": (WHOLE + b"\0", "bytes follow the 76"),
    "one axis less": (written(VALUES[0]), "magic 0x00000802"),
    "signed bytes": (WHOLE[:2] + b"\x09" + WHOLE[3:], "magic 0x00000903"),
    "one image more": (written(np.zeros((4, 4, 5))), r"shape \(4, 4, 5\)"),
    "transposed": (written(VALUES.transpose(0, 2, 1)), r"shape \(3, 5, 4\)"),
    "4 GiB per axis": (WHOLE[:4] + b"\xff" * 12 + WHOLE[16:], r"shape \(4294967295,"),
    "foreign": (b"\x89PNG\r\n\x1a\n" + bytes(100), "magic 0x89504e47"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("name", SPOILT)
def test_refuses_a_spoilt_file(tmp_path: Path, name: str, pack) -> None:
    """Each fault is a DataError that names the file and the value found."""
    content, message = SPOILT[name]
    file = tmp_path / "digits"
    file.write_bytes(pack(content))
    with pytest.raises(DataError, match=f"digits.*{message}"):
        idx.read_idx(file, SHAPE)


@pytest.mark.parametrize("keep", [12, 40, -5])
def test_refuses_a_truncated_gzip(tmp_path: Path, keep: int) -> None:
    """A gzip stream that ends early is a DataError, not an EOFError of the library."""
    file = tmp_path / "digits.gz"
    file.write_bytes(gzip.compress(WHOLE)[:keep])
    with pytest.raises(DataError, match=r"digits\.gz"):
        idx.read_idx(file, SHAPE)


def test_refuses_a_damaged_gzip(tmp_path: Path) -> None:
    """A flipped bit in the stream is found."""
    packed = bytearray(gzip.compress(WHOLE))
    packed[len(packed) // 2] ^= 0x10
    file = tmp_path / "digits.gz"
    file.write_bytes(packed)
    with pytest.raises(DataError, match=r"digits\.gz"):
        idx.read_idx(file, SHAPE)


def test_a_gzip_bomb_is_not_unpacked(monkeypatch, tmp_path: Path) -> None:
    """Of a stream that goes on for 50 MB, one byte more than expected is unpacked."""
    file = tmp_path / "digits.gz"
    file.write_bytes(gzip.compress(WHOLE + bytes(50_000_000), 1))
    unpacked: list[bytes] = []
    reader = idx._read_at_most
    monkeypatch.setattr(
        idx, "_read_at_most", lambda *args: unpacked.append(reader(*args)) or unpacked[0]
    )
    with pytest.raises(DataError, match="bytes follow the 76"):
        idx.read_idx(file, SHAPE)
    assert len(unpacked[0]) == len(WHOLE) + 1


def test_refuses_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    """Nothing there, and something there that is no file."""
    with pytest.raises(DataError, match="absent: no such file"):
        idx.read_idx(tmp_path / "absent", SHAPE)
    with pytest.raises(DataError, match="cannot be read"):
        idx.read_idx(tmp_path, SHAPE)
