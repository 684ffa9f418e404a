"""What predict does after an imported model: float64 of the host, named as such."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import intgold
from intgold.cli import main
from intgold.errors import InputError, ModelError
from intgold.host.host_ops import HEAD, TAIL, quantised_by_host
from intgold.host.host_tail import run_host_tail
from intgold.importers import import_tflite

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer

SCALE, ZERO, ROWS = 0.25, -3, 3
NOTE = "host arithmetic in float64, not part of the integer model"
LAST_PLACES = dict(rtol=1e-13)
"""Of float64: a softmax may add and subtract in another order than NumPy's formula here does. An
axis, sign or factor that is wrong moves values by far more."""


class Tail(Writer):
    """A float input, a RELU on int8, and what a test adds after its DEQUANTIZE."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape
        self.x = self.tensor(shape, "float32", name="image")
        a, self.b = (self.tensor(shape, "int8", SCALE, ZERO, name=n) for n in ("input", "logits"))
        self.op("QUANTIZE", [self.x], a)
        self.op("RELU", [a], self.b)
        self.reals = self.tensor(shape, "float32", name="reals")
        self.op("DEQUANTIZE", [self.b], self.reals)

    def add(self, kind, inputs, shape, dtype="float32", options="", **fields):
        y = self.tensor(shape, dtype, name=f"{kind.lower()}_y")
        self.op(kind, inputs, y, 1, options, **fields)
        return y

    def held(self, value):
        return self.tensor(np.shape(value), "int32", data=np.array(value))

    def write(self, path, *outputs):
        path.write_bytes(self.finish([self.x], list(outputs)))
        return path


def softmax(x, beta=1.0):
    e = np.exp(beta * x - (beta * x).max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def of(w, y, path):
    """The host's values of all int8 images, beside their reals."""
    model = import_tflite(w.write(path / "m.tflite", y))
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (ROWS, *w.shape[1:])).astype(np.int8)
    outputs = model.run(x).outputs
    reals = (outputs["logits"].astype(np.float64) - ZERO) * SCALE
    assert reals.min() == 0 < reals.max()
    return run_host_tail(model, outputs), reals, outputs["logits"]


UNARY = [
    ("SOFTMAX", dict(options="SoftmaxOptions", Beta=0.5), lambda x: softmax(x, 0.5)),
    ("LOG_SOFTMAX", {}, lambda x: x - np.logaddexp.reduce(x, -1, keepdims=True)),
    ("LOGISTIC", {}, lambda x: 1 / (1 + np.exp(-x))),
]


