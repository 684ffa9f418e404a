"""ARG_MAX and ARG_MIN over any axis, as part of the model; CAST."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from one_op_models import made
from tflite_writer import Writer

from run import both_engines

IMAGES = 5


def file(kind, shape, axis, out=None, dtype="int8", index="int32", held=True):
    """A file of one op; `out`: another shape than the engine's."""
    w = Writer()
    x = w.tensor(shape, dtype, 0.5, 3)
    at = w.tensor(np.shape(axis), "int32", data=np.array(axis) if held else None)
    kept = [n for a, n in enumerate(shape) if a != np.ravel(axis)[0] % len(shape)]
    y = w.tensor(kept if out is None else out, index)
    w.op(kind, [x, at], y, 1, "ArgMaxOptions" if kind == "ARG_MAX" else "ArgMinOptions")
    return parse(w.finish([x] if held else [x, at], [y]))


def model_of(graph, contract="litert_reference"):
    return convert(graph, contract_named(contract), "m")


@pytest.mark.parametrize("kind", ["ARG_MAX", "ARG_MIN"])
@pytest.mark.parametrize(
    ("shape", "axis", "made_shape"),
    [
        ((1, 10), 1, (1,)),
        ((1, 10), -1, (1,)),
        ((1, 3, 4, 21), 3, (3, 4, 1)),
        ((1, 3, 4, 21), 1, (4, 21, 1)),
        ((1, 3, 4, 21), [-2], (3, 21, 1)),
        ((1, 2, 3, 4, 5), 2, (8, 5, 1)),
        ((1, 2, 3, 2, 300), 4, (6, 2, 1)),
        ((1, 1, 1, 7), 2, (1, 7, 1)),
    ],
)
def test_indices(kind, shape, axis, made_shape):
    """The first of the largest or smallest, of few values, so that most are tied."""
    model = model_of(file(kind, shape, axis))
    assert (model.tensor(model.outputs[0]).shape, model.tensor(model.outputs[0]).dtype) == (
        made_shape,
        "int32",
    )
    x = np.random.default_rng(0).choice([-128, -1, 0, 127], (IMAGES, *shape[1:])).astype(np.int8)
    x[0] = 5
    along = np.ravel(axis)[0] % len(shape)
    wanted = getattr(np, kind.lower().replace("_", ""))(x, along)
    assert np.array_equal(both_engines(model, [x]).ravel(), wanted.ravel())
    assert not wanted[0].any() and (shape[along] == 1 or wanted.any())


def test_the_last_axis_is_one_op():
    """A strided_copy comes first for another axis, a lut for a minimum."""

    def kinds(graph):
        return [op.kind for op in model_of(graph).ops]

    assert kinds(file("ARG_MAX", (1, 3, 4, 21), 3)) == ["argmax"]
    assert kinds(file("ARG_MAX", (1, 3, 4, 21), 1)) == ["strided_copy", "argmax"]
    assert kinds(file("ARG_MIN", (1, 3, 4, 21), -1)) == ["lut", "argmax"]


@pytest.mark.parametrize("op", ["ARG_MAX", "ARG_MIN", "ARG_MAX_INT64", "ARG_MIN_INT64"])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_random_models(op, dtype):
    """The models that the engines are compared on, against NumPy."""
    for seed in range(12):
        case, (x,) = made(op, seed, dtype)
        graph = parse(case.data)
        axis = int(np.ravel(graph.tensors[graph.ops[0].inputs[1]].data)[0])
        find = np.argmax if "MAX" in op else np.argmin
        wanted = find(x, axis % len(graph.tensors[graph.inputs[0]].shape))
        assert np.array_equal(both_engines(model_of(graph), [x]).ravel(), wanted.ravel())


def test_several_images_at_once():
    """A batch in the file: along an axis of the image; along the batch it mixes images."""
    model = model_of(file("ARG_MAX", (4, 3, 5), 2))
    assert model.tensor(model.inputs[0]).shape == (3, 5)
    with pytest.raises(ImportFileError, match=r"op 0 \(ARG_MAX\): it may mix the 4 images"):
        model_of(file("ARG_MAX", (4, 3, 5), 0))


