"""What an interpreter shows of every object of the package: one screen, whatever it holds."""

import dataclasses
import gc
import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest

import hostile_kinds
import intgold
from intgold.model.ports import ModelPorts
from intgold.native.lowering import Lowered, LoweredOp, lower
from intgold.predict.predictions import predict_images
from intgold.quantize.calibrate import Ranges
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.layers import Layer
from intgold.support.quoting import MAX_CHARS, given, one_line, shown
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.plan import Plan
from intgold.verify.comparison import ArrayComparison, DumpComparison, FirstDifference, verify
from intgold.verify.dump import Dump
from intgold.verify.report.verification_report import verification_report

LINES, CHARACTERS = 25, 2000


def screenful(value):
    """Whether the repr of a value fits, and says something."""
    text = repr(value)
    return 0 < len(text) <= CHARACTERS and text.count("\n") < LINES


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """The biggest objects that the shipped models and a long chain of ops give."""
    folder = tmp_path_factory.mktemp("reprs")
    model = intgold.load("pwl")
    images = np.arange(3 * 784, dtype=np.int64).reshape(3, 28, 28).astype(np.uint8)
    x = model.quantize_input(images)
    chain = hostile_kinds.chain("int32", (3,), "argmax", {}, 3000)
    write_set(model, folder / "want", source={"image": x}, formats=("npy",))
    write_set(model, folder / "dut", source={"image": x}, formats=("npy",))
    damaged = folder / "dut" / "outputs" / "logits.npy"
    np.save(damaged, np.load(damaged) ^ 4)
    plan, files = read_manifest(folder / "want")
    package = intgold.__path__[0]
    network = FloatNetwork.load(f"{package}/models/mnist_float.npz")
    ranges = Ranges.load(f"{package}/models/mnist_ranges.json")
    report = verify(folder / "want", folder / "dut")
    lowered = [lower(model), lower(chain)]
    results = [model.run(x, trace=True), chain.run(np.zeros((1, 3), np.int32), trace=True)]
    sessions = [model.prepare(), chain.prepare()]
    answers = predict_images(model, images, list("abc"))
    signatures = [model.ports, chain.ports]
    found = verification_report(Dump(folder / "want", folder / "dut"))
    assert not report.equal and plan.files and plan.blocks
    return locals()


def test_every_object_of_the_package_fits_a_screen(held):
    """Every dataclass of intgold that lives here, and every public kind is among them."""
    seen = set()
    for value in gc.get_objects():
        kind = type(value)
        ours = str(kind.__module__).startswith("intgold")
        if ours and (dataclasses.is_dataclass(value) or kind is intgold.Session):
            assert screenful(value), (kind, repr(value)[:3000])
            seen.add(kind)
    wanted = {
        intgold.Model,
        intgold.Op,
        intgold.Tensor,
        intgold.Requantize,
        intgold.Result,
        intgold.Session,
        Lowered,
        LoweredOp,
        Plan,
        FloatNetwork,
        Layer,
        Ranges,
        DumpComparison,
        ArrayComparison,
        FirstDifference,
        ModelPorts,
    }
    assert wanted <= seen and len(seen) > 30, wanted - seen


def test_dataclasses_of_any_size_have_a_short_repr():
    """Every dataclass with arrays or collections among its fields: none has a generated repr."""
    big = re.compile(r"ndarray|Arrays?\b|\bAny\b|(list|dict|Mapping)\[|tuple\[(tuple|[A-Z]\w+)\b")
    found = {}
    for info in pkgutil.walk_packages(intgold.__path__, "intgold."):
        if info.name.endswith("__main__"):
            continue
        for kind in filter(inspect.isclass, vars(importlib.import_module(info.name)).values()):
            if dataclasses.is_dataclass(kind) and kind.__module__ == info.name:
                sizes = [f.name for f in dataclasses.fields(kind) if big.search(str(f.type))]
                generated = hasattr(kind.__repr__, "__wrapped__")
                found[f"{info.name}.{kind.__name__}"] = sizes if generated else []
    assert len(found) > 100
    assert not {name: fields for name, fields in found.items() if fields}


def test_what_a_model_shows(held):
    """Name, inputs, outputs, ops by kind, bytes and hash; of a result every array's shape."""
    text = repr(held["model"])
    for part in ("mnist_pwl", "image int8 28x28x1", "logits int32 10", "3 conv2d",
                 "bytes of constants", held["model"].sha256):  # fmt: skip
        assert part in text
    assert "3000 argmax" in repr(held["chain"])
    first, second = map(repr, held["results"])
    assert "logits: int32 (3, 10)" in first and "conv1: int8 (3, 28, 28, 8)" in first
    assert "and 2994 more" in second
    assert "tensors: none, without a trace" in repr(held["model"].run(held["x"]))
    assert repr(held["sessions"][0]).startswith("<Session mnist_pwl, ")
    assert "weights=<array of int8, shape (8, 3, 3, 1)>" in repr(held["model"].ops[0])
    assert "of 8: single, multiplier" in repr(held["model"].ops[0]["requantize"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10**5000, "<integer of 16610 bits>"),
        (-(2**300), str(-(2**300))),
        (np.zeros((2, 3), np.int8), "<array of int8, shape (2, 3)>"),
        ([0] * 10**6, "[0, 0, 0, 0, 0, 0, 0, 0, ...]"),
        ("x" * 10**6, "'" + "x" * 37 + "..." + "x" * 38 + "'"),
        ([[[[[[1]]]]]], "[[[[...]]]]"),
        (None, "None"),
    ],
    ids=["long number", "number", "array", "list", "text", "depth", "None"],
)
def test_values_in_errors(value, text):
    """Of any size they are shown in a few characters, at once."""
    assert shown(value) == text
    assert text in given(value)


def test_lines_are_bounded_and_printable():
    """Control characters are escaped, long names show both ends, and twice is once."""
    assert one_line("a\nb\x1b[31m\u202e\udcff") == r"a\nb\x1b[31m\u202e\udcff"
    path = "/".join(["d" * 200] * 5)
    assert one_line(f"{path}: no") == f"{path}: no"
    name = "<" + "x" * 60_000 + ">"
    assert one_line(f"member {name} twice") == f"member <{'x' * 59}...{'x' * 59}> twice"
    for text in ("a b " * 10**6, "\n" * 10**5, "\x00" * 300, "x" * 10**7):
        line = one_line(text)
        assert len(line) <= MAX_CHARS and line.isprintable() and len(one_line(line)) <= MAX_CHARS
    for kind in vars(intgold.errors).values():
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert str(kind(f"{name}\n")) == f"<{'x' * 59}...{'x' * 57}>\\n"
            assert kind("a").args == ("a",)
