"""What the host does not do of a tail, and texts of a model or file that it cannot read."""

import json
import struct
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import intgold
from intgold.cli import main
from intgold.errors import InputError, ModelError
from intgold.host.detection import DetectionOptions, detections
from intgold.host.host_ops import CONSTANTS, TAIL, constant_line, host_constants, host_ops
from intgold.host.host_tail import HostValues, run_host_tail
from intgold.importers import import_tflite
from intgold.importers.tflite.file.flexbuffer import numbers_of
from intgold.predict.detected import (
    ClassNames,
    Detection,
    detected,
    detection_document,
    detection_lines,
    read_class_names,
)
from intgold.predict.host_report import finite_json, image_lines, left_line

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from host_tails import flexbuffer
from tflite_writer import Writer

from output_trials import detector_file

DETECTION = "custom TFLite_Detection_PostProcess"
OPTIONS = {
    "max_detections": 4, "max_classes_per_detection": 1, "num_classes": 2,
    "nms_iou_threshold": 0.5, "nms_score_threshold": 0.1,
    "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
}  # fmt: skip
_SAID = ", ".join(f"{k}={v}" for k, v in OPTIONS.items())
_MADE = "b float32 1x4x4, c float32 1x4, s float32 1x4, n float32 1"


def model_with(tail, constants="", shape=(1, 4), scale=0.5):
    """A model of one table with a tail: what it computes of zeros is 0."""
    x, y = intgold.Tensor("x", shape), intgold.Tensor("y", shape)
    if scale is not None:
        y = replace(y, scale=scale)
    table = np.arange(-128, 128).astype(np.int8)
    op = intgold.Op("lut", "l", ("x",), "y", {"table": table})
    metadata = {TAIL: tail, CONSTANTS: constants}
    return intgold.Model("m", [x, y], [op], ["x"], ["y"], metadata=metadata)


def left_of(model):
    """The numbers of the ops that are not done, for two images."""
    y = model.tensor("y")
    host = run_host_tail(model, {"y": np.arange(2 * y.size, dtype=np.int8).reshape(2, *y.shape)})
    return [op.index for op in host.left]


@pytest.mark.parametrize("kind", ["SOFTMAX", "LOG_SOFTMAX", "ARG_MAX", "LOGISTIC"])
@pytest.mark.parametrize("shape", [(4,), (4, 5)])
def test_an_axis_that_is_the_batch_of_the_file(kind, shape, tmp_path):
    """A file of four images that computes across them has no answer of one image."""
    w = Writer()
    x, y = (w.tensor(shape, "int8", 0.05, 0) for _ in range(2))
    w.op("RELU", [x], y)
    reals, made = (w.tensor(shape, "float32") for _ in range(2))
    w.op("DEQUANTIZE", [y], reals)
    if kind == "ARG_MAX":
        made = w.tensor(shape[1:], "int64")
        w.op(kind, [reals, w.tensor((), "int32", data=np.array(0))], made)
    else:
        w.op(kind, [reals], made, 1, "SoftmaxOptions" * (kind == "SOFTMAX"))
    (tmp_path / "m.tflite").write_bytes(w.finish([x], [made]))
    model = import_tflite(tmp_path / "m.tflite")
    x = np.arange(4 * np.prod(shape[1:], dtype=int), dtype=np.int8).reshape(4, *shape[1:])
    outputs = model.run(x.reshape(4, *model.tensor(model.inputs[0]).shape)).outputs
    across = kind == "ARG_MAX" or (kind != "LOGISTIC" and len(shape) == 1)
    assert [op.kind for op in run_host_tail(model, outputs).left] == [kind] * across


def test_a_vector_without_a_batch():
    """All its values are of one image."""
    tail = "op 1 DEQUANTIZE(y) -> f float32 1x4\nop 2 RESHAPE(f) -> g float32 4\n"
    model = model_with(tail + "op 3 SOFTMAX(g) -> z float32 4")
    y = np.array([[[0, 0, 0, 0]], [[0, 2, 0, 0]]], np.int8)
    host = run_host_tail(model, {"y": y})
    wanted = np.array([np.full(4, 0.25), np.exp([0, 1, 0, 0]) / (3 + np.e)])
    np.testing.assert_allclose(host.values["z"], wanted, rtol=1e-13)


