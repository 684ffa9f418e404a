"""The C engine without Python: compilers, sanitizers, 32 bits, big endian give the same bits."""

from functools import cache

import numpy as np
import pytest

import intgold
from compilers import BUILDS, Runner
from intgold import Model, ModelError, Op, Tensor
from intgold.exporters import write_c
from intgold.run.digests import tensor_digests
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.cases.stimulus import stimulus


@pytest.fixture(scope="module")
def graphs(request):
    """Random graphs with inputs and the digests of the golden model."""
    full = request.config.getoption("--full")
    models = [random_model(seed) for seed in range(600 if full else 40)]
    runs = [(model, random_inputs(model, 3, seed)) for seed, model in enumerate(models)]
    return [(m, x, tensor_digests(m, x, backend="golden")) for m, x in runs]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_random_graphs(build, graphs, tmp_path):
    """Every op in random graphs: the digests of the golden model."""
    runner = Runner(build, [model for model, _, _ in graphs], tmp_path)
    found = runner.digests_of_all([(model, x) for model, x, _ in graphs])
    for seed, ((_, _, want), got) in enumerate(zip(graphs, found, strict=True)):
        assert got == want, f"{build.name}, seed {seed}"


@cache
def shipped(count):
    """The shipped networks with built-in images and the digests of the golden model."""
    models = [intgold.load(name) for name in intgold.SHIPPED]
    runs = [(model, stimulus(model, "builtin", count, 0)) for model in models]
    return [(m, x, tensor_digests(m, x, backend="golden")) for m, x in runs]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_shipped_models(build, tmp_path, full):
    """The shipped networks on built-in images: the digests of the golden model."""
    runs = shipped(1000 if full else 8 if build.slow else 100)
    runner = Runner(build, [model for model, _, _ in runs], tmp_path)
    found = runner.digests_of_all([(model, x) for model, x, _ in runs])
    assert found == [want for _, _, want in runs]


def test_the_runner_tells_models_apart(tmp_path):
    """Digests of other weights differ: the comparison above can fail."""
    models = [random_model(0), random_model(12)]
    runner = Runner(BUILDS[0], models, tmp_path)
    x = random_inputs(models[0], 3, 1)
    other = random_inputs(models[0], 3, 2)
    assert runner.digests(models[0], x) != tensor_digests(models[0], other, backend="golden")


def _model(name, *ops):
    """A chain of luts with these op names."""
    names = ["image", *(f"{op}_out" for op in ops)]
    return Model(
        name,
        [Tensor(n, (4,)) for n in names],
        [
            Op("lut", op, (names[i],), names[i + 1], {"table": np.full(256, i, np.int8)})
            for i, op in enumerate(ops)
        ],
        names[:1],
        names[-1:],
    )


def test_no_name_clashes_in_c(tmp_path):
    """Names that are those of tables, types, keywords or of each other when joined."""
    models = [
        _model("m", "tensors", "ops", "inputs", "table", "a", "a_table", "a_inputs"),
        _model("intgold", "lut", "tensor", "model", "int", "main", "NULL", "m0_op0"),
        _model("a", "b_c"),
        _model("a_b", "c"),
    ]
    runner = Runner(BUILDS[0], models, tmp_path)
    x = {"image": np.arange(8, dtype=np.int8).reshape(2, 4)}
    for model in models:
        assert runner.digests(model, x) == tensor_digests(model, x, backend="golden")
    with pytest.raises(ModelError, match="model a is given twice"):
        write_c([_model("a", "b"), _model("a", "c")], tmp_path / "twice.c")
    assert not (tmp_path / "twice.c").exists()
