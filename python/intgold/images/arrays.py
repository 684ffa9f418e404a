"""Images and labels as array files: .npy, or IDX as in MNIST."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from ..errors import DataError, IntgoldError
from ..support.arguments import are_bytes, checked
from ..support.quoting import batch_of
from ..support.safe_files import read_npy
from .idx import read_idx, read_idx_header
from .labels import label_advice

DTYPES = ("uint8", "int8", "int32")
_LABEL_DTYPES = (*DTYPES, "int16", "uint16", "uint32", "int64", "uint64")
REALS = ("float16", "float32", "float64")
MAX_BYTES = 2**30
"""Of a file, unpacked."""


@checked
def read_images(
    path: str | os.PathLike[str],
    shape: tuple[int, ...],
    dtypes: tuple[str, ...] = DTYPES,
    other: tuple[int, ...] = (),
) -> np.ndarray:
    """Return images of a file, in C order.

    Parameters
    ----------
    path : path
        A .npy file of one of the dtypes, or an IDX file of bytes (raw or gzip).
    shape : tuple of int
        Of one image; a last dimension of 1 may be absent in the file.
    dtypes : tuple of str
        Those that are taken.
    other : tuple of int, optional
        A shape that is taken as well, as it is.

    Returns
    -------
    ndarray, shape (n, *shape) or (n, *other)

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    found = array = _read(path, shape, dtypes)
    if not array.size:
        raise DataError(f"{path}: no images in shape {array.shape}")
    if other and array.shape[1:] == other:
        return np.ascontiguousarray(array)
    if shape[-1:] == (1,) and array.ndim == len(shape):
        array = array[..., np.newaxis]
    if array.shape[1:] != shape:
        also = f" or {batch_of(other)}" if other and other != shape else ""
        raise DataError(f"{path}: shape {found.shape} instead of {batch_of(shape)}{also}")
    return np.ascontiguousarray(array)


@checked
def read_labels(path: str | os.PathLike[str], count: int) -> np.ndarray:
    """Return `count` labels, integers of any width, of a .npy or IDX file, shape (count,).

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    array = _read(path, (), _LABEL_DTYPES)
    if array.shape != (count,):
        advice = label_advice(array)
        raise DataError(
            f"{path}: shape {array.shape}, labels for {count} images are needed{advice}"
        )
    return array


def _read(
    path: str | os.PathLike[str], each: tuple[int, ...], dtypes: tuple[str, ...]
) -> np.ndarray:
    """Return the array in a file whose rows have the shape `each`."""
    try:
        with open(path, "rb") as file:
            start = file.read(6)
            if start != b"\x93NUMPY":
                return _read_idx(Path(path), each)
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise DataError(f"{path}: more than the limit of {MAX_BYTES} bytes")
            array = read_npy(str(path), start + file.read(), fortran=True)
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "not enough memory"
        raise DataError(f"{path}: cannot be read: {reason}") from error
    except IntgoldError as error:  # it names the path
        raise DataError(str(error)) from error
    if array.dtype.name not in dtypes:
        raise DataError(
            f"{path}: {array.dtype} is none of {', '.join(dtypes)}{_advice(array, dtypes)}"
        )
    if array.ndim == 0:
        raise DataError(f"{path}: a single value, not an array")
    return array


def _advice(array: np.ndarray, dtypes: tuple[str, ...]) -> str:
    if dtypes == _LABEL_DTYPES:
        return label_advice(array)
    if dtypes == ("int8",) and array.dtype == np.uint8:
        return ": (x ^ 0x80).view(numpy.int8) produces int8 from an unsigned device's bytes"
    if "uint8" in dtypes and REALS[1] not in dtypes and array.dtype.kind == "f":
        return ": numpy.save(path, model.quantize_input(x)) produces the model's input from reals"
    if "uint8" in dtypes and are_bytes(array):
        return ": x.astype(numpy.uint8) produces bytes, which stand for x/255"
    if REALS[1] in dtypes and array.dtype.kind in "iub":
        return ": x.astype(numpy.float32) produces reals"
    return ""


def _read_idx(path: Path, each: tuple[int, ...]) -> np.ndarray:
    shape = read_idx_header(path)
    # Before anything is unpacked; (28, 28) may stand for (28, 28, 1).
    if shape[1:] not in (each, each[:-1] if each[-1:] == (1,) else each):
        raise DataError(f"{path}: states shape {shape} instead of {batch_of(each)}")
    if math.prod(shape) > MAX_BYTES:
        raise DataError(f"{path}: states shape {shape}, more than {MAX_BYTES} values")
    return read_idx(path, shape)
