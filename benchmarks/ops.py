"""Each op alone, at the shapes of well-known networks, by every variant of the C kernels.

Batch 1, one image in the same place, on one core.  All take turns, round after round; a figure is
the least of its samples, in time that the thread was on the core.  The roofline of a variant is its
own dot-product instruction, all in registers, in the same rounds.  Beside it ONNX Runtime's int8
for the same op where it has one, one thread, in an environment of its own (see ort_worker.py), with
activations uint8 or int8, whichever is faster; what a call of a pool of four values takes there is
taken off.

  *  per cent of the roofline below half the median of its group of ops
  <  slower than ONNX Runtime

examples:
  python benchmarks/ops.py
  python benchmarks/ops.py --only depthwise --isa amx,avx512vbmi --rounds 200
  python benchmarks/ops.py --without-ort --json out/ops.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from op_models import Case, cases, max_pool
from op_report import ORT, Report, Row

import intgold
from intgold import native
from intgold.bench.ceiling import CeilingLoops
from intgold.bench.clock import own_time, pinned
from intgold.bench.loops import ImageLoop
from intgold.run.environment import cpu
from intgold.support.progress import Progress

PINNED = ("onnxruntime==1.32.0", "onnx==1.23.2")
HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent / "out" / "peers" / "venv-ort"
SAMPLE_SECONDS = 0.001  # short, so that few samples meet what else the machine does

Timer = Callable[[int], float]
"""Returns the seconds of n calls, warm."""


def timer(loop: Callable[[int], object]) -> Timer:
    """Return the timer of what does something n times."""

    def seconds(n: int) -> float:
        loop(1)
        started = own_time()
        loop(n)
        return own_time() - started

    return seconds


class Peer:
    """ONNX Runtime in a process and an environment of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [_environment(), HERE / "ort_worker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def _ask(self, **what: object) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"ONNX Runtime failed at {what}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def load(self, case: Case) -> tuple[str, Timer] | None:
        """Return the faster type of activations and its timer; None where it has no such op."""
        arrays: dict[str, Any] = _as_arrays(case)
        np.savez(self._folder / "case.npz", **arrays)
        ways = self._ask(do="load", name=case.name, case=str(self._folder / "case.npz"))["ways"]
        timers = {way: self._timer(case, way) for way in ways if self._agrees(case, way)}
        if not timers:
            return None
        trial = {
            way: min(seconds(n) / n for n in [calls(seconds)] * 5)
            for way, seconds in timers.items()
        }
        best = min(trial, key=trial.__getitem__)
        return best, timers[best]

    def _timer(self, case: Case, way: str) -> Timer:
        return lambda n: self._ask(do="time", name=case.name, way=way, n=n)["seconds"]

    def _agrees(self, case: Case, way: str) -> bool:
        """Return whether the op only rounds in its own way, or say that it does not.

        On CPUs without VNNI sums of two products saturate there.
        """
        to = self._folder / "output.npy"
        self._ask(do="output", name=case.name, way=way, to=str(to))
        mine = case.model.run(case.inputs()).output.astype(np.int32)
        apart = np.abs(np.load(to).reshape(mine.shape) - mine).max()
        if apart > 1:
            print(f"{case.name}: ONNX Runtime, {way}, is {apart} apart: not timed")
        return bool(apart <= 1)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _environment() -> Path:
    """Return the Python that has ONNX Runtime; made once."""
    python = ENVIRONMENT / "bin" / "python"
    names = [pin.split("==")[0] for pin in PINNED]
    versions = f"from importlib.metadata import version as v; print(*map(v, {names}))"
    wanted = " ".join(pin.split("==")[1] for pin in PINNED)
    if python.exists():
        found = subprocess.run([python, "-c", versions], capture_output=True, text=True)
        if found.stdout.strip() == wanted:
            return python
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:"]
    if subprocess.run([python, *pip, *PINNED]).returncode:
        raise SystemExit(f"{ENVIRONMENT}: pip found no {' '.join(PINNED)}; try --without-ort")
    return python


def _as_arrays(case: Case) -> dict[str, np.ndarray]:
    """Return what ort_worker.py needs of an op: its fields, scales as float."""
    op, model = case.model.ops[0], case.model
    arrays: dict[str, object] = {
        "kind": op.kind,
        "x_zero_point": np.int8(model.tensor("x1").zero_point),
        "y_zero_point": np.int8(model.tensor("y").zero_point),
        "y_shape": (1, *model.tensor("y").shape),
        **case.inputs(),
        **case.peer,
    }
    taken = ("weights", "bias", "padding", "stride", "kernel", "indices")
    arrays |= {name: op[name] for name in taken if name in op.fields}
    scale = _scales(op.fields["requantize"]) if "requantize" in op.fields else np.ones(1)
    if op.kind == "add":
        parts = [
            _scales(op[n])[0] * 2.0 ** op["left_shift"] for n in ("requantize1", "requantize2")
        ]
        scale = scale * parts
    return {n: np.asarray(v) for n, v in (arrays | {"scale": scale}).items()}


def _scales(by: intgold.Requantize) -> np.ndarray:
    return by.multiplier * 2.0 ** -by.right_shift.astype(np.float64)


def calls(seconds: Timer) -> int:
    """Return how many calls take a sample's time."""
    n = 1
    # The least of some: a sample that something else held up would make all of them too short.
    while (took := min(seconds(n) for _ in range(5))) < SAMPLE_SECONDS / 4:
        n *= 4
    return max(1, round(n * SAMPLE_SECONDS / took))


def _trial(seconds: Timer) -> float:
    n = calls(seconds)
    return min(seconds(n) / n for _ in range(5))


def check_bits(chosen: list[Case], isas: list[str]) -> None:
    """Stop unless every variant gives the same bits, and outputs are spread."""
    for case in chosen:
        x = case.inputs()
        first = case.model.run(x, isa="portable").output
        if len(np.unique(first)) < min(first.size, 100) // 2:
            raise SystemExit(f"{case.name}: outputs are not spread")
        for isa in isas:
            if not np.array_equal(case.model.run(x, isa=isa).output, first):
                raise SystemExit(f"{case.name}: {isa} and portable differ")


def measure(
    chosen: list[Case], isas: list[str], rounds: int, peer: Peer | None
) -> tuple[Report, float]:
    """Return the figures, and the microseconds that were taken off those of ONNX Runtime."""
    rows = [Row(case) for case in chosen]
    timers: dict[tuple[str, str], Timer] = {}
    for row in rows:
        for isa in isas:
            loop = ImageLoop(row.case.model, row.case.inputs(), isa)
            timers[row.case.name, isa] = timer(loop)
        if peer and (loaded := peer.load(row.case)):
            row.ort_activations, timers[row.case.name, ORT] = loaded
    nothing = max_pool(2, 1)
    if peer and (loaded := peer.load(nothing)):
        timers["nothing", ORT] = loaded[1]
    probes = {isa: CeilingLoops(nothing.model, isa) for isa in isas}
    for isa, probe in probes.items():
        timers |= {(name, isa): timer(loop) for name, loop in probe.loops.items()}
    counts = {key: calls(seconds) for key, seconds in timers.items()}
    least = dict.fromkeys(timers, float("inf"))
    for _ in Progress(range(rounds), unit="round", label="ops", show=True):
        for key, seconds in timers.items():
            least[key] = min(least[key], seconds(counts[key]) / counts[key])
    us = {key: seconds * 1e6 for key, seconds in least.items()}
    for row in rows:
        row.us = {isa: us[row.case.name, isa] for isa in isas}
        if (row.case.name, ORT) in us:
            row.us[ORT] = us[row.case.name, ORT] - us["nothing", ORT]
    ceilings = {
        isa: probe.ceiling({name: [least[name, isa]] for name in probe.loops}).gmacs
        for isa, probe in probes.items()
    }
    tops = {isa: gmacs for isa, gmacs in ceilings.items() if gmacs is not None}
    return Report(rows, isas, tops), us.get(("nothing", ORT), 0.0)


def options_of() -> argparse.Namespace:
    """Return what the command line says; `isa` and `only` as lists."""
    head, _, tail = (__doc__ or "").partition("examples:")
    parser = argparse.ArgumentParser(
        description=head, epilog="examples:" + tail,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--only", metavar="TEXT,...", default="", help="ops whose name or group has one of them"
    )
    parser.add_argument("--isa", metavar="NAME,...", help="default: every variant that runs here")
    parser.add_argument("--rounds", type=int, default=60, metavar="N", help="default: 60")
    parser.add_argument("--without-ort", action="store_true", help="no ONNX Runtime")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    options = parser.parse_args()
    known = native.variants()
    asked = options.isa.split(",") if options.isa else known
    for isa in asked:
        if isa not in known:
            parser.error(f"--isa: {isa} is none of {', '.join(known)}")
    options.isa = [isa for isa in known if isa in asked]
    texts = options.only.split(",")
    options.only = [c for c in cases() if any(t in c.name or t in c.group for t in texts)]
    if not options.only:
        parser.error("--only: no op has that in its name")
    if options.json and not options.json.absolute().parent.is_dir():
        parser.error(f"--json: {options.json}: no such folder")
    if options.rounds < 1:
        parser.error(f"--rounds: {options.rounds} is less than 1")
    return options


def main() -> None:
    """Print the tables."""
    options = options_of()
    check_bits(options.only, options.isa)
    with pinned() as core, tempfile.TemporaryDirectory() as folder:
        peer = None if options.without_ort else Peer(Path(folder))
        report, overhead = measure(options.only, options.isa, options.rounds, peer)
        if peer:
            peer.close()
    about = [cpu(), f"core {core}", "batch 1", f"minimum of {options.rounds} samples"]
    if peer:
        compared = [row for row in report.rows if ORT in row.us]
        unsigned = sum(row.ort_activations == "uint8" for row in compared)
        about.append(f"{' '.join(PINNED)} less {overhead:.1f} us a call, "
                     f"uint8 in {unsigned} of {len(compared)} ops")  # fmt: skip
    print(", ".join(about), report.times(), report.rates(), sep="\n\n")
    print("\nweak rows of " + report.fastest, *report.weak_rows() or ["none"], sep="\n  ")
    if options.json:
        options.json.write_text(json.dumps({"about": about, **report.as_json()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
