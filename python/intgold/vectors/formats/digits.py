"""Words as digits and back, vectorised: hexadecimal and binary, most significant digit first."""

from __future__ import annotations

import numpy as np

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_BAD = 255
_VALUE = np.full(256, _BAD, np.uint8)
for _i, _c in enumerate(b"0123456789"):
    _VALUE[_c] = _i
for _i, _c in enumerate(b"abcdef"):
    _VALUE[_c] = _VALUE[_c - 32] = 10 + _i


def count(bits: int, radix: int) -> int:
    """Return the digits of a word of `bits` bits, in radix 16, 8 or 2."""
    return -(-bits // {16: 4, 8: 3, 2: 1}[radix])


def to_digits(words: np.ndarray, bits: int, radix: int) -> np.ndarray:
    """Return ASCII digits, uint8 (n, count), of words (n, bytes), least significant byte first."""
    octets = words[:, ::-1]
    if radix == 2:
        return np.unpackbits(octets, axis=1)[:, -bits:] + np.uint8(ord("0"))
    digits = np.empty((len(words), 2 * words.shape[1]), np.uint8)
    digits[:, 0::2] = _HEX[octets >> 4]
    digits[:, 1::2] = _HEX[octets & 15]
    return digits[:, -count(bits, 16) :]


def from_digits(digits: np.ndarray, bits: int, radix: int) -> np.ndarray | None:
    """Return the words of ASCII digits (n, count); None where one is no digit or beyond `bits`."""
    values = _VALUE[digits]
    if radix == 2:
        if (values > 1).any():
            return None
        full = np.zeros((len(values), -(-bits // 8) * 8), np.uint8)
        full[:, -bits:] = values
        return np.packbits(full, axis=1)[:, ::-1]
    if (values == _BAD).any():
        return None
    full = np.zeros((len(values), -(-bits // 8) * 2), np.uint8)
    full[:, full.shape[1] - values.shape[1] :] = values
    words = (full[:, 0::2] << 4 | full[:, 1::2])[:, ::-1]
    if bits % 4 and (values[:, 0] >> bits % 4).any():
        return None
    return words


def join_columns(columns: list[np.ndarray | bytes], rows: int) -> bytes:
    """Return lines of columns side by side; bytes are the same in every line."""
    shaped = [
        np.broadcast_to(np.frombuffer(c, np.uint8), (rows, len(c))) if isinstance(c, bytes) else c
        for c in columns
    ]
    return np.concatenate(shaped, axis=1).tobytes()


def from_integers(values: list[int], word_bytes: int) -> np.ndarray:
    """Return the words of unsigned integers."""
    octets = b"".join(v.to_bytes(word_bytes, "little") for v in values)
    return np.frombuffer(octets, np.uint8).reshape(-1, word_bytes)


def to_integers(words: np.ndarray) -> list[int]:
    """Return words as unsigned integers."""
    return [int.from_bytes(row.tobytes(), "little") for row in words]