@pytest.mark.parametrize(("kind", "fields", "wanted"), UNARY)
def test_a_function_of_reals(kind, fields, wanted, tmp_path):
    """That of NumPy in float64."""
    w = Tail(1, 2, 9)
    host, reals, _ = of(w, w.add(kind, [w.reals], w.shape, **fields), tmp_path)
    assert list(host.ends) == [f"{kind.lower()}_y"] and not host.left
    made = host.values[f"{kind.lower()}_y"]
    assert made.shape == (ROWS, 1, 2, 9)
    np.testing.assert_allclose(
        made[:, 0], wanted(reals), **LAST_PLACES, atol=1e-13
    )  # some are next to 0
    assert np.array_equal(host.values["reals"][:, 0], reals)
    assert host.sources[f"{kind.lower()}_y"] == "logits"


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -3])
@pytest.mark.parametrize("kind", ["ARG_MAX", "ARG_MIN"])
def test_classes(kind, axis, tmp_path):
    """Of int8 in the model, of reals on the host: the first of several, axes from the batch on."""
    w = Tail(1, 2, 4, 5)
    kept = tuple(n for a, n in enumerate(w.shape) if a != axis % 4)
    direct, through = (w.tensor(kept, "int32", name=name) for name in ("direct", "through"))
    w.op(kind, [w.b, w.held(axis)], direct, 1)
    w.op(kind, [w.reals, w.held(axis)], through, 1)
    model = import_tflite(w.write(tmp_path / "m.tflite", direct, through))
    x = np.random.default_rng(0).integers(-128, 128, (ROWS, 2, 4, 5)).astype(np.int8)
    outputs = model.run(x).outputs
    assert list(outputs) == ["direct", "logits"]
    host = run_host_tail(model, outputs)
    wanted = getattr(outputs["logits"], kind.lower().replace("_", ""))(axis % 4)
    assert wanted.max() > 0
    assert np.array_equal(host.indices["direct"], wanted)
    assert np.array_equal(host.values["through"], wanted[:, np.newaxis])


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_casts(dtype, tmp_path):
    """Of the model's integers as the file has them, of indices, of reals toward zero."""
    w = Writer()
    x = w.tensor((1, 4), dtype, SCALE, 3, name="x")
    y, best = w.tensor((1, 4), dtype, SCALE, 3, name="y"), w.tensor((1,), "int32", name="best")
    w.op("RELU", [x], y)
    w.op("ARG_MAX", [y, w.tensor((), "int32", data=np.array(1))], best)
    reals = w.tensor((1, 4), "float32", name="reals")
    w.op("DEQUANTIZE", [y], reals)
    made = {
        name: w.tensor((1,) if at == best else (1, 4), to, name=name)
        for name, at, to in (("raw", y, "float32"), ("wide", y, "int32"), ("index", best, "int64"),
                             ("whole", reals, "int32"))
    }  # fmt: skip
    for (_, at), source in zip(made.items(), (y, y, best, reals), strict=True):
        w.op("CAST", [source], at)
    (tmp_path / "m.tflite").write_bytes(w.finish([x], list(made.values())))
    model = import_tflite(tmp_path / "m.tflite")
    images = np.random.default_rng(0).integers(-128, 128, (ROWS, 4)).astype(np.int8)
    outputs = model.run(images).outputs
    values = run_host_tail(model, outputs).values
    raw = outputs["y"].astype(int) + (128 if dtype == "uint8" else 0)
    for name in ("raw", "wide"):
        assert np.array_equal(values[name][:, 0], raw)
    assert values["raw"].dtype == np.float64 and values["wide"].dtype == np.int64
    assert np.array_equal(values["index"], raw.argmax(1)[:, None])
    assert np.array_equal(values["whole"][:, 0], np.trunc((raw - 3) * SCALE))