@pytest.mark.parametrize(
    ("graph", "contract", "why"),
    [
        (file("ARG_MAX", (1, 9), 1, dtype="uint8"), "tflm",
         "TFLite Micro reference kernels: no kernel for it on uint8"),
        (file("ARG_MIN", (1, 9), 1, index="int64"), "tflm",
         "TFLite Micro reference kernels: no kernel for it on int64"),
        (file("ARG_MAX", (1, 9), 0), "xnnpack", "over the batch"),
        (file("ARG_MAX", (1, 9), 2, ()), "xnnpack", r"axes \[2\] of 2 dimensions; one is read"),
        (file("ARG_MAX", (1, 9), [1, 1], (1,)), "xnnpack", r"axes \[1, 1\] of 2 dimensions"),
        (file("ARG_MAX", (1, 9), 1, (1, 9)), "xnnpack",
         r"output t2 has shape \(1, 9\); axis 1 of \(1, 9\)"),
        (file("ARG_MAX", (1, 9), 1, index="int8"), "xnnpack",
         "output t2 is int8; int32 and int64 are read"),
    ],
)  # fmt: skip
def test_refused(graph, contract, why):
    """One line that names the op."""
    with pytest.raises(ImportFileError, match=rf"^op 0 \(ARG_M..\): {why}"):
        model_of(graph, contract)


def test_an_axis_that_is_no_constant():
    """It is an input of int32, which no model has."""
    with pytest.raises(ImportFileError, match="input t1 is int32; int8, uint8 and bool are read"):
        model_of(file("ARG_MAX", (1, 9), 1, held=False))


def changed(of, to, *after):
    """A CAST, and ops that follow it as (kind, dtype)."""
    w = Writer()
    x = at = w.tensor((1, 256), of, 0.5, 3)
    for kind, dtype in (("CAST", to), *after):
        y = w.tensor((1, 256), dtype, 0.5 if "int8" in dtype else None, 3 if "int8" in dtype else 0)
        w.op(kind, [at], y)
        at = y
    return parse(w.finish([x], [at]))


@pytest.mark.parametrize("of", ["int8", "uint8"])
@pytest.mark.parametrize("to", ["int8", "uint8"])
def test_casts_keep_bytes(of, to):
    """In the model uint8 is x ^ 0x80, so that a cast of two types changes the highest bit."""
    model = model_of(changed(of, to))
    assert [op.kind for op in model.ops] == ["reshape" if of == to else "lut"]
    x = np.arange(256, dtype=np.uint8).view(of)[None]
    made_here = both_engines(model, [x]).view(np.uint8)
    wanted = x.view(np.uint8) ^ np.uint8(0x80 if to == "uint8" else 0)
    assert np.array_equal(made_here, wanted)


@pytest.mark.parametrize(("of", "to"), [("uint8", "int8"), ("int8", "uint8"), ("uint8", "uint8")])
def test_a_cast_that_an_engine_lacks(of, to):
    with pytest.raises(ImportFileError, match=r"op 0 \(CAST\): TFLite Micro .* on uint8"):
        model_of(changed(of, to), "tflm")


def test_a_cast_of_an_input():
    """It belongs to the tail, as that of a tensor that an op makes; also of a bool."""
    w = Writer()
    x, y = (w.tensor((1, 4), "int8", 0.5, 3, name=n) for n in "xy")
    c, *wide = (w.tensor((1, 4), of, name=n) for n, of in
                (("c", "bool"), ("x32", "int32"), ("c32", "int32")))  # fmt: skip
    w.op("RELU", [x], y)
    for read, made_here in zip((x, c), wide, strict=True):
        w.op("CAST", [read], made_here)
    model = model_of(parse(w.finish([x, c], [y, *wide])))
    assert (model.inputs, model.outputs) == (("x",), ("y",))
    assert model.metadata["host_tail"].splitlines() == [
        "op 1 CAST(x, from=int8) -> x32 int32 1x4", "op 2 CAST(c, from=bool) -> c32 int32 1x4",
    ]  # fmt: skip


def test_a_cast_to_other_integers_ends_the_model():
    """What it makes is for the host; an int8 op that reads it again is refused."""
    graph = changed("int8", "int8", ("RELU", "int8"), ("CAST", "int32"))
    model = model_of(graph)
    assert [op.kind for op in model.ops] == ["reshape", "lut"]
    assert model.metadata["host_tail"] == "op 2 CAST(t2, from=int8) -> t3 int32 1x256"
    again = changed("int8", "int8", ("CAST", "int32"), ("CAST", "int8"))
    with pytest.raises(ImportFileError, match=r"op 1 \(CAST\): left to the host in the middle"):
        model_of(again)
