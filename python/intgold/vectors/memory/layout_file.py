"""The TOML file of a layout (SPEC 10.4), checked key by key; a manifest holds it as JSON."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import asdict, fields
from importlib import import_module
from typing import Any

from ...errors import IntgoldError, LayoutError
from ...support.arguments import checked
from ...support.quoting import shown
from ...support.safe_files import read_plain
from .layout import ROLES, Layout, Memory
from .rule import BANK_ORDERS, BYTE_ORDERS, ENCODINGS, LANE_ORDERS, PackingRule

_NAME = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)
_PATH = re.compile(r"(?:stimulus|outputs|accumulators|partials|parameters)/[\w.]{1,200}", re.ASCII)
_ORDER = re.compile(r"(?!.*(.).*\1)[A-Za-z]{1,12}", re.ASCII)
_LIMIT = 2**20
_MAX_LINE, _MAX_DOTS = 1000, 16
"""Of a line: TOML's reader takes the square of a dotted key's length."""
_QUOTED_OR_COMMENT = re.compile(
    rb'''"""(?:[^\\]|\\.?)*?(?:"{3,5}|\Z)|"(?:[^"\\\n]|\\.?)*"?|'''
    rb"""'''.*?(?:'{3,5}|\Z)|'[^'\n]*'?|#[^\n]*""",
    re.DOTALL,
)
"""A # in quotes starts no comment. One that is not closed ends the file or line: it never fails."""
_CHOICES = {
    "lane_order": LANE_ORDERS,
    "byte_order": BYTE_ORDERS,
    "bank_order": BANK_ORDERS,
    "encoding": ENCODINGS,
    "comments": ("none", "head", "images"),
}
_RANGES = {
    "word_bits": (8, 1024),
    "lanes": (1, 128),
    "row_alignment": (0, 2**20),
    "alignment": (1, 2**20),
    "banks": (1, 1024),
    "base": (0, 2**48),
    "size": (0, 2**40),
    "frame": (0, 2**40),
}
_RULE = {f.name for f in fields(PackingRule)}
_MEMORY = {f.name for f in fields(Memory)}


@checked
def read_layout(path: str | os.PathLike[str]) -> Layout:
    """Return the layout of a TOML file.

    Raises
    ------
    LayoutError
        Naming the file, the table, the key and the value that is wrong.
    """
    tomllib = _tomllib(path)
    try:
        data = read_plain(path, _LIMIT)
    except IntgoldError as error:
        raise LayoutError(str(error)) from error
    _check_lines(path, data)
    try:
        document = tomllib.loads(data.decode())
    except RecursionError:
        raise LayoutError(f"{path}: not TOML: nested too deeply") from None
    except ValueError as error:  # of TOML, of UTF-8, or a number of thousands of digits
        raise LayoutError(f"{path}: not TOML: {error}") from error
    return parse_layout(str(path), document)


def _check_lines(path: str | os.PathLike[str], data: bytes) -> None:
    bare = _QUOTED_OR_COMMENT.sub(lambda m: b"" if m[0].startswith(b"#") else m[0], data)
    for number, line in enumerate(bare.split(b"\n"), 1):
        if len(line) > _MAX_LINE:
            raise LayoutError(f"{path}, line {number}: {len(line)} bytes, at most {_MAX_LINE}")
        dots = line.count(b".")
        if dots > _MAX_DOTS:
            raise LayoutError(f"{path}, line {number}: {dots} dots, at most {_MAX_DOTS}")


def _tomllib(path: str | os.PathLike[str]) -> Any:
    for name in ("tomllib", "tomli"):  # the second for Python 3.10
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise LayoutError(f"{path}: Python 3.10 reads TOML by: pip install tomli")


def parse_layout(where: str, document: Any) -> Layout:
    """Return the layout of a parsed document, of TOML or of a manifest.

    Tables: ``files`` (addresses, comments), ``memory.NAME``, ``default``, each of `ROLES`, and
    ``array."PATH"``.
    """
    if not isinstance(document, dict):
        raise LayoutError(f"{where}: layout: {shown(document)} is no table")
    known = {"files", "memory", "default", "array", *ROLES}
    for name, table in document.items():
        if name not in known or not isinstance(table, dict):
            names = ", ".join(["files", "memory.NAME", "default", *ROLES, 'array."PATH"'])
            raise LayoutError(f"{where}: {shown(name)} is no table of a layout; tables: {names}")
    written = dict(document.get("files", {}))
    for key in written:
        if key not in ("addresses", "comments"):
            raise LayoutError(f"{where}: files: unknown key {shown(key)}")
    memories = tuple(
        (_name(where, name), _memory(f"{where}: memory.{name}", table))
        for name, table in sorted(document.get("memory", {}).items())
    )
    tables = [(n, document[n]) for n in ("default", *ROLES) if n in document]
    for path, table in sorted(document.get("array", {}).items()):
        if not _PATH.fullmatch(path):
            raise LayoutError(f"{where}: array {shown(path)} is not a path such as outputs/conv1")
        tables.append((path, table))
    addresses = written.get("addresses")
    if "addresses" in written and not isinstance(addresses, bool):
        raise LayoutError(f"{where}: files: addresses {shown(addresses)} is neither true nor false")
    comments = _choice(f"{where}: files", "comments", written.get("comments", "head"))
    rules = tuple((name, _rule(f"{where}: {name}", table)) for name, table in tables)
    made = {name: dict(keys) for name, keys in rules}
    for name, own in made.items():
        role = name.split("/")[0].removesuffix("s")
        above = {} if name == "default" else made.get("default", {})
        inherited = {**above, **made.get(role, {})} if "/" in name else above
        _check_tile(f"{where}: {name}", own, inherited)
    return Layout(rules, memories, addresses, comments)


def layout_document(layout: Layout) -> dict[str, Any]:
    """Return the document that `parse_layout` reads as this layout, in JSON's types."""

    def plain(keys: tuple[tuple[str, object], ...]) -> dict[str, object]:
        return {k: dict(v) if k == "tile" else v for k, v in keys}  # type: ignore[call-overload]

    tables = {name: plain(keys) for name, keys in layout.rules}
    written: dict[str, Any] = {"comments": layout.comments}
    if layout.addresses is not None:
        written["addresses"] = layout.addresses
    memories = {name: asdict(memory) for name, memory in layout.memories}
    for memory in memories.values():
        if not memory["whole"]:
            del memory["whole"]
    return {
        "files": written,
        "memory": memories,
        "array": {name: table for name, table in tables.items() if "/" in name},
        **{name: table for name, table in tables.items() if "/" not in name},
    }


def _name(where: str, name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise LayoutError(f"{where}: memory {shown(name)} is not a name (letters, digits, _)")
    return name


def _memory(where: str, table: Any) -> Memory:
    if not isinstance(table, dict):
        raise LayoutError(f"{where}: {shown(table)} is no table")
    if "word_bits" not in table:
        raise LayoutError(f"{where}: word_bits is missing")
    checked: dict[str, Any] = {k: _value(where, k, v, _MEMORY) for k, v in table.items()}
    return Memory(**checked)


def _rule(where: str, table: Any) -> tuple[tuple[str, object], ...]:
    if not isinstance(table, dict):
        raise LayoutError(f"{where}: {shown(table)} is no table")
    checked = {key: _value(where, key, table[key], _RULE) for key in sorted(table)}
    return tuple(checked.items())


def _check_tile(where: str, own: dict[str, Any], inherited: dict[str, Any]) -> None:
    """Refuse a tile that is not of the order; either may be of a more general table."""
    merged = {**inherited, **own}
    order, tile = str(merged.get("order", "")), dict(merged.get("tile", ()))
    small = {c for c in order if c.islower()}
    given = dict(own.get("tile", ()))
    if not set(given) <= small <= set(tile) or (
        {"order", "tile"} <= set(own) and small != set(given)
    ):
        raise LayoutError(
            f"{where}: tile {tile} does not give the extent of each small letter of "
            f"order {shown(order)}"
        )


def _value(where: str, key: str, value: Any, known: set[str]) -> object:
    if key not in known:
        raise LayoutError(f"{where}: unknown key {shown(key)}; known: {', '.join(sorted(known))}")
    if key in _CHOICES:
        return _choice(where, key, value)
    if key == "whole":
        if not isinstance(value, bool):
            raise LayoutError(f"{where}: whole {shown(value)} is neither true nor false")
        return value
    if key in _RANGES:
        return _integer(where, key, value, *_RANGES[key])
    if key == "padding":
        if value == "zero_point":
            return str(value)
        if isinstance(value, str):
            raise LayoutError(
                f'{where}: padding {shown(value)} is neither "zero_point" nor a number'
            )
        return _integer(where, key, value, -(2**31), 2**31 - 1)
    if key == "tile":
        if not isinstance(value, dict):
            raise LayoutError(f"{where}: tile {shown(value)} is no table such as {{ c = 16 }}")
        for letter, extent in value.items():
            _integer(where, f"tile {letter}", extent, 1, 2**16)
        return tuple(sorted(value.items()))
    if not isinstance(value, str):
        raise LayoutError(f"{where}: {key} {shown(value)} is no text")
    if key == "memory":
        return _name(where, value)
    if key == "row_axis":
        if not re.fullmatch("[SOHWICT]", value):
            raise LayoutError(f"{where}: row_axis {shown(value)} is none of S, O, H, W, I, C, T")
        return value
    if not _ORDER.fullmatch(value) or "N" in value[1:] or "n" in value:
        raise LayoutError(
            f"{where}: order {shown(value)} is not letters, each once, N (if any) first"
        )
    for at, letter in enumerate(value):
        if letter.islower() and letter.upper() not in value[:at]:
            raise LayoutError(
                f"{where}: order {shown(value)}: {letter} needs {letter.upper()} before it"
            )
    return value


def _choice(where: str, key: str, value: Any) -> str:
    if value not in _CHOICES[key]:
        raise LayoutError(f"{where}: {key} {shown(value)} is none of {', '.join(_CHOICES[key])}")
    return str(value)


def _integer(where: str, key: str, value: Any, lo: int, hi: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lo <= value <= hi:
        raise LayoutError(f"{where}: {key} {shown(value)} is not a number from {lo} to {hi}")
    return value
