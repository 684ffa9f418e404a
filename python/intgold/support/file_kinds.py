"""The kinds of single files that intgold writes, and how each is known again by its content.

A file that is there gives way to another of its kind, or where it is empty.  Anything else is the
user's and stays: `intgold.support.safe_files.replacing` asks here.  A text that has comments ends
in a seal (`intgold.support.seals`): changed since, it is the user's as well.  Of other kinds only
both ends are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..errors import IntgoldError
from .quoting import short_repr
from .seals import SEAL, Comment, is_sealed

MADE_BY = "intgold"
"""What a picture states as its software."""
_ENDS = 2**16  # bytes that are read of the head and of the tail
_HINT = "move it away, or give another name"
SWEEP_COLUMNS = (
    "calibration", "activation", "activations", "per_channel", "weight_bits", "weight_scales",
    "multiplier_bits", "form", "accuracy", "differing", "worst_layer", "worst_sqnr",
    "parameter_bytes", "table_bytes", "constant_bytes", "accumulator_bits", "golden_images",
    "golden_differing", "sha256",
)  # fmt: skip
"""Of the rows of a sweep, in order: its files are known by them."""
_Known: TypeAlias = Callable[[bytes, bytes], bool]
_HTML, _C, _HASH = ("<!-- ", " -->"), ("/* ", " */"), ("# ", "")
_SUM = rb"content SHA-256 [0-9a-f]{64}"


@dataclass(frozen=True, eq=False)
class FileKind:
    """What a writer writes to a path, and how that is known again.

    Parameters
    ----------
    name : str
        Such as "model".
    known : mapping of str to callable or None
        By the suffix, with its dot in lower case: takes the first and the last bytes of a file and
        says whether intgold wrote it so.  None: such a file does not say who wrote it.
    comment : Comment, optional
        Of a text that has comments: how a line of comment begins and ends.  Such a file is sealed.
    """

    __repr__ = short_repr

    name: str
    known: Mapping[str, _Known | None]
    comment: Comment | None = None

    def suffix(self, path: str | os.PathLike[str]) -> str:
        """Return the suffix of a path in lower case.

        Raises
        ------
        IntgoldError
            Naming those that are right, when it is none of them.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in self.known:
            *others, last = self.known
            listed = f"{', '.join(others)} or {last}" if others else last
            raise IntgoldError(f"{str(path) or repr('')}: a {self.name} ends in {listed}")
        return suffix

    def check_replaceable(self, path: str | os.PathLike[str], target: Path) -> None:
        """Raise IntgoldError unless `target`, where `path` leads, is absent, empty or of this kind.

        Raises
        ------
        OSError
            When it cannot be read.
        """
        if not target.exists() or target.stat().st_size == 0:
            return
        known = [of for of in self.known.values() if of is not None]
        if not known:
            unsaid = f"a {' or '.join(self.known)} file does not say who wrote it"
            raise IntgoldError(f"cannot write {path}: it is there, and {unsaid}; {_HINT}")
        head, tail = _ends(target)
        if not any(of(head, tail) for of in known):
            raise IntgoldError(
                f"cannot write {path}: it is there and was not written by intgold as a "
                f"{self.name}; {_HINT}"
            )
        if self.comment is not None and not is_sealed(target, self.comment):
            unsealed = SEAL.encode() not in tail
            why = ", or an earlier version wrote it, without a seal" if unsealed else ""
            raise IntgoldError(
                f"cannot write {path}: it is there and was changed after intgold wrote it{why}; "
                f"{_HINT}"
            )


def _ends(path: Path) -> tuple[bytes, bytes]:
    with open(path, "rb") as file:
        head = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        return head, file.read(_ENDS)


def html_start(what: str) -> str:
    """Return how an HTML page of intgold begins, up to where its title may come."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="generator" content="intgold {what}">'
    )


def _starting(text: str) -> _Known:
    return lambda head, tail: head.startswith(text.encode())


def _matching(pattern: bytes) -> _Known:
    return lambda head, tail: re.match(pattern, head) is not None


def _json(form: str) -> _Known:
    return _starting(f'{{\n "format": "{form}"')


def _zip(member: str, form: str) -> _Known:
    """Know a stored zip by its first member, a canonical JSON text that states its format."""
    name, line = member.encode(), f'\n "format": "{form}"'.encode()

    def known(head: bytes, tail: bytes) -> bool:
        start, size = 30 + len(name), int.from_bytes(head[22:26], "little")
        lengths = len(name).to_bytes(2, "little") + b"\0\0"  # of the name; no extra field
        return (
            head[:4] == b"PK\x03\x04"
            and head[8:10] == b"\0\0"
            and head[26:start] == lengths + name
            and line in head[start : start + size]
        )

    return known


def _sweep_csv(head: bytes, tail: bytes) -> bool:
    return head.startswith(",".join(SWEEP_COLUMNS).encode() + b"\n")


def _sweep_json(head: bytes, tail: bytes) -> bool:
    first = head.partition(b"\n }")[0]
    return first.startswith(b"[\n {\n") and re.findall(rb'\n  "(\w+)": ', first) == [
        name.encode() for name in SWEEP_COLUMNS
    ]


def _png(head: bytes, tail: bytes) -> bool:
    before, data, _ = head.partition(b"IDAT")
    return before.startswith(b"\x89PNG\r\n\x1a\n") and bool(data) and (
        b"tEXtSoftware\0" + MADE_BY.encode() in before
    )  # fmt: skip


def _svg(head: bytes, tail: bytes) -> bool:
    creator = rb"<dc:creator>\s*<cc:Agent>\s*<dc:title>%b</dc:title>" % MADE_BY.encode()
    return head.startswith(b"<?xml") and re.search(creator, head) is not None


def _pdf(head: bytes, tail: bytes) -> bool:
    return head.startswith(b"%PDF-") and b"/Creator (%b)" % MADE_BY.encode() in tail


MODEL = FileKind("model", {".npz": _zip("model.json", "intgold-model")})
NETWORK = FileKind("float network", {".npz": _zip("network.json", "intgold-float-network")})
RANGES = FileKind("set of ranges", {".json": _json("intgold-ranges")})
COMPARISON = FileKind("comparison", {".json": _json("intgold-comparison")})
SWEEP_CSV = FileKind("sweep", {".csv": _sweep_csv})
SWEEP_JSON = FileKind("sweep", {".json": _sweep_json})
PICTURE = FileKind("picture", {".png": _png, ".svg": _svg, ".pdf": _pdf})
BOXES = FileKind("picture of boxes", {".png": _png})
REPORT = FileKind("report", {".html": _starting(html_start("verify"))}, _HTML)
SHEET = FileKind(
    "data sheet",
    {
        ".md": _matching(rb"# [^\n]+: arithmetic data sheet\n\nContract [^\n]+, " + _SUM),
        ".html": _starting(html_start("data sheet")),
    },
    _HTML,
)
SIGNATURES_HEAD = (
    "# CRC-32, polynomial 0x04c11db7 reflected (0xedb88320), starts and ends inverted;\n"
    "# bytes of elements little-endian, tile after tile, in a tile the channel fastest\n"
)
SIGNATURES = FileKind("list of signatures", {".txt": _starting(SIGNATURES_HEAD)}, _HASH)
INPUT = FileKind("stimulus", {".npy": None})
C_SOURCE = FileKind(
    "C source of models",
    {".c": _matching(rb'#include "intgold.h"\n\n(#[^\n]*\n)*\n?/\* [^\n]+: ' + _SUM + rb" \*/\n")},
    _C,
)
