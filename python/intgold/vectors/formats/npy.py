"""NumPy .npy, version 1.0, little-endian, C order."""

from __future__ import annotations

import io
import math

import numpy as np

from ...errors import VectorError
from ...files import read_npy


def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the header of a file of this dtype and shape."""
    stream = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype).newbyteorder("<"))
    np.lib.format.write_array_header_1_0(
        stream, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def most_bytes(dtype: str, shape: tuple[int, ...]) -> int:
    """Return the size of the values and of the longest header of version 1.0."""
    return 2**16 + np.dtype(dtype).itemsize * math.prod(shape)


def encode(part: np.ndarray) -> bytes:
    """Return the values of `part`."""
    return np.ascontiguousarray(part, part.dtype.newbyteorder("<")).tobytes()


def decode(where: str, data: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array, which must have exactly this dtype and shape.

    Raises
    ------
    VectorError
        Naming `where` and what does not fit.
    """
    array = read_npy(where, data)
    if array.dtype != np.dtype(dtype) or array.shape != shape:
        raise VectorError(f"{where}: {array.dtype} {array.shape} instead of {dtype} {shape}")
    return array
