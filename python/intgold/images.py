"""Images and labels that people hand over as files: .npy, IDX as MNIST has them, or pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .data import read_idx, read_idx_header
from .errors import DataError, IntgoldError
from .files import read_npy
from .pictures import FORMATS, find_pictures, picture_format
from .preparation import picture_input

DTYPES = ("uint8", "int8", "int32")
_MOST = 2**30  # bytes of a file, unpacked


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of one or several sources, in order.

    Parameters
    ----------
    images : ndarray, shape (n, *input shape)
    names : tuple of str
        Of each image: the path of a picture, ``digits.npy[3]`` for one of many in a file.
    form : {"array", "picture", "pictures"}
        A .npy or IDX file, one picture file, or any other number of them and folders.
    passed_over : tuple of Path
        What lies in a folder and is no picture.
    """

    images: np.ndarray
    names: tuple[str, ...]
    form: str
    passed_over: tuple[Path, ...] = ()


def numbered(source: str | os.PathLike[str], count: int) -> tuple[str, ...]:
    """Return a name for each of `count` images of one source."""
    return tuple(f"{source}[{i}]" for i in range(count))


def read_sources(
    sources: Sequence[str | os.PathLike[str]], shape: tuple[int, ...], as_is: bool = False
) -> Batch:
    """Return the images of one file, or of any number of picture files and folders of them.

    Parameters
    ----------
    sources : sequence of path
        One .npy or IDX file (see `read_images`); or pictures, and folders, whose pictures are
        taken in the order of their names.  What a file is its first bytes say.
    shape : tuple of int
        Of the model's input.
    as_is : bool
        For pictures; see `intgold.preparation.picture_input`.

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    if len(sources) == 1 and _is_array(sources[0]):
        images = read_images(sources[0], shape)
        return Batch(images, numbered(sources[0], len(images)), "array")
    paths: list[Path] = []
    passed_over: list[Path] = []
    for source in map(Path, sources):
        if source.is_dir():
            pictures, others = find_pictures(source)
            paths += pictures
            passed_over += others
        elif picture_format(source) is not None:
            paths.append(source)
        elif _is_array(source):
            raise DataError(f"{source}: a .npy or IDX file is given alone")
        else:
            raise DataError(f"{source}: neither {', '.join(FORMATS)}, .npy nor an IDX file")
    if len(paths) * int(np.prod(shape, dtype=np.float64)) > _MOST:
        raise DataError(f"{sources[0]}: {len(paths)} pictures are too many at once")
    images = np.stack([picture_input(path, shape, as_is) for path in paths])
    alone = len(sources) == 1 and paths == [Path(sources[0])]
    form = "picture" if alone else "pictures"
    return Batch(images, tuple(map(str, paths)), form, tuple(passed_over))


def _is_array(path: str | os.PathLike[str]) -> bool:
    """Return whether a file starts as .npy, IDX or gzip does; what is missing is none of them."""
    try:
        with open(path, "rb") as file:
            return file.read(1) in (b"\x93", b"\0", b"\x1f")
    except OSError:
        return False


def read_images(path: str | os.PathLike[str], shape: tuple[int, ...]) -> np.ndarray:
    """Return images of a file, in C order.

    Parameters
    ----------
    path : path
        A .npy file of uint8, int8 or int32, or an IDX file of bytes (raw or gzip).
    shape : tuple of int
        Of one image; a last dimension of 1 may be absent in the file.

    Returns
    -------
    ndarray, shape (n, *shape)

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    array = _read(path, shape)
    if shape[-1] == 1 and array.ndim == len(shape):
        array = array[..., np.newaxis]
    if array.shape[1:] != shape or len(array) == 0:
        raise DataError(f"{path}: shape {array.shape} instead of (n, {str(shape)[1:]}")
    return np.ascontiguousarray(array)


def read_labels(path: str | os.PathLike[str], count: int) -> np.ndarray:
    """Return `count` labels of a .npy or IDX file, shape (count,).

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    array = _read(path, ())
    if array.shape != (count,):
        raise DataError(f"{path}: shape {array.shape}, labels for {count} images are needed")
    return array


def _read(path: str | os.PathLike[str], each: tuple[int, ...]) -> np.ndarray:
    """Return the array in a file whose rows have the shape `each`."""
    try:
        with open(path, "rb") as file:
            start = file.read(6)
            if start != b"\x93NUMPY":
                return _read_idx(Path(path), each)
            if os.fstat(file.fileno()).st_size > _MOST:
                raise DataError(f"{path}: more than the limit of {_MOST} bytes")
            array = read_npy(str(path), start + file.read(), fortran=True)
    except (OSError, MemoryError) as error:
        reason = str(error) or "not enough memory"
        raise DataError(f"{path}: cannot be read: {reason}") from error
    except IntgoldError as error:  # it names the path
        raise DataError(str(error)) from error
    if array.dtype.name not in DTYPES or array.ndim == 0:
        raise DataError(f"{path}: not an array of {', '.join(DTYPES)}")
    return array


def _read_idx(path: Path, each: tuple[int, ...]) -> np.ndarray:
    shape = read_idx_header(path)
    # Before anything is unpacked; (28, 28) may stand for (28, 28, 1).
    if shape[1:] not in (each, each[:-1] if each[-1:] == (1,) else each):
        wanted = ", ".join(("n", *map(str, each)))
        raise DataError(f"{path}: states shape {shape} instead of ({wanted})")
    if math.prod(shape) > _MOST:
        raise DataError(f"{path}: states shape {shape}, more than {_MOST} values")
    return read_idx(path, shape)