@pytest.mark.parametrize("kept", [True, False])
def test_outputs_that_another_op_reads(kept, tmp_path, capsys):
    """An index and reals are shown where they are outputs of the file, though an op reads them."""
    w = Tail(1, 3, 4)
    best = w.add("ARG_MAX", [w.b, w.held(2)], (1, 3), "int32")
    wide = w.add("CAST", [best], (1, 3))
    scores = w.add("LOGISTIC", [w.reals], (1, 3, 4))
    outputs = [wide, best, w.reals, scores] if kept else [wide, scores]
    model = written(w, tmp_path, *outputs)
    names = ["cast_y", "arg_max_y", "reals", "logistic_y"] if kept else ["cast_y", "logistic_y"]
    assert model.metadata["host_outputs"] == ", ".join(names)
    x = np.random.default_rng(0).integers(-128, 128, (ROWS, 3, 4)).astype(np.int8)
    host = run_host_tail(model, model.run(x).outputs)
    assert [*host.indices, *host.ends] == (
        ["arg_max_y", "reals", "cast_y", "logistic_y"] if kept else ["cast_y", "logistic_y"]
    )
    np.save(tmp_path / "x.npy", x)
    assert main(["predict", str(tmp_path / "m.npz"), str(tmp_path / "x.npy"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["images"][0]["host"]
    assert sorted(found) == sorted(names)


def test_bools_are_no_class(tmp_path, capsys):
    """Neither alone, one line and status 2, nor beside what the host computes."""
    w = Writer()
    x, y = w.tensor((1, 4), "int8", SCALE, 3, name="x"), w.tensor((1, 4), "bool", name="y")
    w.op("GREATER", [x, w.tensor((), "int8", SCALE, 3, np.array(9))], y, 2)
    (tmp_path / "m.tflite").write_bytes(w.finish([x], [y]))
    model = import_tflite(tmp_path / "m.tflite")
    model.save(tmp_path / "m.npz")
    assert model.metadata["bool_outputs"] == "y"
    with pytest.raises(InputError, match="output y of model m is of bools, which are no class"):
        model.predict(np.zeros((1, 4), np.int8))
    np.save(tmp_path / "x.npy", np.array([[9, 10, 8, 127]], np.int8))
    paths = [str(tmp_path / name) for name in ("m.npz", "x.npy")]
    assert main(["predict", *paths]) == 2
    assert "is of bools, which are no class" in capsys.readouterr().err
    z = w.tensor((1, 4), "float32", name="z")
    w.op("CAST", [y], z)
    w.builder = type(w.builder)(1024)
    (tmp_path / "m.tflite").write_bytes(w.finish([x], [z]))
    import_tflite(tmp_path / "m.tflite").save(tmp_path / "m.npz")
    assert main(["predict", *paths]) == 0
    assert capsys.readouterr().out.splitlines()[3].split() == ["z", "CAST", "4", "0", "1", "0", "1"]


def test_shapes_and_joined_values(tmp_path):
    """RESHAPE keeps the order; CONCATENATION is along the file's axis."""
    w = Tail(1, 2, 3)
    flat = w.add("RESHAPE", [w.reals, w.held([1, 6])], (1, 6))
    again = w.add("LOGISTIC", [flat], (1, 6))
    y = w.add("CONCATENATION", [again, flat], (1, 12), options="ConcatenationOptions", Axis=1)
    after = w.add("LOG_SOFTMAX", [y], (1, 12))
    host, reals, _ = of(w, after, tmp_path)
    reals = reals.reshape(ROWS, 6)
    wanted = np.concatenate([1 / (1 + np.exp(-reals)), reals], 1)
    np.testing.assert_allclose(host.values["concatenation_y"], wanted[:, np.newaxis], **LAST_PLACES)
    assert list(host.ends) == ["log_softmax_y"]
    assert host.sources == dict.fromkeys(("reals", "reshape_y", "logistic_y"), "logits")


def test_what_is_not_done(tmp_path):
    """An op of another kind, what reads it, an axis across images: named, nothing is made up."""
    w = Tail(1, 4)
    post = w.add("CUSTOM", [w.reals], (1, 4))
    y = w.add("SOFTMAX", [post], (1, 4), options="SoftmaxOptions", Beta=1.0)
    host, _, _ = of(w, y, tmp_path)
    assert [op.index for op in host.left] == [3, 4] and list(host.ends) == ["reals"]
    model = import_tflite(tmp_path / "m.tflite")
    for line in (
        "op 9 ARG_MAX(logits, axis=-2) -> y int32 4",
        "op 9 ARG_MAX(logits, axis=unknown) -> y int32 1",
        "op 9 SOFTMAX(logits) -> y float32 1x4", "op 9 RESHAPE(reals) -> y float32 1x5",
        "op 9 LOGISTIC(missing) -> y float32 1x4",
    ):  # fmt: skip
        first = "op 2 DEQUANTIZE(logits) -> reals float32 1x4\n"
        changed = intgold.Model(
            model.name, model.tensors, model.ops, model.inputs, model.outputs,
            metadata={TAIL: first + line},
        )  # fmt: skip
        found = run_host_tail(changed, {"logits": np.zeros((1, 4), np.int8)})
        assert [str(op) for op in found.left] == [line], line
    with pytest.raises(ModelError, match="is no op"):
        run_host_tail(
            intgold.Model(model.name, model.tensors, model.ops, model.inputs, model.outputs,
                          metadata={TAIL: "softmax"}), {},
        )  # fmt: skip


def written(w, path, *outputs):
    model = import_tflite(w.write(path / "m.tflite", *outputs))
    model.save(path / "m.npz")
    return model


def test_predict_shows_the_scores(tmp_path, capsys):
    """Beside logits and reals, under the kind of the op, with the words that it is the host's."""
    w = Tail(1, 4)
    y = w.add("LOG_SOFTMAX", [w.reals], (1, 4))
    model = written(w, tmp_path, y)
    x = np.array([[-3, 9, 7, -20], [1, 2, 3, 4]], np.int8)
    np.save(tmp_path / "x.npy", x)
    paths = [str(tmp_path / name) for name in ("m.npz", "x.npy")]
    assert main(["predict", *paths, "--details"]) == 0
    out = capsys.readouterr().out
    scores = np.log(softmax((x.clip(-3).astype(float) + 3) * SCALE))
    assert "class       logit       real  log_softmax" in out
    assert f">   1           9      3.000  {scores[0, 1]:11.6f}" in out
    assert out.count(f"log_softmax: {NOTE}") == 2
    assert main(["predict", *paths, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(
        [image["host"]["log_softmax_y"] for image in found["images"]], scores, **LAST_PLACES
    )
    assert found["host"] == {
        "arithmetic": NOTE, "not_done": [],
        "outputs": {"log_softmax_y": "op 3 LOG_SOFTMAX(reals) -> log_softmax_y float32 1x4"},
    }  # fmt: skip
    assert [image["answer"] for image in found["images"]] == [1, 3]
    assert model.metadata[HEAD].startswith("op 0 QUANTIZE(image)")


def test_predict_without_a_class(tmp_path, capsys):
    """A map of classes is summed up; one real is shown; labels are refused."""
    w = Tail(1, 2, 4, 3)
    best = w.add("ARG_MAX", [w.b, w.held(3)], (1, 2, 4), "int32")
    written(w, tmp_path, best, w.reals)
    x = np.full((1, 2, 4, 3), 5, np.int8)
    x[0, 0, :, 2] = 9
    x[0, 1, 1, 1] = 8
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "labels.npy", np.array([1]))
    paths = [str(tmp_path / name) for name in ("m.npz", "x.npy")]
    assert main(["predict", *paths]) == 0
    assert capsys.readouterr().out.splitlines()[0:6] == [
        f"{tmp_path / 'x.npy'}[0]",
        "output     made by     shape  values",
        "---------------------------------------------",
        "arg_max_y  argmax      2x4    2 2 2 2 0 1 0 0",
        "reals      DEQUANTIZE  2x4x3  2 to 3",
        NOTE,
    ]
    assert main(["predict", *paths, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"][0]["host"]["arg_max_y"] == [[2, 2, 2, 2], [0, 1, 0, 0]]
    labels = ["--labels", str(tmp_path / "labels.npy")]
    assert main(["predict", *paths, *labels]) == 2
    assert "its images have no class to compare with labels" in capsys.readouterr().err


def test_many_values_are_summed_up(tmp_path, capsys):
    """Classes by how often they occur, at most ten of them."""
    w = Tail(1, 8, 4, 12)
    best = w.add("ARG_MAX", [w.b, w.held(3)], (1, 8, 4), "int32")
    written(w, tmp_path, best)
    places = np.arange(32).reshape(8, 4)
    x = np.zeros((1, 8, 4, 12), np.int8)
    x[0, places // 4, places % 4, np.minimum(places, 11)] = 9
    np.save(tmp_path / "x.npy", x)
    assert main(["predict", str(tmp_path / "m.npz"), str(tmp_path / "x.npy")]) == 0
    *_, shown, left = capsys.readouterr().out.splitlines()
    assert left == "left to the host and not done here: op 2 (DEQUANTIZE)"  # of no output
    others = ", ".join(f"{n} 3.1%" for n in range(9))
    assert shown.split("8x4")[1].strip() == f"11 65.6%, {others}, ..."


@pytest.mark.parametrize("scaled", [False, True])
def test_reals_of_a_float_input(scaled, tmp_path, capsys):
    """They are those of the file, unless its head computes with them before."""
    w = Tail(1, 4)
    if scaled:
        x = w.tensor((1, 4), "float32", name="raw")
        half = w.tensor((1,), "float32", data=np.array([0.5]))
        w.op("MUL", [x, half], w.x, 1, "MulOptions", FusedActivationFunction=0)
        w.ops.insert(0, w.ops.pop())
        w.x = x
    model = written(w, tmp_path, w.reals)
    assert quantised_by_host(model.metadata, "input") != scaled
    np.save(tmp_path / "x.npy", np.array([[1, -2, 30.125, 4.9]]))
    status = main(["predict", str(tmp_path / "m.npz"), str(tmp_path / "x.npy"), "--json"])
    captured = capsys.readouterr()
    if scaled:
        assert status == 2 and "float64" in captured.err
    else:
        assert json.loads(captured.out)["images"][0]["reals"] == [1.0, 0.0, 30.25, 5.0]
