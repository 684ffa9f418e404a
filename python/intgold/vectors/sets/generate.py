"""Golden-vector sets (SPEC 10): planned, computed block by block on any number of processes."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, VectorError
from ...model import artefact
from ...model.budget import check_work
from ...model.graph import Model
from ...run.backends import run
from ...run.digests import little_endian
from ...support.arguments import checked
from ...support.deprecation import once_by_position
from ...support.folder_records import check_own
from ...support.progress import Progress
from ...support.quoting import short_repr
from ...support.safe_files import canonical_json
from ...support.workers import Workers
from ..arrays.contents import ArraySpec
from ..arrays.partials import LoopOrder, partial_accumulators
from ..cases.stimulus import builtin, check_range, given_images
from ..formats.compression import check_available
from ..memory.layout import Layout
from ..memory.packing import from_offset_binary
from .documents import documents
from .integrity import NAME
from .manifest import (
    MODEL,
    SET,
    listed,
    log_other_set,
    manifest_bytes,
    provenance,
    read_manifest,
)  # fmt: skip
from .options import SetOptions, Stimulus
from .plan import ImageRange, Plan, merge_ranges, parse_images
from .reader import read_runs, regroup
from .rom_files import rom_contents
from .set_writer import Content, SetWriter, packed

BUILTIN_COUNT = 16
"""Images of a stimulus without an end of its own, where no count is given."""

Blocks = Generator[dict[str, Content], None, None]


@dataclass(frozen=True)
class Summary:
    """What was written."""

    files: int
    bytes: int
    images: int
    tensors: int


@once_by_position(
    2, "source", "count", "seed", "formats", "backend", "progress", "isa", unless=SetOptions
)
@checked
def write_set(
    model: Model,
    folder: str | os.PathLike[str],
    options: SetOptions | None = None,
    *,
    progress: bool = False,
    **choices: Any,
) -> Summary:
    """Write a vector set; the same arguments give the same bytes.

    A run that was killed, and is started again with the same arguments, goes on where it was.

    Parameters
    ----------
    model : Model
    folder : path
        Is made; a vector set that is there already is replaced, if all in it is as it was written;
        anything else is refused.
    options : SetOptions, optional
        What the set holds and how it is written.
    progress : bool
        Show a bar.
    **choices
        Fields of `SetOptions` by name, which go before those of `options`:
        ``write_set(model, "vectors", count=16, formats=["hex"])``.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        When a choice is not of its type, or the stimulus is none of this model.
    VectorError
        When a choice is out of range or the folder holds something else.
    EngineError
        When an image takes more operations than `intgold.model.budget.MAX_OPERATIONS`.
    """
    chosen = replace(options or SetOptions(), **choices)
    plan, given = _planned(model, chosen)
    producer = Producer(plan, chosen.backend, chosen.isa, given)
    sizes = [sum(stop - first for first, stop in ranges) for ranges in plan.image_blocks()]
    return _write(
        plan, Path(folder), "", sizes, lambda done: producer.encoded(done, chosen.jobs),
        progress=progress,
    )  # fmt: skip


def _planned(model: Model, chosen: SetOptions) -> tuple[Plan, Mapping[str, np.ndarray] | None]:
    """Return the plan of a set, and its stimulus unless it is built in."""
    layout, count = chosen.layout or Layout(), chosen.count
    named, given = _given(model, chosen.source, layout)
    if given is not None:
        count = len(given[model.inputs[0]])
    check_range(BUILTIN_COUNT if count is None else count, chosen.seed)
    check_work(model)
    images = None if chosen.images is None else parse_images(chosen.images)
    if given is None and named != "builtin":
        most = None if images else count if named == "file" else count or BUILTIN_COUNT
        assert not isinstance(chosen.source, Mapping)
        given = given_images(model, chosen.source, most, _unsigned_inputs(model, layout))
    if count is None:
        count = BUILTIN_COUNT if given is None else len(given[model.inputs[0]])
    plan = Plan(
        model, named, chosen.seed if named == "builtin" else None, images or ((0, count),),
        tuple(chosen.formats), layout, tuple(chosen.ops), tuple(chosen.tensors),
        None if chosen.partials is None else LoopOrder.parse(chosen.partials), chosen.compression,
    )  # fmt: skip
    if given is not None:
        stop, last = plan.images[-1][1], len(given[model.inputs[0]]) - 1
        if stop > last + 1:
            raise InputError(f"images: {stop - 1} is asked for, the stimulus has 0 to {last}")
        plan = replace(plan, stimulus_sha256=_digest(given, stop))
    return plan if chosen.shard is None else plan.part(chosen.shard, chosen.shards), given


def _given(
    model: Model, source: Stimulus, layout: Layout
) -> tuple[str, Mapping[str, np.ndarray] | None]:
    """Return how a stimulus is named in the plan, and its arrays if they are given as such."""
    if not isinstance(source, Mapping):
        return (str(source) if source in ("builtin", "mnist") else "file"), None
    given = {n: np.asarray(source[n]) for n in model.inputs if n in source}
    for n in _unsigned_inputs(model, layout) & set(given):
        if given[n].dtype == np.uint8:
            given[n] = from_offset_binary(given[n])
    _check_given(model, given)
    return "given", given


def _unsigned_inputs(model: Model, layout: Layout) -> set[str]:
    """Return the inputs of which uint8 are bytes in the device's encoding."""
    return {
        n for n in model.inputs
        if layout.rule("stimulus", f"stimulus/{n}").encoding == "offset_binary"
    }  # fmt: skip


