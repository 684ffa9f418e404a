"""The third opinion: plain Python written only from SPEC.md, agrees with golden and C."""

import numpy as np
import pytest

import intgold
import slow_oracle
import tools
from intgold import golden, native
from intgold.ops.table import OPS
from intgold.vectors.cases.op_cases import directed_models
from intgold.vectors.cases.op_corners import corner_cases
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.cases.stimulus import stimulus
from oracle_checks import check


@pytest.mark.parametrize("kind", list(OPS))
def test_each_op(kind, full):
    """Random operands and corners of one op."""
    for seed in range(600 if full else 60):
        model = random_model(seed, (kind,), max_ops=1)
        check(model, random_inputs(model, 2, seed), f"{kind} seed {seed}")


def test_random_graphs(full):
    for seed in range(3000 if full else 120):
        model = random_model(seed)
        check(model, random_inputs(model, 2, seed), f"seed {seed}")


def test_directed_models():
    """The models that reach the ends of every op."""
    for model in directed_models():
        check(model, stimulus(model, "builtin", 9), model.name)


@pytest.mark.parametrize(("left_shift", "diff"), [(30, -1), (26, -31), (25, -62)])
def test_softmax_counts_at_its_limit(left_shift, diff):
    """The smallest difference that counts: where 4,094 values have it, their sum shows."""
    x = np.full((1, 4095), diff, np.int8)
    x[0, 7] = 0
    fields = {"multiplier": 2**30, "left_shift": left_shift}
    beyond = np.where(x == diff, diff - 1, 0).astype(np.int8)
    want = [slow_oracle.softmax(a[0].tolist(), **fields) for a in (x, beyond)]
    assert (want[0] != want[1]) == (left_shift == 30)  # elsewhere all are too small to show
    for engine in (golden, native):
        assert [engine.softmax(a, **fields)[0].tolist() for a in (x, beyond)] == want


def test_corners_of_softmax_float32():
    """Ties of each step, the order of the sum, the float32 before one half."""
    for case in corner_cases("softmax_float32"):
        check(case.model, case.x, case.name)


@pytest.mark.parametrize("name", intgold.SHIPPED)
def test_shipped_models_on_built_in_images(name, full):
    """The real networks at real size."""
    model = intgold.load(name)
    check(model, stimulus(model, "builtin", 200 if full else 8, 0), name)


@pytest.mark.parametrize("name", ["lut", "pwl"])
def test_shipped_models_on_mnist(name, full):
    """MNIST test images."""
    tools.need("MNIST")
    model = intgold.load(name)
    check(model, stimulus(model, "mnist", 200 if full else 8, 0), name)


def test_the_oracle_imports_nothing_of_intgold():
    """It is a third opinion only as long as it shares no code."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(slow_oracle.__file__).read_text())
    imports = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    names = {a.name for n in imports for a in n.names} | {getattr(n, "module", "") for n in imports}
    assert not any("intgold" in (n or "") or "numpy" in (n or "") for n in names)
