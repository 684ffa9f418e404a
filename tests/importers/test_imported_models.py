"""What an imported model is fed with, and what is said of it: bytes, folders of inputs, notes."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import intgold
from intgold.cli import main
from intgold.contracts import contract_named
from intgold.errors import ImportFileError, InputError
from intgold.importers.tflite.convert import convert, import_tflite
from intgold.importers.tflite.file.reader import parse
from intgold.vectors.cases.stimulus import stimulus

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer


def model_of(kind="ADD", dtype="int8", scale=0.02, zero=5, count=2, **fields):
    """A model of one op on inputs (4, 3) and (1, 3)."""
    w = Writer()
    shapes = [(1, 4, 3), (1, 1, 3)]
    held = [w.tensor(shapes[i], dtype, scale, zero + i) for i in range(count)]
    y = w.tensor((1, 4, 3), dtype, 1 / 128 if kind == "TANH" else scale, 0)
    w.op(kind, held, y, 2, "AddOptions" * (kind == "ADD"), **fields)
    return convert(parse(w.finish(held, [y])), contract_named("xnnpack"), "m")


@pytest.mark.parametrize(("dtype", "zero"), [("int8", -128), ("int8", 3), ("uint8", 128)])
def test_bytes_of_an_imported_model_are_its_own(dtype, zero, tmp_path, capsys):
    """x ^ 0x80, whatever its scale says; of a network that is quantised here they are x/255."""
    model = model_of("RELU", dtype, 1.0, zero, count=1)
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8)
    wanted = (images ^ 0x80).view(np.int8)
    assert np.array_equal(model.quantize_input(images), wanted)
    np.save(tmp_path / "x.npy", images)
    model.save(tmp_path / "m.npz")
    given = ["--stimulus", str(tmp_path / "x.npy"), "--count", "5", "-o", str(tmp_path / "set")]
    assert main(["vectors", str(tmp_path / "m.npz"), *given]) == 0
    (stored,) = (tmp_path / "set" / "stimulus").glob("*.npy")
    assert np.array_equal(np.load(stored), wanted)
    own = intgold.load("lut")
    image = np.arange(256, dtype=np.uint8)[:, None, None, None].repeat(28, 1).repeat(28, 2)
    tensor = own.tensor(own.inputs[0])
    real = (own.quantize_input(image).astype(float)[:, 0, 0, 0] - tensor.zero_point) * tensor.scale
    inside = np.arange(256) / 255 < (127 - tensor.zero_point) * tensor.scale
    assert np.abs(real - np.arange(256) / 255)[inside].max() <= tensor.scale * 0.5000001


def test_several_inputs_come_from_a_folder(tmp_path, capsys):
    """A file of each input's name, of bytes or of int8."""
    model = model_of(FusedActivationFunction=0)
    model.save(tmp_path / "m.npz")
    rng = np.random.default_rng(1)
    first = rng.integers(-128, 128, (6, 4, 3)).astype(np.int8)
    second = rng.integers(0, 256, (6, 1, 3)).astype(np.uint8)
    folder = tmp_path / "inputs"
    folder.mkdir()
    np.save(folder / f"{model.inputs[0]}.npy", first)
    with pytest.raises(InputError, match=f": no {model.inputs[1]}.npy for an input of that name"):
        stimulus(model, folder, 6)
    np.save(folder / f"{model.inputs[1]}.npy", second)
    x = stimulus(model, folder, 6)
    assert tuple(x) == model.inputs and np.array_equal(x[model.inputs[0]], first)
    assert np.array_equal(x[model.inputs[1]], (second ^ 0x80).view(np.int8))
    given = ["--stimulus", str(folder), "--count", "6", "-o", str(tmp_path / "set")]
    assert main(["vectors", str(tmp_path / "m.npz"), *given]) == 0
    made = np.load(tmp_path / "set" / "outputs" / f"{model.outputs[0]}.npy")
    assert np.array_equal(made, model.run(x, backend="golden").output)
    with pytest.raises(InputError, match="2 inputs, not one: give a folder with"):
        stimulus(model, folder / f"{model.inputs[0]}.npy", 6)


