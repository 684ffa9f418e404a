"""Corner cases of the ops: what each reason claims is shown to happen, by plain integers."""

import re

import numpy as np
import pytest

from corner_proofs import PROOFS, Ran
from intgold import InputError
from intgold.ops.fields import FORMS
from intgold.ops.table import OPS
from intgold.vectors.cases.op_corners import corner_cases, random_case
from oracle_checks import check

CASES = [(op, case.name) for op in OPS for case in corner_cases(op)]


@pytest.fixture(scope="module")
def cases():
    return {(op, case.name): case for op in OPS for case in corner_cases(op)}


@pytest.mark.parametrize(("op", "name"), CASES, ids=[f"{op}-{name}" for op, name in CASES])
def test_what_the_reason_says_happens(cases, op, name):
    """One proof fits the case, and it holds."""
    fitting = [proof for pattern, proof in PROOFS[op].items() if re.fullmatch(pattern, name)]
    assert len(fitting) == 1
    ran = Ran(cases[op, name])
    if op == "avg_pool2d":
        assert name.startswith(ran.op["form"])
    fitting[0](ran)


@pytest.mark.parametrize("op", list(OPS))
def test_every_proof_has_its_cases(op):
    """No pattern is left without a case: a case that is dropped is missed."""
    names = [case.name for case in corner_cases(op)]
    for pattern in PROOFS[op]:
        assert any(re.fullmatch(pattern, name) for name in names), pattern


@pytest.mark.parametrize("op", list(OPS))
def test_golden_and_c_and_the_third_opinion_agree(op):
    """Every directed case, bit for bit."""
    for case in corner_cases(op):
        check(case.model, case.x, f"{op} {case.name}")


@pytest.mark.parametrize("op", list(OPS))
def test_names_and_reasons(op):
    """Names are identifiers and unique in the op; the model has the one op and the reason."""
    cases = list(corner_cases(op))
    names = [case.name for case in cases]
    assert len(names) >= 5 and len(set(names)) == len(names)
    for case in cases:
        assert case.name.isidentifier() and case.reason and "\n" not in case.reason
        assert [o.kind for o in case.model.ops] == [op]
        assert case.model.name == f"{op}_{case.name}"
        assert case.model.metadata["reason"] == case.reason
        assert list(case.x) == list(case.model.inputs)


@pytest.mark.parametrize("op", [k for k, v in OPS.items() if "requantize" in v.fields])
def test_every_form_is_covered(op):
    """The closed list of forms, for every requantize field of the op."""
    fields = [n for n in OPS[op].fields if n.startswith("requantize")]
    for name in fields:
        found = [case.model.ops[0][name] for case in corner_cases(op)]
        assert {form for by in found if by is not None for form in by.form} == set(FORMS)


def test_the_same_again():
    """A second call gives the same models and stimulus."""
    for op in OPS:
        for a, b in zip(corner_cases(op), corner_cases(op), strict=True):
            assert a.model.sha256 == b.model.sha256
            assert all(np.array_equal(a.x[n], b.x[n]) for n in a.x)


@pytest.mark.parametrize("op", list(OPS))
def test_random_cases(op):
    """Of one op, the same for a seed, another for another; all three opinions agree."""
    shas = set()
    for seed in range(6):
        case, again = random_case(op, seed), random_case(op, seed)
        assert case.model.sha256 == again.model.sha256 and case.name == f"random_{seed}"
        assert all(np.array_equal(case.x[n], again.x[n]) for n in case.x)
        assert [o.kind for o in case.model.ops] == [op]
        assert {len(a) for a in case.x.values()} == {11}
        shas.add((case.model.sha256, *(a.tobytes() for a in case.x.values())))
        check(case.model, case.x, f"{op} random {seed}")
    assert len(shas) == 6


def test_unknown_ops_and_seeds_are_refused():
    """One line that names the value."""
    for call in (corner_cases, lambda op: random_case(op, 0)):
        with pytest.raises(InputError, match="'conv3d' is none of conv2d, "):
            call("conv3d")
    for seed in (-1, 2**31, True, "1"):
        with pytest.raises(InputError, match="seed: "):
            random_case("lut", seed)
