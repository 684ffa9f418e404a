"""Whatever a caller hands to a public function: it works, or one line says what is wrong.

Every function that checks its arguments is called with each of them replaced, one after another,
by values of every other type; nothing but an `IntgoldError` may come of it.
"""

import contextlib
import importlib
import inspect
import itertools
import os
import pkgutil
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

import intgold
import tools
from intgold import InputError, IntgoldError, golden, native
from intgold.model.builder import Builder
from intgold.ops.fields import Requantization
from intgold.ops.table import OPS
from intgold.quantize.calibrate import Ranges, calibrate
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.layers import Layer
from intgold.quantize.quantizer import quantize_network
from intgold.quantize.shipped import NETWORKS, load_network
from intgold.support.arguments import Any as Unknown
from intgold.support.arguments import check, checked, fits, hints_of, wanted
from intgold.vectors.cases.op_corners import corner_cases
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.op_vectors.lines import op_lines
from intgold.vectors.op_vectors.sets import write_op_sets
from intgold.vectors.sets.generate import write_set
from intgold.verify.signatures import write_signatures


class Hostile:
    """Fails whatever is asked of it."""

    def __repr__(self):
        raise RuntimeError

    __len__ = __iter__ = __array__ = __eq__ = __repr__
    __hash__ = object.__hash__