def test_what_is_said_of_it(tmp_path, capsys):
    """In the set's README and on the data sheet: the engine, uint8 as stored, what is inexact."""
    for model, told in (
        (model_of("TANH", "uint8", 0.02, 130, count=1), ["x ^ 0x80", "Not exact: TANH"]),
        (model_of("TANH", count=1), ["Not exact: TANH"]),
        (model_of("RELU", count=1), []),
    ):
        path = tmp_path / "m.npz"
        model.save(path)
        assert main(["vectors", str(path), "--count", "2", "-o", str(tmp_path / "set")]) == 0
        assert main(["info", str(path), "--sheet", str(tmp_path / "sheet.md")]) == 0
        for page in ("set/README.md", "sheet.md"):
            text = (tmp_path / page).read_text()
            assert "Its arithmetic: XNNPACK as LiteRT's delegate on x86, 2.3.0." in text
            for words in ("x ^ 0x80", "Not exact"):
                assert (words in text) == any(words in t for t in told), (page, words)
        shutil.rmtree(tmp_path / "set")


def residual(*kinds, **choices):
    """See `residual_file`."""
    return parse(residual_file(*kinds, **choices))


def residual_file(
    first="ADD", between="RESHAPE", second="MUL", end=False, scale=0.05, row=(), again=False
):
    """A file: `first` produces a tensor, which is read reshaped by `second`, then by a RELU.

    again: another op reads the reshaped one.
    """
    w = Writer()
    x, a, b, y = (w.tensor((1, 1, 4, 3), "int8", 0.05, 3) for _ in range(4))
    shape = {"RESHAPE": (1, 12, 1) if row else (1, 12), "SQUEEZE": (1, 4, 3)}.get(
        between, (1, 1, 4, 3)
    )
    c = w.tensor(shape, "int8", 0.05, 3)
    made = np.broadcast_shapes(shape, row)
    z, last = (w.tensor(made, "int8", 1 / 256, -128) for _ in range(2))

    def op(kind, x, y):
        two = kind in ("ADD", "SUB", "MUL")
        fields = {"SOFTMAX": {"Beta": 1.0}, "SQUEEZE": {"SqueezeDims": [1]}}.get(kind, {})
        options = f"{kind.title()}Options" if two or fields else ""
        own = row if kind == second else ()
        other = [w.tensor(own, "int8", scale, 3, np.full(own, 9))] * two
        w.op(kind, [x, *other], y, 2, options, **fields)

    for kind, read, made in [
        ("RELU", x, a), (first, a, b), (between, b, c), (second, c, z), ("RELU", b, y),
        ("RELU", z, last),
    ]:  # fmt: skip
        op(kind, read, made)
    more = w.tensor(shape, "int8", 0.05, 3)
    if again:
        op("RELU", c, more)
    return w.finish([x], [y, last, *[z] * end, *[more] * again])


