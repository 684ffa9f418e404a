"""Every way to compute one network, side by side: answers, bytes, speed."""

from __future__ import annotations

import importlib.util
import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ... import golden
from ...describe.footprint import Footprint, footprint
from ...errors import InputError
from ...host.affine import quantize_input
from ...images.labels import check_labels
from ...model.graph import Model
from ...quantize.inference import Batch, FloatNetwork
from ...quantize.simulate import simulate
from ...support.arguments import checked
from ...support.deprecation import once_by_position
from ...support.moved import renamed
from ...support.progress import Progress
from ...support.quoting import short_repr

__all__ = ["BackendResult", "NetworkComparison", "compare"]

FORMAT = "intgold-comparison"
BATCHES = (1, 256)
_CHUNK = 250
_ROUNDS = 5
_SECONDS = 0.2  # at least, of each timing


@dataclass(frozen=True)
class BackendResult:
    """One way to compute the network.

    Parameters
    ----------
    name : str
    accuracy : float or None
        In [0, 1]; None without labels.
    differing : int
        Answers that are not those of float NumPy.
    rates : tuple of float
        Images per second at each of `BATCHES`; medians.
    """

    name: str
    accuracy: float | None
    differing: int
    rates: tuple[float, ...]


@dataclass(frozen=True)
class NetworkComparison:
    """What `compare` found.

    Parameters
    ----------
    images : int
    ways : list of BackendResult
    confusion : dict
        Model name -> list of (label or None, float's answer, the model's, how many images).
    bytes : dict
        Of the float network and of each model by name.
    not_run : dict
        Way -> what is missing.
    """

    __repr__ = short_repr

    images: int
    ways: list[BackendResult]
    confusion: dict[str, list[tuple[int | None, int, int, int]]]
    bytes: dict[str, Footprint]
    not_run: dict[str, str] = field(default_factory=dict)

    def json_text(self) -> str:
        """Return everything as a JSON object."""
        document = {"format": FORMAT, **asdict(self), "batches": list(BATCHES)}
        return json.dumps(document, indent=1) + "\n"

    def __str__(self) -> str:
        return f"{self._ways_text()}\n\n{self._confusion_text()}\n\n{self._bytes_text()}"

    def _ways_text(self) -> str:
        rates = "".join(f"{f'images/s at {b}':>17}" for b in BATCHES)
        lines = [f"{'way':20}{'accuracy':>10}{'differ':>8}{rates}"]
        lines.append("-" * len(lines[0]))
        for way in self.ways:
            accuracy = "-" if way.accuracy is None else f"{way.accuracy:.2%}"
            speed = "".join(f"{rate:17,.0f}" for rate in way.rates)
            lines.append(f"{way.name:20}{accuracy:>10}{way.differing:8}{speed}")
        lines += [f"not run: {name}; it comes with: {what}" for name, what in self.not_run.items()]
        note = "differ: from the answers of float NumPy; one thread each"
        return "\n".join([*lines, f"{self.images} images; {note}"])

    def _confusion_text(self) -> str:
        lines = []
        for name, found in self.confusion.items():
            lines.append(f"{name}: {sum(n for *_, n in found)} answers differ from float")
            for label, real, integer, count in found:
                known = "" if label is None else f"label {label}, "
                verdict = {real: ", float is right", integer: f", {name} is right"}.get(
                    -1 if label is None else label, "" if label is None else ", both are wrong"
                )
                lines.append(f"  {known}float {real}, {name} {integer}: {count}{verdict}")
        return "\n".join(lines)

    def _bytes_text(self) -> str:
        parts = ("weights", "biases", "multipliers", "tables", "total")
        rows = {name: [getattr(used, p) for p in parts] for name, used in self.bytes.items()}
        width = max(len(name) for name in rows) + 2
        lines = [f"{'bytes':{width}}" + "".join(f"{p:>13}" for p in parts)]
        lines.append("-" * len(lines[0]))
        lines += [f"{n:{width}}" + "".join(f"{v:13,}" for v in row) for n, row in rows.items()]
        note = "multipliers: with their shifts, five bytes an entry (nine in form float64)"
        return "\n".join([*lines, note])


_Run = Callable[[Mapping[str, np.ndarray]], np.ndarray]


