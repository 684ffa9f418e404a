"""Holds imported models against the real engines: random models of one op, bit for bit.

    python conformance/run.py                 every contract, 200 models of each op
    python conformance/run.py --count 20 --contract xnnpack --op MEAN
    python conformance/run.py --freeze        writes conformance/answers.json

The engines are installed in environments of their own in out/conformance.  Exit status: 0 when
nothing differs, else 1.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
from one_op_models import MODELS, Made, made
from tqdm import tqdm

from intgold.columns import columns
from intgold.contracts import CONTRACTS
from intgold.errors import IntgoldError
from intgold.files import canonical_json
from intgold.importers.tflite.convert import import_tflite
from intgold.model import Model

ROOT = Path(__file__).parents[1]
OUT = ROOT / "out" / "conformance"
FROZEN = Path(__file__).parent / "answers.json"
PACKAGES = {
    "litert_reference": "ai-edge-litert==2.3.0",
    "litert_optimised_x86": "ai-edge-litert==2.3.0",
    "xnnpack": "ai-edge-litert==2.3.0",
    "tflm": "tflite-micro==0.dev20261023182759",
}
"""The engine of each contract, by the package that brings it."""
FROZEN_SEEDS = 3


@dataclass
class Row:
    """What was found of one op under one contract."""

    contract: str
    op: str
    models: int = 0
    values: int = 0
    differing: int = 0
    refused: int = 0
    declined: set[str] = field(default_factory=set)
    first: str = ""


def environment(package: str) -> Path:
    """Return the interpreter of an environment with the package."""
    folder = OUT / package.split("=")[0]
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
        (folder / "ready").touch()
    return python


def as_int8(values: np.ndarray) -> np.ndarray:
    """Return int8, or uint8 as x ^ 0x80."""
    return (values ^ np.uint8(0x80)).view(np.int8) if values.dtype == np.uint8 else values


def answers(contract: str, models: dict[str, tuple[Made, list[np.ndarray]]]) -> dict[str, object]:
    """Return what the engine makes of each model: an array, or the text of its refusal."""
    folder = OUT / "models"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, (model, stimulus) in models.items():
        (folder / f"{name}.tflite").write_bytes(model.data)
        arrays = {f"x{i}": x for i, x in enumerate(stimulus)}
        inputs = [index for index, _ in model.inputs]
        np.savez(folder / f"{name}.npz", inputs=inputs, output=model.output, **arrays)
    worker = [environment(PACKAGES[contract]), Path(__file__).parent / "engine_worker.py"]
    subprocess.run([*worker, contract, folder], check=True, stderr=subprocess.DEVNULL)
    found: dict[str, object] = {}
    for name in models:
        refusal = folder / f"{name}.refused"
        found[name] = (
            refusal.read_text() if refusal.exists()
            else as_int8(np.load(folder / f"{name}.answer.npz")["y"])
        )  # fmt: skip
    return found


def ours(contract: str, name: str, stimulus: list[np.ndarray]) -> np.ndarray:
    """Return what the imported model makes, by the golden model and in C."""
    model = import_tflite(OUT / "models" / f"{name}.tflite", contract)
    return both_engines(model, stimulus)


def both_engines(model: Model, stimulus: list[np.ndarray]) -> np.ndarray:
    """Return the output of a model, after the golden model and C were found equal."""
    x = dict(zip(model.inputs, map(as_int8, stimulus), strict=True))
    golden, c = (model.run(x, backend=b).output for b in ("golden", "c"))
    if not np.array_equal(golden, c):
        raise AssertionError(f"{model.name}: golden model and C engine differ")
    return np.asarray(golden)


def check(contract: str, op: str, count: int, dtype: str) -> tuple[Row, dict[str, str]]:
    """Return the row of an op under a contract, and digests of the engine's first answers."""
    row, digests = Row(contract, f"{op} {dtype}"), {}
    models = {f"{op.lower()}_{dtype}_{seed}": made(op, seed, dtype) for seed in range(count)}
    for name, answer in answers(contract, models).items():
        if isinstance(answer, str):
            row.refused += 1
            continue
        try:
            found = ours(contract, name, models[name][1])
        except IntgoldError as error:
            row.declined.add(str(error).split(": ", 1)[1][:90])
            continue
        differing = int(np.count_nonzero(found.reshape(answer.shape) != answer))
        row.models, row.values = row.models + 1, row.values + answer.size
        row.differing += differing
        if differing and not row.first:
            row.first = name
        if len(digests) < FROZEN_SEEDS:
            digests[name] = hashlib.sha256(answer.tobytes()).hexdigest()
    return row, digests


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of the table, and of what was not imported."""
    head = ("contract", "op", "models", "values", "differing", "first", "refused by the engine")
    cells = [
        (r.contract, r.op, str(r.models), f"{r.values:,}", f"{r.differing:,}", r.first or "-",
         str(r.refused or "-"))
        for r in rows
    ]  # fmt: skip
    yield from columns([head, *cells], left=(0, 1, 5))
    for row in rows:
        yield from (f"{row.contract} {row.op}: not imported: {why}" for why in sorted(row.declined))


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="models of each op")
    parser.add_argument("--contract", action="append", choices=PACKAGES, default=[])
    parser.add_argument("--op", action="append", choices=MODELS, default=[])
    parser.add_argument("--freeze", action="store_true", help="write conformance/answers.json")
    options = parser.parse_args()
    rows: list[Row] = []
    frozen: dict[str, dict[str, str]] = {}
    every = product(options.contract or PACKAGES, options.op or MODELS, ("int8", "uint8"))
    for contract, op, dtype in tqdm([*every], unit="op", desc="conformance"):
        row, digests = check(contract, op, options.count, dtype)
        rows.append(row)
        frozen.setdefault(contract, {}).update(digests)
    print(*table(rows), sep="\n")
    differing = sum(r.differing for r in rows)
    print(f"{sum(r.values for r in rows):,} values compared, {differing:,} differ")
    if options.freeze and not differing and set(frozen) == set(CONTRACTS) and not options.op:
        document = {"packages": PACKAGES, "answers": frozen}
        FROZEN.write_bytes(canonical_json(document))
        print(f"{FROZEN.relative_to(ROOT)}: written")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
