"""Digits as strokes, for the tests that must not wait for MNIST; and picture files of them."""

from __future__ import annotations

import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np

Point = tuple[float, float]


def arc(x: float, y: float, rx: float, ry: float, first: int, last: int) -> list[Point]:
    turns = [math.radians(first + (last - first) * i / 24) for i in range(25)]
    return [(x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns]


STROKES: tuple[list[list[Point]], ...] = (
    [arc(0.5, 0.5, 0.28, 0.42, 0, 360)],
    [[(0.38, 0.25), (0.55, 0.08), (0.55, 0.92)]],
    [[*arc(0.48, 0.3, 0.25, 0.22, 180, 380), (0.2, 0.9), (0.8, 0.9)]],
    [arc(0.45, 0.3, 0.25, 0.2, 200, 450) + arc(0.45, 0.7, 0.28, 0.22, -90, 150)],
    [[(0.3, 0.1), (0.22, 0.55), (0.8, 0.55)], [(0.68, 0.1), (0.62, 0.95)]],
    [[(0.75, 0.1), (0.32, 0.1), (0.28, 0.45), *arc(0.47, 0.66, 0.27, 0.25, -120, 140)]],
    [arc(0.75, 0.55, 0.45, 0.47, -100, -180) + arc(0.5, 0.7, 0.22, 0.22, 180, 540)],
    [[(0.2, 0.12), (0.78, 0.12), (0.42, 0.92)]],
    [arc(0.5, 0.3, 0.2, 0.2, 90, 450) + arc(0.5, 0.7, 0.24, 0.22, -90, 270)],
    [[*arc(0.5, 0.32, 0.23, 0.22, 0, 360), (0.73, 0.32), (0.62, 0.92)]],
)
"""Entry d draws the digit d in the unit square, x to the right, y down."""


def drawn(digit: int, size: int = 200, width: int = 16, ink: int = 0, paper: int = 255):
    """Return one of the digits as uint8 (size, size)."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (size, size), paper)
    for line in STROKES[digit]:
        points = [(x * size, y * size) for x, y in line]
        ImageDraw.Draw(image).line(points, fill=ink, width=width, joint="curve")
    return np.array(image)


def save(path: Path, array: np.ndarray, mode: str | None = None, **options) -> Path:
    """Write a picture file, its format by its suffix."""
    from PIL import Image

    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def png(array: np.ndarray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """Return a PNG that states a size and holds nearly nothing: what a bomb looks like."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(100))), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
