"""The C engine without Python: compilers, sanitizers, 32 bits, big endian give the same bits."""

import pytest

import intgold
from compilers import BUILDS, Runner
from intgold.digests import tensor_digests
from intgold.vectors.random_models import random_inputs, random_model
from intgold.vectors.stimulus import stimulus


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_random_graphs(build, tmp_path, full):
    """Every op in random graphs: the digests of the golden model."""
    models = [random_model(seed) for seed in range(600 if full else 120)]
    runner = Runner(build, models, tmp_path)
    for seed, model in enumerate(models):
        x = random_inputs(model, 3, seed)
        want = tensor_digests(model, x, backend="golden")
        assert runner.digests(model, x) == want, f"{build.name}, seed {seed}"


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_shipped_models(build, tmp_path, full):
    """The shipped networks on built-in images: the digests of the golden model."""
    models = [intgold.load(name) for name in intgold.SHIPPED]
    runner = Runner(build, models, tmp_path)
    for model in models:
        x = stimulus(model, "builtin", 1000 if full else 20 if build.slow else 200, 0)
        assert runner.digests(model, x) == tensor_digests(model, x, backend="golden")


def test_the_runner_tells_models_apart(tmp_path):
    """Digests of other weights differ: the comparison above can fail."""
    models = [random_model(0), random_model(12)]
    runner = Runner(BUILDS[0], models, tmp_path)
    x = random_inputs(models[0], 3, 1)
    other = random_inputs(models[0], 3, 2)
    assert runner.digests(models[0], x) != tensor_digests(models[0], other, backend="golden")
