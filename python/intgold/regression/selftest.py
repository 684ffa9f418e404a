"""Golden model against C engine: random graphs, and the shipped models on many images."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import intgold

from .. import native
from ..errors import InputError
from ..images.mnist import find_mnist
from ..model.graph import Model
from ..ops.table import OPS
from ..run.comparison import MismatchCount
from ..run.environment import about
from ..run.result import Result
from ..support.folder_records import check_own
from ..support.progress import Progress
from ..support.workers import Workers
from ..vectors.cases.random_models import random_inputs, random_model
from ..vectors.cases.stimulus import check_range, stimulus
from ..vectors.sets.generate import write_set
from ..vectors.sets.manifest import SET
from ..vectors.sets.options import SetOptions

CHUNK = 250


def random_graphs(
    count: int, *, progress: bool = False, isas: Sequence[str] = ("auto",)
) -> dict[tuple[str, str], MismatchCount]:
    """Compare both engines on `count` random graphs; return a tally per op kind and variant."""
    tallies = {(kind, isa): MismatchCount() for kind in OPS for isa in isas}
    for seed in Progress(range(count), unit="graph", label="random graphs", show=progress):
        model = random_model(seed)
        x = random_inputs(model, 3, seed)
        golden = model.run(x, backend="golden", trace=True)
        for isa in isas:
            c = model.run(x, trace=True, isa=isa)
            fused = model.run(x, isa=isa)
            for op in model.ops:
                tallies[op.kind, isa].add(_only(golden, op.output), _only(c, op.output))
                if op.output in fused.outputs:
                    tallies[op.kind, isa].compare(
                        golden.outputs[op.output], fused.outputs[op.output]
                    )
    return tallies


def _only(run: Result, tensor: str) -> Result:
    kept = (
        {n: a for n, a in part.items() if n == tensor} for part in (run.tensors, run.accumulators)
    )
    return Result({}, *kept)


@dataclass(frozen=True)
class SelftestRow:
    """One line of the table: a model on a stimulus, by a variant of the kernels."""

    model: str
    stimulus: str
    isa: str
    images: int
    tally: MismatchCount
    seconds: float


def compare_shipped(
    names: tuple[str, ...],
    count: int,
    seed: int = 0,
    *,
    progress: bool = False,
    processes: int = 0,
    isas: Sequence[str] = ("auto",),
) -> list[SelftestRow]:
    """Compare both engines on the shipped models, built-in images and MNIST where it is found.

    Parameters
    ----------
    names : tuple of str
        Out of `intgold.SHIPPED`.
    count : int
        Images of each stimulus.
    seed : int
        Of the built-in images.
    progress : bool
        Show a bar.
    processes : int
        0 takes as many as there are cores. A script does its work under
        ``if __name__ == "__main__":``, or each process would do all of it again.
    isas : sequence of str
        Variants of the C kernels, each compared.

    Raises
    ------
    InputError
        When there are no images, or the seed is out of range.
    EngineError
        When a variant cannot run here.
    """
    check_range(count, seed)
    for isa in isas:
        native.isa_name(isa)
    sources = ["builtin"] + (["mnist"] if find_mnist() is not None else [])
    jobs = [(name, source) for name in names for source in sources]
    ranges = [(i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    rows = {
        (*job, isa): SelftestRow(*job, isa, count, MismatchCount(), 0.0)
        for job in jobs
        for isa in isas
    }
    workers = processes or os.cpu_count() or 1
    total = len(jobs) * count
    with (
        Workers(workers) as pool,
        Progress[int](total=total, unit="image", label="golden = c", show=progress) as bar,
    ):
        futures = {
            pool.submit(_compare, name, source, count, seed, part, isas): (name, source)
            for name, source in jobs
            for part in ranges
        }
        for future in as_completed(futures):
            job, (tallies, images, seconds) = futures[future], future.result()
            for isa, tally in tallies.items():
                row = rows[(*job, isa)]
                rows[(*job, isa)] = SelftestRow(
                    *job, isa, count, row.tally + tally, row.seconds + seconds
                )
            bar.update(images)
    return list(rows.values())


_inputs: dict[tuple[str, str, int, int], tuple[Model, dict[str, np.ndarray]]] = {}


def _compare(
    name: str, source: str, count: int, seed: int, part: tuple[int, int], isas: Sequence[str]
) -> tuple[dict[str, MismatchCount], int, float]:
    """Compare one range of images, in a worker process that keeps models and stimuli."""
    key = (name, source, count, seed)
    if key not in _inputs:
        model = intgold.load(name)
        _inputs[key] = (model, stimulus(model, source, count, seed))
    model, x = _inputs[key]
    started, tallies = time.monotonic(), {isa: MismatchCount() for isa in isas}
    cut = {n: a[part[0] : part[1]] for n, a in x.items()}
    golden = model.run(cut, backend="golden", trace=True)
    for isa, tally in tallies.items():
        tally.add(golden, model.run(cut, trace=True, isa=isa))
    return tallies, part[1] - part[0], time.monotonic() - started


def golden_job(
    folder: str | os.PathLike[str],
    count: int = 10_000,
    set_count: int = 64,
    seed: int = 0,
    *,
    progress: bool = False,
    write_line: Callable[[str], object] = print,
    isa: str = "auto",
) -> bool:
    """Run the main job: compare the shipped models, write vector sets, report a table and a line.

    Parameters
    ----------
    folder : path
        Gets one vector set per model, ``<model>/``.
    count : int
        Images of each stimulus.
    set_count : int
        Built-in images of each vector set.
    write_line : callable
        Takes each line of the report.
    isa : str
        The variant of the C kernels that is compared.

    Returns
    -------
    bool
        True when no value differs.

    Raises
    ------
    InputError
        When the folder is a vector set itself.
    """
    started = time.monotonic()
    names = ("lut", "pwl")
    if (Path(folder) / SET.record).exists():
        raise InputError(f"{folder}: a vector set; give a folder that is none")
    for name in names:  # before the work, not after it
        check_own(Path(folder) / name, SET)
    rows = compare_shipped(names, count, seed, progress=progress, isas=(isa,))
    size = 0
    for name in names:
        target = Path(folder) / name
        model = intgold.load(name)
        summary = write_set(
            model, target, SetOptions(count=set_count, seed=seed), progress=progress
        )
        size += summary.bytes
    for line in selftest_table(rows):
        write_line(line)
    if len({row.stimulus for row in rows}) == 1:
        write_line("MNIST was not found: built-in images only (see: intgold data)")
    images = count * len({row.stimulus for row in rows})
    tensors = sum({row.model: row.tally.tensors for row in rows}.values())
    differing = sum(row.tally.differing for row in rows)
    verdict = "golden = c" if differing == 0 else "GOLDEN AND C DIFFER"
    write_line(
        f"{images} images, {tensors} tensors, {differing} differing values, {verdict}; "
        f"vectors in {Path(folder)} ({size / 1e6:.0f} MB), {time.monotonic() - started:.0f} s"
    )
    return differing == 0


def selftest_table(rows: list[SelftestRow]) -> list[str]:
    """Return the rows as aligned lines."""
    lines = [
        f"{'model':8}{'stimulus':10}{'images':>8}{'tensors':>9}{'values':>16}{'differing':>11}"
    ]
    lines.append("-" * len(lines[0]))
    for row in rows:
        t = row.tally
        lines.append(
            f"{row.model:8}{row.stimulus:10}{row.images:8}{t.tensors:9}{t.values:16,}{t.differing:11}"
        )
    return lines


def run_selftest(
    graphs: int,
    images: int,
    *,
    progress: bool = False,
    write_line: Callable[[str], object] = print,
) -> bool:
    """Compare both engines on random graphs and shipped models; tell where, two tables, a verdict.

    Raises
    ------
    InputError
        When a count is below 1.
    """
    if graphs < 1 or images < 1:
        raise InputError(f"selftest: {graphs} graphs, {images} images: at least 1 of each")
    started, isas = time.monotonic(), native.variants()
    for name, value in about().items():
        write_line(f"{name:10}{value}")
    write_line("")
    graph_tallies = random_graphs(graphs, progress=progress, isas=isas)
    rows = compare_shipped(intgold.SHIPPED, images, progress=progress, isas=isas)
    for line in (*_ops(graph_tallies), "", *selftest_table(_joined(rows)), "", *_variants(
        isas, graph_tallies, rows
    )):  # fmt: skip
        write_line(line)
    differing = sum(t.differing for t in (*graph_tallies.values(), *(row.tally for row in rows)))
    seconds = time.monotonic() - started
    verdict = "FAILED" if differing else "golden = c"
    write_line(f"{differing} differing values, {seconds:.0f} s: {verdict}")
    return differing == 0


def _ops(tallies: Mapping[tuple[str, str], MismatchCount]) -> Iterator[str]:
    """Yield a line per op kind, all variants together."""
    yield from (f"{'op':20}{'values':>12}{'differing':>11}", "-" * 43)
    for kind in OPS:
        tally = sum((t for (k, _), t in tallies.items() if k == kind), MismatchCount())
        yield f"{kind:20}{tally.values:12,}{tally.differing:11}"


def _joined(rows: Sequence[SelftestRow]) -> list[SelftestRow]:
    """Return one row for all variants of a model and stimulus."""
    joined: dict[tuple[str, str], SelftestRow] = {}
    for row in rows:
        other = joined.get((row.model, row.stimulus))
        joined[row.model, row.stimulus] = row if other is None else replace(
            row, tally=other.tally + row.tally
        )  # fmt: skip
    return list(joined.values())


def _variants(
    isas: Sequence[str],
    tallies: Mapping[tuple[str, str], MismatchCount],
    rows: Sequence[SelftestRow],
) -> Iterator[str]:
    """Yield a line per variant of the kernels, and which of this build could not run."""
    yield from (f"{'variant':20}{'values':>12}{'differing':>11}", "-" * 43)
    for isa in isas:
        own = [t for (_, i), t in tallies.items() if i == isa]
        tally = sum((*own, *(row.tally for row in rows if row.isa == isa)), MismatchCount())
        yield f"{isa:20}{tally.values:12,}{tally.differing:11}"
    unproved = [name for name in native.built() if name not in isas]
    if unproved:
        yield f"unproved here: {', '.join(unproved)} (in this build; this CPU cannot run them)"
