"""``intgold predict``: pictures, folders and arrays in; answers for people and machines out."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import digits
import intgold
import tools
from intgold import InputError, Model, Op, Tensor
from intgold.cli import main
from intgold.images.preparation import picture_input
from intgold.predict.predictions import picture_of, predict_images
from intgold.predict.terminal import draw
from intgold.run import classify
from intgold.vectors.cases.random_models import random_model

DIGIT = (28, 28, 1)


@pytest.fixture
def pictures(tmp_path):
    """A folder with the ten drawn digits, and something else."""
    tools.need("pillow")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for d in range(10):
        digits.save(folder / f"{d}.png", digits.drawn(d, 100 + 20 * d, 9 + d, 40, 220))
    (folder / "notes.txt").write_text("ten digits")
    return folder


def run(capsys, *arguments):
    status = main(["predict", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def fails(capsys, *arguments):
    """Return the one line of a run that must end with status 2."""
    status, out, err = run(capsys, *arguments)
    assert status == 2 and out == "" and err.count("\n") == 1
    assert err.startswith("intgold predict: ")
    return err


def small_model(shape, classes, scale=0.5):
    """A model that gives int32 logits of an int8 input of any shape."""
    size = int(np.prod(shape))
    weights = np.random.default_rng(0).integers(-127, 128, (classes, size)).astype(np.int8)
    fields = dict(
        weights=weights,
        weight_zero_point=np.zeros(1, np.int8),
        weight_scale=None,
        bias=np.zeros(classes, np.int32),
        requantize=None,
        act_min=-128,
        act_max=127,
    )
    tensors = [Tensor("x", shape, scale=1 / 255, zero_point=-128)]
    tensors.append(Tensor("logits", (classes,), "int32", scale))
    op = Op("fully_connected", "fc", ("x",), "logits", fields)
    return Model("small", tensors, [op], ["x"], ["logits"])


def test_one_picture_gives_all_details(capsys, pictures):
    """The answer, the margin, each logit as integer and as real; the picture where asked for."""
    model = intgold.load()
    x = model.quantize_input(picture_input(pictures / "7.png", DIGIT)[None])
    logits = model.run(x, backend="golden").output
    reals = model.dequantize(logits)[0]
    status, out, err = run(capsys, "lut", pictures / "7.png")
    lines = out.splitlines()
    assert status == 0 and err == "" and lines[0] == f"{pictures / '7.png'}: 7"
    ranked = np.sort(logits[0])
    ahead = int(ranked[-1] - ranked[-2])
    assert lines[1].startswith(f"margin {ahead} = ") and ahead > 0
    rows = [line.split() for line in lines[4:]]
    assert rows[7].pop(0) == ">" and len(rows) == 10
    for d, (number, logit, real) in enumerate(rows):
        assert (int(number), int(logit)) == (d, logits[0, d])
        assert abs(float(real) - reals[d]) <= 0.0005
    status, with_picture, _ = run(capsys, "lut", "--picture", pictures / "7.png")
    shown = draw(picture_of(x[0]), "blocks")
    assert [line[:28].rstrip() for line in with_picture.splitlines()[1:]] == [
        line.rstrip() for line in shown
    ]
    assert all(len(line) <= 80 for line in with_picture.splitlines()[1:])


def test_a_picture_that_nothing_would_show_is_refused(capsys, pictures, tmp_path):
    np.save(tmp_path / "two.npy", np.zeros((2, 28, 28), np.uint8))
    for options, told in (
        (["--json", pictures / "7.png"], "--picture: a part of the details, which --json leaves"),
        (["--brief", pictures / "7.png"], "--picture: a part of the details, which --brief leaves"),
        ([tmp_path / "two.npy"], "--picture: a part of the details; add --details"),
    ):
        status, out, err = run(capsys, "lut", "--picture", *options)
        assert (status, out) == (2, "") and told in err


def test_brief_gives_one_answer_a_line(capsys, pictures):
    """A digit for one picture; name, tab, digit for a folder, by name; the rest is named."""
    assert run(capsys, "lut", pictures / "4.png", "--brief") == (0, "4\n", "")
    status, out, err = run(capsys, "lut", pictures)
    assert status == 0 and out == "".join(f"{pictures / f'{d}.png'}\t{d}\n" for d in range(10))
    assert err == f"intgold predict: passed over, no pictures: {pictures / 'notes.txt'}\n"
    status, out, err = run(capsys, "pwl", pictures / "9.png", pictures / "0.png")
    assert status == 0 and [line[-2:] for line in out.splitlines()] == ["\t9", "\t0"]


def test_backends_and_threads_say_the_same(capsys, pictures):
    said = {
        run(capsys, "lut", pictures, "--json", "--backend", backend, "--threads", threads)
        for backend in ("c", "golden")
        for threads in (1, 3)
    }
    assert len(said) == 1


def test_labels_give_the_accuracy(capsys, pictures, tmp_path):
    np.save(tmp_path / "y.npy", np.array([*range(9), 0], np.uint8))
    line = "9 of 10 right, 90.00%\n"
    assert run(capsys, "lut", pictures, "--labels", tmp_path / "y.npy")[1] == line
    out = run(capsys, "lut", "--labels", tmp_path / "y.npy", "--details", pictures)[1]
    assert out.endswith(line) and out.count(": right\n") == 9
    assert f"{pictures / '9.png'}: 9, label 0: wrong\n" in out
    out = run(capsys, "lut", "--labels", tmp_path / "y.npy", "--brief", pictures)[1]
    assert len(out.splitlines()) == 11 and out.endswith(line)
    np.save(tmp_path / "y.npy", np.zeros(9, np.uint8))
    assert "10 images" in fails(capsys, "lut", pictures, "--labels", tmp_path / "y.npy")


def test_json(capsys, pictures, tmp_path):
    """Everything that the details say, exactly; for arrays and for labels, too."""
    model = intgold.load("pwl")
    names = [pictures / f"{d}.png" for d in range(10)]
    x = model.quantize_input(np.stack([picture_input(name, DIGIT) for name in names]))
    logits = model.run(x).output
    document = json.loads(run(capsys, "pwl", "--json", pictures)[1])
    assert document["model"] == model.name and document["sha256"] == model.sha256
    assert document["scale"] == model.tensor(model.outputs[0]).scale
    assert [i["name"] for i in document["images"]] == list(map(str, names))
    assert [i["answer"] for i in document["images"]] == list(range(10))
    assert [i["logits"] for i in document["images"]] == logits.tolist()
    assert [i["reals"] for i in document["images"]] == model.dequantize(logits).tolist()
    for image in document["images"]:
        first, second = sorted(image["logits"])[:-3:-1]
        assert image["margin"] == first - second
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", np.array([9, *range(1, 10)], np.uint8))
    command = ("pwl", tmp_path / "x.npy", "--json", "--labels", tmp_path / "y.npy")
    document = json.loads(run(capsys, *command)[1])
    assert (document["right"], document["count"]) == (9, 10)
    assert document["images"][3]["name"] == f"{tmp_path / 'x.npy'}[3]"
    assert document["images"][0]["label"] == 9


def test_the_saved_input_is_a_stimulus(capsys, pictures, tmp_path):
    """What the network saw can be made golden vectors of, and gives the same answers."""
    status, out, _ = run(capsys, "lut", pictures, "--save-input", tmp_path / "x.npy")
    assert status == 0 and np.load(tmp_path / "x.npy").dtype == np.int8
    again = run(capsys, "lut", tmp_path / "x.npy")[1]
    assert again.split() == [line.split("\t")[1] for line in out.splitlines()]
    command = ["vectors", "lut", "--stimulus", tmp_path / "x.npy", "--count", 10]
    assert main([*map(str, command), "-o", str(tmp_path / "set")]) == 0
    capsys.readouterr()
    assert fails(capsys, "lut", pictures / "1.png", "--save-input", tmp_path / "no" / "x.npy")


def test_as_is(capsys, tmp_path):
    tools.need("pillow")
    image = np.random.default_rng(1).integers(0, 256, (28, 28)).astype(np.uint8)
    file = digits.save(tmp_path / "x.png", image)
    np.save(tmp_path / "x.npy", image[None])
    saved = [tmp_path / "a.npy", tmp_path / "b.npy"]
    one = run(capsys, "lut", "--as-is", file, "--brief", "--save-input", saved[0])
    two = run(capsys, "lut", tmp_path / "x.npy", "--save-input", saved[1])
    assert one == two and saved[0].read_bytes() == saved[1].read_bytes()
    assert np.array_equal(np.load(saved[0])[0, ..., 0], (image ^ 0x80).view(np.int8))


def test_other_models(capsys, tmp_path):
    """RGB of another size is resized; more classes than ten are ranked; no scale, no reals."""
    tools.need("pillow")
    colours = np.random.default_rng(2).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    file = digits.save(tmp_path / "x.png", colours)
    model = small_model((5, 4, 3), 12, scale=None)
    model.save(tmp_path / "m.npz")
    logits = model.run(model.quantize_input(picture_input(file, (5, 4, 3))[None])).output[0]
    status, out, _ = run(capsys, tmp_path / "m.npz", file, "--picture")
    order = np.argsort(-logits, kind="stable")
    assert status == 0 and out.startswith(f"{file}: {order[0]}\n") and "real" not in out
    assert out.endswith("the 10 largest of 12\n")
    assert [int(line[-11:]) for line in out.splitlines()[4:14]] == logits[order[:10]].tolist()
    small_model((5, 4, 2), 3).save(tmp_path / "m.npz")
    assert "(5, 4, 2)" in fails(capsys, tmp_path / "m.npz", file)
    small_model((60,), 3).save(tmp_path / "m.npz")
    assert "(60,)" in fails(capsys, tmp_path / "m.npz", file)
    np.save(tmp_path / "x.npy", np.zeros((2, 60), np.uint8))
    status, out, _ = run(capsys, tmp_path / "m.npz", tmp_path / "x.npy", "--details", "--picture")
    assert status == 0 and "▀" not in out and out.count("margin 0 = 0, over 1") == 2


def test_a_model_that_decides_has_no_logits():
    """Its output is the class: no margin, no table."""
    logits = small_model((2, 2, 1), 3)
    tensors = [*logits.tensors, Tensor("class", (1,), "int32")]
    ops = [*logits.ops, Op("argmax", "pick", ("logits",), "class")]
    model = Model("decided", tensors, ops, logits.inputs, ["class"])
    x = np.arange(-128, -124, dtype=np.int8).reshape(1, 2, 2, 1)
    said = predict_images(model, x, ["x"])
    assert said.classes.tolist() == logits.predict(x).tolist()
    assert said.details(0, None, "ascii") == f"x: {said.classes[0]}"
    assert set(said.document()["images"][0]) == {"name", "answer"}


def one_number_models():
    """Models whose output is one value that no argmax produces, by their last op."""
    linear = small_model((2, 2, 1), 1)
    lut = Op("lut", "table", ("x",), "y", {"table": np.arange(-128, 128).astype(np.int8)})
    table = Model("table", [Tensor("x", (1,)), Tensor("y", (1,))], [lut], ["x"], ["y"])
    fields = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    pool = Op("max_pool2d", "pool", ("x",), "y", {**fields, "act_min": -128, "act_max": 127})
    cells = [Tensor("x", (2, 2, 1)), Tensor("y", (1, 1, 1))]
    return [linear, table, Model("pooled", cells, [pool], ["x"], ["y"])]


@pytest.mark.parametrize("index", range(3))
def test_one_number_is_no_class(capsys, tmp_path, index):
    """A regression is refused by every way to a class, with what gives its value instead."""
    model = one_number_models()[index]
    x = np.zeros((3, *model.tensor("x").shape), np.int8)
    said = f"output {model.outputs[0]} of model {model.name} is one number each, which is no class"
    output = model.run(x).output
    for call in (
        lambda: model.predict(x), lambda: model.predict(x, backend="golden"),
        lambda: classify.decide(model, output), lambda: classify.is_decided(model),
        lambda: predict_images(model, x, ["a", "b", "c"]),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said + r": model\.dequantize\(model\.run\(x\)"):
            call()
    model.save(tmp_path / "m.npz")
    np.save(tmp_path / "x.npy", x)
    for form in ((), ("--json",), ("--details",), ("--brief",)):
        assert said in fails(capsys, tmp_path / "m.npz", tmp_path / "x.npy", *form)
    assert np.array_equal(model.run(x, backend="golden").output, output)


def test_one_number_of_an_argmax_is_the_class():
    """The same shape, made by an argmax: of two logits or of one."""
    for classes in (1, 2):
        logits = small_model((2, 2, 1), classes)
        tensors = [*logits.tensors, Tensor("class", (1,), "int32")]
        ops = [*logits.ops, Op("argmax", "pick", ("logits",), "class")]
        model = Model("decided", tensors, ops, logits.inputs, ["class"])
        x = np.random.default_rng(1).integers(-128, 128, (9, 2, 2, 1)).astype(np.int8)
        assert np.array_equal(model.predict(x), logits.run(x).output.argmax(1))


def test_every_error_is_one_line(capsys, pictures, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes((pictures / "3.png").read_bytes()[:-30])
    blank = digits.save(tmp_path / "blank.png", np.full((40, 40), 255, np.uint8))
    small = digits.save(tmp_path / "small.png", np.zeros((27, 28), np.uint8))
    (tmp_path / "bomb.png").write_bytes(digits.png_of_size(60_000, 60_000))
    (tmp_path / "x.txt").write_text("seven")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "x.npy", np.zeros((1, 28, 28), np.uint8))
    for arguments, words in [
        ([broken], ("broken.png", "PNG")),
        ([blank], ("blank.png", "no ink")),
        (["--as-is", small], ("small.png", "28 x 27", "28 x 28")),
        ([tmp_path / "bomb.png"], ("bomb.png", "pixels")),
        ([tmp_path / "x.txt"], ("x.txt", "PNG", "IDX")),
        ([tmp_path / "empty"], ("empty",)),
        ([tmp_path / "folder"], ("folder", "no picture")),
        ([tmp_path / "nowhere.png"], ("nowhere.png",)),
        ([pictures / "1.png", tmp_path / "x.npy"], ("x.npy", "only source")),
        ([pictures, broken], ("broken.png",)),
        ([pictures, "--mnist"], ("--mnist",)),
        (["--mnist", "--labels", tmp_path / "x.npy"], ("--labels",)),
        ([], ("--mnist",)),
        ([pictures / "1.png", "--threads", 0], ("threads",)),
    ]:
        line = fails(capsys, "lut", *arguments)
        assert all(word in line for word in words), line


def test_without_pillow_arrays_still_work(capsys, tmp_path, monkeypatch):
    tools.need("pillow")
    file = digits.save(tmp_path / "x.png", digits.drawn(1, 30, 3))
    np.save(tmp_path / "x.npy", np.zeros((1, 28, 28), np.uint8))
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "pip install pillow" in fails(capsys, "lut", file)
    assert run(capsys, "lut", tmp_path / "x.npy")[0] == 0


def test_an_ascii_terminal_and_an_odd_name(tmp_path):
    """The picture in letters, the name escaped; nothing fails to be encoded."""
    tools.need("pillow")
    file = digits.save(tmp_path / "ein\nü.png", digits.drawn(1, 60, 6))
    command = [sys.executable, "-m", "intgold", "predict", "lut", "--picture", str(file)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, capture_output=True, env=environment)
    assert ended.returncode == 0 and ended.stderr == b""
    assert b"ein\\n\\xfc.png: 1\n" in ended.stdout and b"@" in ended.stdout


def test_a_broken_picture_without_utf8(tmp_path):
    """The error names the file on one line, whatever its name."""
    (tmp_path / "ein\nü.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    command = [sys.executable, "-m", "intgold", "predict", "lut", str(tmp_path / "ein\nü.png")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, capture_output=True, env=environment)
    assert ended.returncode == 2 and ended.stderr.count(b"\n") == 1


def test_floats_are_taken_by_a_network_of_ones_own(capsys, tmp_path):
    """Reals of every width, as `Model.predict` takes them; an imported model takes none."""
    model = intgold.load()
    x = np.random.default_rng(5).random((4, 28, 28, 1))
    for dtype in ("f2", "f4", "f8"):
        np.save(tmp_path / "x.npy", x.astype(dtype))
        status, out, _ = run(capsys, "lut", tmp_path / "x.npy")
        assert (
            status == 0 and list(map(int, out.split())) == model.predict(x.astype(dtype)).tolist()
        )
    np.save(tmp_path / "x.npy", np.full((2, 28, 28), np.nan))
    assert "nan at (0, 0, 0, 0)" in fails(capsys, "lut", tmp_path / "x.npy")
    small_model((2, 2, 1), 3).save(tmp_path / "m.npz")
    np.save(tmp_path / "x.npy", np.zeros((2, 2, 2)))
    assert "float64 is none of" in fails(capsys, tmp_path / "m.npz", tmp_path / "x.npy")


def _scaled(scale, zero_point, **metadata):
    """A model of two values whose input has this scale, and says this of its origin."""
    small = small_model((2,), 3)
    tensors = [Tensor("x", (2,), scale=scale, zero_point=zero_point), small.tensor("logits")]
    return Model("small", tensors, small.ops, small.inputs, small.outputs, metadata=metadata)


INPUTS = {
    "own, of pixels": lambda: _scaled(1 / 255, -128, float_network="0" * 64),
    "own, of reals": lambda: _scaled(1 / 16, 3, float_network="0" * 64),
    "imported": lambda: _scaled(1 / 16, 3, engine="tflite"),
    "of nobody": lambda: _scaled(1 / 16, 3),
    "without a scale": lambda: _scaled(None, 0),
}
"""Models by what their input is known to stand for."""


@pytest.mark.parametrize("kind", INPUTS)
def test_the_dtypes_that_are_named_are_those_that_are_taken(capsys, tmp_path, kind):
    """Of every model: each listed one is taken, any other refused by the name of its file."""
    model, file = INPUTS[kind](), tmp_path / "x.npy"
    model.save(tmp_path / "m.npz")
    taken, named = set(), set()
    for dtype in map(np.dtype, ("?", *np.typecodes["AllInteger"], *"efd")):
        np.save(file, np.zeros((3, 2), dtype))
        status, _, err = run(capsys, tmp_path / "m.npz", file)
        if status == 0:
            taken.add(dtype.name)
        else:
            assert err.startswith(f"intgold predict: {file}: {dtype} is none of ")
            named.add(err.partition(" is none of ")[2].strip().partition(":")[0])
    assert [set(names.split(", ")) for names in named] == [taken]
    assert "int8" in taken and ("uint8" in taken) == (
        kind not in ("own, of reals", "without a scale")
    )
    if "uint8" not in taken:
        np.save(file, np.zeros((3, 2), bool))
        with pytest.raises(InputError) as caught:
            model.quantize_input(np.load(file))
        assert "uint8, " not in str(caught.value)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 255])
def test_odd_reals_are_of_their_file(capsys, tmp_path, odd, dtype):
    """What is wrong with the values names the file that holds them, not the model."""
    INPUTS["own, of pixels"]().save(tmp_path / "m.npz")
    np.save(tmp_path / "x.npy", np.array([[0, odd]], dtype))
    err = fails(capsys, tmp_path / "m.npz", tmp_path / "x.npy")
    assert err.startswith(f"intgold predict: {tmp_path / 'x.npy'}: ") and "m.npz" not in err
    assert ("floats from 0 to 255" if odd == 255 else f"{odd} at (0, 1)") in err


def test_an_int32_input_is_of_the_model(capsys, tmp_path):
    """No file of images is read for a model that predict cannot take; the model is named."""
    one = (m for m in map(random_model, range(999)) if len(m.inputs) == 1)
    model = next(m for m in one if m.tensor(m.inputs[0]).dtype == "int32")
    model.save(tmp_path / "m.npz")
    err = fails(capsys, tmp_path / "m.npz", tmp_path / "nowhere.npy")
    assert f"m.npz: model {model.name}: input {model.inputs[0]} is int32, not int8" in err


@pytest.mark.parametrize("dtype", ["i2", "i4", "u2", "i8", "u8"])
def test_wide_pixels_are_told_what_makes_bytes(capsys, tmp_path, dtype):
    """Integers from 0 to 255 of other widths: astype(uint8), which then is taken."""
    model, x = intgold.load(), np.arange(784, dtype=dtype).reshape(1, 28, 28, 1) % 256
    with pytest.raises(InputError, match=r"astype\(numpy.uint8\)"):
        model.quantize_input(x)
    assert model.predict(x.astype(np.uint8)).shape == (1,)
    np.save(tmp_path / "x.npy", x)
    assert "x.astype(numpy.uint8) produces" in fails(capsys, "lut", tmp_path / "x.npy")
    with pytest.raises(InputError, match=r"float: x.astype\(numpy.float32\)"):
        model.quantize_input(x + x.dtype.type(1))


@pytest.mark.parametrize("labels", [np.eye(3), np.eye(3, dtype=int), np.arange(3.0), np.eye(3) > 0])
def test_labels_that_are_no_class_numbers(capsys, tmp_path, labels):
    """One-hot rows and floats: class numbers are wanted, and what produces them; file and array."""
    from intgold.images.labels import check_labels

    with pytest.raises(InputError, match="class numbers are wanted"):
        check_labels(labels, 3, 3)
    np.save(tmp_path / "y.npy", labels)
    np.save(tmp_path / "x.npy", np.zeros((3, 28, 28), np.uint8))
    arguments = ("lut", tmp_path / "x.npy", "--labels", tmp_path / "y.npy")
    assert "class numbers are wanted" in fails(capsys, *arguments)
    check_labels(np.arange(3), 3, 3)


def test_inputs_and_outputs_are_named():
    """An unknown name, an inner tensor, a NaN, a result in place of its output, shapes."""
    model = small_model((20,), 3)
    x = np.zeros((2, 20), np.int8)
    for call, message in (
        (lambda: model.quantize_input(x, "logits"), "'logits' is no input; inputs: x"),
        (lambda: model.quantize_input(x, "no"), "'no' is no input; inputs: x"),
        (lambda: model.quantize_input(np.full((2, 20), np.nan)), r"^input x: nan at \(0, 0\)"),
        (lambda: model.predict(np.full((2, 20), np.inf)), r"^input x: inf at \(0, 0\)"),
        (lambda: model.dequantize(model.run(x)), "its .output is one"),
        (lambda: model.dequantize(np.zeros((2, 3))), "int32, which model.run.x..output is"),
        (lambda: model.quantize_input(x[:, 1:]), r"instead of \(n, 20\)$"),
        (lambda: model.run(x[:, 1:]), r"instead of \(n, 20\)$"),
        (lambda: model.dequantize(np.zeros((2, 4), np.int32)), r"instead of \(n, 3\)$"),
        (lambda: model.run({"y": x}), "input 'y' is unknown; inputs: x"),
    ):
        with pytest.raises(InputError, match=message):
            call()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_named(unbuffered):
    """One line that says what cannot be written, status 2: at once and at the end."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "intgold", "info", "lut"], stdout=full, stderr=subprocess.PIPE,
            text=True, env=environment, timeout=60,
        )  # fmt: skip
    assert ran.stderr.startswith("intgold info: cannot write standard output: ")
    assert ran.returncode == 2, ran.stderr