@pytest.mark.parametrize(
    ("tail", "left"),
    [
        ("op 1 RESHAPE(y) -> f int8 4\nop 2 DEQUANTIZE(f) -> g float32 4", [2]),
        ("op 1 CAST(y) -> f int32 1x4\nop 2 DEQUANTIZE(f) -> g float32 1x4", [2]),
        (f"op 1 CAST(y) -> f int32 1x1x4\nop 2 {DETECTION}(f, f, c, {_SAID}) -> {_MADE}", [2]),
        (f"op 1 DEQUANTIZE(y) -> f float32 {'x'.join('1' * 70)}", [1]),
        (f"op 1 DEQUANTIZE(y) -> f float32 {'9' * 20}", [1]),
        (f"op 1 DEQUANTIZE(y) -> f float32 1x4\nop 2 ARG_MAX(f, axis={'9' * 20}) -> g int32 1",
         [2]),
        ("op 1 DEQUANTIZE(y) -> f float32 1x4\nop 2 CONCATENATION(f, f, axis=-3) -> g float32 2x4",
         [2]),
        ("op 1 DEQUANTIZE(y) -> f float32 1x4", []),
    ],
)  # fmt: skip
def test_integers_and_shapes_that_give_no_reals(tail, left):
    """The op is left, by its number: integers of the tail have no scale."""
    assert left_of(model_with(tail, constant_line(2, 2, np.ones((1, 4))))) == left


def test_a_scalar_as_boxes():
    """A detection op that reads it is left."""
    tail = f"op 1 DEQUANTIZE(y) -> f float32 scalar\nop 2 {DETECTION}(f, f, c, {_SAID}) -> {_MADE}"
    held = constant_line(2, 2, np.ones((1, 4)))
    assert left_of(model_with(tail, held, shape=(1,))) == [2]
    options = DetectionOptions.of({k: str(v) for k, v in OPTIONS.items()})
    with pytest.raises(ValueError, match=r"boxes \(\) and anchors"):
        detections(options, np.float32(0).reshape(()), np.ones((1, 2)), np.ones((1, 4)))


def test_boxes_without_a_scale():
    """Integers whose reals are not known are left to the host."""
    tail = f"op 2 {DETECTION}(y, y, c, {_SAID}) -> {_MADE}"
    held = constant_line(2, 2, np.ones((1, 4)))
    assert left_of(model_with(tail.replace("classes=2", "classes=4"), held)) == []
    assert left_of(model_with(tail.replace("classes=2", "classes=4"), held, scale=None)) == [2]


@pytest.mark.parametrize("extents", ["9" * 5000, "x".join("1" * 70), f"0x{'9' * 20}"])
def test_numbers_that_cannot_be_read(extents):
    """A line of metadata that says them is named, whatever it says."""
    with pytest.raises(ModelError, match=f"^metadata {CONSTANTS}: .* is no constant$"):
        host_constants({CONSTANTS: f"op 2 input 2 float32 {extents} AAAAAA=="})
    with pytest.raises(ModelError, match=f"^metadata {CONSTANTS}: .* is no constant$"):
        host_constants({CONSTANTS: f"op {'9' * 5000} input 2 float32 1 AAAAAA=="})
    for line in (f"op {'9' * 5000} CAST(y) -> f int32 1", f"op 1 CAST(y) -> f int32 {'9' * 5000}"):
        with pytest.raises(ModelError, match=f"^metadata {TAIL}: .* is no op$"):
            host_ops({TAIL: line}, TAIL)


def overlapping_keys(count, length):
    """A map of `count` numbers whose keys all end where a text of `length` characters does."""
    data = bytearray(b"A" * length + b"\0")
    data += bytes(-len(data) % 4) + struct.pack("<I", count)
    keys = len(data)
    for i in range(count):
        data += struct.pack("<I", len(data) - i)
    data += struct.pack("<III", len(data) - keys, 4, count)
    values = len(data)
    data += struct.pack("<I", 5) * count + bytes([1 << 2 | 2]) * count
    return bytes(data + struct.pack("<I", len(data) - values) + bytes([9 << 2 | 2, 4]))


def test_options_that_ask_for_much_memory():
    """Keys may overlap: they are short, and few."""
    assert numbers_of(overlapping_keys(100, 100)) == {"A" * n: 5 for n in range(1, 101)}
    with pytest.raises(ValueError, match="101 options; at most 100"):
        numbers_of(overlapping_keys(101, 100))
    data = overlapping_keys(100, 1_000_000)
    tracemalloc.start()
    with pytest.raises(ValueError, match="no end within 100 bytes"):
        numbers_of(data)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


