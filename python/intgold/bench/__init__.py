"""How fast the C engine is, and what bounds it: measured in one run, on one machine.

`bench` is all of it; `intgold.bench.loops` and `intgold.bench.clock` are what it is made of.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from .. import native
from ..describe.footprint import multiply_adds
from ..errors import EngineError, InputError
from ..model.graph import Model
from ..run.environment import about
from ..support.arguments import checked
from ..support.moved import renamed
from ..vectors.cases.stimulus import stimulus
from .ceiling import Ceiling
from .ops import Ops, OpTime, time_ops
from .report import BenchReport
from .throughput import DotRate, Rate, time_batches

__all__ = [
    "BenchReport",
    "Ceiling",
    "DotRate",
    "OpTime",
    "Ops",
    "Rate",
    "bench",
    "rounds_of",
    "thread_counts",
]

_IMAGES = 64  # that the loops over ops go round


def thread_counts() -> list[int]:
    """Return 1, 2, 4 ... and how many cores this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    cores = len(usable(0)) if usable else os.cpu_count() or 1
    return sorted({1, cores, *(2**i for i in range(cores.bit_length()) if 2**i <= cores)})


@checked
def rounds_of(isas: Sequence[str], threads: Sequence[int], rounds: int) -> int:
    """Return how often `bench` calls its `progress`.

    Parameters
    ----------
    isas : sequence of str
        Variants of the C kernels; none: all that run here.
    threads : sequence of int
        Numbers of threads; none: those of `thread_counts`.
    rounds : int
        Of each measurement.
    """
    return rounds * (len({*(threads or thread_counts())}) + len({*(isas or native.variants())}))


@checked
def bench(
    model: Model,
    isas: Sequence[str] = (),
    batches: Sequence[int] = (1, 256),
    threads: Sequence[int] = (),
    rounds: int = 50,
    progress: Callable[[], object] = lambda: None,
) -> BenchReport:
    """Measure a model on the C engine, on built-in images.

    Parameters
    ----------
    model : Model
    isas : sequence of str
        Names out of `intgold.native.variants`; empty: all of them.
    batches, threads : sequence of int
        Of the images per second; empty threads: `thread_counts`.
    rounds : int
        Everything is timed so often, in turns.
    progress : callable
        Is called after each round of each part.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        When a number is out of range.
    EngineError
        When a variant cannot run here.
    """
    isas = list(dict.fromkeys(isas or native.variants()))
    threads = list(dict.fromkeys(threads or thread_counts()))
    for name in isas:
        if name not in native.variants():
            raise EngineError(
                f"isa {name!r} does not run here; these do: {', '.join(native.variants())}"
            )
    for what, numbers, most in (
        ("batch", batches, 2**20), ("threads", threads, 1024), ("rounds", [rounds], 10**6),
    ):  # fmt: skip
        for n in numbers:
            if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= most:
                raise InputError(f"{what}: {n!r} is not a number from 1 to {most}")
    if not batches:
        raise InputError("batch: no number")
    if min(threads) > max(batches):
        raise InputError(f"batch: no more than {max(batches)} images for {min(threads)} threads")
    x = stimulus(model, "builtin", max(_IMAGES, *batches), 0)
    rates, dots = time_batches(model, isas, batches, threads, x, rounds, progress)
    few = {name: array[:_IMAGES] for name, array in x.items()}
    return BenchReport(
        about(), model.name, model.sha256, sum(multiply_adds(model).values()), rounds,
        tuple(rates), tuple(dots),
        tuple(time_ops(model, isa, few, rounds, progress) for isa in isas),
    )  # fmt: skip


__getattr__ = renamed(__name__)
