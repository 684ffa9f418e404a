"""Reads the options of custom ops: a FlexBuffer that is a map of numbers.

Its last two bytes say how wide its root is and of which type.  A value is a number, or the distance
back to what it stands for; a map is a vector of values, with a vector of keys before it and a byte
for the type of each value after it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

_INT, _UINT, _FLOAT, _MAP, _BOOL = 1, 2, 3, 9, 26
_INDIRECT = {6: _INT, 7: _UINT, 8: _FLOAT}
"""Numbers that are held elsewhere, by the type that they have there."""
_FORMATS = {
    (_INT, 1): "<b", (_INT, 2): "<h", (_INT, 4): "<i", (_INT, 8): "<q",
    (_UINT, 1): "<B", (_UINT, 2): "<H", (_UINT, 4): "<I", (_UINT, 8): "<Q",
    (_FLOAT, 2): "<e", (_FLOAT, 4): "<f", (_FLOAT, 8): "<d",
}  # fmt: skip
_MAX_ENTRIES, _MAX_KEY = 100, 100
"""Keys may overlap: without a bound a small file could ask for much memory."""


def numbers_of(data: bytes) -> Mapping[str, int | float]:
    """Return the numbers of a map by their keys; values of other types are left out.

    Raises
    ------
    ValueError
        When the bytes are no map, or an offset leads outside them.
    """
    if len(data) < 3:
        raise ValueError(f"{len(data)} bytes of options are no map")
    kind, width = data[-2] >> 2, data[-1]
    if kind != _MAP:
        raise ValueError(f"options of type {kind} are no map")
    at, width = _target(data, len(data) - 2 - width, width), 1 << (data[-2] & 3)
    count = _unsigned(data, at - width, width)
    key_width = _unsigned(data, at - 2 * width, width)
    if count > _MAX_ENTRIES:
        raise ValueError(f"{count} options; at most {_MAX_ENTRIES}")
    keys = _target(data, at - 3 * width, width)
    if _unsigned(data, keys - key_width, key_width) != count:
        raise ValueError("options and keys differ in number")
    found = {}
    for i in range(count):
        key = _text(data, _target(data, keys + i * key_width, key_width))
        packed = _unsigned(data, at + count * width + i, 1)
        value = _value(data, at + i * width, width, packed)
        if value is not None:
            found[key] = value
    return found


def _value(data: bytes, at: int, width: int, packed: int) -> int | float | None:
    kind = packed >> 2
    if kind in _INDIRECT:
        return _number(data, _target(data, at, width), _INDIRECT[kind], 1 << (packed & 3))
    if kind == _BOOL:
        return int(_unsigned(data, at, width) != 0)
    return _number(data, at, kind, width) if kind in (_INT, _UINT, _FLOAT) else None


def _number(data: bytes, at: int, kind: int, width: int) -> int | float:
    form = _FORMATS.get((kind, width))
    if form is None or not 0 <= at <= len(data) - width:
        raise ValueError(f"a number of {width} bytes at byte {at} of {len(data)}")
    value: int | float = struct.unpack_from(form, data, at)[0]
    return value


def _unsigned(data: bytes, at: int, width: int) -> int:
    return int(_number(data, at, _UINT, width))


def _target(data: bytes, at: int, width: int) -> int:
    """Return where the distance at a place leads, backwards."""
    return at - _unsigned(data, at, width)


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at, at + _MAX_KEY + 1) if 0 <= at < len(data) else -1
    if end < 0:
        raise ValueError(f"a key at byte {at} of {len(data)}: no end within {_MAX_KEY} bytes")
    return data[at:end].decode("utf-8", "replace")
