"""Legal but absurd models: both engines run them at once, to the same bits, or refuse them."""

import shutil
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import intgold
from absurd_models import ABSURD, MONSTROUS, conv, pool
from compilers import BUILDS, ENGINE, Runner, source
from convolutions import convolution, depthwise, on_values
from intgold import EngineError, Model, Op, Tensor, native
from intgold.describe.data_sheet import data_sheet
from intgold.model.budget import available, operations
from intgold.native.compiled import lib
from intgold.native.lowering import lower
from intgold.ops.fields import Requantize
from intgold.run.digests import tensor_digests
from intgold.vectors.sets.generate import write_set

SECONDS = 2.0
"""Of processor time that a run may take; the slowest takes a fifth on a laptop."""
SANITIZERS = [b for b in BUILDS if b.name in ("gcc sanitizers", "gcc -m32 sanitizers")]


def images(model, count=1):
    draw = np.random.default_rng(count)
    shapes = {n: (count, *model.tensor(n).shape) for n in model.inputs}
    return {n: draw.integers(-128, 128, shape).astype(np.int8) for n, shape in shapes.items()}


def timed(model, x, **how):
    """Run a model within the time."""
    started = time.process_time()
    result = model.run(x, **how)
    taken = time.process_time() - started
    assert taken < SECONDS, (how, taken)
    return result


@pytest.mark.parametrize("name", ABSURD)
def test_runs_at_once_to_the_same_bits(name):
    """Golden and every variant, traced and not, two images: equal, each in a second or so."""
    model = ABSURD[name]()
    x = images(model, 2)
    want = timed(model, x, backend="golden", trace=True)
    assert len(np.unique(want.output)) > 1  # not only padding
    for isa in native.variants():
        got = timed(model, x, isa=isa, trace=True)
        assert np.array_equal(timed(model, x, isa=isa).output, want.output), isa
        assert np.array_equal(got.tensors["y"], want.tensors["y"]), isa
        for tensor, acc in want.accumulators.items():
            assert np.array_equal(got.accumulators[tensor], acc), isa