def test_tensors_that_an_engine_overwrites_too_early(tmp_path, capsys):
    """LiteRT does, XNNPACK and TFLM do not.  The import names tensor, op and reader."""

    def told(graph, contract="litert_reference"):
        return convert(graph, contract_named(contract), "m").metadata.get("overwritten", "")

    for first, second in [("ADD", "MUL"), ("MUL", "SOFTMAX"), ("SUB", "ADD")]:
        graph = residual(first, second=second)
        wanted = f"t2, which op 3 ({second}) may write over, before op 4 (RELU) reads it"
        assert told(graph) == told(graph, "litert_optimised_x86") == wanted
        assert told(graph, "xnnpack") == told(graph, "tflm") == ""
    assert (
        told(residual("RELU")) == told(residual(between="RELU")) == told(residual(end=True)) == ""
    )
    assert told(residual(between="SQUEEZE")) and told(residual("RESHAPE"))
    assert told(residual(row=(5,))) == ""  # a larger output has memory of its own
    assert told(residual(again=True)) == ""  # nor is what others read as it is
    declined = residual(scale=1e-6)
    assert told(declined, "xnnpack") and told(declined) and not told(declined, "tflm")
    path = tmp_path / "m.npz"
    (tmp_path / "m.tflite").write_bytes(residual_file())
    given = [str(tmp_path / "m.tflite"), "--contract", "litert_reference", "-o", str(path)]
    assert main(["import", *given]) == 0
    assert f"overwrite a tensor too early: {wanted[:2]}" in capsys.readouterr().out
    assert main(["info", str(path), "--sheet", str(tmp_path / "sheet.md")]) == 0
    assert "may overwrite a tensor too early: t2" in (tmp_path / "sheet.md").read_text()


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("model/activation_1/Relu;model/conv2d_1/BiasAdd;model/c", "activation_1"),
        ("functional_1/conv1d_1/convolution/ExpandDims1", "conv1d_1"),
        ("StatefulPartitionedCall:0", "StatefulPartitionedCall"),
        ("a/b", "b"), ("3x", "t_3x"), ("", "t"), ("/;", "t"), ("a b/c-d/e", "c_d"),
    ],
)  # fmt: skip
def test_tensors_are_named_by_their_layer(name, tensor):
    """Of scope/layer/op the layer, of a list the first."""
    graph = residual()
    tensors = list(graph.tensors)
    tensors[1] = replace(tensors[1], name=name)
    model = convert(replace(graph, tensors=tuple(tensors)), contract_named("tflm"), "m")
    assert model.ops[0].output == tensor


@pytest.mark.parametrize("alpha", [0.3, 0.2, 0.1, 0.01])
def test_a_device_of_another_contract_on_a_usual_slope(alpha, tmp_path, capsys):
    """The slope of a LEAKY_RELU is found again, and the device's contract by it."""
    w = Writer()
    x, y = w.tensor((1, 16, 16), "int8", 0.037, 11), w.tensor((1, 16, 16), "int8", 0.021, -3)
    w.op("LEAKY_RELU", [x], y, 2, "LeakyReluOptions", Alpha=alpha)
    data = w.finish([x], [y])
    for name in ("litert_reference", "xnnpack"):
        path = tmp_path / f"{name}.npz"
        convert(parse(data), contract_named(name), "m").save(path)
        assert main(["vectors", str(path), "--count", "8", "-o", str(tmp_path / name)]) == 0
    capsys.readouterr()
    dut = ["--dut", str(tmp_path / "xnnpack")]
    assert main(["verify", str(tmp_path / "litert_reference"), *dut, "--json"]) == 1
    assert "xnnpack" in json.loads(capsys.readouterr().out)["contracts"]


def test_free_extents_are_refused():
    """A file that says 1 for an extent that is free is no network of that size."""
    graph = residual()
    for signature, fixed in [
        ((-1, 1, 4, 3), True),
        ((-1, -1, 4, 3), False),
        ((1, 1, 4, -1), False),
    ]:
        tensors = list(graph.tensors)
        tensors[0] = replace(tensors[0], shape_signature=signature)
        free = replace(graph, tensors=tuple(tensors))
        if fixed:
            assert convert(free, contract_named("tflm"), "m").ops
        else:
            with pytest.raises(ImportFileError, match=r"input t0: shape \(.*\) is not fixed"):
                convert(free, contract_named("tflm"), "m")


def test_a_file_that_is_to_be_imported_first(tmp_path, capsys):
    """Where a model is wanted, a TFLite file is known as what it is."""
    path = tmp_path / "m.tflite"
    path.write_bytes(residual_file())
    assert main(["info", str(path)]) == 2
    told = capsys.readouterr().err
    assert told == f"intgold info: {path}: a TFLite file: intgold import produces a model from it\n"


def test_what_is_no_plain_file(tmp_path):
    """A device or a pipe is not read: it might never end."""
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path):
        with pytest.raises(ImportFileError, match="cannot be read: not a plain file"):
            import_tflite(path)