def _digest(given: Mapping[str, np.ndarray], stop: int) -> str:
    """Return the digest of the images up to `stop`, inputs in the model's order."""
    digest = hashlib.sha256()
    for array in given.values():
        digest.update(little_endian(array[:stop]))
    return digest.hexdigest()


def _check_given(model: Model, given: Mapping[str, np.ndarray]) -> None:
    for name in model.inputs:
        if name not in given:
            raise InputError(f"stimulus: no array for input {name}")
        tensor, array = model.tensor(name), given[name]
        if array.dtype != tensor.dtype or array.shape[1:] != tensor.shape or not len(array):
            raise InputError(
                f"stimulus: {array.dtype} {array.shape}, input {name} is {tensor.dtype} "
                f"{tensor.shape}"
            )
        if len(array) != len(given[model.inputs[0]]):
            raise InputError(f"stimulus: {len(array)} images of input {name}")


@dataclass(frozen=True, eq=False)
class Producer:
    """Computes the arrays of a plan, any block by itself.

    Parameters
    ----------
    plan : Plan
    backend, isa : str
    given : mapping of str to ndarray, or None
        The images of a stimulus that is not built in.
    """

    __repr__ = short_repr

    plan: Plan
    backend: str
    isa: str
    given: Mapping[str, np.ndarray] | None

    def arrays(self, ranges: Sequence[ImageRange]) -> dict[ArraySpec, np.ndarray]:
        """Return what belongs to some images, by entry."""
        plan = self.plan
        parts = [self._stimulus(first, stop - first) for first, stop in ranges]
        x = {n: np.concatenate([p[n] for p in parts]) for n in plan.model.inputs}
        result = run(plan.model, x, backend=self.backend, trace=True, isa=self.isa)
        values = {**x, **result.tensors}
        made = {}
        makers = {op.name: op for op in plan.model.ops}
        for entry in plan.entries:
            if entry.role in ("stimulus", "output"):
                made[entry] = values[entry.name]
            elif entry.role == "accumulator":
                made[entry] = result.accumulators[entry.name]
            elif entry.role == "partial":
                op = makers[entry.owner]
                functions: Mapping[str, Any] | None = None
                if self.backend == "c":
                    from ... import native  # golden needs no C

                    functions = native.FUNCTIONS
                assert plan.partials is not None
                read = values[op.inputs[0]]
                made[entry] = partial_accumulators(plan.model, op, plan.partials, read, functions)
        return made

    def _stimulus(self, first: int, count: int) -> dict[str, np.ndarray]:
        if self.given is not None:
            return {n: a[first : first + count] for n, a in self.given.items()}
        assert self.plan.seed is not None
        return builtin(self.plan.model, first, count, self.plan.seed)

    def block(self, number: int, ranges: Sequence[ImageRange]) -> dict[str, Content]:
        """Return what a block of images adds to each file."""
        return encoded(self.plan, self.arrays(ranges), number * self.plan.block_images)

    def encoded(self, done: int, jobs: int) -> Blocks:
        """Yield what each block adds to the files, from block `done` on, in order."""
        blocks = ((i, r) for i, r in enumerate(self.plan.image_blocks()) if i >= done)
        if jobs == 1:
            yield from (self.block(i, ranges) for i, ranges in blocks)
            return
        with Workers(jobs, _start_worker, self) as pool:
            waiting: deque[Future[dict[str, Content]]] = deque()
            for i, ranges in blocks:
                waiting.append(pool.submit(_work, i, ranges))
                if len(waiting) > jobs:  # a bounded number of blocks is held
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


_producer: Producer


def _start_worker(producer: Producer) -> None:
    global _producer
    _producer = producer


def _work(number: int, ranges: Sequence[ImageRange]) -> dict[str, Content]:
    return _producer.block(number, ranges)


def encoded(plan: Plan, arrays: Mapping[ArraySpec, np.ndarray], first: int) -> dict[str, Content]:
    """Return what some images add to each file; the first is number `first` of the set."""
    return {
        file.path: packed(plan.compression, data)
        for entry, runs in arrays.items()
        for file, data in plan.encode(entry, runs, first)
    }


