"""Directed models against the real engines: those on which the contracts differ.

    python conformance/directed.py
    python conformance/directed.py --contract xnnpack --op MUL --models 100

`intgold contracts A B` finds where two rules differ with small graphs of one op, in which every
value or every pair of values occurs.  Here the same graphs become files for the engines, as do
those with a witness: each engine has to answer like the contract that bears its name, and so not
like the others.  Exit status: 0 when it does, else 1, also where it answers none of the models of
an op that tells its contract from another.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from itertools import combinations, product

import numpy as np
from engines import PACKAGES, Stimulus, answers
from tflite_writer import Writer

from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.file.options import OPTIONS
from intgold.importers.tflite.file.reader import FileOp
from intgold.importers.tflite.graph.float_chains import FLOAT32_CHAIN
from intgold.study.contracts.differences import difference, run_probe
from intgold.study.contracts.probes import PROBES, OpProbe, probe
from intgold.support.progress import Progress
from intgold.support.text_table import columns
from run import REFUSED

VERSIONS = {
    "ADD": 2,
    "LEAKY_RELU": 2,
    "ELU": 1,
    "RELU_N1_TO_1": 1,
    "HARD_SWISH": 1,
    "SOFTMAX": 2,
    "PRELU": 1,
    "SQRT": 2,
    "NEG": 1,
    "DIV": 1,
    "SQUARED_DIFFERENCE": 2,
    "SUM": 2,
    "LOG_SOFTMAX": 2,
}
HEAD = ("contract", "op", "models", "values", "differing", "told apart")


def file_of(at: OpProbe) -> bytes:
    """Return a probe as a file."""
    w, op = Writer(), at.graph.ops[0]
    for t in at.graph.tensors:
        scale = t.scale if t.scale.size else None
        zero = int(t.zero_point[0]) if t.zero_point.size else 0
        w.tensor(t.shape, t.dtype, scale, zero, t.data, t.axis)
    last = op
    for part in op.options["ops"] if op.kind == FLOAT32_CHAIN else ():
        made = w.tensor(at.graph.tensors[op.outputs[0]].shape, "float32")
        if (made,) != part.outputs:
            raise AssertionError(f"{part.kind}: produces {part.outputs}, not {made}")
        _write(w, part)
        last = FileOp(op.index, "QUANTIZE", part.outputs, op.outputs, {})
    _write(w, last)
    return w.finish(list(at.graph.inputs), list(at.graph.outputs))


def _write(w: Writer, op: FileOp) -> None:
    table, names = OPTIONS.get(op.kind, ("QuantizeOptions" if op.kind == "QUANTIZE" else "", ()))
    fields = {name: op.options[name] for name in names}
    w.op(op.kind, list(op.inputs), op.outputs[0], VERSIONS.get(op.kind, 3), table, **fields)


def witnesses(op: str) -> dict[int, set[tuple[str, str]]]:
    """Return the seeds of the probes that tell two contracts apart, and which ones."""
    found: dict[int, set[tuple[str, str]]] = {}
    for a, b in combinations(PACKAGES, 2):
        seen = difference(op, a, b).witness
        if seen:
            found.setdefault(seen.seed, set()).add((a, b))
    return found


def check(contract: str, op: str, seeds: list[int]) -> tuple[int, int, int]:
    """Return how many probes and values were compared, and how many differ."""
    probes = {f"p{seed}": _without_0(probe(op, seed)) for seed in seeds}
    stimuli = {
        name: Stimulus(
            file_of(p), dict(zip(p.graph.inputs, p.inputs, strict=True)), p.graph.outputs
        )
        for name, p in probes.items()
    }  # fmt: skip
    models = values = differing = 0
    for name, found in answers(contract, stimuli).items():
        if isinstance(found, str):
            continue
        try:
            ours = run_probe(probes[name], contract_named(contract))
        except ImportFileError as error:
            if not re.search(REFUSED, str(error)):
                raise
            continue
        answer = next(iter(found.outputs.values())).reshape(ours.shape)
        models, values = models + 1, values + answer.size
        differing += int(np.count_nonzero(answer != ours))
    return models, values, differing


def _without_0(at: OpProbe) -> OpProbe:
    """Return a probe that divides by another value in place of 0, which engines refuse."""
    op = at.graph.ops[0]
    if op.kind != "DIV":
        return at
    divisor = at.graph.inputs.index(op.inputs[1])
    zero, inputs = int(at.graph.tensors[op.inputs[1]].zero_point[0]), list(at.inputs)
    other = zero + 1 if zero < 127 else zero - 1
    inputs[divisor] = np.where(inputs[divisor] == zero, np.int8(other), inputs[divisor])
    return replace(at, inputs=inputs)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=40, help="of each op, besides the witnesses")
    parser.add_argument("--contract", action="append", choices=PACKAGES, default=[])
    parser.add_argument("--op", action="append", choices=PROBES, default=[])
    options = parser.parse_args()
    rows, wrong = [HEAD], 0
    seeds_of = {op: witnesses(op) for op in options.op or PROBES}
    every = [*product(options.contract or PACKAGES, seeds_of)]
    for contract, op in Progress(every, unit="op", label="directed", show=True):
        seeds = sorted({*range(options.models), *seeds_of[op]})
        models, values, differing = check(contract, op, seeds)
        pairs = set().union(*seeds_of[op].values())
        others = sorted({a if b == contract else b for a, b in pairs if contract in (a, b)})
        rows.append(
            (contract, op, str(models), f"{values:,}", f"{differing:,}", " ".join(others) or "-")
        )
        wrong += differing or bool(others and not models)
    print(*columns(rows, left=(0, 1, 5)), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
