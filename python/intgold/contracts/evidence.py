"""How far each contract is proved: values compared with the real engine, per op."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from ..support.text_table import columns
from .table import CONTRACTS, Contract

FILE = "compared.json"
"""Beside this module; `conformance/run.py --freeze` writes it: contract -> op and dtype -> kind
of random models -> values that were compared with the engine, none of which differed."""


@cache
def compared() -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """Return the values compared with the engine of each contract, by op and dtype, by models."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, Mapping[str, int]]] = json.loads(text)
    return found


def evidence(contract: Contract, op: str, dtype: str) -> str:
    """Return how an op on int8 or uint8 is proved under a contract.

    Returns
    -------
    str
        The number of values compared; ``SPEC`` or ``sources`` for what rests on those;
        ``unproved`` where there is a rule that was compared with no answer of the engine; ``-``
        where the engine has no kernel.
    """
    rule = contract.rule(op, dtype)
    if rule is None:
        return "-"
    if contract.provenance != "measured":
        return {"definition": "SPEC", "sources": "sources"}[contract.provenance]
    values = sum(compared().get(contract.name, {}).get(f"{op} {dtype}", {}).values())
    return f"{values:,}" if values else "unproved"


def op_names() -> list[str]:
    """Return the ops of all contracts, without dtypes."""
    ruled = dict.fromkeys(op for c in CONTRACTS.values() for op in c.rules)
    return [op for op in ruled if " " not in op]


def evidence_table(dtype: str) -> list[list[str]]:
    """Return the table of ops and contracts on a dtype, its head first."""
    made = [["op", *CONTRACTS]]
    for op in op_names():
        made.append([op, *(evidence(c, op, dtype) for c in CONTRACTS.values())])
    return made


def inexact() -> Iterator[str]:
    """Yield a line per contract and op of which some bits of the engine are not met."""
    for contract in CONTRACTS.values():
        for op, rule in contract.rules.items():
            if rule.inexact and any(contract.rule(op, t) for t in ("int8", "uint8")):
                yield f"{contract.name} {op}: {rule.inexact}"


def overflows() -> Iterator[str]:
    """Yield a line per contract whose engine has no answer to some inputs of a long SOFTMAX."""
    for contract in CONTRACTS.values():
        rule = contract.rules["SOFTMAX"]
        if rule.overflow:
            yield f"{contract.name} SOFTMAX of 512 values and more: {rule.overflow}"


def contract_lines() -> Iterator[str]:
    """Yield the list of contracts, and a table of their ops per dtype."""
    head = ("contract", "engine", "version", "rests on")
    about = [(c.name, c.engine, c.version, c.provenance) for c in CONTRACTS.values()]
    yield from columns([head, *about], left=range(4))
    for dtype in ("int8", "uint8"):
        yield ""
        yield f"{dtype}: values compared with the engine, none of which differed"
        yield from columns(evidence_table(dtype), left=(0,))
    yield ""
    yield from (f"not exact: {line}" for line in inexact())
    yield from (f"no answer: {line}" for line in overflows())
    yield "-: the engine has no such kernel, and the import is refused"
