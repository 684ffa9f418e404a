"""A device's dump beside the set that it answers: which arrays it has, and their images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import VectorError
from ..vectors.arrays.contents import FOLDERS, ArraySpec
from ..vectors.formats import FORMATS
from ..vectors.formats.collector import AbsentError
from ..vectors.formats.compression import COMPRESSIONS
from ..vectors.formats.word_file import FewImagesError
from ..vectors.memory.layout import Layout
from ..vectors.memory.readings import Reading, agreeing_readings, readings
from ..vectors.sets.manifest import read_manifest
from ..vectors.sets.plan import Plan, SetFile
from ..vectors.sets.reader import read_entry, read_runs, read_words, regroup
from ..vectors.sets.rom_files import FOLDER as MEMORY_FOLDER
from ..vectors.sets.rom_files import memory_files
from ..vectors.sets.strays import Strays
from .misplaced import ROLES, no_array, refuse_unknown, refuse_unread_memories

_Files = list[tuple[list[Path], list[SetFile]]]
"""The files of one array, for each form in the dump: its own first."""
_Forms = list[tuple[str, str]]
"""Formats, each with a compression."""


class Dump:
    """The results of a set's ops as a device made them; a set is itself a valid dump.

    Parameters
    ----------
    vectors : path
        A vector set; all of it is checked first.
    dut : path
        A folder with the set's files ``outputs/``, ``accumulators/`` and ``partials/``, by the
        same names, in any of the formats, compressed or not.
    layout : Layout, optional
        Of the dump; default that of the set.
    partial : bool
        Take a dump that lacks arrays of the set.
    progress : bool
        Show a bar.
    images : int, optional
        How many images the dump holds, the first ones of the set; default all.

    Raises
    ------
    VectorError
        When the set is damaged or has fewer images, the dump lacks an array and `partial` is not
        given, or it holds files of these folders that would be passed over.
    """

    def __init__(
        self,
        vectors: str | os.PathLike[str],
        dut: str | os.PathLike[str],
        layout: Layout | None = None,
        *,
        partial: bool = False,
        progress: bool = False,
        images: int | None = None,
    ) -> None:
        self.vectors, self.dut = Path(vectors), Path(dut)
        self.whole, _ = read_manifest(vectors, progress=progress)
        self.plan = self.whole if images is None else self.whole.first(images)
        if not os.path.isdir(dut):
            raise VectorError(f"{dut}: no such folder")
        self.device = self.plan if layout is None else replace(self.plan, layout=layout)
        self._every = replace(self.whole, layout=self.device.layout)  # all images of the set
        forms = _forms_in(self.dut)
        self.files = {e: self._files_of(e, forms) for e in results(self.plan)}
        self._readings: dict[str, dict[str, list[Reading]]] = {}
        self._by = ""  # the label of a reading
        known = {path for forms in self.files.values() for paths, _ in forms for path in paths}
        refuse_unknown(self.dut, self.device, list(self.files), known)
        refuse_unread_memories(self.dut, self.device, known)
        missing = [e.path for e, found in self.files.items() if not found]
        if len(missing) == len(self.files):
            raise no_array(self.dut, self.device, list(self.files))
        if missing and not partial:
            raise VectorError(
                f"{dut}: {len(missing)} of {len(self.files)} arrays are not in the dump, first "
                f"{missing[0]}; "
                "--partial compares what is there"
            )

    def _files_of(self, entry: ArraySpec, forms: _Forms) -> _Files:
        """Return the array's own files, then those of its memory that have words of it."""
        device, of = self.device, self.device.count
        every = self._every  # a memory may hold more images than are compared
        own = _present(self.dut, forms, lambda n, c: device.files_of(entry, n, c))
        whole = _present(
            self.dut, forms, lambda n, c: [_first(f, of) for f in memory_files(every, entry, n, c)]
        )
        return own + [(paths, files) for paths, files in whole if _has_words(device, paths, files)]

    def has(self, entry: ArraySpec) -> bool:
        """Return whether the dump has the array."""
        return bool(self.files.get(entry))

    def pairs(
        self, entry: ArraySpec, strays: Strays | None = None
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield (first image, expected, got) of some images at a time, all of them in order.

        Parameters
        ----------
        entry : ArraySpec
        strays : Strays, optional
            Takes in what the dump holds instead of padding.

        Raises
        ------
        VectorError
            When a file is not what its name says, or two forms of the array differ.
        """
        sizes = _sizes(self.plan)
        strays = strays or Strays(self.device.blocks[entry])
        streams = [
            regroup(self._read(paths, files, strays), sizes) for paths, files in self.files[entry]
        ]
        image = 0
        for expected in islice(regroup(self._of_set(entry), sizes), len(sizes)):
            got, *others = (next(stream) for stream in streams)
            for (paths, _), other in zip(self.files[entry][1:], others, strict=True):
                if not np.array_equal(got, other):
                    first = self.files[entry][0][0][0]
                    raise VectorError(
                        f"{paths[0]} and {first.relative_to(self.dut)} say different things about "
                        f"{entry.path}"
                    )
            yield image, expected, got
            image += len(expected)
        for stream in streams:  # a reader checks what follows its last word when asked for more
            next(stream, None)

    def _read(
        self, paths: list[Path], files: list[SetFile], strays: Strays
    ) -> Iterator[np.ndarray]:
        """Yield the images of an array; where the files hold more than were asked for, say so."""
        try:
            yield from read_runs(self.device, paths, files, strays)
        except VectorError as error:
            held = self._held(paths, files)
            if held <= self.plan.count:
                raise
            advice = "leave out --images, or give" if held == self.whole.count else "give --images"
            raise VectorError(f"{paths[0]}: holds {held} images; {advice} {held}") from error

    def _held(self, paths: list[Path], files: list[SetFile]) -> int:
        """Return how many whole images the files of an array hold; 0 where that is not known."""
        if self.plan.count == self.whole.count or files[0].words.memory_words:
            return 0
        try:
            for _ in read_words(self.device, paths, [_first(f, self.whole.count) for f in files]):
                pass
        except VectorError as error:
            few = error.__cause__
            return few.images if isinstance(few, FewImagesError) else 0
        return self.whole.count

    def blocks(
        self, of_set: Sequence[ArraySpec], of_dump: Sequence[ArraySpec]
    ) -> Iterator[dict[ArraySpec, np.ndarray]]:
        """Yield some images at a time of arrays of the set and arrays of the dump, in step."""
        sizes = _sizes(self.plan)
        runs = {e: self._of_set(e) for e in of_set}
        runs |= {e: self._runs(e) for e in of_dump}
        streams = {e: regroup(run, sizes) for e, run in runs.items()}
        for _ in sizes:
            yield {e: next(stream) for e, stream in streams.items()}

    def expected(self, entry: ArraySpec, images: Sequence[int]) -> np.ndarray:
        """Return some images of an array of the set, or a whole parameter; images rise."""
        return _picked(self._of_set(entry), images)

    def got(self, entry: ArraySpec, images: Sequence[int]) -> np.ndarray:
        """Return some images of an array of the dump, which must hold it; images rise."""
        return _picked(self._runs(entry), images)

    def _of_set(self, entry: ArraySpec) -> Iterator[np.ndarray]:
        """Yield all images of an array of the set."""
        return read_entry(self.vectors, self.whole, entry)

    def _runs(self, entry: ArraySpec) -> Iterator[np.ndarray]:
        """Yield the images of an array of the dump, whatever it holds instead of padding."""
        paths, files = self.files[entry][0]
        by = (r for r in readings(self.device.blocks[entry]) if r.label == self._by)
        reading = next(by, None) if files[0].format.name != "npy" else None
        if reading is not None:
            return self._read_by(entry, reading)
        return read_runs(self.device, paths, files, Strays(self.device.blocks[entry]))

    def _read_by(self, entry: ArraySpec, reading: Reading) -> Iterator[np.ndarray]:
        """Yield the images of an array as another rule reads them.

        Words that the device would have outside the array are taken to be right.
        """
        sizes = _sizes(self.plan)
        words = regroup(read_words(self.device, *self.files[entry][0]), sizes)
        expected = regroup(read_entry(self.vectors, self.plan, entry), sizes)
        first = 0
        for part, right in zip(words, expected, strict=True):
            yield reading.meant(part, np.arange(first, first + len(part)), right)
            first += len(part)

    def read_by(self, label: str) -> Dump:
        """Return the dump, each array of which is read by another rule where it has this one."""
        other = copy(self)
        other._by, other._readings = label, {}
        return other

    def readings(self, op: str) -> dict[str, list[Reading]]:
        """Return by which other rules the words of an op's results may be read, by role."""
        if op in self._readings:
            return self._readings[op]
        found = self._readings[op] = {}
        for entry, forms in self.files.items():
            paths, files = next((f for f in forms if f[1][0].format.name != "npy"), ([], []))
            if entry.owner == op and files and entry.role != "partial":
                words = read_words(self.device, paths, files)
                block = self.device.blocks[entry]
                found[entry.role] = agreeing_readings(block.packing, readings(block), words)
        return found


def results(plan: Plan) -> list[ArraySpec]:
    """Return what a device computes, by op; what an op computes first comes first."""
    order = {"partial": 0, "accumulator": 1, "output": 2}
    place = {op.name: i for i, op in enumerate(plan.model.ops)}
    found = [e for e in plan.entries if e.role in order]
    return sorted(found, key=lambda e: (place[e.owner], order[e.role]))


def _picked(runs: Iterator[np.ndarray], images: Sequence[int]) -> np.ndarray:
    first, parts = 0, []
    for run in runs:
        inside = [i - first for i in images if first <= i < first + len(run)]
        if inside:
            parts.append(run[inside])
        first += len(run)
        if images[-1] < first:
            break
    return np.concatenate(parts)


def _sizes(plan: Plan) -> list[int]:
    step = plan.block_images
    return [min(step, plan.count - first) for first in range(0, plan.count, step)]


def _first(file: SetFile, images: int) -> SetFile:
    """Return a file of results as one of which only the first images are read."""
    shape = (images, *file.words.shape[1:])
    return replace(file, words=replace(file.words, count=images, shape=shape))


def _forms_in(dut: Path) -> _Forms:
    """Return the formats and compressions whose suffix any file has where arrays may lie.

    Most dumps are of one form: files of the others are not looked for, array by array.
    """
    forms = [(name, compression) for name in FORMATS for compression in COMPRESSIONS]
    names: list[str] = []
    for folder in (*(FOLDERS[role] for role in ROLES), MEMORY_FOLDER):
        try:
            names += os.listdir(dut / folder)
        except PermissionError:  # its files may be read all the same
            return forms
        except OSError:  # said later, where it is no folder
            continue
    return [(n, c) for n, c in forms if any(name.endswith(_suffix(n, c)) for name in names)]


def _suffix(name: str, compression: str) -> str:
    return FORMATS[name].suffix + COMPRESSIONS[compression]


def _present(dut: Path, forms: _Forms, files_of: Callable[[str, str], list[SetFile]]) -> _Files:
    found: _Files = []
    for name, compression in forms:
        files = files_of(name, compression)
        paths = [dut / file.path for file in files]
        there = [path for path in paths if os.path.lexists(path)]
        if there and len(there) < len(paths):
            missing = next(path for path in paths if path not in there)
            raise VectorError(f"{missing}: this bank is not in the dump")
        if there:
            found.append((paths, files))
    return found


def _has_words(device: Plan, paths: list[Path], files: list[SetFile]) -> bool:
    """Return whether the file of a memory has anything at the addresses of an array."""
    try:
        next(read_runs(device, paths, files))
    except AbsentError:
        return False
    except VectorError:  # what is wrong is said when the array is compared
        return True
    return True
