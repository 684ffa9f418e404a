"""Image files that people hand over: read as NumPy wrote them, or refused in one line."""

import gzip
import io
import tracemalloc

import numpy as np
import pytest

from intgold import DataError, IntgoldError
from intgold.images import arrays
from intgold.images.arrays import read_images
from intgold.support.safe_files import npy_bytes, read_npy

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def saved(array, version=None):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_in_c_order(tmp_path, dtype, order):
    array = np.asarray(IMAGES.astype(dtype), order=order)
    np.save(tmp_path / "x.npy", array)
    read = read_images(tmp_path / "x.npy", (3, 4))
    assert np.array_equal(read, array) and read.dtype == dtype and read.flags.c_contiguous
    assert read_images(tmp_path / "x.npy", (3, 4, 1)).shape == (2, 3, 4, 1)


def test_every_damaged_byte_is_refused_or_harmless(tmp_path):
    """Each byte of the header by each of several others: one line, never a traceback."""
    whole = saved(IMAGES)
    header = len(whole) - IMAGES.size
    refused = 0
    for at in range(header):
        for byte in (0, ord("("), ord("'"), ord("9"), ord("\\"), 0xFF):
            changed = bytearray(whole)
            changed[at] = byte
            if changed == whole:
                continue
            (tmp_path / "x.npy").write_bytes(changed)
            try:
                read = read_images(tmp_path / "x.npy", (3, 4))
            except DataError as error:
                assert str(tmp_path) in str(error) and "\n" not in str(error)
                refused += 1
            else:
                raise AssertionError(f"byte {at} as {byte}: {read.dtype} {read.shape}")
    assert refused > 700


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "neither a .npy file nor an IDX file"),
        (b"\x93NUMPY", "not a .npy file"),
        (saved(IMAGES, (2, 0)), "not a .npy file, version 1.0"),
        (saved(IMAGES)[:-1], "does not match"),
        (saved(IMAGES) + b"x", "does not match"),
        (saved(IMAGES.astype(">i4")), "little-endian"),
        (saved(IMAGES.astype(np.complex64)), "of numbers"),
        (saved(IMAGES.astype(bool)), "bool is none of uint8"),
        (saved(IMAGES.astype(np.float32)), "float32 is none of uint8"),
        (saved(np.zeros((1,) * 9, np.uint8)), "not a .npy file"),
        (saved(np.array(3, np.uint8)), "a single value"),
        (saved(IMAGES[:0]), r"no images in shape \(0, 3, 4\)"),
        (saved(IMAGES).replace(b"(2, 3, 4)", b"(2, 3, 4,"), "not a .npy file"),
        (saved(IMAGES).replace(b"'|u1'", b"'<u1'").replace(b"u1", b"f1"), "unknown dtype <f1"),
    ],
)
def test_other_files_are_refused(tmp_path, data, message):
    (tmp_path / "x.npy").write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        read_images(tmp_path / "x.npy", (3, 4))
    assert str(tmp_path / "x.npy") in str(caught.value)


def test_memory_is_reserved_for_what_may_be_there(tmp_path):
    """A few bytes that state a gigabyte, raw or packed, are refused without one."""
    header = bytes((0, 0, 8, 3)) + np.array([2**18, 64, 64], ">u4").tobytes()
    for data in (header + bytes(64), gzip.compress(header + bytes(64))):
        (tmp_path / "x").write_bytes(data)
        tracemalloc.start()
        with pytest.raises(DataError, match="truncated"):
            read_images(tmp_path / "x", (64, 64))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2**20


def test_another_shape_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """Neither images of another size nor more than the limit are read."""
    header = bytes((0, 0, 8, 3)) + np.array([2, 3, 5], ">u4").tobytes()
    (tmp_path / "x").write_bytes(header + bytes(30))
    assert read_images(tmp_path / "x", (3, 5, 1)).shape == (2, 3, 5, 1)
    monkeypatch.setattr(arrays, "read_idx", None)
    with pytest.raises(DataError, match=r"\(2, 3, 5\) instead of \(n, 3, 4\)"):
        read_images(tmp_path / "x", (3, 4))
    with pytest.raises(DataError, match=r"instead of \(n\)"):
        arrays.read_labels(tmp_path / "x", 2)
    monkeypatch.setattr(arrays, "MAX_BYTES", 29)
    with pytest.raises(DataError, match="more than 29 values"):
        read_images(tmp_path / "x", (3, 5))
    np.save(tmp_path / "x.npy", IMAGES)
    with pytest.raises(DataError, match="more than the limit of 29 bytes"):
        read_images(tmp_path / "x.npy", (3, 4))


def test_arrays_of_a_set_are_in_c_order():
    """Fortran order is for people's files only."""
    assert np.array_equal(read_npy("x", npy_bytes(IMAGES)), IMAGES)
    with pytest.raises(IntgoldError, match="in Fortran order"):
        read_npy("x", saved(np.asfortranarray(IMAGES)))
