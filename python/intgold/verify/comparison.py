"""Compare a device's dump with a golden-vector set: where, and how, they differ first."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from ..document.blocks import Definitions, DocumentBlock, Paragraph, Remark, Section, Table
from ..document.terminal import to_terminal
from ..errors import VectorError
from ..ops.fields import Requantize
from ..support.arguments import checked
from ..support.deprecation import once_by_position
from ..support.moved import renamed, renamed_attribute
from ..support.progress import Progress
from ..support.quoting import short_repr
from ..vectors.arrays.contents import ArraySpec
from ..vectors.memory.layout import Layout
from ..vectors.memory.memory_map import ENCODED
from ..vectors.op_vectors.sets import read_op_vectors
from ..vectors.sets.strays import Strays, stray_lines
from .dump import Dump
from .error_statistics import ErrorStatistics
from .locate import FileLocation, file_locations

IN_DEVICE = f"{ENCODED}; causes and arithmetic are in q"


@dataclass(frozen=True)
class ArrayComparison:
    """One tensor or accumulator of the set against the dump.

    Parameters
    ----------
    op, kind, tensor : str
    role : str
        ``output``, ``accumulator`` or ``partial``.
    values : int
        How many were compared; 0 when the dump lacks it.
    of : int
        How many the set has, of the images compared.
    tally : ErrorStatistics
        What differs.
    """

    op: str
    kind: str
    tensor: str
    role: str
    values: int
    of: int
    tally: ErrorStatistics = field(repr=False, compare=False)

    @property
    def differing(self) -> int:
        """How many values differ."""
        return self.tally.differing

    @property
    def strays(self) -> int:
        """How many words hold something else than padding around their elements."""
        return self.tally.strays.words if self.tally.strays else 0


@dataclass(frozen=True)
class FirstDifference:
    """The first value that differs, with its accumulator where the set has one.

    Parameters
    ----------
    op, kind, tensor, role, dtype : str
        The dtype is that in the dump: uint8 where its layout says offset binary.
    image : int
    coordinate : tuple of int
    expected, got : int
        As the dump's layout encodes them.
    expected_accumulator, got_accumulator : int or None
    requantize : tuple of (str, int, int) or None
        Form, multiplier and right_shift of its channel.
    locations : tuple of FileLocation
        Where it lies in the dump.
    """

    __repr__ = short_repr

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
    requantize: tuple[str, int, int] | None
    locations: tuple[FileLocation, ...]

    spots = renamed_attribute("FirstDifference", "spots", "locations")


@dataclass(frozen=True)
class DumpComparison:
    """What `verify` found: ops in execution order, the accumulator of an op before its output.

    Parameters
    ----------
    comparisons : tuple of ArrayComparison
    first : FirstDifference or None
    images, set_images : int
        How many images were compared, and how many the set has.
    """

    comparisons: tuple[ArrayComparison, ...]
    first: FirstDifference | None
    images: int
    set_images: int

    __repr__ = short_repr

    @property
    def equal(self) -> bool:
        """True when values were compared and neither one nor padding differs; see `missing`."""
        return self.first is None and self.values > 0 and not self.strays

    @property
    def strays(self) -> int:
        """How many words hold something else than padding around their elements."""
        return sum(c.strays for c in self.comparisons)

    @property
    def values(self) -> int:
        """How many values were compared."""
        return sum(c.values for c in self.comparisons)

    @property
    def missing(self) -> int:
        """How many arrays of the set the dump does not have."""
        return sum(not c.values for c in self.comparisons)

    def __str__(self) -> str:
        blocks: list[DocumentBlock] = [outcome(self)]
        if self.first is not None:
            about = (*first_value(self.first), *error_spread(self))
            blocks.append(Section(first_place(self.first), about))
        blocks += stray_words(self)
        return f"{to_terminal([array_table(self)])}\n\n{to_terminal(blocks)}"


@once_by_position(2, "progress", "partial", "layout", "images")
@checked
def verify(
    vectors: str | os.PathLike[str],
    dut: str | os.PathLike[str],
    *,
    progress: bool = False,
    partial: bool = False,
    layout: Layout | None = None,
    images: int | None = None,
) -> DumpComparison:
    """Compare the results in `dut` with those of the set `vectors`.

    Parameters
    ----------
    vectors, dut, partial, layout, images
        See `intgold.verify.dump.Dump`.
    progress : bool
        Show a bar.

    Raises
    ------
    VectorError
        When the set is damaged, the dump lacks an array and `partial` is not given, or a file of
        the dump is not what its name says.
    """
    return compare_dump(
        Dump(vectors, dut, layout, partial=partial, progress=progress, images=images),
        progress=progress,
    )


def compare_dump(dump: Dump, *, progress: bool = False) -> DumpComparison:
    """Compare a dump with its set; see `verify`."""
    plan = dump.plan
    kinds = {op.name: op.kind for op in plan.model.ops}
    comparisons: list[ArrayComparison] = []
    first: FirstDifference | None = None
    values = sum(prod(e.whole(plan.count)) for e in dump.files)
    with Progress[int](
        total=values, unit="value", scaled=True, label="verify", show=progress
    ) as bar:  # fmt: skip
        for entry in dump.files:
            of = prod(entry.whole(plan.count))
            facts = (entry.owner, kinds[entry.owner], entry.name, entry.role)
            tally = ErrorStatistics(
                entry, plan.count, dump.device.blocks[entry].packing.stored_value
            )
            if not dump.has(entry):
                comparisons.append(ArrayComparison(*facts, 0, of, tally))
                continue
            tally.strays = Strays(dump.device.blocks[entry])
            for image, expected, got in dump.pairs(entry, tally.strays):
                tally.add(image, expected, got)
                bar.update(expected.size)
            comparisons.append(ArrayComparison(*facts, of, of, tally))
            if tally.first is not None and first is None:
                first = _difference(dump, entry, *tally.first)
    return DumpComparison(tuple(comparisons), first, plan.count, dump.whole.count)


def _difference(
    dump: Dump,
    entry: ArraySpec,
    image: int,
    where: tuple[int, ...],
    expected: int,
    got: int,
) -> FirstDifference:
    (op,) = [o for o in dump.plan.model.ops if o.name == entry.owner]
    by = op.fields.get("requantize")
    requantize = None
    if isinstance(by, Requantize):
        at = where[-1] % by.count
        requantize = (by.form[at], int(by.multiplier[at]), int(by.right_shift[at]))
    paths, files = dump.files[entry][0]
    packing = dump.device.blocks[entry].packing
    stored = packing.stored_value(expected), packing.stored_value(got)
    return FirstDifference(
        entry.owner,
        op.kind,
        entry.name,
        entry.role,
        packing.stored.name,
        image,
        where,
        *stored,
        *_accumulators(dump, entry, image, where),
        requantize,
        tuple(file_locations(dump.device, entry, (image, *where), got, files, paths)),
    )


def _accumulators(
    dump: Dump, entry: ArraySpec, image: int, where: tuple[int, ...]
) -> tuple[int | None, int | None]:
    """Return the expected and the dump's accumulator of a value, where there is one."""
    accumulator = next(
        (e for e in dump.files if (e.role, e.owner) == ("accumulator", entry.owner)), None
    )
    if accumulator is None or entry.role == "partial":
        return None, None
    expected = int(dump.expected(accumulator, [image])[(0, *where)])
    if not dump.has(accumulator):
        return expected, None
    return expected, int(dump.got(accumulator, [image])[(0, *where)])


