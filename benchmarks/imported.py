"""Imported TFLite networks on the C engine beside LiteRT's XNNPACK, batch 1, one core, in turns.

Every contract of `intgold.contracts` is imported and run.  Under the contract xnnpack both engines
have to give the same bits for some images before anything is timed.  XNNPACK's time is that of
`Interpreter.invoke()` alone, with the image already in its tensor; ours is a whole call of
`Session.run`, its checks and its new output included, on a session that is prepared.  Both loops
are Python's, on one core; the clock is that of the process (what others do on the core meanwhile is
left out).  Every round asks each in turn; a time is the median of the rounds, and so is the ratio,
XNNPACK's time over ours in one round: above 1, ours is faster.

The networks are TFLITE_DIR/*.tflite, data/tflite without it; the Python that has LiteRT is
that of conformance/run.py.

examples:
  python benchmarks/imported.py
  python benchmarks/imported.py --only kws --ops
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import intgold
from intgold import native
from intgold.bench.clock import pinned
from intgold.bench.ops import time_ops
from intgold.contracts import CONTRACTS
from intgold.importers import import_tflite
from intgold.run.environment import cpu
from intgold.support.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "out" / "conformance" / "ai-edge-litert" / "bin" / "python"
PEER = "xnnpack"
IMAGES = 32
SAMPLE_SECONDS = 0.02

Timer = Callable[[int], float]
"""The seconds of this many calls."""


class Peer:
    """LiteRT's process for one network."""

    def __init__(self, network: Path) -> None:
        worker = ROOT / "benchmarks" / "litert_worker.py"
        self._process = subprocess.Popen(
            [PYTHON, worker, network],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def _ask(self, **what: object) -> dict:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(what), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{PYTHON}: ended with {self._process.wait()}")
        return json.loads(line)

    def output(self, image: np.ndarray, folder: Path) -> np.ndarray:
        """Return the output for one image, which stays in the input."""
        np.save(folder / "image.npy", image)
        self._ask(do="output", image=str(folder / "image.npy"), to=str(folder / "y.npy"))
        return np.load(folder / "y.npy")

    def seconds(self, n: int) -> float:
        """Return the seconds of n calls."""
        return self._ask(do="time", n=n)["seconds"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def peer_of(network: Path) -> Iterator[Peer]:
    """Yield LiteRT's process, on the core that this one is on."""
    peer = Peer(network)
    try:
        yield peer
    finally:
        peer.close()


def images_of(model: intgold.Model) -> np.ndarray:
    """Return images of every byte, the same each time."""
    shape = (IMAGES, *model.ports.inputs[0].shape)
    return np.random.default_rng(0).integers(-128, 128, shape, np.int8)


def check_bits(name: str, model: intgold.Model, peer: Peer) -> None:
    """Stop where XNNPACK and the C engine differ, or all images give one answer."""
    x = images_of(model)
    mine = model.run(x).output
    with tempfile.TemporaryDirectory() as folder:
        theirs = np.concatenate([peer.output(x[i : i + 1], Path(folder)) for i in range(IMAGES)])
    if not np.array_equal(mine, theirs.reshape(mine.shape)):
        raise SystemExit(f"{name}: XNNPACK and contract {PEER} differ")
    if len(np.unique(mine, axis=0)) < 2:
        raise SystemExit(f"{name}: {IMAGES} images give one answer")


def session_timer(model: intgold.Model) -> Timer:
    """Return what times calls of a prepared session."""
    run, x = model.prepare().run, images_of(model)[-1:]

    def seconds(n: int) -> float:
        calls = range(n)
        started = time.process_time()
        for _ in calls:
            run(x)
        return time.process_time() - started

    return seconds


def calls_of(seconds: Timer) -> int:
    """Return how many calls take a sample's time."""
    n = 1
    while (took := min(seconds(n) for _ in range(3))) < SAMPLE_SECONDS / 4:
        n *= 4
    return max(1, round(n * SAMPLE_SECONDS / took))


def measure(timers: dict[str, Timer], rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of a call in every round."""
    counts = {name: calls_of(seconds) for name, seconds in timers.items()}
    us: dict[str, list[float]] = {name: [] for name in timers}
    for _ in Progress(range(rounds), unit="round", label="imported", show=True):
        for name, seconds in timers.items():
            us[name].append(1e6 * seconds(counts[name]) / counts[name])
    return us


def report(network: Path, rounds: int, ops: bool) -> None:
    """Print the figures of one network."""
    models = {name: import_tflite(network, name) for name in CONTRACTS}
    with peer_of(network) as peer:
        check_bits(network.stem, models[PEER], peer)
        timers = {"XNNPACK": peer.seconds}
        timers |= {name: session_timer(model) for name, model in models.items()}
        us = measure(timers, rounds)
    theirs = us["XNNPACK"]
    for name, mine in us.items():
        ratio = statistics.median(t / m for t, m in zip(theirs, mine, strict=True))
        print(f"{network.stem:26}{name:24}{statistics.median(mine):9.1f}{ratio:9.2f}")
    for name, model in models.items() if ops else ():
        x = {model.inputs[0]: images_of(model)}
        print(f"\n{network.stem}, {name}: us of each op")
        for row in time_ops(model, native.isa_name(), x, rounds).rows:
            rate = f"{row.gmacs:9.1f} GMAC/s" if row.gmacs else ""
            print(f"  {row.name:28}{row.seconds * 1e6:9.2f}{rate}")


def options_of() -> argparse.Namespace:
    """Return what the command line says; `only` as files."""
    head, _, tail = (__doc__ or "").partition("examples:")
    parser = argparse.ArgumentParser(
        description=head, epilog="examples:" + tail,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", metavar="TEXT", default="", help="networks whose name has it")
    parser.add_argument("--rounds", type=int, default=21, metavar="N", help="default: 21")
    parser.add_argument("--ops", action="store_true", help="the time of each op as well")
    options = parser.parse_args()
    folder = Path(os.environ.get("TFLITE_DIR", ROOT / "data" / "tflite"))
    options.only = [p for p in sorted(folder.glob("*.tflite")) if options.only in p.stem]
    if not options.only:
        parser.error(f"no network of that name in {folder}")
    if not PYTHON.exists():
        parser.error(f"{PYTHON} is not there: conformance/run.py makes it")
    if options.rounds < 1:
        parser.error(f"--rounds: {options.rounds} is less than 1")
    return options


def main() -> None:
    """Print the tables."""
    options = options_of()
    with pinned() as core:
        print(f"{cpu()}, core {core}, {native.isa_name()}, batch 1, {options.rounds} rounds")
        print(f"{'network':26}{'engine, contract':24}{'us':>9}{'ratio':>9}")
        for network in options.only:
            report(network, options.rounds, options.ops)


if __name__ == "__main__":
    main()
