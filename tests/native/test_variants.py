"""Every variant of the C kernels gives the bits of the golden model, fused and traced."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

import intgold
from agreement import assert_equal, assert_same_run
from convolutions import (
    ON_VALUES,
    convolution,
    depthwise,
    every_sum,
    largest_sum,
    on_values,
    transposed,
)
from intgold import native
from intgold.bench.loops import groups
from intgold.native.compiled import lib
from intgold.vectors.cases.random_models import random_inputs
from requantize_checker import build
from tools import need

SEEDS, FULL_SEEDS = 100, 3000


@pytest.mark.parametrize("isa", native.variants())
def test_convolutions(isa, full):
    """Channels 1 to 70, kernels 1 to 7, strides, dilation, padding: each variant is exact."""
    seeds, fused, varied = FULL_SEEDS if full else SEEDS, 0, 0
    for seed in range(seeds):
        model = convolution(seed)
        shape = (2, *model.tensor("x").shape)
        x = np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)
        want = model.run(x, backend="golden", trace=True)
        got = model.run(x, trace=True, isa=isa)
        assert_same_run(want, got, f"{isa} seed {seed}")
        plain = model.run(x, isa=isa)
        assert_equal(want.output, plain.output, f"{isa} seed {seed} without trace")
        fused += len(groups(model, isa)) < len(model.ops)
        varied += len(np.unique(want.output)) > 1
    assert fused > seeds // 3 and varied > seeds * 0.8, (fused, varied)


@pytest.mark.parametrize("isa", native.variants())
def test_what_others_read_is_not_fused_away(isa, full):
    """Each tensor after a convolution asked for as well: it is written, and right."""
    kept = 0
    for seed in range(1000 if full else 60):
        model = convolution(seed)
        made = [op.output for op in model.ops]
        for asked in made[:-1]:
            both = replace(model, outputs=(asked, made[-1]))
            x = random_inputs(both, 2, seed)
            want = both.run(x, backend="golden").outputs
            got = both.run(x, isa=isa).outputs
            for name in both.outputs:
                assert_equal(want[name], got[name], f"{isa} seed {seed} {name} of {both.outputs}")
            kept += len(groups(both, isa)) > len(groups(model, isa))
    assert kept > 30


def assert_variant_agrees(model, isa, seed):
    """Traced and plain runs give the golden bits; return whether the outputs vary."""
    x = random_inputs(model, 2, seed)
    want = model.run(x, backend="golden", trace=True)
    where = f"{isa} {model.name} seed {seed}"
    assert_same_run(want, model.run(x, trace=True, isa=isa), where)
    assert_equal(want.output, model.run(x, isa=isa).output, f"{where} without trace")
    return len(np.unique(want.output)) > 1


@pytest.mark.parametrize("isa", native.variants())
def test_depthwise(isa, full):
    """Channels 1 to 70, up to three outputs each, kernels 1 to 7, weight zero points, all forms."""
    seeds = FULL_SEEDS if full else SEEDS
    varied = sum(assert_variant_agrees(depthwise(seed), isa, seed) for seed in range(seeds))
    assert varied > seeds * 0.8


@pytest.mark.parametrize("isa", native.variants())
def test_transposed(isa, full):
    """Channels 1 to 70, kernels 1 to 7, strides 1 to 4, any cut, weight zero points, all forms."""
    seeds = FULL_SEEDS if full else SEEDS
    varied = sum(assert_variant_agrees(transposed(seed), isa, seed) for seed in range(seeds))
    assert varied > seeds * 0.8


@pytest.mark.parametrize("isa", native.variants())
def test_ops_on_values(isa, full):
    """Tables, sums, products and pools at sizes that leave vectors partly filled."""
    seeds = FULL_SEEDS if full else SEEDS
    varied = dict.fromkeys(ON_VALUES, 0)
    for seed in range(seeds):
        model = on_values(seed)
        varied[model.ops[0].kind] += assert_variant_agrees(model, isa, seed)
    assert min(varied.values()) > seeds // len(ON_VALUES) // 2, varied


def _of_every_pair(model, **how):
    """Return the outputs of a model of two inputs for each pair of int8 values."""
    every = np.arange(-128, 128).astype(np.int8)
    x1, x2 = (a.reshape(1, 256, 256, 1) for a in np.meshgrid(every, every))
    return model.run({"x1": x1, "x2": x2}, **how).output


@pytest.mark.parametrize("isa", native.variants())
def test_every_sum(isa, full):
    """Both inputs of an add at each of 256 values, in every form: ties and what is next to them."""
    varied, seeds = [0, 0, 0], 600 if full else 120  # by what draws it
    for seed in range(seeds):
        model = every_sum(seed)
        want = _of_every_pair(model, backend="golden")
        assert_equal(want, _of_every_pair(model, isa=isa), f"{isa} seed {seed}")
        varied[seed % 3] += len(np.unique(want)) > 20
    near, far = varied[0] + varied[1], varied[2]  # sums far beyond the clamp have few outputs
    assert near > seeds * 2 / 3 * 0.8 and far > seeds / 3 * 0.3, varied


@pytest.mark.parametrize("zero_point", (-128, 127))
@pytest.mark.parametrize(
    ("right_shift", "y_zero_point"), ((14, 100), (14, -100), (24, 0), (25, 0), (30, 0))
)
@pytest.mark.parametrize("isa", native.variants())
def test_sums_next_to_int32(isa, right_shift, y_zero_point, zero_point):
    """Sums that fit int32 only before half of the divisor is added, and outputs beyond int16."""
    model = largest_sum(right_shift, zero_point, y_zero_point)
    want = _of_every_pair(model, backend="golden")
    assert len(np.unique(want)) > 1
    assert_equal(want, _of_every_pair(model, isa=isa), isa)


@pytest.mark.parametrize("isa", native.variants())
def test_shipped_models(isa, full):
    """The shipped networks on random images: outputs of untraced runs, all tensors of traced."""
    count = 2000 if full else 100
    x = np.random.default_rng(7).integers(-128, 128, (count, 28, 28, 1)).astype(np.int8)
    for name in intgold.SHIPPED:
        model = intgold.load(name)
        want = model.run(x, backend="golden", trace=True)
        assert_same_run(want, model.run(x, trace=True, isa=isa), f"{name} {isa}")
        assert_equal(want.output, model.run(x, isa=isa).output, f"{name} {isa}")


def test_every_subset_of_features_has_a_variant():
    """The best variant for each set of CPU features needs no other feature, and is one."""
    features = {
        "portable": 0,
        "avx2": lib.INTGOLD_FEATURE_AVX2,
        "avxvnni": lib.INTGOLD_FEATURE_AVX2 | lib.INTGOLD_FEATURE_AVXVNNI,
        "avx512vnni": lib.INTGOLD_FEATURE_AVX512VNNI,
        "avx512vbmi": lib.INTGOLD_FEATURE_AVX512VNNI | lib.INTGOLD_FEATURE_AVX512VBMI,
        "neon": lib.INTGOLD_FEATURE_NEON,
        "dotprod": lib.INTGOLD_FEATURE_NEON | lib.INTGOLD_FEATURE_DOTPROD,
        "amx": lib.INTGOLD_FEATURE_AVX512VNNI
        | lib.INTGOLD_FEATURE_AVX512VBMI
        | lib.INTGOLD_FEATURE_AMX,
    }
    names = {isa: name for name, isa in native.ISAS.items()}
    chosen = set()
    for subset in range(128):
        name = names[lib.intgold_best_isa(subset)]
        assert features[name] & ~subset == 0, (subset, name)
        chosen.add(name)
    here = lib.intgold_cpu_features()
    runnable = {n for n in chosen if features[n] & ~here == 0}
    assert set(native.variants()) == runnable
    assert native.isa_name() == names[lib.intgold_best_isa(here)]


COMPILED_OUT = {
    "INTGOLD_NO_AVX2": {"avx2", "avxvnni"},
    "INTGOLD_NO_AVXVNNI": {"avxvnni"},
    "INTGOLD_NO_AVX512VNNI": {"avx512vnni", "avx512vbmi", "amx"},
    "INTGOLD_NO_AMX": {"amx"},
}


@pytest.mark.parametrize("macro", COMPILED_OUT)
def test_a_variant_can_be_left_out(macro, tmp_path):
    """With its macro the engine links without it, and has all others."""
    need("gcc")
    program = build(tmp_path, defined=(macro,))
    for isa in native.variants():
        run = subprocess.run([program, str(native.ISAS[isa]), "1", "1"], capture_output=True)
        assert run.returncode == (2 if isa in COMPILED_OUT[macro] else 0), isa


def test_an_unknown_variant_is_refused():
    """One line that names it and what there is."""
    model = intgold.load()
    x = np.zeros((1, 28, 28, 1), np.int8)
    with pytest.raises(intgold.EngineError, match="'mmx' does not run here"):
        model.run(x, isa="mmx")
