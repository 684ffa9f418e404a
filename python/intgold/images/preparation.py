"""A picture of any size as the bytes of a model's input, in exact integers.

A model of 28x28x1 answers digits, and its pictures are prepared as those of MNIST were
(Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*): the digit fits a box
of 20x20 pixels at its own aspect ratio, and its centre of mass is the centre of the 28x28.
"""

from __future__ import annotations

import os

import numpy as np

from ..errors import DataError
from .pictures import read_picture

DIGIT_SHAPE = (28, 28, 1)
_BOX = 20
_WORKING_SIZE = 560
"""Longer side that a digit is looked for in: larger pictures only bring noise."""
_MIN_CONTRAST = 24
_MAX_INK = 2**16
_DUST = 500
"""The outermost 1/500 of the ink on each side of a digit does not decide where it lies."""


def picture_input(
    path: str | os.PathLike[str], shape: tuple[int, ...], *, as_is: bool = False
) -> np.ndarray:
    """Return a picture file as the bytes of one image for a model.

    Parameters
    ----------
    path : path
    shape : tuple of int
        Of the model's input: (28, 28, 1) prepares a digit; any other (height, width, 1 or 3)
        resizes the picture.
    as_is : bool
        Neither: the picture must have the height and width of the input.

    Returns
    -------
    ndarray, uint8, of that shape

    Raises
    ------
    DataError
        Naming the file and what is wrong with it, or the shape when no picture can fit it.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise DataError(f"{path}: the model's input has shape {shape}, no picture fits that")
    height, width, channels = shape
    picture = read_picture(path, channels)
    if as_is:
        if picture.shape != shape:
            found, expected = f"{picture.shape[1]} x {picture.shape[0]}", f"{width} x {height}"
            raise DataError(f"{path}: {found} pixels, as it is the model takes {expected}")
        return picture
    if shape != DIGIT_SHAPE:
        return resize(picture, height, width)
    try:
        return normalize_digit(picture[..., 0])[..., np.newaxis]
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an image of another size: the area's mean where it shrinks, linear where it grows.

    Parameters
    ----------
    image : ndarray of integers, shape (h, w, ...)
        Below 2^24 in magnitude.
    height, width : int

    Returns
    -------
    ndarray of the same dtype, shape (height, width, ...)
        Rounded half up after each axis; the same bits on every machine.
    """
    sizes = {0: height, 1: width}
    # The axis that shrinks most comes first, so that what is between is small.
    for axis in sorted(sizes, key=lambda a: sizes[a] / image.shape[a]):
        image = _resize_axis(image, axis, sizes[axis])
    return image


def _resize_axis(image: np.ndarray, axis: int, size: int) -> np.ndarray:
    source = image.shape[axis]
    if size == source:
        return image
    rows = np.moveaxis(image, axis, 0)
    tail = (1,) * (rows.ndim - 1)
    if size < source:
        # Output j covers [j, j + 1) * source / size: whole rows, and parts (of size) at its ends.
        start, part = np.divmod(np.arange(size + 1, dtype=np.int64) * source, size)
        sums = np.add.reduceat(rows, start[:-1], axis=0, dtype=np.int64) * size
        edge = rows[np.minimum(start, source - 1)].astype(np.int64) * part.reshape(-1, *tail)
        total, unit = sums + edge[1:] - edge[:-1], source
    else:
        # The centre of output j lies at ((2j + 1) * source - size) / (2 * size) between rows.
        unit = 2 * size
        at = (2 * np.arange(size, dtype=np.int64) + 1) * source - size
        low, part = np.divmod(np.clip(at, 0, (source - 1) * unit), unit)
        part = part.reshape(-1, *tail)
        high = rows[np.minimum(low + 1, source - 1)].astype(np.int64)
        total = rows[low].astype(np.int64) * (unit - part) + high * part
    resized: np.ndarray = np.moveaxis((2 * total + unit) // (2 * unit), 0, axis)
    return resized.astype(image.dtype)


def normalize_digit(grey: np.ndarray) -> np.ndarray:
    """Return a picture of one digit as in MNIST: bright ink on black.

    Parameters
    ----------
    grey : ndarray, uint8 (height, width)
        In either polarity; black on white and white on black give the same result.

    Returns
    -------
    ndarray, uint8 (28, 28)

    Raises
    ------
    DataError
        When there is no ink on the paper.
    """
    ink = _crop(_ink(_bright_on_dark(grey)))
    longest = max(ink.shape)
    height, width = (max(1, (2 * n * _BOX + longest) // (2 * longest)) for n in ink.shape)
    digit = resize(ink, height, width)
    digit = (2 * 255 * digit + digit.max()) // (2 * digit.max())
    canvas = np.zeros(DIGIT_SHAPE[:2], np.uint8)
    top, left = (_centred(digit.sum(1 - a), canvas.shape[a]) for a in (0, 1))
    canvas[top : top + height, left : left + width] = digit
    return canvas


def _bright_on_dark(grey: np.ndarray) -> np.ndarray:
    """Return the picture, inverted when its ink is darker than its paper (the border's tone)."""
    edge = np.sort(_border(grey))
    twice_paper = int(edge[len(edge) // 2]) + int(edge[(len(edge) - 1) // 2])
    # The ink is what is further from the paper: paper - min > max - paper.
    dark_ink = twice_paper > int(grey.min()) + int(grey.max())
    return 255 - grey if dark_ink else grey


def _border(image: np.ndarray) -> np.ndarray:
    return np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])


def _ink(grey: np.ndarray) -> np.ndarray:
    """Return how much brighter than the paper each pixel is, 0 where that is the paper's doing."""
    longest = max(grey.shape)
    if longest > _WORKING_SIZE:
        height, width = (max(1, n * _WORKING_SIZE // longest) for n in grey.shape)
        grey = resize(grey, height, width)
    edge = np.sort(_border(grey).astype(np.int64))
    paper = int(edge[len(edge) // 2])
    noise = int(np.sort(abs(edge - paper))[len(edge) // 2])
    above = np.maximum(grey.astype(np.int64) - paper, 0)
    most = int(above.max())
    if most < _MIN_CONTRAST:
        raise DataError(f"no ink: nothing stands out from the paper by more than {most} of 255")
    if most < 3 * noise:
        raise DataError(f"no paper: the border varies by {noise} of 255, the ink by {most}")
    # Grain and shading; of only grain, which is Gaussian, this is 4 standard deviations.
    faint = min(6 * noise, most // 2)
    return np.where(above > faint, above, 0) * _MAX_INK // most


def _crop(ink: np.ndarray) -> np.ndarray:
    """Return the digit's box; neither dust nor what JPEG leaves round a stroke decides it."""
    strong = np.where(ink > _MAX_INK // 16, ink, 0)
    bounds = []
    for axis in (0, 1):
        before = np.cumsum(strong.sum(1 - axis))
        dust = int(before[-1]) // _DUST
        first = int(np.searchsorted(before, dust, "right"))
        last = int(np.searchsorted(before, int(before[-1]) - dust, "left"))
        bounds.append(slice(first, last + 1))
    return ink[bounds[0], bounds[1]]


def _centred(weights: np.ndarray, size: int) -> int:
    """Return where to put these rows so that their centre of mass lies as in every MNIST image.

    That is in the pixel after the middle: in [14, 15) of 28, pixel i being [i, i + 1).
    """
    total = int(weights.sum())
    twice = int(((2 * np.arange(len(weights)) + 1) * weights).sum())  # the centre, 2 * total
    start = -((twice - size * total) // (2 * total))
    return min(max(start, 0), size - len(weights))
