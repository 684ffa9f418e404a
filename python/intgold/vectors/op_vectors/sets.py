"""Vectors of a single op (SPEC 10.8): a set for each case, the cases as text lines, an index."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ...errors import IntgoldError, VectorError
from ...ops.fields import FORMS
from ...ops.table import OPS
from ...support.arguments import checked
from ...support.folders import FolderKind, paths_below, replacing_folder, sha256_of
from ...support.json_text import canonical_sha256, is_canonical, strict_json
from ...support.progress import Progress
from ...support.safe_files import canonical_json, read_plain
from ..cases.op_corners import Case, corner_cases, random_case
from ..memory.layout import Layout
from ..sets.generate import Summary, write_set
from ..sets.manifest import NAME, provenance
from .lines import op_lines
from .requantize import requantize_lines

FORMAT, VERSION = "intgold-op-vectors", 1
README = "README.md"
DEFAULT_FORMATS = ("npy", "hex")
LINES = "lines"
"""A format beside those of arrays: TestFloat-like text, operands and expected results."""
REQUANTIZE = "requantize"
"""Is no op of a graph: the block behind the accumulator alone, as lines."""
_KEYS = {"format", "version", "tool", "spec", "op", "random", "seed", "cases", "files", "sha256"}
_MAX_RANDOM = 2**16


def check_op(op: str) -> None:
    """Raise VectorError unless there are vectors of this op."""
    if op not in OPS and op != REQUANTIZE:
        raise VectorError(f"op: {op!r} is none of {', '.join([*OPS, REQUANTIZE])}")


@checked
def cases_of(op: str, random: int, seed: int) -> Iterator[Case]:
    """Yield the directed cases of an op, then `random` ones from `seed` on.

    Raises
    ------
    VectorError
        When a number is out of range.
    """
    if not 0 <= random <= _MAX_RANDOM:
        raise VectorError(f"random: {random} is not from 0 to {_MAX_RANDOM}")
    yield from corner_cases(op)
    for number in range(random):
        yield random_case(op, seed + number)


@checked
def lines_of(op: str, random: int, seed: int) -> Iterator[str]:
    """Yield the lines of all cases of an op; see `intgold.vectors.op_vectors.lines`."""
    return chain.from_iterable(map(op_lines, cases_of(op, random, seed)))


def requantize_blocks(form: str | None, bits: int | None) -> list[tuple[str, int]]:
    """Return the (form, bits) of requantize vectors: those asked for, else every one."""
    own = {"float32": 24, "float64": 53}
    if form is not None and form not in FORMS:
        raise VectorError(f"form: {form!r} is none of {', '.join(FORMS)}")
    found = []
    for name in [form] if form else FORMS:
        widths = [own[name]] if name in own else range(1, 32)
        found += [(name, b) for b in widths if bits in (None, b)]
    if not found:
        raise VectorError(f"multiplier bits {bits}: 1 to 31, 24 of float32, 53 of float64")
    return found


@checked
def write_op_sets(
    op: str,
    folder: str | os.PathLike[str],
    random: int = 0,
    seed: int = 0,
    formats: Sequence[str] = DEFAULT_FORMATS,
    layout: Layout | None = None,
    form: str | None = None,
    bits: int | None = None,
    progress: bool = False,
) -> Summary:
    """Write the vectors of one op; the same arguments give the same bytes.

    Parameters
    ----------
    op : str
        Of the op table, or ``requantize``.
    folder : path
        Is made; vectors of an op that are there already are replaced, if all in it is as it was
        written; anything else is refused.
    random, seed : int
        Random cases beside the directed ones (of requantize: lines in each block).
    formats : sequence of str
        Of arrays, as in `write_set`; ``lines`` for one text file of all cases. A requantize has
        lines only.
    layout : Layout, optional
    form, bits : str, int
        Of a requantize; default every form in every width of its multiplier.
    progress : bool
        Show a bar.

    Raises
    ------
    VectorError
        When an argument is not as above or the folder holds something else.
    """
    check_op(op)
    if op == REQUANTIZE and tuple(formats) not in (DEFAULT_FORMATS, (LINES,)):
        raise VectorError(f"op {op}: format {','.join(formats)}: there are lines only")
    if op != REQUANTIZE and (form is not None or bits is not None):
        raise VectorError(f"op {op}: form and multiplier bits are choices of requantize only")
    size = images = 0
    reasons: list[tuple[str, str]] = []
    with replacing_folder(folder, VECTORS) as made:
        if op == REQUANTIZE:
            blocks = requantize_blocks(form, bits)
            for name, width in Progress(blocks, unit="block", label=op, show=progress):
                lines = requantize_lines(name, width, random, seed)
                reasons.append(
                    (f"{name}_{width}.{LINES}", f"form {name}, multipliers of {width} bits")
                )
                _write_lines(made / reasons[-1][0], lines)
        else:
            arrays = [f for f in formats if f != LINES]
            cases = list(cases_of(op, random, seed))
            for case in Progress(cases, unit="case", label=op, show=progress and bool(arrays)):
                reasons.append((case.name, case.reason))
                if arrays:
                    part = write_set(
                        case.model, made / case.name, case.x, formats=arrays, layout=layout
                    )
                    images += part.images
            if LINES in formats:
                _write_lines(made / f"{op}.{LINES}", chain.from_iterable(map(op_lines, cases)))
        (made / README).write_text(_readme(op, reasons))
        (made / NAME).write_bytes(_manifest(made, op, random, seed, reasons))
        found = paths_below(made)
        size = sum((made / path).stat().st_size for path in found)
    return Summary(len(found), size, images, len(reasons))


def _write_lines(path: Path, lines: Iterator[str]) -> None:
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def _readme(op: str, reasons: Sequence[tuple[str, str]]) -> str:
    clause = OPS[op].clause if op in OPS else "4"
    rows = "".join(f"- `{name}`: {reason}\n" for name, reason in reasons)
    return f"# Golden vectors of {op} (SPEC {clause})\n\n{rows}"


def _manifest(
    folder: Path, op: str, random: int, seed: int, reasons: Sequence[tuple[str, str]]
) -> bytes:
    document: dict[str, Any] = {
        "format": FORMAT, "version": VERSION, **provenance(), "op": op, "random": random,
        "seed": seed,
        "cases": [{"name": name, "reason": reason} for name, reason in reasons],
        "files": {p: sha256_of(folder / p) for p in paths_below(folder) if p != NAME},
    }  # fmt: skip
    document["sha256"] = canonical_sha256(document)
    return canonical_json(document)


def is_op_vectors(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder says that it holds vectors of one op."""
    try:  # in canonical form that is a line of its own; who reads them parses the whole
        return f'\n "format": "{FORMAT}",\n'.encode() in read_plain(Path(folder) / NAME)
    except IntgoldError:
        return False


