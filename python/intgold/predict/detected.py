"""Boxes that the host found in an image: for people, for JSON, drawn on a picture."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from ..errors import InputError
from ..host.detection import KIND, DetectionOptions
from ..host.host_ops import HostOp
from ..host.host_tail import HostValues
from ..support.file_kinds import MADE_BY
from ..support.quoting import short_repr
from ..support.text_table import columns
from .terminal import printable

MIN_SCORE = 0.3
"""Of detections that are shown, where nothing else is asked for."""
_MAX_NAMES = 2**20  # bytes of a file of names
_MAX_ROWS = 50
_SIDE = 480  # pixels that the longer side of a drawn picture has at least
_COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")


@dataclass(frozen=True)
class Detection:
    """A box of an image: its class, its score, and ymin, xmin, ymax, xmax as parts of the image."""

    kind: int
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class ClassNames:
    """What classes are called, and of which detections anything is shown.

    Parameters
    ----------
    names : sequence of str
        By class; empty where none are given.
    min_score : float
    path : str
        Of the file that has the names.
    """

    names: Sequence[str] = ()
    min_score: float = MIN_SCORE
    path: str = ""

    __repr__ = short_repr

    def of(self, kind: int) -> str:
        """Return the name of a class; its number where none are given.

        Raises
        ------
        InputError
            When there are names, and none for this class.
        """
        if not self.names:
            return str(kind)
        if not self.has(kind):
            raise InputError(f"{self.path}: {len(self.names)} names; there is a class {kind}")
        return self.names[kind]

    def has(self, kind: int) -> bool:
        """Return whether there is a name for a class."""
        return 0 <= kind < len(self.names)

    def shows(self, detection: Detection) -> bool:
        """Return whether anything is shown of a detection."""
        return detection.score >= self.min_score


def read_class_names(path: str | os.PathLike[str]) -> list[str]:
    """Return the lines of a text file, UTF-8: that of class 0 first.

    Raises
    ------
    InputError
        When it cannot be read, is too long, or is no text.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_NAMES + 1)
        if len(data) > _MAX_NAMES:
            raise InputError(f"{path}: names of more than {_MAX_NAMES} bytes")
        names = re.split("\r\n|\n|\r", data.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no UTF-8 text at byte {error.start}") from None
    if not names[-1]:
        del names[-1]
    if not names:
        raise InputError(f"{path}: no name")
    return names


def detection_op(host: HostValues) -> HostOp | None:
    """Return the op that found boxes; None where there is none."""
    return next((op for op in host.ends.values() if op.kind == KIND), None)


def detected(host: HostValues, index: int) -> list[Detection]:
    """Return the detections of an image, the highest score first of one box."""
    op = detection_op(host)
    if op is None:
        return []
    options = DetectionOptions.of(op.options)
    boxes, classes, scores, count = (host.values[y.name][index] for y in op.outputs)
    rows = np.arange(classes.size)
    each = options.max_classes_per_detection
    if not options.use_regular_nms:  # rows of a box beyond the classes are left free
        rows = rows[rows % each < options.num_classes]
        rows = rows[rows // each < int(count[0])]
    else:
        rows = rows[: int(count[0])]
    return [
        Detection(int(classes[0, row]), float(scores[0, row]), tuple(boxes[0, row].tolist()))
        for row in rows.tolist()
    ]


def detection_lines(
    found: Sequence[Detection], names: ClassNames, encoding: str | None
) -> list[str]:
    """Return a table of the detections of an image that are shown."""
    shown = [d for d in found if names.shows(d)]
    rows = [("class", "score", "ymin", "xmin", "ymax", "xmax")]
    for d in shown[:_MAX_ROWS]:
        name = printable(names.of(d.kind), encoding)
        rows.append((name, f"{d.score:.3f}", *(f"{v:.3f}" for v in d.box)))  # type: ignore[arg-type]
    lines = columns(rows, left=(0,)) if shown else ["no detection"]
    if len(shown) > _MAX_ROWS:
        lines.append(f"and {len(shown) - _MAX_ROWS} more")
    if len(found) > len(shown):
        lines.append(f"{len(found) - len(shown)} with a score below {names.min_score:g}")
    return lines


def detection_document(found: Sequence[Detection], names: ClassNames) -> list[dict[str, Any]]:
    """Return all detections of an image for JSON; one that is not shown may lack a name."""
    named = [names.names and (names.shows(d) or names.has(d.kind)) for d in found]
    return [
        {"class": d.kind, "score": d.score, "box": list(d.box)}
        | ({"name": names.of(d.kind)} if has_name else {})
        for d, has_name in zip(found, named, strict=True)
    ]


def draw_detections(
    file: IO[bytes], x: np.ndarray, labelled: Sequence[tuple[Detection, str]]
) -> None:
    """Write an int8 image as PNG, with detections drawn on it.

    Parameters
    ----------
    file : binary file
    x : ndarray of int8, shape (h, w, 1) or (h, w, 3)
    labelled : sequence of (Detection, str)
        With the names of their classes, the highest score first.

    Raises
    ------
    InputError
        When the input is no picture, or Pillow is missing.
    """
    try:
        from PIL import Image, ImageDraw, PngImagePlugin
    except ImportError:
        raise InputError("drawing boxes needs Pillow: pip install pillow") from None
    if x.ndim != 3 or x.shape[2] not in (1, 3):
        raise InputError(f"an input of shape {x.shape} is no picture to draw on")
    pixels = (x.view(np.uint8) ^ np.uint8(0x80)).repeat(3 // x.shape[2], axis=2)
    times = -(-_SIDE // max(pixels.shape[:2]))
    h, w = (times * n for n in pixels.shape[:2])
    picture = Image.fromarray(pixels).resize((w, h), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(picture)
    for d, name in reversed(labelled):
        ymin, xmin, ymax, xmax = (
            min(max(v, 0.0), 1.0) * n for v, n in zip(d.box, (h, w, h, w), strict=True)
        )
        if not (ymin <= ymax and xmin <= xmax):
            continue
        colour = _COLOURS[d.kind % len(_COLOURS)]
        pen.rectangle((xmin, ymin, xmax, ymax), outline=colour, width=3)
        text = f"{name} {d.score:.2f}"
        at = (xmin + 4, max(ymin - 12, 2))
        pen.rectangle(pen.textbbox(at, text), fill=colour)
        pen.text(at, text, fill="white")
    says = PngImagePlugin.PngInfo()
    says.add_text("Software", MADE_BY)
    picture.save(file, "PNG", pnginfo=says)
