"""Compare a device's dump with a golden-vector set: where, and how, they differ first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .columns import columns
from .errors import VectorError
from .vectors.compression import COMPRESSIONS
from .vectors.contents import Entry
from .vectors.formats import FORMATS
from .vectors.layout import Layout
from .vectors.manifest import read_manifest
from .vectors.op_sets import read_op_vectors
from .vectors.plan import Plan, SetFile
from .vectors.reader import read_entry, read_runs, regroup, values_of


@dataclass(frozen=True)
class Comparison:
    """One tensor or accumulator of the set against the dump.

    Parameters
    ----------
    op, kind, tensor : str
    role : str
        ``output``, ``accumulator`` or ``partial``.
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
    vectors: str | os.PathLike[str],
    dut: str | os.PathLike[str],
    progress: bool = False,
    partial: bool = False,
    layout: Layout | None = None,
) -> Report:
    """Compare the results in `dut` with those of the set `vectors`.

    Parameters
    ----------
    vectors : path
        A set of `intgold.vectors.generate.write_set`; all of it is checked first.
    dut : path
        A folder with the set's files ``outputs/``, ``accumulators/`` and ``partials/``, by the
        same names, in any of the formats, compressed or not; other files in these folders are
        refused, since they would be passed over.  A set is itself a valid dump.
    progress : bool
        Show a bar.
    partial : bool
        Take a dump that lacks arrays of the set: what is there is compared, what is not is counted.
    layout : Layout, optional
        Of the dump; default that of the set.

    Raises
    ------
    VectorError
        When the set is damaged, the dump lacks an array and `partial` is not given, or a file of
        the dump is not what its name says.
    """
    plan, _ = read_manifest(vectors, progress)
    if not os.path.isdir(dut):
        raise VectorError(f"{dut}: no such folder")
    device = plan if layout is None else replace(plan, layout=layout)
    wanted = _in_order(plan)
    dumps = {e: _dumped(Path(dut), device, e) for e in wanted}
    _refuse_unknown(Path(dut), dumps)
    missing = [e.path for e, found in dumps.items() if not found]
    if len(missing) == len(dumps):
        names = ", ".join(e.path for e in wanted)
        raise VectorError(f"{dut}: none of the arrays of the set: {names}")
    if missing and not partial:
        raise VectorError(
            f"{dut}: {len(missing)} of {len(dumps)} arrays are not in the dump, first "
            f"{missing[0]}; "
            "--partial compares what is there"
        )
    kinds = {op.name: op.kind for op in plan.model.ops}
    comparisons: list[Comparison] = []
    first: Difference | None = None
    values = sum(prod(e.whole(plan.count)) for e in wanted)
    with tqdm(
        total=values, unit="value", unit_scale=True, desc="verify", disable=not progress
    ) as bar:  # fmt: skip
        for entry, dump in dumps.items():
            of = prod(entry.whole(plan.count))
            kind = kinds[entry.owner]
            facts = (entry.owner, kind, entry.name, entry.role)
            if not dump:
                comparisons.append(Comparison(*facts, 0, of, 0))
                continue
            count, at = _compare(Path(vectors), plan, device, entry, dump, bar)
            comparisons.append(Comparison(*facts, of, of, count))
            if at is not None and first is None:
                image, where, expected, got = at
                accumulators = _accumulators(
                    Path(vectors), plan, device, dumps, entry, image, where
                )
                first = Difference(
                    *facts, entry.dtype, image, where, expected, got, *accumulators
                )  # fmt: skip
    return Report(tuple(comparisons), first)


def verify_op(
    vectors: str | os.PathLike[str],
    dut: str | os.PathLike[str],
    progress: bool = False,
    partial: bool = False,
    layout: Layout | None = None,
) -> dict[str, Report]:
    """Compare the dumps of all cases of an op, each in a folder of the case's name; see `verify`.

    Raises
    ------
    VectorError
        When the vectors are damaged or hold no sets, or `verify` refuses a dump.
    """
    names = read_op_vectors(vectors)
    if not names:
        raise VectorError(f"{vectors}: holds lines alone, no sets to compare")
    if not os.path.isdir(dut):
        raise VectorError(f"{dut}: no such folder")
    there = sorted(path.name for path in Path(dut).iterdir() if path.is_dir())
    odd = [name for name in there if name not in names]
    if odd:
        raise VectorError(f"{Path(dut) / odd[0]}: the vectors have no such case")
    chosen = [name for name in names if name in there] if partial else names
    if not chosen:
        raise VectorError(f"{dut}: none of the {len(names)} cases, such as {names[0]}")
    return {
        name: verify(Path(vectors) / name, Path(dut) / name, False, partial, layout)
        for name in tqdm(chosen, unit="case", desc="verify", disable=not progress)
    }