@checked
def read_op_vectors(folder: str | os.PathLike[str]) -> list[str]:
    """Return the names of the cases that have a set, of vectors that are whole and unchanged.

    Raises
    ------
    VectorError
        Naming the file that is missing, surplus or changed.
    """
    where = Path(folder) / NAME
    files = _files(where)
    present = {path for path in paths_below(Path(folder)) if not path.endswith("/")}
    unmatched = sorted(present ^ {*files, NAME})
    if unmatched:
        raise VectorError(f"{folder}: {unmatched[0]} is missing or not of these vectors")
    for path, digest in files.items():
        if (Path(folder) / path).is_symlink() or not (Path(folder) / path).is_file():
            raise VectorError(f"{Path(folder) / path}: not a plain file")
        if sha256_of(Path(folder) / path) != digest:
            raise VectorError(f"{Path(folder) / path}: changed: does not match its sha256")
    return sorted(p.removesuffix(f"/{NAME}") for p in files if p.endswith(f"/{NAME}"))


def _files(where: Path) -> dict[str, str]:
    try:
        return dict(_parse(read_plain(where))["files"])
    except (OSError, ValueError, IntgoldError) as error:
        raise VectorError(f"{where}: {error}") from error


def _parse(data: bytes) -> dict[str, Any]:
    """Return the manifest, whole and undamaged."""
    document = strict_json(data)
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise ValueError("not the manifest of an op's vectors")
    stated = document.pop("sha256")
    if canonical_sha256(document) != stated:
        raise ValueError("its content does not match its sha256")
    if not is_canonical({**document, "sha256": stated}, data):
        raise ValueError("not in canonical form")
    if document["version"] != VERSION:
        raise ValueError(f"version {document['version']!r}; this intgold reads {VERSION}")
    files = document["files"]
    if not isinstance(files, dict) or not all(isinstance(v, str) for v in files.values()):
        raise ValueError(f"files {files!r}")
    return document


def _facts(data: bytes) -> str:
    document = _parse(data)
    return (
        f"{document['op']}, {len(document['cases'])} cases, random {document['random']}, "
        f"seed {document['seed']}"
    )


VECTORS = FolderKind(
    "vectors of one op", NAME, lambda data: _parse(data)["files"], VectorError, _facts
)  # fmt: skip
"""How the folder of an op's vectors is known again."""
