"""Vectors of a single op (SPEC 10.8): a set for each case, the cases as text lines, an index."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ...errors import IntgoldError, VectorError
from ...ops.fields import FORMS
from ...ops.table import OPS
from ...support.arguments import checked, fit_fields
from ...support.deprecation import once_by_position
from ...support.folder_records import FolderKind, paths_below, sha256_of
from ...support.folder_replacement import replacing_folder
from ...support.json_text import canonical_sha256, is_canonical, strict_json
from ...support.progress import Progress
from ...support.quoting import short_repr
from ...support.safe_files import canonical_json, read_plain
from ..cases.corners.case import Case
from ..cases.op_corners import corner_cases, random_case
from ..memory.layout import Layout
from ..sets.generate import Summary, write_set
from ..sets.integrity import NAME
from ..sets.manifest import provenance
from ..sets.options import SetOptions
from .lines import op_lines
from .requantize import requantize_lines

FORMAT, VERSION = "intgold-op-vectors", 1
README = "README.md"
DEFAULT_FORMATS = ("npy", "hex")
LINES = "lines"
"""A format beside those of arrays: TestFloat-like text, operands and expected results."""
REQUANTIZE = "requantize"
"""No op of a graph: only the block after the accumulator, as lines."""
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


@dataclass(frozen=True)
class OpSetOptions:
    """Which cases of an op are written, and how; `write_op_sets` takes each field by name, too.

    Parameters
    ----------
    random, seed : int
        Random cases beside the directed ones (of requantize: lines in each block).
    formats : sequence of str
        Of arrays, as in `SetOptions`; ``lines`` for one text file of all cases.  A requantize has
        lines only.
    layout : Layout, optional
        How arrays become memory words; default one element a word.
    form, bits : str, int
        Of a requantize; default every form in every width of its multiplier.

    Raises
    ------
    InputError
        When a field is not of its type.
    """

    __repr__ = short_repr

    random: int = 0
    seed: int = 0
    formats: Sequence[str] = DEFAULT_FORMATS
    layout: Layout | None = None
    form: str | None = None
    bits: int | None = None

    def __post_init__(self) -> None:
        fit_fields(self, "write_op_sets")


@once_by_position(
    2, "random", "seed", "formats", "layout", "form", "bits", "progress", unless=OpSetOptions
)
@checked
def write_op_sets(
    op: str,
    folder: str | os.PathLike[str],
    options: OpSetOptions | None = None,
    *,
    progress: bool = False,
    **choices: Any,
) -> Summary:
    """Write the vectors of one op; the same arguments give the same bytes.

    Parameters
    ----------
    op : str
        Of the op table, or ``requantize``.
    folder : path
        Is made; vectors of an op that are there already are replaced, if all in it is as it was
        written; anything else is refused.
    options : OpSetOptions, optional
        Which cases, and how they are written.
    progress : bool
        Show a bar.
    **choices
        Fields of `OpSetOptions` by name, which go before those of `options`:
        ``write_op_sets("conv2d", "conv2d_vectors", random=20)``.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        When a choice is not of its type.
    VectorError
        When a choice is out of range or the folder holds something else.
    """
    check_op(op)
    chosen = replace(options or OpSetOptions(), **choices)
    if op == REQUANTIZE and tuple(chosen.formats) not in (DEFAULT_FORMATS, (LINES,)):
        raise VectorError(
            f"op {op}: format {','.join(chosen.formats)}: a requantize has only the format lines"
        )
    if op != REQUANTIZE and (chosen.form is not None or chosen.bits is not None):
        raise VectorError(f"op {op}: form and multiplier bits are choices of requantize only")
    with replacing_folder(folder, VECTORS) as made:
        write = _write_requantize if op == REQUANTIZE else _write_cases
        reasons, images = write(op, made, chosen, progress=progress)
        (made / README).write_text(_readme(op, reasons))
        (made / NAME).write_bytes(_manifest(made, op, chosen, reasons))
        found = paths_below(made)
        size = sum((made / path).stat().st_size for path in found)
    return Summary(len(found), size, images, len(reasons))


Reasons = list[tuple[str, str]]
"""Name and reason of each case."""


def _write_requantize(
    op: str, made: Path, chosen: OpSetOptions, *, progress: bool
) -> tuple[Reasons, int]:
    """Write the lines of each block; return what was written, and no images."""
    reasons: Reasons = []
    blocks = requantize_blocks(chosen.form, chosen.bits)
    for name, width in Progress(blocks, unit="block", label=op, show=progress):
        lines = requantize_lines(name, width, chosen.random, chosen.seed)
        reasons.append((f"{name}_{width}.{LINES}", f"form {name}, multipliers of {width} bits"))
        _write_lines(made / reasons[-1][0], lines)
    return reasons, 0


def _write_cases(
    op: str, made: Path, chosen: OpSetOptions, *, progress: bool
) -> tuple[Reasons, int]:
    """Write the set of each case, and the lines of all; return their reasons, and images."""
    arrays = [f for f in chosen.formats if f != LINES]
    cases = list(cases_of(op, chosen.random, chosen.seed))
    reasons, images = [(case.name, case.reason) for case in cases], 0
    if arrays:
        for case in Progress(cases, unit="case", label=op, show=progress):
            options = SetOptions(source=case.x, formats=arrays, layout=chosen.layout)
            images += write_set(case.model, made / case.name, options).images
    if LINES in chosen.formats:
        _write_lines(made / f"{op}.{LINES}", chain.from_iterable(map(op_lines, cases)))
    return reasons, images


def _write_lines(path: Path, lines: Iterator[str]) -> None:
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def _readme(op: str, reasons: Reasons) -> str:
    clause = OPS[op].clause if op in OPS else "4"
    rows = "".join(f"- `{name}`: {reason}\n" for name, reason in reasons)
    return f"# Golden vectors of {op} (SPEC {clause})\n\n{rows}"


def _manifest(folder: Path, op: str, chosen: OpSetOptions, reasons: Reasons) -> bytes:
    document: dict[str, Any] = {
        "format": FORMAT, "version": VERSION, **provenance(), "op": op,
        "random": chosen.random, "seed": chosen.seed,
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
