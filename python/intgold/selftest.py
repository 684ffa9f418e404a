"""Golden model against C engine: random graphs, and the shipped models on many images."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

import intgold

from .about import about
from .digests import traced_chunks
from .engine import Result
from .errors import InputError
from .images.mnist import find_mnist
from .model import Model
from .ops import OPS
from .vectors.generate import write_set
from .vectors.random_models import random_inputs, random_model
from .vectors.stimulus import check_range, stimulus

CHUNK = 250


@dataclass
class Tally:
    """How many tensors (accumulators counted apart) and values were compared, and differed."""

    tensors: int = 0
    values: int = 0
    differing: int = 0

    def add(self, golden: Result, c: Result) -> None:
        """Compare two traced runs, every tensor and accumulator."""
        pairs = [
            (want, got[name])
            for wanted, got in (
                (golden.tensors, c.tensors),
                (golden.accumulators, c.accumulators),
            )
            for name, want in wanted.items()
        ]
        self.tensors = max(self.tensors, len(pairs))
        for want, got in pairs:
            same = want.dtype == got.dtype and want.shape == got.shape
            self.values += want.size
            self.differing += int((want != got).sum()) if same else want.size


def random_graphs(count: int, progress: bool = False) -> dict[str, Tally]:
    """Compare both engines on `count` random graphs; return a tally per op kind."""
    tallies = {kind: Tally() for kind in OPS}
    for seed in tqdm(range(count), unit="graph", desc="random graphs", disable=not progress):
        model = random_model(seed)
        x = random_inputs(model, 3, seed)
        golden, c = (model.run(x, backend=b, trace=True) for b in ("golden", "c"))
        for op in model.ops:
            tallies[op.kind].add(_only(golden, op.output), _only(c, op.output))
    return tallies


def _only(run: Result, tensor: str) -> Result:
    kept = (
        {n: a for n, a in part.items() if n == tensor} for part in (run.tensors, run.accumulators)
    )
    return Result({}, *kept)


@dataclass(frozen=True)
class Row:
    """One line of the table: a model on a stimulus."""

    model: str
    stimulus: str
    images: int
    tally: Tally
    seconds: float


def compare_shipped(
    names: tuple[str, ...], count: int, seed: int = 0, progress: bool = False, processes: int = 0
) -> list[Row]:
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
        0 takes as many as there are cores.

    Raises
    ------
    InputError
        When there are no images, or the seed is out of range.
    """
    check_range(count, seed)
    sources = ["builtin"] + (["mnist"] if find_mnist() is not None else [])
    jobs = [(name, source) for name in names for source in sources]
    ranges = [(i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    rows = {job: Row(*job, count, Tally(), 0.0) for job in jobs}
    workers = processes or os.cpu_count() or 1
    total = len(jobs) * count
    with (
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        tqdm(total=total, unit="image", desc="golden = c", disable=not progress) as bar,
    ):
        futures = {
            pool.submit(_compare, name, source, count, seed, part): (name, source)
            for name, source in jobs
            for part in ranges
        }
        for future in as_completed(futures):
            job, (tally, images, seconds) = futures[future], future.result()
            row = rows[job]
            merged = Tally(
                max(row.tally.tensors, tally.tensors),
                row.tally.values + tally.values,
                row.tally.differing + tally.differing,
            )
            rows[job] = Row(*job, count, merged, row.seconds + seconds)
            bar.update(images)
    return list(rows.values())


_inputs: dict[tuple[str, str, int, int], tuple[Model, dict[str, np.ndarray]]] = {}


def _compare(
    name: str, source: str, count: int, seed: int, part: tuple[int, int]
) -> tuple[Tally, int, float]:
    """Compare one range of images, in a worker process that keeps models and stimuli."""
    key = (name, source, count, seed)
    if key not in _inputs:
        model = intgold.load(name)
        _inputs[key] = (model, stimulus(model, source, count, seed))
    model, x = _inputs[key]
    started, tally = time.monotonic(), Tally()
    cut = {n: a[part[0] : part[1]] for n, a in x.items()}
    runs = (traced_chunks(model, cut, backend, chunk=CHUNK) for backend in ("golden", "c"))
    for golden, c in zip(*runs, strict=True):
        tally.add(golden, c)
    return tally, part[1] - part[0], time.monotonic() - started


def golden_job(
    folder: str | os.PathLike[str],
    count: int = 10_000,
    set_count: int = 64,
    seed: int = 0,
    progress: bool = False,
    tell: Callable[[str], object] = print,
) -> bool:
    """Run the main job: compare the shipped models, write vector sets, tell a table and a line.

    Parameters
    ----------
    folder : path
        Gets one vector set per model, ``<model>/``.
    count : int
        Images of each stimulus.
    set_count : int
        Built-in images of each vector set.
    tell : callable
        Takes each line of the report.

    Returns
    -------
    bool
        True when no value differs.
    """
    started = time.monotonic()
    names = ("lut", "pwl")
    rows = compare_shipped(names, count, seed, progress)
    size = 0
    for name in names:
        target = Path(folder) / name
        model = intgold.load(name)
        summary = write_set(model, target, "builtin", set_count, seed, progress=progress)
        size += summary.bytes
    for line in table(rows):
        tell(line)
    if len({row.stimulus for row in rows}) == 1:
        tell("MNIST was not found: built-in images only (see: intgold data)")
    images = count * len({row.stimulus for row in rows})
    tensors = sum({row.model: row.tally.tensors for row in rows}.values())
    differing = sum(row.tally.differing for row in rows)
    verdict = "golden = c" if differing == 0 else "GOLDEN AND C DIFFER"
    tell(
        f"{images} images, {tensors} tensors, {differing} differing values, {verdict}; "
        f"vectors in {Path(folder)} ({size / 1e6:.0f} MB), {time.monotonic() - started:.0f} s"
    )
    return differing == 0


def table(rows: list[Row]) -> list[str]:
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


def run(
    graphs: int,
    images: int,
    progress: bool = False,
    tell: Callable[[str], object] = print,
) -> bool:
    """Compare both engines on random graphs and shipped models; tell where, two tables, a verdict.

    Raises
    ------
    InputError
        When a count is below 1.
    """
    if graphs < 1 or images < 1:
        raise InputError(f"selftest: {graphs} graphs, {images} images: at least 1 of each")
    started = time.monotonic()
    for name, value in about().items():
        tell(f"{name:10}{value}")
    tell("")
    tallies = random_graphs(graphs, progress)
    tell(f"{'op':20}{'values':>12}{'differing':>11}")
    tell("-" * 43)
    for kind, tally in tallies.items():
        tell(f"{kind:20}{tally.values:12,}{tally.differing:11}")
    tell("")
    rows = compare_shipped(intgold.SHIPPED, images, progress=progress)
    for line in table(rows):
        tell(line)
    differing = sum(t.differing for t in (*tallies.values(), *(row.tally for row in rows)))
    seconds = time.monotonic() - started
    verdict = "FAILED" if differing else "golden = c"
    tell(f"{differing} differing values, {seconds:.0f} s: {verdict}")
    return differing == 0