WRONG = {
    "None": None, "True": True, "-1": -1, "2.5": 2.5, "nan": float("nan"), "inf": float("inf"),
    "int64": np.int64(-7), "huge": 10**5000, "big": 2**62, "text": "nowhere", "long": "x" * 70_000,
    "NUL": "a\0b", "escape": "\x1b[31m\nred", "surrogate": "\udcff", "bytes": b"lut",
    "list": [], "lists": [[1, [2]]], "dict": {}, "odd dict": {3: None}, "set": {1, 2},
    "floats": np.full((2, 3), np.nan), "empty": np.zeros(0, np.int8),
    "objects": np.array([None, "x"]), "scalar": np.array(3), "texts": np.array(["a"]),
    "complex": np.ones((1, 6, 6, 1), complex), "strings": ["a", "b"], "Nones": (None,),
    "hostile": Hostile(), "class": int, "module": np, "ellipsis": ..., "lambda": lambda: 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Small valid things of every kind."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(3)

    def layer(name, kind, *shape, **more):
        w, b = (rng.normal(size=s).astype(np.float32) for s in (shape, shape[:1]))
        return Layer(name, kind, w, b, **more)

    network = FloatNetwork("small", (6, 6, 1), (
        layer("conv1", "conv2d", 3, 3, 3, 1), Layer("relu1", "relu"),
        Layer("gap", "global_avg_pool"), layer("fc", "fully_connected", 5, 3),
    ))  # fmt: skip
    images = rng.integers(0, 256, (4, 6, 6, 1)).astype(np.uint8)
    reals = images.astype(np.float32) / 255
    ranges = calibrate(network, reals)
    model = quantize_network(network, ranges)
    network.save(folder / "network.npz")
    ranges.save(folder / "ranges.json")
    model.save(folder / "model.npz")
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", np.zeros(4, np.uint8))
    (folder / "idx").write_bytes(
        bytes((0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 6, 0, 0, 0, 6)) + images.tobytes()
    )
    (folder / "pictures").mkdir()
    Image.fromarray(images[0, ..., 0]).save(folder / "pictures" / "a.png")
    (folder / "layout.toml").write_text("[default]\nlanes = 2\n")
    write_set(model, folder / "set", count=2)
    for k in (0, 1):
        write_set(model, folder / f"shard{k}", count=2, shards=2, shard=k)
    write_op_sets("lut", folder / "op")
    write_signatures(folder / "set", (8, 8, 8), folder / "signatures")
    x = model.quantize_input(images)
    values = model.run(x).output
    return dict(locals())


def _builder():
    builder = Builder("m")
    builder.input("x", (4,), "int32")
    return builder


def calls(w):
    """A valid call of each function: what it is bound to, and its arguments by name."""
    f, m, net = w["folder"], w["model"], w["network"]
    cases = corner_cases("lut")
    case = next(iter(cases))
    reals, x, images = w["reals"], w["x"], w["images"]
    return {
        "predict.predictions:predict_images": dict(
            model=m,
            images=images,
            names=list("abcd"),
            labels=np.zeros(4, int),
            backend="c",
            threads=1,
            isa="auto",
        ),
        "model.artefact:save": dict(model=m, path=f / "saved.npz"),
        "model.artefact:load": dict(path=f / "model.npz"),
        "model.artefact:content_sha256": dict(model=m),
        "model.artefact:required_spec": dict(model=m),
        "bench:bench": dict(
            model=m, isas=("portable",), batches=(1,), threads=(1,), rounds=1, progress=lambda: None
        ),
        "model.builder:Builder.__init__": dict(
            self=object.__new__(Builder), name="m", contract="c"
        ),
        "model.builder:Builder.input": dict(
            self=_builder, name="y", shape=(3,), dtype="int8", scale=0.5, zero_point=1
        ),
        "model.builder:Builder.tensor": dict(self=_builder(), name="x"),
        "model.builder:Builder.op": dict(
            self=_builder, kind="argmax", name="a", output="b", scale=None, zero_point=0
        ),
        "model.builder:Builder.model": dict(self=_grown(), metadata={"a": "b"}),
        "contracts.table:contract_named": dict(name="tflm"),
        "describe.summary:describe": dict(model=m),
        "describe.summary:description": dict(model=m),
        "describe.summary:notes": dict(model=m),
        "run.digests:tensor_digests": dict(model=m, x=x, backend="c", threads=1, isa="auto"),
        "run.digests:traced_chunks": dict(
            model=m, x=x, backend="c", threads=1, chunk=2, isa="auto"
        ),
        "run.classify:predict": dict(model=m, images=images, backend="c", threads=1),
        "run.classify:is_decided": dict(model=m),
        "run.classify:decide": dict(model=m, output=w["values"]),
        "exporters.c:write_c": dict(models=[m], path=f / "m.c"),
        "exporters.c:c_source": dict(models=[m]),
        "exporters.engine:copy_engine": dict(folder=f / "engine", amalgamated=False),
        "exporters.engine:export_c": dict(models=[m], folder=f / "exported"),
        "host.affine:pixel_values": dict(images=images),
        "host.affine:scale_zero_point": dict(rmin=-1.0, rmax=1.0, qmin=-128, qmax=127),
        "host.affine:quantize": dict(x=reals, scale=0.1, zero_point=0, dtype="int8"),
        "host.affine:dequantize": dict(values=w["values"], tensor=m.tensor(m.outputs[0])),
        "host.affine:quantize_input": dict(model=m, images=reals, name="image"),
        "quantize.calibrate:Ranges.save": dict(self=w["ranges"], path=f / "r.json"),
        "quantize.calibrate:Ranges.load": dict(cls=Ranges, path=f / "ranges.json"),
        "quantize.calibrate:calibrate": dict(network=net, images=reals, method="minmax"),
        "quantize.inference:FloatNetwork.run": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.passages": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.trace": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.predict": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.save": dict(self=net, path=f / "n.npz"),
        "quantize.inference:FloatNetwork.load": dict(cls=FloatNetwork, path=f / "network.npz"),
        "quantize.quantizer:quantize_network": dict(
            network=net, ranges=w["ranges"], choices=Choices(), name="q"
        ),
        "quantize.simulate:simulate": dict(model=m, x=x),
        "quantize.simulate:deviations": dict(model=m, x=x),
        "study.quantisation.compare:compare": dict(
            network=net, models={"a": m}, images=images, labels=np.zeros(4, int), progress=False
        ),
        "study.quantisation.sweep:run_sweep": dict(
            network=net,
            sweep=[Choices()],
            data=None,
            calibration_images=images,
            images=images,
            labels=np.zeros(4, int),
            golden_images=1,
            processes=1,
            progress=False,
        ),
        "study.quantisation.layer_error:layer_errors": dict(network=net, model=m, images=reals),
        "describe.footprint:footprint": dict(part=m),
        "describe.footprint:arena_sizes": dict(model=m),
        "describe.footprint:multiply_adds": dict(model=m),
        "images.arrays:read_images": dict(path=f / "images.npy", shape=(6, 6, 1)),
        "images.arrays:read_labels": dict(path=f / "labels.npy", count=4),
        "images.idx:read_idx": dict(path=f / "idx", shape=(4, 6, 6)),
        "images.idx:read_idx_header": dict(path=f / "idx"),
        "images.pictures:find_pictures": dict(folder=f / "pictures"),
        "images.pictures:read_picture": dict(path=f / "pictures" / "a.png", channels=1),
        "images.sources:read_sources": dict(
            sources=[f / "images.npy"], shape=(6, 6, 1), as_is=False
        ),
        "importers.tflite.convert:import_tflite": dict(path=f / "none", contract="tflm", name="n"),
        "host.affine:dequantize_tensor": dict(model=m, values=w["values"], tensor=m.outputs[0]),
        "run.session:Session.__init__": dict(
            self=object.__new__(intgold.Session), model=m, isa="auto", threads=1
        ),
        "vectors.sets.generate:write_set": dict(
            model=m,
            folder=f / "w",
            options=None,
            source="builtin",
            count=1,
            seed=0,
            formats=("npy",),
            backend="c",
            progress=False,
            isa="auto",
            images="0",
            layout=None,
            ops=(),
            tensors=(),
            partials=None,
            compression="",
            shards=1,
            shard=None,
            jobs=1,
        ),
        "vectors.sets.generate:merge_sets": dict(
            shards=[f / "shard0", f / "shard1"], folder=f / "whole", progress=False
        ),
        "vectors.memory.layout_file:read_layout": dict(path=f / "layout.toml"),
        "verify.locate:locate": dict(
            folder=f / "set", array="outputs/gap", coordinate=[0, 0, 0, 0]
        ),
        "verify.locate:at_place": dict(folder=f / "set", place="outputs/gap.hex:2"),
        "vectors.op_vectors.lines:op_lines": dict(case=case),
        "vectors.op_vectors.lines:read_op_lines": dict(text="\n".join(op_lines(case))),
        "vectors.op_vectors.sets:cases_of": dict(op="lut", random=1, seed=0),
        "vectors.op_vectors.sets:lines_of": dict(op="lut", random=1, seed=0),
        "vectors.op_vectors.sets:write_op_sets": dict(
            op="lut",
            folder=f / "op2",
            options=None,
            random=0,
            seed=0,
            formats=("npy",),
            layout=None,
            form=None,
            bits=None,
            progress=False,
        ),
        "vectors.op_vectors.sets:read_op_vectors": dict(folder=f / "op"),
        "verify.signatures:signatures": dict(vectors=f / "set", extents=(8, 8, 8), progress=False),
        "verify.signatures:write_signatures": dict(
            vectors=f / "set", extents=(8, 8, 8), path=f / "s", progress=False
        ),
        "verify.signatures:compare_signatures": dict(
            vectors=f / "set", path=f / "signatures", progress=False
        ),
        "vectors.cases.stimulus:stimulus": dict(model=m, source="builtin", count=2, seed=0),
        "vectors.cases.stimulus:stimulus_chunks": dict(
            model=m, source="builtin", count=2, seed=0, chunk=1
        ),
        "verify.comparison:verify": dict(
            vectors=f / "set", dut=f / "set", progress=False, partial=False, layout=None
        ),
        "verify.comparison:verify_op": dict(
            vectors=f / "op", dut=f / "op", progress=False, partial=False, layout=None
        ),
    }


def _grown():
    builder = _builder()
    builder.op("argmax", "x")
    return builder


STARTED = "the processes would start"
"""Stands for a success of what takes seconds."""


def _started(*args, **kwargs):
    raise InputError(STARTED)


NEED_TORCH = {"quantize:quantize"}
"""Take what only torch produces; `test_torch_modules.py` calls them with what is none."""


def found():
    """Every checked function of the package by module and name."""
    functions = {}
    for info in pkgutil.walk_packages(intgold.__path__, "intgold."):
        if info.name.endswith("__main__"):
            continue
        with contextlib.suppress(ImportError):  # torch is an extra
            functions |= _of(importlib.import_module(info.name), info.name)
    return functions


def _of(module, name):
    made = {}
    for key, value in vars(module).items():
        owned = [(key, value)]
        if inspect.isclass(value):
            owned = [(f"{key}.{n}", getattr(v, "__func__", v)) for n, v in vars(value).items()]
        for label, f in owned:
            if getattr(f, "__checked__", False) and f.__module__ == module.__name__:
                made[f"{name.removeprefix('intgold.')}:{label}"] = f
    return made


FUNCTIONS = found()


def attempt(call):
    """Call, and draw a generator out; return the error's text or None."""
    try:
        made = call()
        if inspect.isgenerator(made):
            list(itertools.islice(made, 3))
    except IntgoldError as error:
        text = str(error)
        if text == STARTED:
            return None
        assert text and text.isprintable() and len(text) <= 2000
        return text
    return None


def test_every_checked_function_is_called(world):
    """None is left out of the table, and what the checks do not know are only arrays of torch."""
    table = calls(world)
    assert set(table) == set(FUNCTIONS) - NEED_TORCH and len(table) > 60
    for name, function in FUNCTIONS.items():
        unknown = {n for n, hint in hints_of(function).items() if hint is Unknown}
        meant = {n for n, p in inspect.signature(function).parameters.items()
                 if p.annotation == "Any"}  # fmt: skip
        assert unknown <= meant or name in NEED_TORCH, (name, unknown)


@pytest.mark.parametrize("path", [None, 3, b"lut", ["lut"], np.zeros(2), intgold])
def test_load_takes_a_name_or_a_path(path):
    """`load` checks by itself: the decorator would load NumPy with the package."""
    with pytest.raises(InputError, match="load: path: .* instead of a path"):
        intgold.load(path)


@pytest.mark.parametrize("label", WRONG)
def test_look_ups_of_a_model(label, world):
    """`tensor` and `arguments` cost no check, and refuse whatever a model does not have."""
    model = world["model"]
    with pytest.raises(IntgoldError, match="no tensor "):
        model.tensor(WRONG[label])
    with pytest.raises(IntgoldError, match="arguments: op: .* instead of a Op"):
        model.arguments(WRONG[label])


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - NEED_TORCH))
def test_wrong_arguments(name, world, tmp_path, monkeypatch):
    """Each argument by each wrong value: refused in one line, or legal; most are refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("intgold.study.quantisation.sweep.Workers", _started)
    function, valid = FUNCTIONS[name], calls(world)[name]
    positional = [valid.pop(n) for n in ("self", "cls") if n in valid]

    def call(arguments):
        bound = [p() if p is _builder else p for p in positional]
        if name.endswith("Builder.op"):
            bound += [arguments["kind"], "x"]
            arguments = {n: v for n, v in arguments.items() if n != "kind"}
        return function(*bound, **arguments)

    if not name.startswith("importers"):
        assert attempt(lambda: call(valid)) is None
    for argument in valid:
        refused = 0
        for label, value in WRONG.items():
            try:
                refused += attempt(lambda: call({**valid, argument: value})) is not None  # noqa: B023
            except Exception as error:
                raise AssertionError(f"{name}: {argument} = {label}: {error!r}") from error
        parameter = inspect.signature(function).parameters.get(argument)  # or one of **choices
        meant_any = parameter is not None and parameter.annotation == "Any"
        assert refused >= len(WRONG) // 2 or meant_any, (argument, refused)


@pytest.mark.parametrize("engine", [golden, native], ids=["golden", "native"])
@pytest.mark.parametrize("kind", OPS)
def test_wrong_arguments_of_single_ops(kind, engine):
    """The functions of golden and native refuse alike what an op cannot be."""
    model = next(
        m for m in (random_model(s, (kind,), max_ops=1) for s in range(9)) if m.ops[0].kind == kind
    )
    op = model.ops[0]
    x = random_inputs(model, 2, 0)
    inputs = [x[n] for n in op.inputs]
    arguments = model.arguments(op)
    function = getattr(engine, kind)
    assert attempt(lambda: function(*inputs, **arguments)) is None
    for argument in arguments:
        for label, value in WRONG.items():
            legal = value is None and argument == "requantize"
            try:
                said = attempt(lambda: function(*inputs, **{**arguments, argument: value}))  # noqa: B023
            except Exception as error:
                raise AssertionError(f"{argument} = {label}: {error!r}") from error
            assert said or legal or label in ("-1", "int64"), (argument, label)
    for value in WRONG.values():
        assert attempt(lambda: function(value, *inputs[1:], **arguments))  # noqa: B023
    assert attempt(lambda: function(*inputs)) or not arguments
    assert attempt(lambda: function(*inputs, **arguments, surplus=1))


USUAL = {
    "write_c of a model": (
        lambda m, x: intgold.exporters.write_c(m, "x.c"), r"<Model .* instead of .*\[model\]"),
    "swapped write_c": (
        lambda m, x: intgold.exporters.write_c("x.c", [m]), "models: str 'x.c' instead of a l"),
    "copy_engine of a model": (
        lambda m, x: intgold.exporters.copy_engine(m), "instead of a path: are the arguments swap"),
    "load of a model": (lambda m, x: intgold.load(m), "load: path: <Model .* instead of a path"),
    "swapped run": (lambda m, x: m.run("c", x), "run: backend: <array .* instead of text: are"),
    "swapped predict": (lambda m, x: m.predict("c", x), "images: str 'c' instead of a NumPy array"),
    "a name as images": (lambda m, x: m.run("c"), "input image: str 'c' instead of an array"),
    "bytes to run": (lambda m, x: m.run(x.view(np.uint8)), "uint8 instead.*quantize_input"),
    "floats to run": (lambda m, x: m.run(x.astype(float)), "float64 instead.*quantize_input"),
    "a list to predict": (lambda m, x: m.predict(x.tolist()), "list .* numpy.array"),
    "predict of nothing": (lambda m, x: m.predict(x[:0]), "no images"),
    "NaN": (lambda m, x: m.predict(np.full(x.shape, np.nan)), r"nan at \(0, 0, 0, 0\)"),
    "infinity": (lambda m, x: m.predict(np.full(x.shape, -np.inf)), "-inf at"),
    "floats 0..255": (lambda m, x: m.quantize_input((x + 128.0) % 256),
                      "its reals are from 0 to 1: give images / 255, or the bytes as uint8"),
    "objects": (lambda m, x: m.quantize_input(x.astype(object)), "object is neither uint8"),
    "int64": (lambda m, x: m.quantize_input(x.astype(np.int64)), r"astype\(numpy.float32\)"),
    "a long list": (lambda m, x: m.predict(x.tolist()), "^.{0,300}: numpy.array.* produces one$"),
    "several arrays": (lambda m, x: m.predict((x, x)), "give one array; for several inputs, model"),
    "masked": (lambda m, x: m.predict(np.ma.masked_array(x, x > 0)), "masked array .*x.filled"),
    "masked to run": (lambda m, x: m.run(np.ma.masked_array(x, x > 0)), "masked array .*x.filled"),
    "a word as trace": (lambda m, x: m.run(x, trace="yes"), "trace: str 'yes' instead of True"),
    "a word as trace of golden": (
        lambda m, x: m.run(x, trace="yes", backend="golden"), "trace: str 'yes' instead of True"),
    "no trace": (lambda m, x: m.run(x).tensors["conv1"], "'conv1': run with trace=True"),
    "a typo": (lambda m, x: m.run(x, trace=True).tensors["con"], "'con': there are conv1, gap"),
    "a typo of golden": (lambda m, x: m.run(x, "golden", trace=True).accumulators["con"],
                         "'con': there are conv1, gap"),
    "wrong rank": (lambda m, x: m.quantize_input(x[0, 0]), r"shape .* instead of \(n, "),
    "dequantize of a wrong shape": (
        lambda m, x: m.dequantize(np.zeros((2, 7), np.int32)), r"shape \(2, 7\) instead of"),
    "dequantize of a wrong dtype": (
        lambda m, x: m.dequantize(np.zeros((2, 5), np.int64)), "int64 instead of int32"),
    "dequantize of reals": (
        lambda m, x: m.dequantize(np.zeros((2, 5))), "float64 instead of int32"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", USUAL)
def test_usual_mistakes_are_told_apart(mistake, world, tmp_path, monkeypatch):
    """The line says what was given and what to do."""
    monkeypatch.chdir(tmp_path)
    call, message = USUAL[mistake]
    with pytest.raises(InputError, match=message):
        call(world["model"], world["x"])
    assert not list(tmp_path.iterdir())


def test_documented_modules_are_there():
    """`import intgold` leads to each: it is loaded at its first use."""
    code = "import intgold; print(*(getattr(intgold, n).__name__ for n in intgold._SUBMODULES))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = made.stdout.split()
    assert names == [f"intgold.{n}" for n in intgold._SUBMODULES] and "intgold.exporters" in names
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        intgold.nothing  # noqa: B018


def test_labels_are_classes(world):
    """The first label that is no class is named, wherever labels are taken."""
    from intgold.predict.predictions import predict_images
    from intgold.study.quantisation.compare import compare
    from intgold.study.quantisation.sweep import SweepData, run_sweep

    model, network, images = world["model"], world["network"], world["images"]
    for odd in (5, -1, 300):
        labels = np.array([0, 4, odd, 9])
        for call in (
            lambda: predict_images(model, images, list("abcd"), labels),  # noqa: B023
            lambda: compare(network, {"a": model}, images, labels),  # noqa: B023
            lambda: run_sweep(network, [Choices()], SweepData(images, images, labels)),  # noqa: B023
        ):
            with pytest.raises(InputError, match=rf"labels: {odd} at \(2,\) .* 0 to 4"):
                call()


def test_the_other_kind_of_file(world):
    """A float network where a model is wanted, and the other way round: what to do."""
    with pytest.raises(intgold.ArtefactError, match="a float network: intgold quantize produces"):
        intgold.load(world["folder"] / "network.npz")
    with pytest.raises(intgold.ArtefactError, match="^mnist: neither .*: a float network, intgold"):
        intgold.load("mnist")
    with pytest.raises(intgold.ArtefactError, match="^lut: neither .*an integer model already"):
        load_network("lut")
    assert tuple(NETWORKS) == intgold.FLOAT_NETWORKS
    with pytest.raises(intgold.ArtefactError, match="an integer model already; wanted is the fl"):
        FloatNetwork.load(world["folder"] / "model.npz")


def test_any_memory_order_of_images(world):
    """Negative strides, Fortran order and slices give the same int8 input."""
    model, reals = world["model"], world["reals"]
    for images in (reals, world["images"], world["x"]):
        wanted = model.quantize_input(images)
        for odd in (np.asfortranarray(images), images[::-1].copy()[::-1],
                    np.repeat(images, 2, axis=2)[:, :, ::2]):  # fmt: skip
            assert not odd.flags.c_contiguous
            assert np.array_equal(model.quantize_input(odd), wanted)
            assert np.array_equal(model.predict(odd), model.predict(images))


def test_the_check_is_the_annotation():
    """A function of one's own: every kind of annotation, taken and refused."""

    @checked
    def function(a: "int | None", b: "tuple[int, ...]" = (), *c: "str", **d: "float") -> str:
        return "taken"

    assert function(None) == function(3, [1, 2], "x", y=1) == function(np.int8(1)) == "taken"
    for call in (
        lambda: function("3"), lambda: function(True), lambda: function(1, (2.5,)),
        lambda: function(1, (), 7), lambda: function(1, d="x"),
    ):  # fmt: skip
        with pytest.raises(InputError, match="function: [abcd]: .* instead of"):
            call()
    with pytest.raises(TypeError, match="missing"):
        function()
    assert fits("x", "int | str") and fits(Hostile(), object)