def _write(
    plan: Plan, folder: Path, content: str, sizes: Sequence[int],
    blocks: Callable[[int], Blocks], *, progress: bool,
) -> Summary:  # fmt: skip
    """Write the set of a plan; `blocks` gives what to add from a step on, `sizes` its images."""
    check_available(plan.compression)
    texts = documents(plan)  # before anything is computed: names may be refused
    if check_own(folder, SET):
        log_other_set(folder, plan)
    maker = {**plan.described(), **provenance(), "model": plan.model.sha256}
    identity = hashlib.sha256(canonical_json({**maker, "content": content})).hexdigest()
    growing = [file for file in plan.files if file.entry.images]
    fixed = {file.path: data for file, data in plan.parameter_files()}
    fixed |= {file.path: data for file, data in rom_contents(plan)}
    paths = [*(file.path for file in growing), *fixed]
    with SetWriter(folder, identity, paths, plan.compression) as writer:
        if not writer.done:
            heads = {file.path: file.format.head(file.words) for file in growing}
            writer.add({p: packed(plan.compression, d) for p, d in {**heads, **fixed}.items()})
        start = writer.done - 1
        with closing(blocks(start)) as made, Progress[int](
            total=sum(sizes), initial=sum(sizes[:start]), unit="image", label="vectors",
            show=progress,
        ) as bar:  # fmt: skip
            for number, contents in enumerate(made, start):
                writer.add(contents)
                bar.update(sizes[number])
        digests = writer.close_files({f.path: f.format.tail(f.words) for f in growing})
        digests[MODEL] = (writer.write_by(MODEL, partial(artefact.save, plan.model)), "")
        for name, text in texts.items():
            digests[name] = (writer.write(name, text.encode()), "")
        files = listed(plan, digests, texts)
        writer.write(NAME, manifest_bytes(plan, files))
        size = sum((writer.folder / file.path).stat().st_size for file in files)
        writer.finish()
    tensors = sum(entry.role == "output" for entry in plan.entries)
    return Summary(len(files) + 1, size, plan.count, tensors)


@once_by_position(2, "progress")
@checked
def merge_sets(
    shards: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    progress: bool = False,
) -> Summary:
    """Write the set that all its shards make up, byte for byte as a single run writes it.

    Parameters
    ----------
    shards : sequence of path
        All of them, in any order; each is checked first.
    folder : path
        As in `write_set`.
    progress : bool
        Show a bar.

    Raises
    ------
    VectorError
        When a shard is missing, damaged, given twice, or of another set.
    """
    for shard in shards:
        if os.path.exists(folder) and os.path.exists(shard) and os.path.samefile(folder, shard):
            raise VectorError(f"{folder}: one of the shards; write the whole elsewhere")
    read = [(Path(s), read_manifest(s, progress=progress)[0]) for s in shards]
    for path, plan in read:
        if plan.shard is None:
            raise VectorError(f"{path}: not a shard")
    read.sort(key=lambda pair: pair[1].shard or (0, 0))
    numbers = [plan.shard for _, plan in read]
    of = numbers[0][1] if numbers and numbers[0] else 0
    unmatched = sorted({(k, of) for k in range(of)} ^ {n for n in numbers if n})
    if unmatched or len(numbers) != of:
        what = (
            f"shard {unmatched[0][0]} of {unmatched[0][1]} is missing or odd"
            if unmatched
            else "a shard twice"
        )
        raise VectorError(f"{', '.join(str(path) for path, _ in read)}: {what}")
    ranges = merge_ranges([r for _, plan in read for r in plan.images], "shards")
    whole = replace(read[0][1], images=ranges, shard=None)
    for path, plan in read:
        alike = replace(whole, images=plan.images, shard=plan.shard)
        if alike.described() != plan.described() or plan.model.sha256 != whole.model.sha256:
            raise VectorError(f"{path}: of another set than {read[0][0]}")
    content = hashlib.sha256(b"".join((p / NAME).read_bytes() for p, _ in read)).hexdigest()
    merger = _Merger(whole, read)
    return _write(whole, Path(folder), content, merger.sizes, merger.encoded, progress=progress)


class _Merger:
    """Produces the blocks of a whole set from its shards, one array after the other."""

    def __init__(self, whole: Plan, read: Sequence[tuple[Path, Plan]]) -> None:
        self._whole, self._read = whole, read
        self._blocks = [sum(b - a for a, b in ranges) for ranges in whole.image_blocks()]
        self._entries = [e for e in whole.entries if e.images]
        self.sizes = self._blocks * len(self._entries)

    def _runs(self, entry: ArraySpec) -> Iterator[np.ndarray]:
        for path, plan in self._read:
            files = plan.files_of(entry, self._whole.array_formats[0])
            yield from read_runs(plan, [path / f.path for f in files], files)

    def encoded(self, done: int) -> Blocks:
        """Yield what each block of each array adds to its files, from number `done` on."""
        first, start = divmod(done, len(self._blocks))
        for i, entry in enumerate(self._entries[first:]):
            for number, runs in enumerate(regroup(self._runs(entry), self._blocks)):
                if i or number >= start:
                    at = number * self._whole.block_images
                    yield encoded(self._whole, {entry: runs}, at)
