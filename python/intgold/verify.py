"""Compare a device's dump with a golden-vector set: where, and how, they differ first."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .errors import IntgoldError, VectorError
from .files import read_plain
from .vectors.formats import FORMATS
from .vectors.manifest import File, read_manifest


@dataclass(frozen=True)
class Comparison:
    """One tensor or accumulator of the set against the dump.

    Parameters
    ----------
    op, kind, tensor : str
    role : str
        ``output`` or ``accumulator``.
    values : int
        How many were compared; 0 when the dump does not have it.
    of : int
        How many the set has.
    differing : int
    """

    op: str
    kind: str
    tensor: str
    role: str
    values: int
    of: int
    differing: int


@dataclass(frozen=True)
class Difference:
    """The first value that differs, with the accumulator behind it where the set has one."""

    op: str
    kind: str
    tensor: str
    role: str
    dtype: str
    image: int
    coordinate: tuple[int, ...]
    expected: int
    got: int
    expected_accumulator: int | None
    got_accumulator: int | None


@dataclass(frozen=True)
class Report:
    """What `verify` found: ops in execution order, the accumulator of an op before its output."""

    comparisons: tuple[Comparison, ...]
    first: Difference | None

    @property
    def equal(self) -> bool:
        """True when values were compared and none differs; see `missing`."""
        return self.first is None and self.values > 0

    @property
    def values(self) -> int:
        """How many values were compared."""
        return sum(c.values for c in self.comparisons)

    @property
    def missing(self) -> int:
        """How many arrays of the set the dump does not have."""
        return sum(not c.values for c in self.comparisons)

    def __str__(self) -> str:
        return "\n".join([*_table(self.comparisons), "", *_verdict(self)])


def verify(
    vectors: str | os.PathLike[str], dut: str | os.PathLike[str], progress: bool = False
) -> Report:
    """Compare the outputs and accumulators in `dut` with those of the set `vectors`.

    Parameters
    ----------
    vectors : path
        A set of `intgold.vectors.generate.write_set`; all of it is checked first.
    dut : path
        A folder with any of the set's files ``outputs/`` and ``accumulators/``, by the same
        names, in any of the formats; other files there are refused, since they would be passed
        over.  A set is itself a valid dump.
    progress : bool
        Show a bar.

    Raises
    ------
    VectorError
        When the set is damaged, the dump has none of its tensors, or a file of the dump is not
        what its name says.
    """
    model, files = read_manifest(vectors)
    if not os.path.isdir(dut):
        raise VectorError(f"{dut}: no such folder")
    wanted: dict[tuple[str, str], File] = {}
    for each in files:
        if each.role in ("output", "accumulator"):
            wanted.setdefault((each.owner, each.role), each)
    _refuse_unknown(Path(dut), wanted.values())
    comparisons: list[Comparison] = []
    first: Difference | None = None
    for op in tqdm(model.ops, unit="op", desc="verify", disable=not progress):
        for role in ("accumulator", "output"):
            file = wanted.get((op.name, role))
            if file is None:
                continue
            got = _read_dump(Path(dut), file)
            if got is None:
                missing = Comparison(op.name, op.kind, file.name, role, 0, math.prod(file.shape), 0)
                comparisons.append(missing)
                continue
            expected = _read(Path(vectors) / file.path, file)
            differs = expected != got
            count = int(differs.sum())
            comparisons.append(
                Comparison(op.name, op.kind, file.name, role, got.size, got.size, count)
            )
            if count and first is None:
                at = tuple(int(i) for i in np.argwhere(differs)[0])
                accumulators = _accumulators(Path(vectors), Path(dut), wanted, op.name, at)
                first = Difference(
                    op.name, op.kind, file.name, role, file.dtype, at[0], at[1:],
                    int(expected[at]), int(got[at]), *accumulators,
                )  # fmt: skip
    if not any(c.values for c in comparisons):
        names = ", ".join(sorted({Path(f.path).stem for f in wanted.values()}))
        raise VectorError(f"{dut}: none of the tensors of the set: {names}")
    return Report(tuple(comparisons), first)


def _refuse_unknown(dut: Path, wanted: Iterable[File]) -> None:
    """A file under another name than the set's would be passed over: say so instead."""
    known = {path for file in wanted for path in _paths(dut, file)}
    for folder in ("outputs", "accumulators"):
        for path in sorted((dut / folder).rglob("*")):
            if path not in known:
                raise VectorError(f"{path}: the set has no such array or format")