INT, INTS = np.int64(2), (np.array([2, 3]), [np.int64(2), 3], (np.uint8(2), np.int16(3)))
MADE = {
    "int": [(INT, 2), (np.uint64(2), 2)],
    "int | None": [(INT, 2), (None, None)],
    "Sequence[int]": [(v, [2, 3]) for v in INTS] + [(iter((np.int8(2), 3)), [2, 3])],
    "tuple[int, ...]": [(v, [2, 3]) for v in INTS] + [((v for v in (2, 3)), [2, 3])],
    "tuple[int, int]": [(v, [2, 3]) for v in INTS] + [(map(int, "23"), [2, 3])],
    "list[int]": [(v, [2, 3]) for v in INTS],
    "Sequence[int] | None": [(v, [2, 3]) for v in INTS] + [(iter([2, 3]), [2, 3])],
    "int | Sequence[int]": [(v, [2, 3]) for v in INTS] + [(INT, 2)],
    "Sequence[tuple[int, int]]": [([np.array([2, 3])], [(2, 3)]), (np.array([[2, 3]]), [(2, 3)]),
                                  (zip([INT], [3], strict=True), [(2, 3)])],
    "Sequence[str]": [(iter("ab"), ["a", "b"]), (np.array(["a", "b"]), ["a", "b"])],
    "str | Sequence[str]": [(iter("ab"), ["a", "b"]), ("ab", "ab")],
}  # fmt: skip
"""What an annotation takes of NumPy and of iterators, and what the function then sees."""


