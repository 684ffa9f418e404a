"""Holds imported models against the real engines: models of one op, whole networks; bit for bit.

    python conformance/run.py                 every contract, 200 models of each op, the networks
    python conformance/run.py --networks      only the networks; see networks.py
    python conformance/run.py --tails         only detection tails; see host_tails.py
    python conformance/run.py --count 20 --contract xnnpack --op MEAN
    python conformance/run.py --freeze        writes conformance/answers.json, and what was compared
                                              into the package, where `intgold contracts` shows it

The engines are installed in environments of their own in out/conformance.  Exit status: 0 when
nothing differs, else 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import host_tails
import networks
import numpy as np
import softmax_models
import two_operand_models
from engines import PACKAGES, Stimulus, answer_as_int8, answers
from one_op_models import MODELS, made

from intgold.contracts import contract_named, evidence
from intgold.errors import IntgoldError
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import FileGraph, parse
from intgold.importers.tflite.graph.float_chains import fold_float_chains
from intgold.model.graph import Model
from intgold.support.progress import Progress
from intgold.support.safe_files import canonical_json
from intgold.support.text_table import columns

FROZEN = Path(__file__).parent / "answers.json"
COMPARED = Path(evidence.__file__).parent / evidence.FILE
FROZEN_SEEDS, FROZEN_FACTORS = 3, 24
ABORTS = {**softmax_models.ABORTS, **two_operand_models.ABORTS}
REFUSED = (
    "floored at last|before the clamp, in int16|its cells are the byte 0|interpolates in float32|"
    "writes no output"
)
"""What may be refused: the arithmetic of no entry of R, a kernel that computes nothing."""


@dataclass
class Row:
    """What was found of one op under one contract; `kind`: as the schema names it, and its type.

    taken: how many of the models that the engine refuses are imported all the same.
    """

    contract: str
    op: str
    kind: str = ""
    models: int = 0
    values: int = 0
    differing: int = 0
    refused: int = 0
    taken: int = 0
    missed: int = 0
    declined: set[str] = field(default_factory=set)
    first: str = ""


def both_engines(model: Model, stimulus: list[np.ndarray]) -> np.ndarray:
    """Return the one output of a model, after the golden model and C were found equal."""
    (output,) = every_output(model, stimulus)
    return output


def as_inputs(model: Model, stimulus: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return a stimulus of a file, by the names and in the shapes of the model's inputs."""
    return {
        name: answer_as_int8(batch).reshape(len(batch), *model.tensor(name).shape)
        for name, batch in zip(model.inputs, stimulus, strict=True)
    }


def every_output(model: Model, stimulus: list[np.ndarray]) -> list[np.ndarray]:
    """Return the outputs of a model, after the golden model and C were found equal."""
    x = as_inputs(model, stimulus)
    golden, c = (model.run(x, backend=b).outputs for b in ("golden", "c"))
    if any(not np.array_equal(golden[name], c[name]) for name in model.outputs):
        raise AssertionError(f"{model.name}: golden model and C engine differ")
    return [np.asarray(golden[name]) for name in model.outputs]


def check(contract: str, op: str, count: int, dtype: str) -> tuple[Row, dict[str, str]]:
    """Return the row of an op under a contract, and digests of the engine's first answers."""
    row, digests = Row(contract, f"{op} {dtype}"), {}
    models = {f"{op.lower()}_{dtype}_{seed}": made(op, seed, dtype) for seed in range(count)}
    stimuli = {
        name: Stimulus(
            m.data, dict(zip([i for i, _ in m.inputs], x, strict=True)), (m.output, *m.others)
        )
        for name, (m, x) in models.items()
    }
    for name, found in answers(contract, stimuli).items():
        graph = parse(models[name][0].data)
        if isinstance(found, str):
            row.refused += 1
            row.taken += _imports(graph, contract)
            continue
        kinds = (o.kind for o in fold_float_chains(graph).ops if op.startswith(o.kind))
        kind = max(kinds, key=len)
        row.kind = f"{kind} {dtype}"
        try:
            model = convert(graph, contract_named(contract), name)
        except IntgoldError as error:
            row.declined.add(str(error)[:90])
            row.missed += not re.search(REFUSED, str(error))
            continue
        made_here, stimulus = models[name]
        theirs = [found.outputs[at].ravel() for at in (made_here.output, *made_here.others)]
        answer = np.concatenate(theirs)
        ours = np.concatenate([y.ravel() for y in every_output(model, stimulus)])
        differing = int(np.count_nonzero(ours != answer))
        row.models, row.values = row.models + 1, row.values + answer.size
        row.differing += differing
        if differing and not row.first:
            row.first = name
        if len(digests) < (FROZEN_FACTORS if op.endswith("_FACTORS") else FROZEN_SEEDS):
            values = answer.astype(ours.dtype)  # a model's indices are int32
            digests[name] = hashlib.sha256(values.tobytes()).hexdigest()
    return row, digests