@once_by_position(2, "progress", "partial", "layout", "images")
@checked
def verify_op(
    vectors: str | os.PathLike[str],
    dut: str | os.PathLike[str],
    *,
    progress: bool = False,
    partial: bool = False,
    layout: Layout | None = None,
    images: int | None = None,
) -> dict[str, DumpComparison]:
    """Compare the dumps of all cases of an op, each in a folder of the case's name; see `verify`.

    Parameters
    ----------
    vectors : path
        What `write_op_sets` wrote.
    dut : path
        A folder with a dump of each case.
    progress, layout, images
        As of `verify`.
    partial : bool
        Compare the cases, and of each the arrays, that are there.

    Returns
    -------
    dict of str to DumpComparison
        By case.

    Raises
    ------
    VectorError
        When the vectors are damaged or hold no sets, or `verify` refuses a dump.
    """
    names = read_op_vectors(vectors)
    if not names:
        raise VectorError(f"{vectors}: holds only lines, no sets to compare")
    if not os.path.isdir(dut):
        raise VectorError(f"{dut}: no such folder")
    there = sorted(path.name for path in Path(dut).iterdir() if path.is_dir())
    unknown = [name for name in there if name not in names]
    if unknown:
        raise VectorError(f"{Path(dut) / unknown[0]}: the vectors have no such case")
    chosen = [name for name in names if name in there] if partial else names
    if not chosen:
        raise VectorError(f"{dut}: none of the {len(names)} cases, such as {names[0]}")
    return {
        name: verify(
            Path(vectors) / name,
            Path(dut) / name,
            progress=False,
            partial=partial,
            layout=layout,
            images=images,
        )
        for name in Progress(chosen, unit="case", label="verify", show=progress)
    }