@pytest.mark.parametrize("name", [n for n in ABSURD if n.startswith("conv")])
def test_what_runs_together_gives_the_same_bits(name):
    """A table and a pool that the engine may run with an absurd convolution, without a trace."""
    model = ABSURD[name]()
    fields = {**model.ops[0].fields, "requantize": Requantize.of(3 << 28, 36, "single")}
    y = replace(model.tensor("y"), dtype="int8")
    table = np.random.default_rng(0).permutation(np.arange(-128, 128)).astype(np.int8)
    tensors = [model.tensor("x"), y, Tensor("z", y.shape)]
    ops = [Op("conv2d", "op", ("x",), "y", fields), Op("lut", "lut", ("y",), "z", {"table": table})]
    if min(y.shape[:2]) > 1:
        tensors.append(Tensor("p", (y.shape[0] // 2, y.shape[1] // 2, y.shape[2])))
        pooled = {"kernel": (2, 2), "stride": (2, 2), "padding": (0,) * 4}
        fields = {**pooled, "act_min": -128, "act_max": 127}
        ops.append(Op("max_pool2d", "pool", ("z",), "p", fields))
    model = Model("together", tensors, ops, ["x"], [tensors[-1].name])
    x = images(model, 2)
    want = model.run(x, backend="golden").output
    for isa in native.variants():
        assert np.array_equal(model.run(x, isa=isa).output, want), isa


@cache
def wanted():
    """Each absurd model, an image and the digests of the golden model."""
    models = [replace(make(), name=f"m{i}") for i, make in enumerate(ABSURD.values())]
    runs = [(model, images(model)) for model in models]
    return [(m, x, tensor_digests(m, x, backend="golden")) for m, x in runs]


@pytest.mark.parametrize("build", SANITIZERS, ids=lambda build: build.name)
def test_c_without_python(build, tmp_path):
    """Only the C sources, on 64 and 32 bits: the digests of golden, nothing undefined."""
    runs = [(model, x) for model, x, _ in wanted()]
    found = Runner(build, [model for model, _ in runs], tmp_path).digests_of_all(runs)
    for name, (_, _, want), digests in zip(ABSURD, wanted(), found, strict=True):
        assert digests == want, name


def test_a_window_of_16_million_cells():
    """A pool of 4,000 by 4,000 on 2 by 2 with all padding: 16 million windows of four cells."""
    model = pool("max_pool2d", (2, 2, 1), (4000, 4000), (3999,) * 4)
    x = images(model)
    assert np.array_equal(timed(model, x).output, timed(model, x, backend="golden").output)


@pytest.mark.parametrize("name", MONSTROUS)
def test_too_much_work_is_refused(name, tmp_path):
    """Either engine, a session, vectors and the data sheet: at once, in one line with numbers."""
    model = MONSTROUS[name]()
    x = {"x": np.zeros((1, *model.tensor("x").shape), np.int8)}
    refusals = (
        lambda: model.run(x),
        lambda: model.run(x, backend="golden"),
        lambda: model.prepare(threads=2),
        lambda: write_set(model, tmp_path / "set", count=1),
        lambda: data_sheet(model),
    )
    started = time.process_time()
    for refusal in refusals:
        with pytest.raises(EngineError, match=r"takes [\d,]+ operations, most of them in op op; "):
            refusal()
    assert time.process_time() - started < SECONDS and not any(tmp_path.iterdir())
    model.describe()


def test_memory_is_asked_for_first(monkeypatch):
    """Tensors that are kept, and what golden works in: refused with the bytes and what is free."""
    model = intgold.load("lut")
    x = {"image": np.zeros((50, 28, 28, 1), np.int8)}
    session = model.prepare()
    monkeypatch.setattr("intgold.model.budget._SMALL", 1000)
    monkeypatch.setattr("intgold.model.budget.available", lambda: 100_000)
    session.run(x)
    with pytest.raises(EngineError, match=r"is kept of 50 images takes [\d,]+ bytes, .* 100,000"):
        session.run(x, trace=True)
    with pytest.raises(EngineError, match=r"golden model takes [\d,]+ bytes, more than .* 100,000"):
        model.run(x, backend="golden")
    monkeypatch.setattr(
        "intgold.model.budget.available", lambda: None
    )  # a system that does not say
    model.run(x, backend="golden", trace=True)


def test_this_machine_says_what_is_free():
    """More than nothing, less than an exabyte."""
    free = available()
    assert free is None or 2**20 < free < 2**60


def brute(model, op):
    """Count valid taps one by one."""
    x, y = model.tensor(op.inputs[0]).shape, model.tensor(op.output).shape
    window = op["kernel"] if "kernel" in op.fields else {
        "conv2d": lambda w: w.shape[1:3], "depthwise_conv2d": lambda w: w.shape[:2],
    }[op.kind](op["weights"])  # fmt: skip
    dilation, count = op.fields.get("dilation", (1, 1)), [0, 0]
    for axis in (0, 1):
        for o in range(y[axis]):
            at = o * op["stride"][axis] - op["padding"][2 * axis]
            steps = (at + i * dilation[axis] for i in range(window[axis]))
            count[axis] += sum(0 <= step < x[axis] for step in steps)
    return count[0] * count[1] * y[2] * (x[2] if op.kind == "conv2d" else 1) + y[0] * y[1] * y[2]


def test_operations_are_valid_taps():
    """Products and cells of windows, counted one by one; what else there is by its tensors."""
    seen = set()
    for seed in range(60):
        for make in (convolution, depthwise, on_values):
            model = make(seed)
            counted = operations(model)
            for op in model.ops:
                if "stride" in op.fields:
                    assert counted[op.name] == brute(model, op), (seed, op.kind)
                else:
                    sizes = [model.tensor(n).size for n in (*op.inputs, op.output)]
                    assert counted[op.name] == sum(sizes)
                seen.add(op.kind)
    assert seen >= {"conv2d", "depthwise_conv2d", "max_pool2d", "avg_pool2d", "lut", "add"}
    assert operations(intgold.load("lut"))["fc"] == 330


def test_tap_by_tap_gives_the_same_bits(tmp_path, full):
    """An engine that takes every convolution tap by tap: the digests of golden for any shape."""
    engine = shutil.copytree(ENGINE, tmp_path / "csrc")
    direct = source("direct.c", engine)
    text, choice = direct.read_text(), "    uint64_t work, own;\n"
    assert text.count(choice) == 1
    direct.write_text(text.replace(choice, f"{choice}    if (scratch) return 1;\n"))
    seeds = range(400 if full else 40)
    models = [f(seed) for seed in seeds for f in (convolution, depthwise)]
    small = [m for m in models if m.ops[0]["weights"].size < 6000]
    assert len(small) > len(models) // 2
    models = [replace(model, name=f"m{i}") for i, model in enumerate(small)]
    runs = [(model, images(model, 2)) for model in models]
    found = Runner(SANITIZERS[0], models, tmp_path, engine).digests_of_all(runs)
    for i, ((model, x), digests) in enumerate(zip(runs, found, strict=True)):
        assert digests == tensor_digests(model, x, backend="golden"), i


def test_usual_networks_are_not_run_tap_by_tap():
    """Shipped networks and wide images keep their strips: they have scratch."""
    wide = conv((600, 800, 16), (8, 3, 3, 16), padding=(1, 1, 1, 1))
    tall = conv((1, 4000, 16), (24, 3, 3, 16), padding=(1, 1, 1, 1))
    for model in (wide, tall, *map(intgold.load, intgold.SHIPPED)):
        native_model = native.NativeModel(lower(model), "portable")
        for isa in native.variants():
            for i, op in enumerate(model.ops):
                scratch = lib.intgold_scratch_size(native_model.model, native.ISAS[isa], i)
                assert (scratch > 0) == ("weights" in op.fields), (model.name, op.name)
