"""The kernels for AArch64, under an emulator: every tensor of many small models, every form."""

import shutil
from dataclasses import replace
from itertools import count, islice

import pytest

import tools
from compilers import BUILDS, ENGINE, Runner, source
from convolutions import convolution, depthwise, on_values
from intgold.run.digests import tensor_digests
from intgold.vectors.cases.random_models import random_inputs, random_model
from requantize_checker import build, check

BUILD = next(build for build in BUILDS if build.name == "AArch64 with dotprod")
CPUS = {"neon": "cortex-a53", "dotprod": "max"}
"""The CPU that a variant is tested on: neon on one that has nothing more."""

MODELS, FULL_MODELS = 50, 550  # of each sort
TRIPLES, FULL_TRIPLES = 20_000, 1_000_000  # of each form


def emulator(isa):
    """Return the command that runs a program on the variant's CPU."""
    return ("qemu-aarch64", "-cpu", CPUS[isa])


def models(number):
    """Random graphs, convolutions, depthwise ones, ops on values: small, each with its name."""
    for make in (random_model, convolution, depthwise, on_values):
        made = map(make, count())
        small = (m for m in made if all(_size(m, t.name) < 20_000 for t in m.tensors))
        light = (m for m in small if _weights(m) < 6000)
        for i, model in enumerate(islice(light, number)):
            yield replace(model, name=f"{make.__name__}{i}")


def _size(model, tensor):
    return model.tensor(tensor).size


def _weights(model):
    return max((op["weights"].size for op in model.ops if "weights" in op.fields), default=0)


@pytest.fixture(scope="module")
def runs(request):
    """Models with inputs and the digests of the golden model."""
    full = request.config.getoption("--full")
    made = [
        (m, random_inputs(m, 2, i)) for i, m in enumerate(models(FULL_MODELS if full else MODELS))
    ]
    return [(m, x, tensor_digests(m, x, backend="golden")) for m, x in made]


@pytest.fixture(scope="module")
def runner(runs, tmp_path_factory):
    """All models in one program."""
    return Runner(BUILD, [model for model, _, _ in runs], tmp_path_factory.mktemp("runner"))


@pytest.mark.parametrize("isa", CPUS)
def test_models_by_each_variant(isa, runs, runner):
    """The digests of the golden model, of every tensor and accumulator."""
    found = runner.digests_of_all([(m, x) for m, x, _ in runs], isa, emulator(isa))
    assert len(found) >= 4 * MODELS
    wrong = [m.name for (m, _, want), got in zip(runs, found, strict=True) if got != want]
    assert wrong == []
    kinds = {op.kind for model, _, _ in runs for op in model.ops}
    assert {"conv2d", "depthwise_conv2d", "lut", "global_avg_pool", "max_pool2d"} <= kinds


def test_dotprod_is_refused_where_the_cpu_has_none(runs, runner):
    """The variant is chosen by what the CPU says, not by what was compiled."""
    with pytest.raises(AssertionError, match="no variant dotprod"):
        runner.digests_of_all([runs[0][:2]], "dotprod", emulator("neon"))


FEW_BROKEN = (
    ("neon", "neon_convolve.h", "columns * i / tiles - from", "columns * i / tiles - 1 - from"),
    ("dotprod", "requantize_neon.h", "(vqdmulhq_s32(", "(vqrdmulhq_s32("),
)
BROKEN = (
    *FEW_BROKEN,
    ("neon", "kernels_neon.c", "both.val[1] = x1.val[1]", "both.val[1] = x1.val[0]"),
    ("neon", "kernels_neon_pools.c", "vdupq_n_u8(192)", "vdupq_n_u8(191)"),
    (
        "dotprod",
        "kernels_dotprod.c",
        ".input_encoding = INTGOLD_INPUT_PLAIN",
        ".input_encoding = INTGOLD_INPUT_CENTRED",
    ),
    ("dotprod", "requantize_neon.h", "vbicq_s64(one, floor)", "one"),
)


def test_planted_bugs_are_seen(runs, tmp_path, full):
    """Each changes some tensor's digest."""
    for isa, file, right, wrong in BROKEN if full else FEW_BROKEN:
        engine = tmp_path / "csrc"
        shutil.copytree(ENGINE, engine, dirs_exist_ok=True)
        path = source(file, engine)
        text = path.read_text()
        assert text.count(right) == 1, (file, right)
        path.write_text(text.replace(right, wrong))
        broken = Runner(BUILD, [model for model, _, _ in runs], tmp_path, engine)
        found = broken.digests_of_all([(m, x) for m, x, _ in runs], isa, emulator(isa))
        assert any(got != want for (_, _, want), got in zip(runs, found, strict=True)), wrong


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """tests/c/requantize_check.c as a program."""
    for tool in BUILD.needs:
        tools.need(tool)
    return build(tmp_path_factory.mktemp("checker"), BUILD.command)


@pytest.mark.parametrize("isa", CPUS)
def test_every_form_is_exact(isa, checker, full):
    """Against 128-bit integers: 0 differ."""
    wanted = FULL_TRIPLES if full else TRIPLES
    for done, differing in check(checker, isa, wanted, emulator(isa)):
        assert done >= wanted and differing == 0
