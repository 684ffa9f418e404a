"""Picture files (PNG, JPEG, ...) as arrays of bytes; Pillow decodes them, and only here."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from ..support.arguments import checked

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 2**26
"""Of one picture; what its header states is compared before anything is decoded."""

_MAX_BYTES, _MAX_GIF = 2**28, 2**24
"""Of a file; one of GIF is searched for a second frame byte by byte."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"RIFF", "WEBP"),
    *((b"P%d" % n, "PPM") for n in range(1, 7)),
)
FORMATS = tuple(dict.fromkeys(name for _, name in _SIGNATURES))
"""Decoders that are used: no other one of Pillow's (some start a program) sees a byte."""

_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_WITH_ALPHA = ("LA", "PA", "RGBA", "RGBa")


def picture_format(path: str | os.PathLike[str]) -> str | None:
    """Return which of `FORMATS` a file is by its first bytes, or None.

    Raises
    ------
    DataError
        When the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    name = next((name for signature, name in _SIGNATURES if start.startswith(signature)), None)
    if name == "WEBP" and start[8:] != b"WEBP":  # RIFF holds sound, too
        return None
    if name == "PPM" and not start[2:3].isspace():
        return None
    return name


@checked
def find_pictures(folder: str | os.PathLike[str]) -> tuple[list[Path], list[Path]]:
    """Return the picture files of a folder, sorted by name, and what else lies in it.

    Raises
    ------
    DataError
        When the folder cannot be read or holds no picture.
    """
    try:
        entries = sorted(Path(folder).iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    found = {path: path.is_file() and picture_format(path) is not None for path in entries}
    pictures = [path for path, is_picture in found.items() if is_picture]
    if not pictures:
        raise DataError(f"{folder}: no picture ({', '.join(FORMATS)}) in this folder")
    return pictures, [path for path, is_picture in found.items() if not is_picture]


@checked
def read_picture(path: str | os.PathLike[str], channels: int = 1) -> np.ndarray:
    """Return a picture file as bytes.

    It is turned as its EXIF orientation says, 16 bits become 8, and transparent pixels become
    white (black, where white would leave an empty picture: white ink on nothing).

    Parameters
    ----------
    path : path
    channels : {1, 3}
        Grey (ITU-R 601 luma) or red, green and blue.

    Returns
    -------
    ndarray, uint8 (height, width, channels)

    Raises
    ------
    DataError
        Naming the file: it is no picture, damaged, animated or too large, or Pillow is absent.
    """
    if channels not in (1, 3):
        raise DataError(f"{path}: {channels} channels, 1 or 3 are read")
    name = picture_format(path)
    if name is None:
        raise DataError(f"{path}: no picture; {', '.join(FORMATS)} are read")
    most, size = _MAX_GIF if name == "GIF" else _MAX_BYTES, os.stat(path).st_size
    if size > most:
        raise DataError(f"{path}: {size} bytes, more than the limit of {most} of a {name}")
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(f"{path}: pictures are read by Pillow: pip install pillow") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is an error below
            with Image.open(path, formats=(name,)) as image:
                _check_header(path, image)
                image.verify()  # the checksums of a PNG, which decoding does not look at
            with Image.open(path, formats=(name,)) as image:
                array = _bytes(path, image, "L" if channels == 1 else "RGB")
    except DataError:
        raise
    # A decoder that meets damage raises nearly anything: SyntaxError, struct.error, KeyError ...
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: damaged {name}: {reason}") from error
    return array.reshape(*array.shape[:2], channels)


def _check_header(path: str | os.PathLike[str], image: Image.Image) -> None:
    width, height = image.size
    if not 1 <= width * height <= MAX_PIXELS:
        raise DataError(f"{path}: {width} x {height} pixels, at most {MAX_PIXELS} are read")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a photograph, then versions of it
        raise DataError(f"{path}: {frames} frames, one picture is wanted")


def _bytes(path: str | os.PathLike[str], image: Image.Image, mode: str) -> np.ndarray:
    from PIL import ImageOps

    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP:
        grey = _from_16_bits(path, image)
        return grey if mode == "L" else np.repeat(grey[..., np.newaxis], 3, axis=2)
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        on_white = _on(image, "white").convert(mode)
        empty = mode == "L" and on_white.getextrema() == (255, 255)
        return np.array(_on(image, "black").convert(mode) if empty else on_white)
    if image.mode == "F":
        raise DataError(f"{path}: pixels are floats, bytes or 16 bits are read")
    return np.array(image.convert(mode))


def _on(image: Image.Image, paper: str) -> Image.Image:
    from PIL import Image

    return Image.alpha_composite(Image.new("RGBA", image.size, paper), image)


def _from_16_bits(path: str | os.PathLike[str], image: Image.Image) -> np.ndarray:
    deep = np.asarray(image).astype(np.int32)
    if deep.min() < 0 or deep.max() > 0xFFFF:
        raise DataError(f"{path}: pixels from {deep.min()} to {deep.max()}, wants 16 bits")
    grey = ((deep + 128) // 257).astype(np.uint8)  # nearest: 65535 = 255 * 257
    key = image.info.get("transparency")
    if isinstance(key, int):
        grey[deep == key] = 255
    return grey