@once_by_position(4, "progress")
@checked
def compare(
    network: FloatNetwork,
    models: Mapping[str, Model],
    images: Batch,
    labels: np.ndarray | None = None,
    *,
    progress: bool = False,
) -> NetworkComparison:
    """Run a network every way, and measure each.

    The ways: float32 NumPy; torch, where it is; and of each model its simulation (every op
    dequantises, computes in float64 and quantises), the golden model and the C engine. All take
    one thread, but NumPy's BLAS where threadpoolctl is absent, which `not_run` then says.

    Parameters
    ----------
    network : FloatNetwork
        That gives one answer per example.
    models : mapping of str to Model
        Quantised from it, by a short name.
    images : ndarray or mapping of str to ndarray
        See `FloatNetwork.batch`.
    labels : ndarray, optional
        Of the images.
    progress : bool
        Show a bar.

    Raises
    ------
    InputError
        When there are no images or models.
    """
    reals = network.batch(images)
    count = min(len(array) for array in reals.values())
    if not count or not models:
        raise InputError(f"compare: {count} images, {len(models)} models")
    check_labels(labels, count, math.prod(network.output_shape))
    runs: dict[str, tuple[_Run, dict[str, np.ndarray]]] = {"float numpy": (network.run, reals)}
    not_run = {}
    if importlib.util.find_spec("torch"):
        import torch

        from ...quantize.pytorch.runner import torch_runner

        torch.set_num_threads(1)
        runs["float torch"] = (torch_runner(network), reals)
    else:
        not_run["float torch"] = "pip install torch"
    for name, model in models.items():
        x = {n: quantize_input(model, array, n) for n, array in reals.items()}
        runs[f"simulate {name}"] = (_simulation(model), x)
        runs[f"golden {name}"] = (_engine(model, "golden"), x)
        runs[f"c {name}"] = (_engine(model, "c"), x)
    answers = {}
    total = len(runs) * count
    with Progress[int](total=total, unit="image", label="answers", show=progress) as bar:
        for name, (run, x) in runs.items():
            answers[name] = _answers(run, x, bar)
    with _one_thread(not_run):
        rates = _rates(runs, progress=progress)
    ways = [
        BackendResult(
            name,
            None if labels is None else float((given == labels).mean()),
            int((given != answers["float numpy"]).sum()),
            rates[name],
        )
        for name, given in answers.items()
    ]
    confusion = {
        name: _confusion(labels, answers["float numpy"], answers[f"c {name}"]) for name in models
    }
    weights, biases = (
        sum(a.nbytes for x in network.layers if (a := getattr(x, part)) is not None)
        for part in ("weights", "bias")
    )
    used = {"float": Footprint(weights, biases)}
    used |= {name: footprint(model) for name, model in models.items()}
    return NetworkComparison(count, ways, confusion, used, not_run)


@contextmanager
def _one_thread(not_run: dict[str, str]) -> Iterator[None]:
    """Keep NumPy's BLAS to one thread: two that wait for each other on a busy machine crawl."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        not_run["one thread for NumPy's BLAS"] = "pip install threadpoolctl"
        yield
        return
    with threadpool_limits(limits=1):
        yield


def _simulation(model: Model) -> _Run:
    return lambda x: simulate(model, x)[model.outputs[0]]


def _engine(model: Model, backend: str) -> _Run:
    return lambda x: model.run(x, backend=backend).output


def _answers(run: _Run, x: Mapping[str, np.ndarray], bar: Any) -> np.ndarray:
    """Return the index of the largest output of each image."""
    found = []
    for first in range(0, min(len(array) for array in x.values()), _CHUNK):
        made = run({name: array[first : first + _CHUNK] for name, array in x.items()})
        made = made.reshape(len(made), -1)
        if made.dtype.kind == "f":
            found.append(made.argmax(axis=1))
        else:
            found.append(golden.argmax(made.astype(np.int32))[:, 0])
        bar.update(len(made))
    return np.concatenate(found)


def _rates(
    runs: Mapping[str, tuple[_Run, dict[str, np.ndarray]]], *, progress: bool
) -> dict[str, tuple[float, ...]]:
    """Return images per second; all ways take turns, so that a busy machine slows all alike."""
    seconds: dict[tuple[str, int], list[float]] = {(n, b): [] for n in runs for b in BATCHES}
    total = _ROUNDS * len(seconds)
    with Progress[int](total=total, unit="timing", label="speed", show=progress) as bar:
        for _ in range(_ROUNDS):
            for name, batch in seconds:
                run, x = runs[name]
                part = {n: _of_size(array, batch) for n, array in x.items()}
                seconds[name, batch].append(_time(run, part))
                bar.update()
    return {
        name: tuple(batch / statistics.median(seconds[name, batch]) for batch in BATCHES)
        for name in runs
    }


def _of_size(x: np.ndarray, batch: int) -> np.ndarray:
    return np.resize(x, (batch, *x.shape[1:])) if len(x) < batch else x[:batch]


def _time(run: _Run, x: Mapping[str, np.ndarray]) -> float:
    calls, started = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - started < _SECONDS:
        run(x)
        calls += 1
    return (time.perf_counter() - started) / calls


def _confusion(
    labels: np.ndarray | None, real: np.ndarray, integer: np.ndarray
) -> list[tuple[int | None, int, int, int]]:
    known: Sequence[int | None] = [None] * len(real) if labels is None else labels.tolist()
    differing = np.flatnonzero(real != integer).tolist()
    counts = Counter((known[i], int(real[i]), int(integer[i])) for i in differing)
    return [
        (*key, count) for key, count in sorted(counts.items(), key=lambda kv: (-kv[1], str(kv[0])))
    ]


__getattr__ = renamed(__name__)