@pytest.mark.parametrize("scale", [0.01, None, [0.01, 0.02, 0.03]])
def test_integer_anchors(scale, tmp_path):
    """With one scale they are reals; with several, or none, the op is left."""
    w = Writer()
    x, y = (w.tensor((1, 3, 4), "int8", 0.05, 0) for _ in range(2))
    w.op("RELU", [x], y)
    reals = w.tensor((1, 3, 4), "float32")
    w.op("DEQUANTIZE", [y], reals)
    held = w.tensor((3, 4), "int8", scale, 0, np.full((3, 4), 50))
    made = [w.tensor((1,), "float32") for _ in range(4)]
    w.custom("TFLite_Detection_PostProcess", [reals, reals, held], made,
             flexbuffer({**OPTIONS, "num_classes": 4}))  # fmt: skip
    (tmp_path / "m.tflite").write_bytes(w.finish([x], made))
    model = import_tflite(tmp_path / "m.tflite")
    found = host_constants(model.metadata)
    outputs = model.run(np.zeros((1, 3, 4), np.int8)).outputs
    left = [op.index for op in run_host_tail(model, outputs).left]
    if scale == 0.01:
        assert np.array_equal(found[2, 2], np.full((3, 4), np.float32(50) * np.float32(0.01)))
        assert left == []
    else:
        assert found == {} and left == [2]


def detector(path, **metadata):
    """A detector that finds two boxes in a picture, its metadata changed; the picture."""
    (path / "d.tflite").write_bytes(detector_file())
    model = import_tflite(path / "d.tflite")
    changed = intgold.Model(model.name, model.tensors, model.ops, model.inputs, model.outputs,
                            metadata={**model.metadata, **metadata})  # fmt: skip
    changed.save(path / "d.npz")
    Image.fromarray(np.array([[[0, 255, 51], [0, 102, 153]]], np.uint8)).save(path / "p.png")
    return [str(path / "d.npz"), str(path / "p.png")]