def _read(path: Path, file: File) -> np.ndarray:
    form: Any = FORMATS[path.suffix.removeprefix(".")]
    try:
        data = read_plain(path, form.most_bytes(file.dtype, file.shape))
    except IntgoldError as error:
        raise VectorError(str(error)) from error
    return form.decode(str(path), data, file.dtype, file.shape)


def _paths(dut: Path, file: File) -> list[Path]:
    return [(dut / file.path).with_suffix(f".{f}") for f in FORMATS]


def _read_dump(dut: Path, file: File) -> np.ndarray | None:
    """Return the dump's array in whatever format it is there, or None."""
    there = [path for path in _paths(dut, file) if os.path.lexists(path)]
    if not there:
        return None
    arrays = [_read(path, file) for path in there]
    for path, array in zip(there[1:], arrays[1:], strict=True):
        if not np.array_equal(arrays[0], array):
            raise VectorError(f"{path} and {there[0].name} say different things")
    return arrays[0]


def _accumulators(
    vectors: Path, dut: Path, wanted: dict[tuple[str, str], File], op: str, at: tuple[int, ...]
) -> tuple[int | None, int | None]:
    """Return the expected and the dump's accumulator behind a value, where there is one."""
    file = wanted.get((op, "accumulator"))
    if file is None:
        return None, None
    got = _read_dump(dut, file)
    return int(_read(vectors / file.path, file)[at]), None if got is None else int(got[at])


def _table(comparisons: tuple[Comparison, ...]) -> list[str]:
    rows = [("op", "kind", "tensor", "values", "differing")]
    for c in comparisons:
        name = c.tensor if c.role == "output" else f"{c.tensor} (acc)"
        found = (str(c.values), str(c.differing)) if c.values else ("-", "not in the dump")
        rows.append((c.op, c.kind, name, *found))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = [
        "  ".join(
            cell.ljust(w) if i < 3 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _verdict(report: Report) -> list[str]:
    compared = f"{report.values} values compared"
    if report.missing:
        compared = (
            f"{report.missing} of {len(report.comparisons)} arrays are not in the dump; "
            f"{report.values} of {sum(c.of for c in report.comparisons)} values compared"
        )
    first = report.first
    if first is None:
        return [f"{compared}, all equal"]
    differing = sum(c.differing for c in report.comparisons)
    digits = 2 * np.dtype(first.dtype).itemsize
    place = ", ".join(
        f"{axis} {i}" for axis, i in zip(_axes(first.coordinate), first.coordinate, strict=True)
    )
    lines = [
        f"{compared}, {differing} differ",
        f"first difference: op {first.op} ({first.kind}), {first.role} of {first.tensor}, "
        f"image {first.image}, {place}",
        f"  expected {_both(first.expected, digits)}",
        f"  got      {_both(first.got, digits)}",
    ]
    if first.role == "output" and first.expected_accumulator is not None:
        got = "not in the dump"
        if first.got_accumulator is not None:
            got = _both(first.got_accumulator, 8)
        lines.append(f"  accumulator: expected {_both(first.expected_accumulator, 8)}, got {got}")
    return lines


def _axes(coordinate: tuple[int, ...]) -> tuple[str, ...]:
    return {1: ("oc",), 2: ("ox", "oc"), 3: ("oy", "ox", "oc")}[len(coordinate)]


def _both(value: int, digits: int) -> str:
    return f"{value} (0x{value & (16**digits - 1):0{digits}x})"