def _imports(graph: FileGraph, contract: str) -> bool:
    try:
        convert(graph, contract_named(contract), "m")
    except IntgoldError:
        return False
    return True


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of the table, and of what was not imported."""
    head = (
        "contract", "op", "models", "values", "differing", "first", "refused by the engine",
        "imported all the same",
    )  # fmt: skip
    cells = [
        (r.contract, r.op, str(r.models), f"{r.values:,}", f"{r.differing:,}", r.first or "-",
         str(r.refused or "-"), str(r.taken or "-"))
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
    parser.add_argument("--networks", action="store_true", help="only whole networks")
    parser.add_argument("--tails", action="store_true", help="only detection tails of files")
    parser.add_argument("--freeze", action="store_true", help="write conformance/answers.json")
    options = parser.parse_args()
    failed = False if options.networks or options.tails else ops(options)
    if not options.op and not options.networks:
        failed |= tails(options)
    if not options.op and not options.tails:
        print()
        try:
            for line in networks.prove(options.contract or list(PACKAGES)):
                print(line)
        except networks.DiffersError as names:
            print(f"failed: {names}")
            failed = True
    return int(failed)


def tails(options: argparse.Namespace) -> bool:
    """Run files with a detection tail; return whether anything differs."""
    chosen = [c for c in host_tails.CONTRACTS if c in (options.contract or PACKAGES)]
    rows = [host_tails.hold(contract, options.count) for contract in chosen]
    print(*host_tails.table(rows), sep="\n")
    return any(row.differing or not row.values for row in rows)


def ops(options: argparse.Namespace) -> bool:
    """Run the models of one op; return whether anything differs."""
    rows: list[Row] = []
    frozen: dict[str, dict[str, str]] = {}
    every = [
        (contract, op, dtype)
        for contract, op, dtype in product(
            options.contract or PACKAGES, options.op or MODELS, ("int8", "uint8")
        )
        if contract not in ABORTS.get(op, ())
    ]
    for contract, op, dtype in Progress(every, unit="op", label="conformance", show=True):
        row, digests = check(contract, op, options.count, dtype)
        rows.append(row)
        frozen.setdefault(contract, {}).update(digests)
    print(*table(rows), sep="\n")
    for op, contracts in ABORTS.items():
        if op in (options.op or MODELS):
            print(f"{op}: not run by {' and '.join(contracts)}, whose kernels end the process")
    differing = sum(r.differing for r in rows)
    missed = sum(r.missed for r in rows)
    print(f"{sum(r.values for r in rows):,} values compared, {differing:,} differ")
    print(f"{missed} models not imported that should be" if missed else "", end="\n" * (missed > 0))
    if options.freeze and not differing and not missed:
        _freeze(rows, frozen)
    return bool(differing or missed)


def _freeze(rows: list[Row], digests: dict[str, dict[str, str]]) -> None:
    """Write what was found into the frozen files, beside what they hold of other models."""
    held = json.loads(FROZEN.read_text())["answers"]
    anew = tuple("_".join([*row.op.lower().split(), ""]) for row in rows)
    for contract, found in digests.items():
        kept = {
            k: v for k, v in held.get(contract, {}).items() if k.rstrip("0123456789") not in anew
        }
        held[contract] = kept | found
    FROZEN.write_bytes(canonical_json({"packages": PACKAGES, "answers": held}))
    compared = json.loads(COMPARED.read_text())
    for row in rows:
        generator, dtype = row.op.split()
        for kind, by_generator in compared.setdefault(row.contract, {}).items():
            if kind.endswith(dtype):
                by_generator.pop(generator, None)
        if row.values:
            compared[row.contract].setdefault(row.kind, {})[generator] = row.values
    COMPARED.write_bytes(canonical_json(compared))
    print(f"{FROZEN.name} and {COMPARED.name}: written")


if __name__ == "__main__":
    sys.exit(main())