def test_no_picture_of_boxes_that_were_not_computed(tmp_path, capsys):
    """A picture without boxes would say that nothing was found."""
    given, out = detector(tmp_path, **{CONSTANTS: ""}), tmp_path / "b.png"
    kept = tmp_path / "x.npy"
    assert main(["predict", *given, "--save-boxes", str(out), "--save-input", str(kept)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"--save-boxes {out}: no detections of" in error
    assert not out.exists() and not kept.exists()
    assert main(["predict", *given]) == 0
    assert f"not done here: op 3 ({DETECTION})" in capsys.readouterr().out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_name_that_is_missing_leaves_no_file(form, tmp_path, capsys):
    """Names are looked up before anything is written."""
    given, kept, few = detector(tmp_path), tmp_path / "x.npy", tmp_path / "few.txt"
    few.write_text("cat\n")
    arguments = ["predict", *given, *form, "--save-input", str(kept)]
    assert main([*arguments, "--class-names", str(few)]) == 2
    assert f"{few}: 1 names; there is a class 1" in capsys.readouterr().err and not kept.exists()
    assert main(arguments) == 0
    assert np.load(kept).shape == (1, 1, 2, 3)


@pytest.mark.parametrize("more", [["--class-names", "names.txt"], ["--min-score", "0.5"]])
def test_options_of_detections_that_were_not_computed(more, tmp_path, capsys):
    """They would do nothing; the line says why nothing was computed."""
    tail = import_tail(tmp_path).replace("y_scale=10.0", "y_scale=1e+300")
    given = detector(tmp_path, **{TAIL: tail})
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    option, value = more
    value = str(tmp_path / value) if value.endswith("txt") else value
    assert main(["predict", *given, option, value]) == 2
    why = f"op 3 ({DETECTION}: y_scale 1e+300 is no finite number)"
    assert capsys.readouterr().err == (
        f"intgold predict: {option} {value}: no detections of {given[0]} are computed here; "
        f"left to the host and not done here: {why}\n"
    )
    assert main(["predict", *given]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].endswith(why) and captured.err == ""
    assert main(["predict", *given, "--json"]) == 0
    (undone,) = json.loads(capsys.readouterr().out)["host"]["not_done"]
    assert undone["op"].startswith(f"op 3 {DETECTION}(")
    assert undone["reason"] == "y_scale 1e+300 is no finite number"


@pytest.mark.parametrize(("name", "text"), [("y_scale", "wide"), ("num_classes", "1e999")])
def test_an_option_that_is_no_number_is_named(name, text):
    with pytest.raises(ValueError, match=f"^{name} {text} is no finite number$"):
        DetectionOptions.of({name: text})


def import_tail(path):
    """The tail of the detector, as text."""
    return intgold.load(detector(path)[0]).metadata[TAIL]


def test_json_has_no_infinite_numbers(tmp_path, capsys):
    """They are null: of boxes that are infinite, of any other value."""
    given = detector(
        tmp_path, **{TAIL: import_tail(tmp_path).replace("h_scale=5.0", "h_scale=1e-4")}
    )
    assert main(["predict", *given, "--json"]) == 0

    def refuse(name):
        raise AssertionError(name)

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)["images"][0]
    assert None in found["detections"][0]["box"] and None in found["host"]["boxes"][0]
    held = {"a": [1.5, float("nan"), (float("-inf"), 2)], "b": {"c": float("inf"), "d": "x"}}
    assert json.loads(finite_json(held)) == {
        "a": [1.5, None, [None, 2]],
        "b": {"c": None, "d": "x"},
    }


def test_names_of_what_is_not_shown():
    """A class without a name fails only where something is shown of it."""
    found = [Detection(0, 0.9, (0.0,) * 4), Detection(5, 0.1, (0.0,) * 4)]
    names = ClassNames(["cat"], 0.3, "names.txt")
    assert [d.get("name") for d in detection_document(found, names)] == ["cat", None]
    assert len(detection_lines(found, names, "utf-8")) == 4
    for function in (detection_document, lambda f, n: detection_lines(f, n, "utf-8")):
        with pytest.raises(InputError, match="^names.txt: 1 names; there is a class 5$"):
            function(found, ClassNames(["cat"], 0.05, "names.txt"))


@pytest.mark.parametrize("score", ["nan", "inf", "-inf", "x"])
def test_scores_that_are_none(score, tmp_path, capsys):
    """A score is a finite number."""
    with pytest.raises(SystemExit) as ended:
        main(["predict", *detector(tmp_path), f"--min-score={score}"])
    assert ended.value.code == 2
    assert f"--min-score: '{score}' is no finite number" in capsys.readouterr().err


def test_json_names_the_arithmetic_of_both(tmp_path, capsys):
    """Boxes are of float32, a DEQUANTIZE beside them of float64."""
    given = detector(tmp_path)
    tail = intgold.load(given[0]).metadata[TAIL]
    name = intgold.load(given[0]).outputs[0]
    given = detector(tmp_path, **{TAIL: f"{tail}\nop 9 DEQUANTIZE({name}) -> reals float32 8"})
    assert main(["predict", *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["host"]["arithmetic"] == (
        "host arithmetic in float64, of boxes in float32, not part of the integer model"
    )
    assert set(found["images"][0]["host"]) == {"boxes", "classes", "scores_1", "count", "reals"}
    assert main(["predict", *given]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[5:7] == ["host arithmetic in float32, not part of the integer model",
                          "output  made by     shape  values"]  # fmt: skip


def test_a_line_of_names_ends_at_a_newline(tmp_path):
    """Other characters that may end a line are of a name: classes keep their numbers."""
    path = tmp_path / "names.txt"
    path.write_bytes("a\u2028b\x0bc\x0c\r\n\x85d\n\ne\x1c\rf".encode())
    assert read_class_names(path) == ["a\u2028b\x0bc\x0c", "\x85d", "", "e\x1c", "f"]
    path.write_bytes(b"cat\ndog\n")
    assert read_class_names(path) == ["cat", "dog"]


def test_rows_that_hold_no_detection():
    """Rows of a box beyond the classes, and those after the last box, are left out."""
    said = {"max_detections": 3, "max_classes_per_detection": 3, "num_classes": 2}
    options = {k: str(v) for k, v in {**OPTIONS, **said}.items()}
    line = f"op 2 {DETECTION}(y) -> b float32 1, c float32 1, s float32 1, n float32 1"
    (op,) = host_ops({TAIL: line}, TAIL)
    op = replace(op, options=options)
    values = {"b": np.zeros((1, 1, 9, 4)), "c": np.arange(9.0).reshape(1, 1, 9),
              "s": np.ones((1, 1, 9)), "n": np.array([[2.0]])}  # fmt: skip
    host = HostValues(values, dict.fromkeys(values, op), {}, {}, [])
    assert [d.kind for d in detected(host, 0)] == [0, 1, 3, 4]
    assert [line.split()[0] for line in _lines(host)[3:]] == ["0", "1", "3", "4", "host"]


def _lines(host):
    return image_lines(host, 0, "p.png", ClassNames(), "utf-8")


def test_lines_of_values_and_of_ops_that_are_left():
    """A table also where nothing was computed; ops beyond twelve are counted."""
    nothing = HostValues({}, {}, {}, {}, [])
    assert [line.split()[:1] for line in _lines(nothing)] == [["p.png"], ["output"], ["-" * 30]]
    ops = host_ops({TAIL: "\n".join(f"op {i} TANH(y) -> z float32 1" for i in range(14))}, TAIL)
    named = ", ".join(f"op {i} (TANH)" for i in range(12))
    said = f"left to the host and not done here: {named}"
    assert left_line(replace(nothing, left=ops)) == [f"{said}, and 2 more"]
    assert left_line(replace(nothing, left=ops[:12])) == [said]
