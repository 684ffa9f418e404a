"""One engine in a process of its own, on one core; peers.py talks to it.

    python -m peers.worker ENGINE VARIANT DATA CORE

Reads a line of JSON, answers with one:

    {"do": "load", "batch": 256}                       -> {"network": [agreement, deviation, form]}
    {"do": "time", "network": ..., "batch": ..., "seconds": 0.1}   -> {"seconds": of one call}

`agreement` is the share of images that get the float network's class, `deviation` the mean
absolute difference of the logits over their standard deviation.  `form` says whether the pool
comes first (`Network.pool_first`), whichever runs faster here.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType

THREADS = [f"{x}_NUM_THREADS" for x in ("OMP", "OPENBLAS", "MKL")]
TRIAL_SECONDS = 0.15


class Worker:
    """The networks in one engine, one runner for each and each batch size."""

    def __init__(self, engine: ModuleType, variant: str, data: Path) -> None:
        from .network import Data

        self._engine, self._variant, self._data = engine, variant, Data.load(data)
        self._runners: dict[tuple[str, int], object] = {}

    def load(self, batch: int) -> dict[str, object]:
        """Make the networks ready for a batch size, and say how good their answers are."""
        found = {}
        for name, network in self._data.networks.items():
            forms = {"as given": network}
            if any(layer.kind == "selu" for layer in network.layers):
                forms["pool first"] = network.pool_first()
            if getattr(self._engine, "ORDERS_ITSELF", False):
                forms = {"as given": network}
            trial = {}
            for form, each in forms.items():
                runner = self._engine.build(each, batch, self._data.calibration, self._variant)
                quality = self._quality(name, runner, batch)
                seconds = min(_seconds(runner.run, TRIAL_SECONDS) for _ in range(3))
                trial[form] = seconds, quality, runner
            form = min(trial, key=lambda form: trial[form][0])
            _, quality, self._runners[name, batch] = trial[form]
            found[name] = [*quality, form]
        return found

    def _quality(self, name: str, runner, batch: int) -> tuple[float, float]:
        import numpy as np

        images, wanted = self._data.images, self._data.logits[name]
        made = []
        for first in range(0, len(images) // batch * batch, batch):
            runner.feed(images[first : first + batch])
            runner.run()
            made.append(np.array(runner.answers(), np.float64).reshape(batch, -1))
        logits = np.concatenate(made)
        wanted = wanted[: len(logits)]
        same = (logits.argmax(1) == wanted.argmax(1)).mean()
        return float(same), float(np.abs(logits - wanted).mean() / wanted.std())

    def time(self, network: str, batch: int, seconds: float) -> float:
        """Return the seconds of one call, of as many as take about so long."""
        return _seconds(self._runners[network, batch].run, seconds)


def _seconds(run, least: float) -> float:
    """Return the mean seconds of a call, after one that warms the caches."""
    run()
    n = 1
    while True:
        started = time.perf_counter()
        for _ in range(n):
            run()
        took = time.perf_counter() - started
        if took >= least / 2:
            return took / n
        n = max(2 * n, int(n * least / max(took, 1e-6)))


def main() -> None:
    """Answer until the input ends."""
    engine, variant, data, core = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between
    os.sched_setaffinity(0, {int(core)})
    os.environ.update(dict.fromkeys(THREADS, "1"))
    worker = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if worker is None:
                worker = Worker(import_module(f"peers.{engine}"), variant, Path(data))
            if asked["do"] == "load":
                answer = worker.load(asked["batch"])
            else:
                arguments = asked["network"], asked["batch"], asked["seconds"]
                answer = {"seconds": worker.time(*arguments)}
        except Exception as error:
            traceback.print_exc()
            text = str(error).strip().splitlines() or [""]
            answer = {"error": f"{type(error).__name__}: {text[0]}"[:200]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
