"""Hypotheses that make the same values of an op are all listed: none is dropped in silence."""

import numpy as np
import pytest

import intgold
from intgold.diagnose.datapath import Datapath
from intgold.diagnose.hypotheses import HYPOTHESES, Evidence
from intgold.diagnose.search import bugs_of
from intgold.vectors.stimulus import stimulus

IMAGES = 2
FIXED = [h for h in HYPOTHESES if not h.solved]
SYNONYMS = []


def sisters(path):
    """The same op with other zero points and ends of the clamp: there other hypotheses apply."""
    a = path.arguments
    yield path
    for zero, low in ((-20, -128), (13, 13), (0, 5)):
        fields = {n: zero for n in ("x_zero_point", "y_zero_point") if n in a}
        if "act_min" in a:
            fields |= {"act_min": low, "act_max": 100}
        if "weight_zero_point" in a:
            fields["weight_zero_point"] = np.full_like(a["weight_zero_point"], 3)
        yield path.with_fields(**fields)


def evidence_of(path):
    y = path.results()[1]
    return Evidence(path, {"output": y}, {"output": y})


@pytest.fixture(scope="module")
def paths():
    found = {}
    for name in ("lut", "pwl"):
        model = intgold.load(name)
        x = stimulus(model, "builtin", IMAGES, 0)
        tensors = {**x, **model.run(x, trace=True).tensors}
        for op in model.ops:
            found.setdefault(
                (op.name, op.kind), Datapath.of(model, op, tuple(tensors[n] for n in op.inputs))
            )
    return found


def made(path, bugs):
    """By what each bug makes: the names of those that make it."""
    out = {}
    for bug in bugs:
        try:
            y = bug.variant.edit(path).results()[1]
        except Exception as e:
            print("ERR", bug, repr(e))
            continue
        out.setdefault(np.ascontiguousarray(y).tobytes(), {}).setdefault(
            bug.hypothesis.name, []
        ).append(str(bug))
    return out


def test_all_that_fit_are_listed(paths):
    bad = {}
    for key, path in paths.items():
        right = path.results()[1].tobytes()
        own = made(path, bugs_of(evidence_of(path), FIXED))
        every = made(path, [b for s in sisters(path) for b in bugs_of(evidence_of(s), FIXED)])
        for y, names in every.items():
            if y == right or y not in own:
                continue
            for n in set(names) - set(own[y]):
                bad.setdefault((n, tuple(own[y])), []).append(
                    (key, names[n], list(own[y].values())[0][0])
                )
    for k, v in bad.items():
        print(k, len(v), v[0])
    assert not bad
