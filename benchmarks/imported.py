"""Imported TFLite networks on the C engine beside LiteRT's XNNPACK, batch 1, one core, in turns.

Every contract of `intgold.contracts` that takes the file is imported and run, or those that are
asked for.  Under the contract xnnpack both engines have to give the same bits for some images
before anything is timed.  XNNPACK's time is that of `Interpreter.invoke()` alone, with the image
already in its tensor; float ops at the ends of a file, which are the host's here, are part of it.
Ours is a whole call of `Session.run`, its checks and its new output included, on a session that is
prepared.  Both loops are Python's, on one core; the clock is that of the process (what others do on
the core meanwhile is left out).  Every round asks each in turn; a time is the median of the rounds,
and so is the ratio, XNNPACK's time over ours in one round: above 1, ours is faster.

--ops: each op of the file by itself, as a file of one op, under the contract xnnpack: XNNPACK's
invoke() less that of a RESHAPE of four values, ours by a loop in C; the shortest of the rounds.

The networks are TFLITE_DIR/*.tflite, data/tflite without it; the Python that has LiteRT is
that of conformance/run.py.

examples:
  python benchmarks/imported.py
  python benchmarks/imported.py --only kws --contract xnnpack,intgold --ops
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import intgold
from intgold import native
from intgold.bench.clock import own_time, pinned
from intgold.bench.loops import ImageLoop
from intgold.contracts import CONTRACTS, contract_named
from intgold.errors import ImportFileError
from intgold.importers import import_tflite
from intgold.importers.tflite.convert import convert_graph
from intgold.importers.tflite.file.reader import parse
from intgold.run.environment import cpu
from intgold.study.engines.engine_answers import EngineRequest, engine_answers
from intgold.study.engines.engine_check import integer_inputs, tensor_checks
from intgold.study.engines.file_stimulus import file_stimulus
from intgold.support.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "out" / "conformance" / "ai-edge-litert" / "bin" / "python"
PEER = "xnnpack"
IMAGES = 32
SAMPLE_SECONDS = 0.02
OP_SAMPLE_SECONDS = 0.002

Timer = Callable[[int], float]
"""The seconds of this many calls."""


class Peer:
    """LiteRT's process."""

    def __init__(self) -> None:
        worker = ROOT / "benchmarks" / "litert_worker.py"
        self._process = subprocess.Popen(
            [PYTHON, worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def _ask(self, **what: object) -> dict:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(what), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{PYTHON}: ended with {self._process.wait()} at {what}")
        return json.loads(line)

    def split(self, network: Path, folder: str) -> list[list[str]]:
        """Return kind and file of each op, written into a folder."""
        return self._ask(do="split", model=str(network), to=folder)["ops"]

    def timer(self, network: Path | str) -> Timer:
        """Return what times calls of invoke()."""
        self._ask(do="load", model=str(network))
        return lambda n: self._ask(do="time", model=str(network), n=n)["seconds"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def peer() -> Iterator[Peer]:
    """Yield LiteRT's process, on the core that this one is on."""
    made = Peer()
    try:
        yield made
    finally:
        made.close()


def images_of(model: intgold.Model, count: int) -> dict[str, np.ndarray]:
    """Return images of every byte, the same each time."""
    draw = np.random.default_rng(0)
    return {
        p.name: draw.integers(-128, 128, (count, *p.shape), np.int8) for p in model.ports.inputs
    }


def check_bits(network: Path) -> None:
    """Stop where XNNPACK and the C engine differ in an output; say where images give one answer."""
    data = network.read_bytes()
    graph = parse(data)
    converted = convert_graph(graph, contract_named(PEER), "network")
    given = file_stimulus(graph, converted.cut, IMAGES, corners=False)
    ends = (*converted.model.inputs, *converted.model.outputs)
    kept = tuple(
        at for at, name in converted.names.items() if name in ends and at not in graph.inputs
    )
    asked = EngineRequest(data, given.inputs, (), kept, given.at_once)
    answer = engine_answers(PYTHON, PEER, {"file": asked})["file"]
    if isinstance(answer, str):
        raise SystemExit(f"{network.stem}: XNNPACK refuses it: {answer}")
    run = converted.model.run(integer_inputs(converted, given, answer))
    checks = list(tensor_checks(graph, converted, given, answer, run.outputs))
    if not sum(check.values for check in checks):
        raise SystemExit(f"{network.stem}: no output was compared")
    if any(check.differing for check in checks):
        raise SystemExit(f"{network.stem}: XNNPACK and contract {PEER} differ")
    if all(len(np.unique(y, axis=0)) < 2 for y in run.outputs.values()):
        print(f"{network.stem}: {IMAGES} images give one answer, so its bits show little")


def session_timer(model: intgold.Model) -> Timer:
    """Return what times calls of a prepared session."""
    run, x = model.prepare().run, images_of(model, 1)

    def seconds(n: int) -> float:
        calls = range(n)
        started = time.process_time()
        for _ in calls:
            run(x)
        return time.process_time() - started

    return seconds


def loop_timer(model: intgold.Model) -> Timer:
    """Return what times a loop in C."""
    loop = ImageLoop(model, images_of(model, 1))

    def seconds(n: int) -> float:
        started = own_time()
        loop(n)
        return own_time() - started

    return seconds


def calls_of(seconds: Timer, sample: float) -> int:
    """Return how many calls take a sample's time."""
    n = 1
    while (took := min(seconds(n) for _ in range(3))) < sample / 4:
        n *= 4
    return max(1, round(n * sample / took))


def measure(timers: dict[str, Timer], rounds: int, sample: float) -> dict[str, list[float]]:
    """Return the microseconds of a call in every round."""
    counts = {name: calls_of(seconds, sample) for name, seconds in timers.items()}
    us: dict[str, list[float]] = {name: [] for name in timers}
    for _ in Progress(range(rounds), unit="round", label="imported", show=True):
        for name, seconds in timers.items():
            us[name].append(1e6 * seconds(counts[name]) / counts[name])
    return us


def models_of(network: Path, contracts: list[str]) -> dict[str, intgold.Model]:
    """Return the model under each contract that takes the file; say which do not."""
    models = {}
    for contract in contracts:
        try:
            models[contract] = import_tflite(network, contract)
        except ImportFileError as error:
            print(f"{network.stem:32}{contract:24}not imported: {error}")
    return models


def report(network: Path, contracts: list[str], rounds: int) -> None:
    """Print the figures of a network."""
    check_bits(network)
    models = models_of(network, contracts)
    with peer() as litert:
        timers = {"XNNPACK": litert.timer(network)}
        timers |= {name: session_timer(model) for name, model in models.items()}
        us = measure(timers, rounds, SAMPLE_SECONDS)
    theirs = us["XNNPACK"]
    for name, mine in us.items():
        ratio = statistics.median(t / m for t, m in zip(theirs, mine, strict=True))
        print(f"{network.stem:32}{name:24}{statistics.median(mine):9.1f}{ratio:9.2f}")


def shape_of(model: intgold.Model) -> str:
    """Return the shapes of inputs and outputs, and of the kernel."""
    ins = ", ".join("x".join(map(str, p.shape)) for p in model.ports.inputs)
    out = ", ".join("x".join(map(str, p.shape)) for p in model.ports.outputs)
    kernels = {
        "x".join(map(str, op["weights"].shape)) for op in model.ops if "weights" in op.fields
    }
    return ", ".join([f"{ins} -> {out}", *sorted(kernels)])


def nothing(folder: str) -> Path:
    """Return a file with next to no work."""
    sys.path.insert(0, str(ROOT / "conformance"))
    from tflite_writer import Writer  # needs the tflite package

    w = Writer()
    x, y = (w.tensor((1, *s), "int8", 0.5, 0) for s in ((2, 2), (4,)))
    w.op("RESHAPE", [x, w.tensor((2,), "int32", data=np.array([1, 4]))], y)
    path = Path(folder) / "nothing.tflite"
    path.write_bytes(w.finish([x], [y]))
    return path


def report_ops(network: Path, rounds: int) -> None:
    """Print the figures of each op of a network by itself."""
    timers: dict[str, Timer] = {}
    shown: dict[str, tuple[str, str]] = {}
    with peer() as litert, tempfile.TemporaryDirectory() as folder:
        for number, (kind, path) in enumerate(litert.split(network, folder)):
            try:
                model = import_tflite(path, PEER)
            except ImportFileError:
                continue  # of the host: floats, shapes
            shown[f"{number}"] = kind, shape_of(model)
            timers |= {f"{number} ours": loop_timer(model), f"{number} theirs": litert.timer(path)}
        timers["call"] = litert.timer(nothing(folder))
        us = {k: min(v) for k, v in measure(timers, rounds, OP_SAMPLE_SECONDS).items()}
    by_kind: dict[str, list[tuple[float, float]]] = {}
    print(
        f"\n{network.stem}, {PEER}: us of each op; {us['call']:.2f} of a call taken off XNNPACK's"
    )
    print(f"  {'op':26}{'XNNPACK':>9}{'intgold':>9}{'ratio':>7}  shapes")
    for number, (kind, shape) in shown.items():
        theirs, ours = us[f"{number} theirs"] - us["call"], us[f"{number} ours"]
        by_kind.setdefault(kind, []).append((theirs, ours))
        print(f"  {number:>4} {kind:21}{theirs:9.2f}{ours:9.2f}{theirs / ours:7.2f}  {shape}")
    sums = {kind: np.sum(rows, axis=0) for kind, rows in by_kind.items()}
    for kind, (theirs, ours) in sorted(sums.items(), key=lambda row: -row[1][1]):
        print(f"  all  {kind:21}{theirs:9.2f}{ours:9.2f}{theirs / ours:7.2f}")


def options_of() -> argparse.Namespace:
    """Return what the command line says; `only` as files, `contract` as a list."""
    head, _, tail = (__doc__ or "").partition("examples:")
    parser = argparse.ArgumentParser(
        description=head, epilog="examples:" + tail,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", metavar="TEXT", default="", help="networks whose name has it")
    parser.add_argument("--contract", metavar="NAME,...", help="default: all")
    parser.add_argument("--rounds", type=int, default=21, metavar="N", help="default: 21")
    parser.add_argument("--ops", action="store_true", help="the time of each op as well")
    options = parser.parse_args()
    folder = Path(os.environ.get("TFLITE_DIR", ROOT / "data" / "tflite"))
    options.only = [p for p in sorted(folder.glob("*.tflite")) if options.only in p.stem]
    if not options.only:
        parser.error(f"no network of that name in {folder}")
    options.contract = options.contract.split(",") if options.contract else list(CONTRACTS)
    for name in options.contract:
        if name not in CONTRACTS:
            parser.error(f"--contract: {name} is none of {', '.join(CONTRACTS)}")
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
        print(f"{'network':32}{'engine, contract':24}{'us':>9}{'ratio':>9}")
        for network in options.only:
            report(network, options.contract, options.rounds)
            if options.ops:
                report_ops(network, options.rounds)


if __name__ == "__main__":
    main()
