"""Contracts: where two differ is found, replayed and reported; the page says what the data say."""

from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import contracts_page as page
import tools
from intgold.cli import main
from intgold.contracts import CONTRACTS, contract_named, evidence
from intgold.importers.tflite.handlers.table import HANDLERS
from intgold.study.contracts import differences
from intgold.study.contracts.probes import PROBES, probe

ROOT = Path(__file__).parents[2]
PAIRS = [*combinations(CONTRACTS, 2)]
replay = differences.run_probe


@cache
def _probe(op, seed):
    return probe(op, seed)


@cache
def _run(op, seed, contract):
    return replay(_probe(op, seed), contract_named(contract))


@pytest.fixture
def each_run_once(monkeypatch):
    """What a probe produces under a contract is computed once for all pairs of contracts."""
    seeds = {}

    def numbered(op, seed):
        seeds[id(_probe(op, seed))] = op, seed
        return _probe(op, seed)

    monkeypatch.setattr(differences, "probe", numbered)
    monkeypatch.setattr(differences, "run_probe", lambda at, c: _run(*seeds[id(at)], c.name))


def test_every_op_has_a_rule_in_every_contract():
    """An op that the importer knows is in the table, and no other is."""
    for contract in CONTRACTS.values():
        assert {op.split()[0] for op in contract.rules} == set(HANDLERS), contract.name


def test_every_rule_that_differs_has_a_probe():
    """No two contracts can differ on an op, int8, that nothing would distinguish."""
    apart = {
        op
        for a, b in PAIRS
        for op in HANDLERS
        if len({contract_named(c).rule(op, "int8") for c in (a, b)} - {None}) == 2
    }
    assert apart == set(PROBES)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_rules_that_differ_are_told_apart(a, b, full, each_run_once):
    """Each pair of rules that the table claims to differ has a witness, and it replays."""
    found = [d for d in differences.differences(a, b, 40 if full else 6) if d.compared]
    assert [d.op for d in found if d.witness is None] == []
    for d in found:
        at, w = probe(d.op, d.witness.seed), d.witness
        y = [replay(at, contract_named(c))[w.place] for c in (a, b)]
        assert y == [w.a, w.b] and w.a != w.b
        assert d.largest >= abs(w.a - w.b) and 0 <= d.differing <= d.values
        assert (d.differing > 0) == (w.seed in range(40 if full else 6))
    tools.said.append(f"{a} and {b}: {len(found)} ops differ, a witness for each")


def test_probes_come_from_their_seed():
    """The same seed gives the same graph and the same stimulus."""
    for op in PROBES:
        one, same, other = probe(op, 3), probe(op, 3), probe(op, 4)
        assert all(map(np.array_equal, one.inputs, same.inputs))
        scales = [[t.scale.tolist() for t in p.graph.tensors] for p in (one, same, other)]
        assert scales[0] == scales[1] != scales[2]


def test_the_command(capsys):
    """It lists contracts, compares two, and refuses what is none in one line."""
    assert main(["contracts"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in CONTRACTS)
    assert main(["contracts", "litert_reference", "tflm", "--probes", "6"]) == 0
    told = capsys.readouterr().out
    assert "FULLY_CONNECTED: x=" in told and "by litert_reference" in told
    assert "the same rule: RESHAPE, SQUEEZE" in told and "DEPTHWISE_CONV_2D, TRANSPOSE_CONV" in told
    assert "\nlitert_reference has no kernel on int8: ELU, SUM\n" in told
    assert (
        "\ntflm has no kernel on int8: TILE, EXP, LOG, GELU, FLOOR_DIV, FLOOR_MOD, SELECT, "
        "RELU_N1_TO_1, SQRT\n"
    ) in told
    assert told.endswith(
        "tflm has no kernel on uint8: all but RESHAPE, SQUEEZE, REVERSE_V2, BROADCAST_TO\n"
    )
    for wrong in (["tflm"], ["tflm", "x"], ["tflm", "xnnpack", "--probes", "0"]):
        assert main(["contracts", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_kernel_that_is_missing_is_no_same_rule():
    """Neither where one engine lacks it nor where both do."""
    found = {d.op: d for d in differences.differences("tflm", "cmsis_nn", 1)}
    assert found["RELU_N1_TO_1"].without == ("tflm", "cmsis_nn") and not found["RELU_N1_TO_1"].same
    assert found["CONV_2D"].same and not any(d.compared for d in found.values())
    found = {d.op: d for d in differences.differences("litert_reference", "tflm", 1)}
    assert found["ELU"].without == ("litert_reference",) and found["FULLY_CONNECTED"].compared
    *_, first, second = differences.difference_lines("litert_reference", "litert_optimised_x86", 1)
    assert f"{first} {second}" == (
        "litert_optimised_x86 has no kernel on uint8: EXP, LOG, ELU, SQUARED_DIFFERENCE, "
        "FLOOR_DIV, FLOOR_MOD, BATCH_MATMUL, ABS, SQRT, RSQRT"
    )


def test_no_rule_differs_on_uint8_alone():
    """What two contracts are said to have in common on int8 they have on uint8, too."""
    for a, b in PAIRS:
        for op in HANDLERS:
            of = {t: [contract_named(c).rule(op, t) for c in (a, b)] for t in ("int8", "uint8")}
            same = {t: rules[0] == rules[1] for t, rules in of.items()}
            assert same["uint8"] or not same["int8"] or None in of["uint8"], (a, b, op)


def test_what_was_compared():
    """Every op of a measured contract was compared with the engine, but for those it lacks."""
    measured = [c for c in CONTRACTS.values() if c.provenance == "measured"]
    assert set(evidence.compared()) == {c.name for c in measured}
    every = [(c, op, dtype) for c in measured for op in HANDLERS for dtype in ("int8", "uint8")]
    assert [at for at in every if evidence.evidence(*at) == "unproved"] == []
    lacking = {f"{c.name} {op}" for c, op, dtype in every if c.rule(op, dtype) is None}
    assert lacking > {"tflm CONV_2D", "tflm GELU", "litert_reference ELU", "xnnpack ELU"}
    for contract, op, dtype in every:
        values = evidence.compared()[contract.name].get(f"{op} {dtype}", {})
        assert bool(values) == (contract.rule(op, dtype) is not None), (contract.name, op, dtype)
    other = contract_named("cmsis_nn")
    assert evidence.evidence(other, "CONV_2D", "int8") == "sources"
    assert evidence.evidence(contract_named("intgold"), "CONV_2D", "int8") == "SPEC"


def test_the_page_is_that_of_the_data(each_run_once):
    """docs/which_int8.md is what the command in it writes, up to its seal."""
    path = ROOT / "docs" / "which_int8.md"
    *lines, _ = path.read_text().splitlines(keepends=True)
    again = "python tools/contracts_page.py docs/which_int8.md"
    assert page.contracts_page(differences.MODELS) == "".join(lines), again
    page.CONTRACTS_PAGE.check_replaceable(path, path)