_Dump = list[tuple[list[Path], list[SetFile]]]
"""The files of one array, for each format that the dump has it in."""


def _in_order(plan: Plan) -> list[Entry]:
    """Return the results, by op; what an op computes first comes first."""
    order = {"partial": 0, "accumulator": 1, "output": 2}
    place = {op.name: i for i, op in enumerate(plan.model.ops)}
    results = [e for e in plan.entries if e.role in order]
    return sorted(results, key=lambda e: (place[e.owner], order[e.role]))


def _dumped(dut: Path, device: Plan, entry: Entry) -> _Dump:
    found: _Dump = []
    for name in FORMATS:
        for compression in COMPRESSIONS:
            files = device.files_of(entry, name, compression)
            paths = [dut / file.path for file in files]
            there = [path for path in paths if os.path.lexists(path)]
            if there and len(there) < len(paths):
                lacking = next(path for path in paths if path not in there)
                raise VectorError(f"{lacking}: this bank is not in the dump")
            if there:
                found.append((paths, files))
    return found


def _refuse_unknown(dut: Path, dumps: Mapping[Entry, _Dump]) -> None:
    """A file under another name than the set's would be passed over: say so instead."""
    for role in ("output", "accumulator", "partial"):
        if (dut / role).exists():
            raise VectorError(f"{dut / role}: the folder of a dump is called {role}s")
    known = {path for dump in dumps.values() for paths, _ in dump for path in paths}
    for folder in ("outputs", "accumulators", "partials"):
        for path in sorted((dut / folder).rglob("*")):
            if path not in known:
                raise VectorError(f"{path}: the set has no such array or format")


_Place = tuple[int, tuple[int, ...], int, int]
"""Image, coordinate, expected and got."""


def _compare(
    vectors: Path, plan: Plan, device: Plan, entry: Entry, dump: _Dump, bar: Any
) -> tuple[int, _Place | None]:
    """Return how many values differ, and the first of them."""
    expected = read_entry(vectors, plan, entry)
    streams = [regroup(read_runs(device, paths, files), _sizes(plan)) for paths, files in dump]
    count, found, image = 0, None, 0
    for want in regroup(expected, _sizes(plan)):
        got, *others = (next(stream) for stream in streams)
        for (paths, _), other in zip(dump[1:], others, strict=True):
            if not np.array_equal(got, other):
                name = dump[0][0][0].name
                raise VectorError(f"{paths[0]} and {name} say different things")
        differs = want != got
        here = int(np.count_nonzero(differs))
        if here and found is None:
            at = tuple(int(i) for i in np.argwhere(differs)[0])
            found = (image + at[0], at[1:], int(want[at]), int(got[at]))
        count += here
        image += len(want)
        bar.update(want.size)
    for stream in streams:  # a reader checks what follows its last word when asked for more
        next(stream, None)
    return count, found


def _sizes(plan: Plan) -> list[int]:
    step = plan.block_images
    return [min(step, plan.count - first) for first in range(0, plan.count, step)]


def _accumulators(
    vectors: Path, plan: Plan, device: Plan, dumps: Mapping[Entry, _Dump], entry: Entry, image: int,
    where: tuple[int, ...],
) -> tuple[int | None, int | None]:  # fmt: skip
    """Return the expected and the dump's accumulator behind a value, where there is one."""
    behind = next(
        (e for e in dumps if (e.role, e.owner) == ("accumulator", entry.owner)), None
    )  # fmt: skip
    if behind is None or entry.role == "partial":
        return None, None
    (expected,) = values_of(read_entry(vectors, plan, behind), [(image, *where)])
    if not dumps[behind]:
        return expected, None
    (got,) = values_of(read_runs(device, *dumps[behind][0]), [(image, *where)])
    return expected, got


def _table(comparisons: tuple[Comparison, ...]) -> list[str]:
    rows = [("op", "kind", "tensor", "values", "differing")]
    for c in comparisons:
        name = c.tensor + {"output": "", "accumulator": " (acc)", "partial": " (partial)"}[c.role]
        found = (str(c.values), str(c.differing)) if c.values else ("-", "not in the dump")
        rows.append((c.op, c.kind, name, *found))
    return columns(rows, left=range(3))


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
    place = ", ".join(f"{axis} {i}" for axis, i in zip(_axes(first), first.coordinate, strict=True))
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


def _axes(first: Difference) -> list[str]:
    steps = ["step"] if first.role == "partial" else []
    return steps + ["oy", "ox", "oc"][3 - len(first.coordinate) + len(steps) :]


def _both(value: int, digits: int) -> str:
    return f"{value} (0x{value & (16**digits - 1):0{digits}x})"
