"""Pictures and names as text for a terminal."""

from __future__ import annotations

import os
import re
from typing import TextIO

import numpy as np

from ..images.preparation import resize

COLUMNS = 28
STYLES = ("grey", "blocks", "ascii")
"""How a picture is drawn: half blocks in the 24 greys of a 256-colour terminal, half blocks that
are there or not, or letters."""

_BLOCKS = " \u2584\u2580\u2588"  # none, lower, upper, both
_LETTERS = " .:-=+*#%@"
_RESET = "\x1b[0m"
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def style_for(stream: TextIO) -> str:
    """Return which of `STYLES` a stream can hold.

    Greys need a terminal; ``NO_COLOR`` in the environment, or a dumb terminal, forbids them.
    """
    try:
        _BLOCKS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "ascii"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return "grey" if stream.isatty() and not plain else "blocks"


def draw(image: np.ndarray, style: str = "blocks") -> list[str]:
    """Return a picture as lines of text, at most 28 columns and 28 lines.

    Parameters
    ----------
    image : ndarray, uint8 (height, width)
        255 is drawn, 0 is left empty.
    style : str
        One of `STYLES`; a character stands for two rows of pixels in each.

    Returns
    -------
    list of str
        All of the same width, not counting escape sequences of ``grey``.
    """
    height, width = image.shape
    shrink = max(width / COLUMNS, height / (2 * COLUMNS), 1)
    small = resize(image, max(1, int(height / shrink)), max(1, int(width / shrink)))
    if len(small) % 2:
        small = np.concatenate([small, np.zeros_like(small[:1])])
    pairs = [(small[y].tolist(), small[y + 1].tolist()) for y in range(0, len(small), 2)]
    line = {"grey": _grey_line, "blocks": _block_line, "ascii": _letter_line}[style]
    return [line(upper, lower) for upper, lower in pairs]


def _block_line(upper: list[int], lower: list[int]) -> str:
    return "".join(_BLOCKS[2 * (u >= 128) + (v >= 128)] for u, v in zip(upper, lower, strict=True))


def _letter_line(upper: list[int], lower: list[int]) -> str:
    return "".join(_LETTERS[(u + v) * 10 // 511] for u, v in zip(upper, lower, strict=True))


def _grey_line(upper: list[int], lower: list[int]) -> str:
    parts = []
    for u, v in zip(upper, lower, strict=True):
        parts.append(f"\x1b[38;5;{_grey(u)};48;5;{_grey(v)}m{_BLOCKS[2]}")
    return "".join(parts) + _RESET


def _grey(value: int) -> int:
    """Return the nearest of black (16), the 24 greys (232 to 255) and white (231)."""
    step = (value + 3) // 10  # grey i is 8 + 10 * i
    return 16 if step == 0 else 231 if step > 24 else 231 + step


def printable(text: str, encoding: str | None) -> str:
    """Return text on one line that a stream of this encoding can hold, the rest as escapes."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    encoding = encoding or "ascii"
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def beside(left: list[str], right: list[str], gap: str = "   ") -> list[str]:
    """Return two columns of text; the lines of `left` are of one width."""
    lines = max(len(left), len(right))
    width = len(_ESCAPE.sub("", left[0]))
    left = left + [" " * width] * (lines - len(left))
    right = right + [""] * (lines - len(right))
    return [(a + gap + b).rstrip() for a, b in zip(left, right, strict=True)]
