"""The images that people hand over: one array file, or picture files and folders of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..support.arguments import checked
from ..support.quoting import short_repr
from .arrays import DTYPES, MAX_BYTES, read_images
from .pictures import FORMATS, find_pictures, picture_format
from .preparation import picture_input


@dataclass(frozen=True, eq=False)
class ImageBatch:
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

    __repr__ = short_repr


def numbered(source: str | os.PathLike[str], count: int) -> tuple[str, ...]:
    """Return a name for each of `count` images of one source."""
    return tuple(f"{source}[{i}]" for i in range(count))


@checked
def read_sources(
    sources: Sequence[str | os.PathLike[str]],
    shape: tuple[int, ...],
    *,
    as_is: bool = False,
    other: tuple[int, ...] = (),
    dtypes: tuple[str, ...] = DTYPES,
) -> ImageBatch:
    """Return the images of one file, or of any number of picture files and folders of them.

    Parameters
    ----------
    sources : sequence of path
        One .npy or IDX file (see `read_images`); or pictures, and folders, whose pictures are
        taken in the order of their names.  What a file is its first bytes say.
    shape : tuple of int
        Of the model's input.
    as_is : bool
        For pictures; see `intgold.images.preparation.picture_input`.
    other : tuple of int, optional
        A shape of one image that an array file may have as well.
    dtypes : tuple of str
        Those of an array file that are taken.

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    if not sources:
        raise DataError("no image files")
    if len(sources) == 1 and _is_array(sources[0]):
        images = read_images(sources[0], shape, dtypes, other)
        return ImageBatch(images, numbered(sources[0], len(images)), "array")
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
            raise DataError(f"{source}: a .npy or IDX file must be the only source")
        else:
            raise DataError(f"{source}: neither {', '.join(FORMATS)}, .npy nor an IDX file")
    if len(paths) * int(np.prod(shape, dtype=np.float64)) > MAX_BYTES:
        raise DataError(f"{sources[0]}: {len(paths)} pictures are too many at once")
    images = np.stack([picture_input(path, shape, as_is=as_is) for path in paths])
    single = len(sources) == 1 and paths == [Path(sources[0])]
    form = "picture" if single else "pictures"
    return ImageBatch(images, tuple(map(str, paths)), form, tuple(passed_over))


def _is_array(path: str | os.PathLike[str]) -> bool:
    """Return whether a file starts as .npy, IDX or gzip does; what is missing is none of them."""
    try:
        with open(path, "rb") as file:
            return file.read(1) in (b"\x93", b"\0", b"\x1f")
    except OSError:
        return False