def _function_of(hint):
    def function(a: "int", b: "int" = 0):
        return b

    function.__annotations__ = {"a": int, "b": eval(hint, {"Sequence": Sequence})}
    return checked(function)


def _listed(value):
    return [_listed(v) for v in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("hint", MADE)
def test_what_numpy_and_iterators_make(hint):
    """NumPy's integers, by themselves and as elements, arrays and iterators become Python's own."""
    for value, same in MADE[hint]:
        seen = _listed(_function_of(hint)(INT, value))
        assert seen == _listed(same) and repr(seen) == repr(_listed(same))
    for value in (2.5, np.array([2.5]), [np.float64(2)], (True, 3), np.array([True, False]),
                  np.timedelta64(2), iter([2.5]), np.array([b"2"]), [2**63]):  # fmt: skip
        with pytest.raises(InputError, match="function: b: .* instead of"):
            _function_of(hint)(1, value)


def test_a_usual_call_binds_nothing(monkeypatch):
    """Arguments that are of their type exactly, by place or name, cost one look."""

    def function(a: int, b: "str | None" = None, *c: str, d: "np.ndarray | None" = None, **e: int):
        return a

    function = checked(function)
    monkeypatch.setattr("inspect.Signature.bind", lambda *a, **k: pytest.fail("bound"))
    assert function(1) == function(1, "x") == function(a=1, b=None, d=np.empty(0)) == 1
    for call in (
        lambda: function(True), lambda: function(2**63), lambda: function(-(2**63) - 1),
        lambda: function(1, 2), lambda: function(1, "x", "y"), lambda: function(1, d=[]),
        lambda: function(1, e=2), lambda: function(1, c="x"),
    ):  # fmt: skip
        with pytest.raises(pytest.fail.Exception, match="bound"):
            call()


def test_legal_calls_of_numpy_users(world, tmp_path):
    """What NumPy gives to count and to point with is taken wherever numbers are."""
    model, x, folder = world["model"], world["x"], world["folder"]
    builder = Builder("m")
    builder.input("x", tuple(np.array([4, 4, 2])))
    for kernel in (np.int64(2), np.array([2, 2]), [np.int8(2), 2]):
        made = builder.tensor(builder.op("max_pool2d", "x", kernel=kernel, stride=(2, 2)))
        assert repr(made.shape) == "(2, 2, 2)"
    where = tuple(np.argwhere(np.ones((1, 1, 1, 1)))[0])
    assert intgold.verify.locate.locate(folder / "set", "outputs/gap", where)
    write_set(model, tmp_path / "a", count=2, formats=(n for n in ("npy", "hex")))
    assert {p.suffix for p in (tmp_path / "a").rglob("gap.*")} == {".npy", ".hex"}
    intgold.exporters.write_c((m for m in [model]), tmp_path / "m.c")
    *lines, _ = (tmp_path / "m.c").read_text().splitlines(keepends=True)  # without the seal
    assert "".join(lines) == intgold.exporters.c_source([model])
    wanted = model.run(x).output
    for backend, threads in itertools.product(("c", "golden"), (np.int64(2), np.uint8(1))):
        assert np.array_equal(model.run(x, backend, threads).output, wanted)
        assert np.array_equal(model.predict(x, backend, threads), model.predict(x))
    assert repr(model.prepare(threads=np.int64(2)).threads) == "2"
    for engine in (golden, native):
        rest = dict(padding=np.zeros(4, int), act_min=-128, act_max=np.int8(127))
        twos = ((2, 2), [2, 2], np.array([2, 2]), np.full(2, 2, np.uint8))
        pools = [engine.max_pool2d(x, kernel=(2, 2), stride=s, **rest) for s in twos]
        assert all(np.array_equal(p, pools[0]) for p in pools)
        with pytest.raises(IntgoldError, match="stride"):
            engine.max_pool2d(x, kernel=(2, 2), stride=np.array([2.0, 2.0]), **rest)


@pytest.mark.parametrize("wrong", [(True, 2), (2.0, 2), (2, 0)])
def test_a_check_that_is_remembered_is_of_equal_types(wrong):
    """True and 2.0 equal 1 and 2: a call that was right before does not let them pass."""
    x = np.zeros((1, 4, 4, 1), np.int8)
    rest = dict(stride=(1, 1), padding=(0, 0, 0, 0), act_min=-128, act_max=127)
    for engine, odd in itertools.product((golden, native), (wrong, list(wrong))):
        engine.max_pool2d(x, kernel=(1, 2), **rest), engine.max_pool2d(x, kernel=(2, 2), **rest)
        with pytest.raises(IntgoldError, match="kernel"):
            engine.max_pool2d(x, kernel=odd, **rest)
    with pytest.raises(IntgoldError, match="act_max"):
        golden.max_pool2d(x, kernel=(2, 2), **{**rest, "act_max": 127.0})


def test_ops_without_sums_are_never_refused_by_the_proof():
    """Those that a call does not prove have no accumulator and no requantize."""
    without = [spec for spec in OPS.values() if not spec.can_overflow]
    assert len(without) == 8
    for spec in without:
        assert not spec.accumulator
        assert not any(isinstance(t, Requantization) for t in spec.fields.values())


@pytest.mark.parametrize(("hint", "words"), [
    (Sequence[int], "a list of whole numbers of 64 bits"),
    (tuple[int, ...] | None, "a list of whole numbers of 64 bits or None"),
    (tuple[int, int], "2 whole numbers of 64 bits"),
    (Sequence[float], "a list of real numbers"),
    (Sequence[str], "a list of text"),
    (Sequence[str | os.PathLike[str]], "a list of paths"),
    (Sequence[Sequence[bool]], "a list of lists of True or False"),
    (Sequence[intgold.Model], "a list of Models"),
    (Sequence[Choices], "a list of Choices"),
    (dict[str, np.ndarray], "a mapping of text to a NumPy array"),
])  # fmt: skip
def test_annotations_in_words(hint, words):
    """What is wanted reads as English."""
    assert wanted(hint) == words


def test_models_are_checked(world):
    """Tensor, Op, Model, Requantize and Result take nothing else than what they say."""
    model = world["model"]
    op, tensor = model.ops[0], model.tensors[0]
    parts = {
        intgold.Tensor: dict(name="x", shape=(3,), dtype="int8", scale=0.5, zero_point=0),
        intgold.Op: dict(kind=op.kind, name="a", inputs=op.inputs, output="y",
                         fields=dict(op.fields)),
        intgold.Model: dict(name="m", tensors=model.tensors, ops=model.ops, inputs=model.inputs,
                            outputs=model.outputs, contract="c", metadata={}),
        intgold.Requantize.of: dict(multiplier=2**30, right_shift=31, form="single",
                                    multiplier_low=0),
        Layer: dict(name="x", kind="conv2d", weights=np.ones((1, 1, 1, 1), np.float32),
                    bias=np.ones(1, np.float32), stride=(1, 1), padding=(0, 0, 0, 0),
                    kernel=(0, 0), dilation=(1, 1), alpha=0.0, inputs=("image",)),
        FloatNetwork: dict(name="n", input_shape=(6, 6, 1), layers=world["network"].layers,
                           pixels=True),
        Choices: {},
    }  # fmt: skip
    parts[Choices] = {n: getattr(Choices(), n) for n in inspect.signature(Choices).parameters}
    for make, valid in parts.items():
        assert attempt(lambda: make(**valid)) is None  # noqa: B023
        for argument, (label, value) in itertools.product(valid, WRONG.items()):
            try:
                attempt(lambda: make(**{**valid, argument: value}))  # noqa: B023
            except Exception as error:
                raise AssertionError(f"{make}: {argument} = {label}: {error!r}") from error
    assert tensor.name
    tools.said.append(
        f"arguments: {len(FUNCTIONS)} functions, each argument by {len(WRONG)} values"
    )


@pytest.mark.parametrize("make", [set, frozenset, dict.fromkeys, lambda v: dict.fromkeys(v).keys()])
@pytest.mark.parametrize(
    "hint", [Sequence[int], list[int], tuple[int, ...], Sequence[int] | None, tuple[int, int]]
)
def test_a_set_is_no_sequence(make, hint):
    """It has no order; of a coordinate or an order of formats that would be a wrong answer."""
    assert not fits(make([3, 1]), hint) and fits((3, 1), hint)
    with pytest.raises(InputError, match="x: .* instead of "):
        check("x", make([3, 1]), hint)