def array_table(report: DumpComparison) -> Table:
    """Return every array with its values and how many differ; those that differ are marked."""
    suffixes = {"output": "", "accumulator": " (acc)", "partial": " (partial)"}
    rows = (
        (c.op, c.kind, c.tensor + suffixes[c.role],
         *((str(c.values), str(c.differing)) if c.values else ("-", "not in the dump")))
        for c in report.comparisons
    )  # fmt: skip
    return Table(
        ("op", "kind", "tensor", "values", "differing"),
        tuple(rows),
        right=frozenset({3, 4}),
        marked=frozenset(i for i, c in enumerate(report.comparisons) if c.differing),
    )


def outcome(report: DumpComparison) -> Remark:
    """Return how much was compared, and how much differs."""
    compared = f"{report.values} values compared"
    if report.missing:
        compared = (
            f"{report.missing} of {len(report.comparisons)} arrays are not in the dump; "
            f"{report.values} of {sum(c.of for c in report.comparisons)} values compared"
        )
    if report.images < report.set_images:
        compared = f"{report.images} of {report.set_images} images; {compared}"
    if report.first is not None:
        differing = sum(c.differing for c in report.comparisons)
        return Remark(f"{compared}, {differing} differ", "bad")
    if report.strays:
        return Remark(f"{compared}, all equal, but padding is not", "bad")
    return Remark(f"{compared}, all equal", "good")


def stray_words(report: DumpComparison) -> list[Paragraph]:
    """Return what the dump holds in place of padding."""
    return list(map(Paragraph, stray_lines(c.tally.strays for c in report.comparisons)))


def first_place(first: FirstDifference) -> Remark:
    """Return which value is the first that differs."""
    array = f"op {first.op} ({first.kind}), {first.role} of {first.tensor}"
    return Remark(f"first difference: {array}, {place(first)}")


def first_value(first: FirstDifference) -> list[DocumentBlock]:
    """Return the value, what leads to it, and where it lies in the dump."""
    blocks: list[DocumentBlock] = [
        Definitions(
            (
                ("expected", with_hex(first.expected, first.dtype)),
                ("got", with_hex(first.got, first.dtype)),
            )
        )
    ]
    if first.dtype == "uint8":
        blocks.append(Remark(f"both in device encoding: {IN_DEVICE}"))
    if first.role == "output" and first.expected_accumulator is not None:
        got = "not in the dump"
        if first.got_accumulator is not None:
            got = with_hex(first.got_accumulator, "int32")
        expected = with_hex(first.expected_accumulator, "int32")
        blocks.append(Remark(f"accumulator: expected {expected}, got {got}"))
    if first.requantize and first.role != "partial":
        form, multiplier, right_shift = first.requantize
        by = f"{form}, multiplier {with_hex(multiplier, 'int32')}, right_shift {right_shift}"
        blocks.append(Remark(f"requantize: {by}"))
    return blocks + [Remark(f"in the dump: {location_text(at)}") for at in first.locations]


def error_spread(report: DumpComparison) -> list[Remark]:
    """Return where else the array of the first difference differs, and by how much."""
    first = report.first
    tally = next(
        c.tally for c in report.comparisons if first and (c.op, c.role) == (first.op, first.role)
    )  # fmt: skip
    share = f"{tally.differing} of {tally.of} values differ"
    shown = sorted(tally.histogram(), key=lambda pair: -pair[1])[:6]
    more = f", {len(tally.bins) - 6} more" if len(tally.bins) > 6 else ""
    return [
        Remark(", ".join([f"of this array {share}", *tally.sentences()])),
        Remark("Got - expected: " + ", ".join(f"{d} {n} times" for d, n in shown) + more),
    ]


def location_text(location: FileLocation) -> str:
    """Return file, line or byte, address and lane as people read them."""
    bank = ""
    if ".bank" in location.file:
        bank = f" (0x{location.bank_address:x} of bank {location.bank})"
    at = f"{location.file} {location.place}, address 0x{location.address:x}{bank}"
    return f"{at}, lane {location.lane}"


def place(first: FirstDifference) -> str:
    """Return where a value lies, as people read it: ``image 0, y 2, x 7, channel 1``."""
    partial = first.role == "partial"
    axes = ["step"] * partial + ["y", "x", "channel"][3 - len(first.coordinate) + partial :]
    return ", ".join(
        f"{axis} {i}"
        for axis, i in zip(["image", *axes], (first.image, *first.coordinate), strict=True)
    )


def with_hex(value: int, dtype: str) -> str:
    """Return a number in decimal, and in two's complement of its dtype."""
    digits = 2 * np.dtype(dtype).itemsize
    return f"{value} (0x{value & (16**digits - 1):0{digits}x})"


__getattr__ = renamed(__name__)
