"""The page "Which int8?": what `intgold contracts` shows, for readers; written into docs/.

python tools/contracts_page.py docs/which_int8.md
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from intgold.contracts.evidence import evidence_table, inexact, op_names, overflows
from intgold.contracts.table import CONTRACTS, Contract, OpRule
from intgold.study.contracts.differences import (
    MODELS,
    ContractDifference,
    differences,
    rate,
    witness,
)
from intgold.support.file_kinds import FileKind
from intgold.support.safe_files import replacing

PAIRS = (
    ("litert_reference", "litert_optimised_x86"),
    ("litert_reference", "xnnpack"),
    ("litert_reference", "tflm"),
    ("litert_optimised_x86", "xnnpack"),
    ("tflm", "xnnpack"),
    ("litert_reference", "intgold"),
)
_HEAD = """# Which int8?

There is no single int8 reference: one quantised file gives different bits in each engine. A
*contract* is the arithmetic of one engine, as data: per op the form of R (SPEC 4.2), how the scale
ratio is computed, and where a kernel treats its remainder elements differently. It is chosen when a
file is imported (`intgold import FILE --contract NAME -o M.npz`) and frozen into the model.

This page is written by `python tools/contracts_page.py docs/which_int8.md` from the table
`intgold.contracts` itself; `intgold contracts` shows in a terminal what was compared, and where two
differ.
"""
CONTRACTS_PAGE = FileKind(
    "page",
    {".md": lambda head, tail: head.startswith(b"# Which int8?\n\nThere is no single int8 ")},
    ("<!-- ", " -->"),
)
_TABLE = "float32 table, halves away from zero"
_PLAIN = {
    "MAX_POOL_2D": "ends of activations away from zero",
    "SOFTMAX": "fixed point (SPEC 5.10)",
    "LOG_SOFTMAX": "fixed point (SPEC 5.26)",
}
_FACTORS = {
    "float64": "",
    "product32": "factor: product in float32",
    "float32": "factor in float32",
}


def contracts_page(models: int) -> str:
    """Return the page, its rates from as many probes of each op."""
    return "\n".join(_parts(models)) + "\n"


def rule_text(rule: OpRule | None) -> str:
    """Return a rule in words."""
    if rule is None:
        return "-"
    words = [f"`{rule.form}`" if rule.form else "", _FACTORS[rule.factor], rule.algorithm.value]
    if rule.channel_factor:
        words.append(
            f"of a scale for each channel: {_FACTORS[rule.channel_factor] or 'in float64'}"
        )
    if rule.group:
        rest = f"; the rest `{rule.remainder_form}`" if rule.remainder_form else ""
        words.append(f"whole groups of {rule.group}{rest}")
    if rule.int16:
        words.append("refused beyond int16")
    if rule.clamp_rounding == "even":
        words.append("ends of activations to even")
    if rule.slopes[1] < math.inf:
        words.append(
            f"ratios times alpha from {_exact(rule.slopes[0])} to {_exact(rule.slopes[1])}"
        )
    if rule.limits != (0.0, math.inf):
        beyond = "refused" if rule.fallback is None else rule_text(rule.fallback)
        words.append(
            f"ratios from {_exact(rule.limits[0])} to {_exact(rule.limits[1])}; beyond: {beyond}"
        )
    return "; ".join(w for w in words if w)


def _exact(limit: float) -> str:
    """Return a limit as float32 shows it."""
    return str(np.float32(limit))


def _parts(models: int) -> Iterator[str]:
    yield _HEAD
    yield "## The contracts\n"
    yield from _table(
        ["contract", "engine", "version", "rests on"],
        [[f"`{c.name}`", c.engine, c.version, c.provenance] for c in CONTRACTS.values()],
    )
    yield "\n*measured*: compared with the engine itself (`make conformance`); *sources*: read in"
    yield "the public sources, since no package brings the engine; *definition*: SPEC.md.\n"
    yield "## How each op is computed\n"
    yield "Ops that are left out have one rule in all contracts: " + ", ".join(_alike()) + ".\n"
    for name, contract in CONTRACTS.items():
        yield f"### {name}\n"
        own = [op for op in contract.rules if _has(contract, op) and op.split()[0] not in _alike()]
        yield from _table(
            ["op", "rule"],
            [[op, rule_text(contract.rules[op]) or _PLAIN.get(op, _TABLE)] for op in own],
        )
        yield ""
    yield "## Where a contract is not exact\n"
    yield from (f"- {line}" for line in inexact())
    yield "\nThe metadata of a model with such an op says so, and so does `intgold import`.\n"
    yield from _overwriting()
    yield "Where the exponentials of a SOFTMAX add up to 512 times the largest, as 512 equal values"
    yield "do, fixed-point kernels shift by more than 31 bits. The model goes on by SPEC 5.10; the"
    yield "import names the op and its depth.\n"
    yield from (f"- {line}" for line in overflows())
    yield ""
    yield "## How often they differ\n"
    found = {pair: differences(*pair, models) for pair in PAIRS}
    wide = {d.op for each in found.values() for d in each if d.largest > 1}
    yield f"Shares of output values, from {models} random graphs of one op in which every value or"
    yield "every pair of values occurs (of MEAN, SOFTMAX and LOG_SOFTMAX, random ones); *rare*:"
    yield "those show none, but a search does. `intgold contracts A B` shows one pair."
    yield f"Values differ by 1; by more for {', '.join(sorted(wide)) or 'none'}."
    yield "*no kernel*: one of the two has none.\n"
    heads = [f"{a} / {b}" for a, b in PAIRS]
    cells = [
        [d.op, *(_rate(found[pair][i]) for pair in PAIRS)]
        for i, d in enumerate(found[PAIRS[0]])
        if any(found[pair][i].compared for pair in PAIRS)
    ]
    yield from _table(["op", *heads], cells)
    yield "\n## The smallest witnesses\n"
    for a, b in PAIRS:
        yield f"### {a} and {b}\n"
        for d in found[a, b]:
            if d.witness:
                yield f"- {d.op}: {witness(d, a, b)}"
        yield ""
    yield "## What was compared with the engines\n"
    yield "Values, none of which differed; `-`: the engine has no such kernel, and the import is"
    yield "refused."
    for dtype in ("int8", "uint8"):
        head, *body = evidence_table(dtype)
        yield f"\n{dtype}:\n"
        yield from _table(head, body)


def _overwriting() -> Iterator[str]:
    ops = {op.split()[0] for c in CONTRACTS.values() for op in c.in_place}
    names = ", ".join(f"`{c.name}`" for c in CONTRACTS.values() if c.in_place)
    yield f"The engines of {names}"
    yield f"let {', '.join(sorted(ops))} (but for what a delegate runs) write over their input,"
    yield "and count its readers wrongly after a RESHAPE, SQUEEZE or EXPAND_DIMS: a tensor that a"
    yield "later op still reads may then be gone. No arithmetic gives such bits. Where a file has"
    yield "that pattern, the import names the tensor; an interpreter with"
    yield "`experimental_preserve_all_tensors` gives the bits of the model"
    yield "(`python conformance/overwritten.py`).\n"


def _has(contract: Contract, op: str) -> bool:
    """Return whether an engine runs an op (with a dtype after it, or on any)."""
    name, *dtype = op.split()
    return any(contract.rule(name, t) is not None for t in dtype or ("int8", "uint8"))


def _alike() -> list[str]:
    """Return the ops for which all contracts have one rule."""
    return [
        op
        for op in op_names()
        if len({c.rule(op, t) for c in CONTRACTS.values() for t in ("int8", "uint8")} - {None}) == 1
    ]


def _rate(found: ContractDifference) -> str:
    if found.without:
        return "no kernel"
    return "same rule" if found.same else rate(found)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in body)


if __name__ == "__main__":
    with replacing(sys.argv[1], CONTRACTS_PAGE) as file:
        file.write(contracts_page(MODELS).encode())
