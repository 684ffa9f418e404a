"""Lines of hexadecimal digits that Verilog's ``$readmemh`` reads: one value a line, in C order.

Two's complement, most significant digit first: 2 digits for int8 and uint8, 4 for int16, 8 for
int32.  ``//`` starts a comment.
"""

from __future__ import annotations

import math
import re

import numpy as np

from ...errors import VectorError

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return one comment line that tells people what follows."""
    return f"// {dtype} {'x'.join(map(str, shape))}, C order, two's complement\n".encode()


def most_bytes(dtype: str, shape: tuple[int, ...]) -> int:
    """Return a size that leaves each value a line with a comment, and all of them a preamble."""
    return 2**16 + 64 * math.prod(shape)


def encode(part: np.ndarray) -> bytes:
    """Return one line per value."""
    width = part.dtype.itemsize
    octets = np.ascontiguousarray(part, part.dtype.newbyteorder(">")).view(np.uint8)
    octets = octets.reshape(-1, width)
    lines = np.full((len(octets), 2 * width + 1), ord("\n"), np.uint8)
    lines[:, 0:-1:2] = _DIGITS[octets >> 4]
    lines[:, 1:-1:2] = _DIGITS[octets & 15]
    return lines.tobytes()


def decode(where: str, data: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array of exactly as many values as `shape` has.

    Raises
    ------
    VectorError
        Naming the line that is no value (a simulator's x or z among them), or the count.
    """
    kind = np.dtype(dtype)
    digits, count = 2 * kind.itemsize, math.prod(shape)
    words = re.sub(rb"//[^\n]*", b"", data).split()
    good = re.compile(rb"[0-9a-fA-F]{%d}" % digits)
    if len(words) != count or not all(map(good.fullmatch, words)):
        _explain(where, data, good, digits)
        raise VectorError(f"{where}: {len(words)} values instead of {count}")
    joined = bytes.fromhex(b"".join(words).decode())
    return np.frombuffer(joined, kind.newbyteorder(">")).astype(kind).reshape(shape)


def _explain(where: str, data: bytes, good: re.Pattern[bytes], digits: int) -> None:
    """Raise for the first line that is no value."""
    for number, line in enumerate(data.split(b"\n"), 1):
        for word in line.split(b"//")[0].split():
            if not good.fullmatch(word):
                text = word[:20].decode("ascii", "replace")
                raise VectorError(f"{where}, line {number}: {text!r} is not {digits} hex digits")
