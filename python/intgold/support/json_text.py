"""JSON texts of strangers: bounded before anything is built of them, then read strictly (SPEC 9.5).

A reader's memory is at most about 200 bytes for each of `MAX_PARTS` and four times the text.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

from .safe_files import JSON_LIMIT

MAX_PARTS = 2**21
"""Commas, opening brackets and braces of a text, those in strings included."""
_MAX_DIGITS = 400  # of a number; no float64 has more before its point
_DEPTH = 32  # of a value: far above what any of ours has, far below Python's own limit
_BATCH = 4096  # pieces of a canonical text that are joined at a time


def check_size(data: bytes) -> None:
    """Raise ValueError where a text is larger than what is read."""
    if len(data) > JSON_LIMIT:
        raise ValueError(f"{len(data)} bytes, more than the limit of {JSON_LIMIT}")
    parts = data.count(b",") + data.count(b"[") + data.count(b"{")
    if parts > MAX_PARTS:
        raise ValueError(f"{parts} values, more than the limit of {MAX_PARTS}")


def strict_json(data: bytes) -> Any:
    """Return a JSON value: UTF-8, no key twice in an object, finite numbers, not deep.

    Raises
    ------
    ValueError
        Saying what is wrong.
    """
    check_size(data)
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not _shallow(value, _DEPTH):
        raise ValueError("nested too deeply")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice")
    return result


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    if len(text) > 2 * _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters")
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large")
    return value


def _shallow(value: Any, depth: int) -> bool:
    level = [value]
    while level and depth:
        inner = (v.values() if type(v) is dict else v for v in level if type(v) in (dict, list))
        level, depth = [v for held in inner for v in held if type(v) in (dict, list)], depth - 1
    return not level


def canonical_sha256(value: Any) -> str:
    """Return the SHA-256 of the canonical form of a value, which is never held as a whole."""
    digest = hashlib.sha256()
    for piece in _canonical(value):
        digest.update(piece)
    return digest.hexdigest()


def is_canonical(value: Any, data: bytes) -> bool:
    """Return whether `data` is the canonical form of a value."""
    at = 0
    for piece in _canonical(value):
        if not data.startswith(piece, at):
            return False
        at += len(piece)
    return at == len(data)


def _canonical(value: Any) -> Iterator[bytes]:
    """Yield `intgold.support.safe_files.canonical_json` in pieces."""
    encoder = json.JSONEncoder(sort_keys=True, indent=1, ensure_ascii=True)
    held: list[str] = []
    for text in encoder.iterencode(value):
        held.append(text)
        if len(held) == _BATCH:
            yield "".join(held).encode()
            held.clear()
    yield ("".join(held) + "\n").encode()
