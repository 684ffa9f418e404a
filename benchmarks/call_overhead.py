"""What a call from Python costs beside the C engine, at batch 1.

    python benchmarks/call_overhead.py [--rounds 301] [--isa auto]

C alone: one call from Python into a loop in C, which calls the engine with one image, the same
each time, thousands of times (`intgold.bench.loops`): batch 1 as in the calls that it is compared
with, the same image in the same place, outputs written to one place, caches as warm.  All rows
take turns on one core, and each is the median over the rounds; the overhead is the difference of
two medians.  The model of one op computes next to nothing: there it is all that is left.  Behind a
larger model Python finds the caches full of the engine's data, and the engine Python's: that is in
its overhead too.  The clock is the thread's own (what others do on the core meanwhile is left out).
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np

import intgold
from intgold import Model, Op, Tensor, native
from intgold.bench.clock import pinned, take_turns
from intgold.bench.loops import ImageLoop
from intgold.run.environment import cpu

SAMPLE_SECONDS = 0.002  # short, so that few samples meet what else the machine does


def tiny() -> Model:
    """Return a model of one table on four values."""
    table = np.arange(-128, 128).astype(np.int8)
    tensors = [Tensor("x", (4,)), Tensor("y", (4,))]
    return Model(
        "one_table", tensors, [Op("lut", "op", ("x",), "y", {"table": table})], ["x"], ["y"]
    )


def repeat(call: Callable[..., object], *x: np.ndarray, **options: object) -> Callable[[int], None]:
    """Return a function that makes the call n times, and lets go of what it gave."""

    def times(n: int) -> None:
        for _ in range(n):
            call(*x, **options)

    return times


def overheads(model: Model, isa: str, rounds: int) -> dict[str, float]:
    """Return the median seconds of a call of each way at batch 1, ``C`` the first."""
    x = np.zeros((1, *model.ports.inputs[0].shape), np.int8)
    session, out = model.prepare(isa), model.run(x).output
    samples = take_turns(
        {
            "C": ImageLoop(model, {model.inputs[0]: x}, isa),
            "session.run(x)": repeat(session.run, x),
            "session.run(x, out=y)": repeat(session.run, x, out=out),
            "model.run(x)": repeat(model.run, x, isa=isa),
        },
        rounds,
        SAMPLE_SECONDS,
    )
    return {name: statistics.median(each) for name, each in samples.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a call from Python costs, at batch 1.")
    parser.add_argument("--rounds", type=int, default=301)
    parser.add_argument("--isa", default="auto")
    options = parser.parse_args()
    with pinned() as core:
        where = "not pinned" if core is None else f"core {core}"
        print(f"{cpu()}, {native.isa_name(options.isa)}, {where}, batch 1, us a call")
        print(f"{'model':12}{'call':24}{'call':>8}{'C alone':>10}{'overhead':>10}")
        for model in (tiny(), intgold.load("lut")):
            found = overheads(model, options.isa, options.rounds)
            alone = found.pop("C")
            for name, seconds in found.items():
                print(f"{model.name:12}{name:24}{seconds * 1e6:8.2f}{alone * 1e6:10.2f}"
                      f"{(seconds - alone) * 1e6:10.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
