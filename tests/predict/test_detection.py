"""Boxes that predict finds after an imported detector: float32 of the host, named as such."""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intgold.cli import main
from intgold.errors import ImportFileError, ModelError
from intgold.host.detection import DetectionOptions, detections
from intgold.host.host_ops import CONSTANTS, TAIL, constant_line, host_constants, host_ops
from intgold.host.host_tail import run_host_tail
from intgold.importers import import_tflite
from intgold.importers.tflite.file.flexbuffer import numbers_of
from intgold.importers.tflite.file.reader import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from flatbuffers import flexbuffers
from host_tails import detection, flexbuffer
from tflite_writer import Writer

from output_trials import detector_file

NOTE = "host arithmetic in float32, not part of the integer model"
F = np.float32
OPTIONS = {
    "max_detections": 4, "max_classes_per_detection": 1, "num_classes": 2,
    "nms_iou_threshold": 0.5, "nms_score_threshold": 0.1,
    "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
}  # fmt: skip


def overlap(a, b):
    areas = [(y2 - y1) * (x2 - x1) for y1, x1, y2, x2 in (a, b)]
    if min(areas) <= 0:
        return F(0)
    h = max(min(a[2], b[2]) - max(a[0], b[0]), F(0))
    w = max(min(a[3], b[3]) - max(a[1], b[1]), F(0))
    return h * w / (areas[0] + areas[1] - h * w)


def suppressed(boxes, scores, options, most):
    """Box after box, plainly."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    kept = []
    for i in order:
        if scores[i] < F(options.nms_score_threshold) or len(kept) == most:
            continue
        if all(overlap(boxes[j], boxes[i]) <= F(options.nms_iou_threshold) for j in kept):
            kept.append(i)
    return kept


def plainly(options, encodings, scores, anchors):
    """Rows (box, class, score) as the op's description says, loop by loop."""
    boxes = []
    for (y, x, h, w), (ay, ax, ah, aw) in zip(
        encodings[:, :4].astype(float).tolist(), anchors.astype(float).tolist(), strict=True
    ):
        cy, cx = F(y / options.y_scale * ah + ay), F(x / options.x_scale * aw + ax)
        hh = F(0.5 * math.exp(h / options.h_scale) * ah)
        hw = F(0.5 * math.exp(w / options.w_scale) * aw)
        boxes.append((cy - hh, cx - hw, cy + hh, cx + hw))
    scores = scores[:, scores.shape[1] - options.num_classes :]
    if options.use_regular_nms:
        most = min(options.detections_per_class, options.max_detections)
        found = [
            (i, k)
            for k in range(options.num_classes)
            for i in suppressed(boxes, scores[:, k], options, most)
        ]
        found.sort(key=lambda of: -scores[of])
        found = found[: options.max_detections]
        return [(boxes[i], k, scores[i, k]) for i, k in found]
    rows = []
    for i in suppressed(boxes, scores.max(1), options, options.max_detections):
        best = sorted(range(options.num_classes), key=lambda k: (-scores[i, k], k))
        best = best[: options.max_classes_per_detection]
        rows += [(boxes[i], k, scores[i, k]) for k in best]
    return rows


@pytest.mark.parametrize("regular", [0, 1])
def test_detections_of_random_boxes(regular):
    """Those of plain loops, bit for bit: with a background or without, ties, empty boxes."""
    rng, most = np.random.default_rng(regular), 0
    for _ in range(60):
        n, classes, each = (int(rng.integers(1, m)) for m in (30, 5, 4))
        scores = (rng.integers(0, 9, (n, classes + rng.integers(0, 2))) / 8).astype(F)
        encodings = rng.normal(size=(n, 5)).astype(F) * 3
        anchors = rng.uniform(0.1, 0.6, (n, 4)).astype(F)
        anchors[rng.random(n) < 0.1, 2] = 0
        options = DetectionOptions(
            int(rng.integers(1, 12)), each, int(rng.integers(1, 6)), regular,
            float(rng.integers(0, 5) / 8), float(F(rng.uniform(0.2, 1))), classes,
            *rng.uniform(4, 11, 4).tolist(),
        )  # fmt: skip
        boxes, kinds, found, count = detections(options, encodings, scores, anchors)
        wanted = plainly(options, encodings, scores, anchors)
        used = 1 if regular else min(each, classes)
        assert count.tolist() == [len(wanted) // used] and boxes.dtype == F
        rows = np.arange(boxes.shape[1])
        rows = rows if regular else rows[rows % each < used]
        rows = rows[: len(wanted)]
        assert np.array_equal(boxes[0, rows], np.array([b for b, _, _ in wanted], F).reshape(-1, 4))
        assert kinds[0, rows].tolist() == [k for _, k, _ in wanted]
        assert found[0, rows].tolist() == [s for _, _, s in wanted]
        most = max(most, len(wanted))
    assert most > 5


def test_overlap_on_the_threshold():
    """A box stays whose overlap is the threshold; the next larger one goes."""
    anchors = np.array([[0.5, 0.5, 1, 1], [0.5, 0.5, 1, 0.5]], F)
    scores = np.array([[0.75, 0], [0.5, 0]], F)
    for threshold, kept in ((0.5, 2), (float(np.nextafter(F(0.5), F(0))), 1)):
        options = DetectionOptions.of({k: str(v) for k, v in OPTIONS.items()}
                                      | {"nms_iou_threshold": repr(threshold)})  # fmt: skip
        assert detections(options, np.zeros((2, 4), F), scores, anchors)[3].tolist() == [kept]


BAD = [
    dict(num_classes=0), dict(num_classes=4), dict(max_detections=0), dict(max_detections=2**30),
    dict(nms_iou_threshold=0.0), dict(nms_iou_threshold=1.5), dict(max_classes_per_detection=0),
    dict(y_scale="none"), dict(max_detections="inf"),
]  # fmt: skip


@pytest.mark.parametrize("changed", BAD, ids=str)
def test_options_that_the_kernel_refuses(changed):
    """Nothing is computed of them."""
    texts = {k: str(v) for k, v in (OPTIONS | changed).items()}
    with pytest.raises((ValueError, OverflowError)):
        detections(DetectionOptions.of(texts), np.zeros((3, 4), F), np.zeros((3, 3), F),
                   np.ones((3, 4), F))  # fmt: skip
    made = DetectionOptions.of({k: str(v) for k, v in OPTIONS.items()})
    for shapes in (((3, 3), (3, 3), (3, 4)), ((3, 4), (2, 3), (3, 4)), ((3, 4), (3, 3), (3, 3))):
        with pytest.raises(ValueError, match="boxes"):
            detections(made, *(np.ones(shape, F) for shape in shapes))
    with pytest.raises(ValueError, match="inside out"):
        detections(made, np.zeros((3, 4), F), np.zeros((3, 3), F), np.full((3, 4), -1, F))


def test_numbers_of_a_map():
    """As the public writer has them: every width, negative numbers, true and false."""
    values = {"a": 1, "b": -300, "c": 2**40, "d": 1.5, "e": 1e-8, "f": True, "g": False, "h": 200}
    assert numbers_of(flexbuffer(values)) == values
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("text")
        builder.String("no number")
        builder.Key("far")
        builder.IndirectFloat(0.25)
        builder.Key("wide")
        builder.IndirectInt(-(2**33))
    assert numbers_of(bytes(builder.Finish())) == {"far": 0.25, "wide": -(2**33)}


def test_damaged_maps():
    """Numbers, or one line; no other error, whatever the bytes are."""
    data, rng = flexbuffer({**OPTIONS, "use_regular_nms": True}), np.random.default_rng(0)
    refused = 0
    for _ in range(4000):
        changed = bytearray(data[: rng.integers(len(data) + 1)] if rng.random() < 0.2 else data)
        for at in rng.integers(0, max(len(changed), 1), 3):
            changed[at : at + 1] = bytes([rng.integers(256)])
        try:
            assert isinstance(numbers_of(bytes(changed)), dict)
        except ValueError as error:
            refused += 1
            assert "\n" not in str(error)
    assert 500 < refused < 4000
    with pytest.raises(ValueError, match="a number of 1 bytes at byte -6 of 3"):
        numbers_of(bytes([5, 9 << 2, 1]))
    for held in (b"", b"\0\0", struct.pack("<BBB", 5, 4, 1)):
        with pytest.raises(ValueError, match="no map"):
            numbers_of(held)


def test_a_file_whose_options_are_no_map():
    """One line that names the op."""
    w = Writer()
    x, y = (w.tensor((1, 3, 4), "uint8", 0.1, 3) for _ in range(2))
    w.op("RELU", [x], y)
    made = [w.tensor((1,), "float32") for _ in range(4)]
    w.custom("TFLite_Detection_PostProcess", [y, y, y], made, b"abc")
    named = r"^op 1 \(custom TFLite_Detection_PostProcess\): options of type 24 are no map$"
    with pytest.raises(ImportFileError, match=named):
        parse(w.finish([x], made))


def test_constants_of_the_host():
    """What is written is read; a line that is none is refused."""
    values = np.random.default_rng(0).normal(size=(5, 4)).astype(F)
    line = constant_line(7, 2, values)
    assert line.startswith("op 7 input 2 float32 5x4 ")
    held = host_constants({CONSTANTS: line})
    assert list(held) == [(7, 2)] and np.array_equal(held[7, 2], values)
    for bad in (line[:-4], line.replace("5x4", "5x5"), line[:-1] + "!", "op 7", line + "\nx"):
        with pytest.raises(ModelError, match="is no constant"):
            host_constants({CONSTANTS: bad})


@pytest.mark.parametrize("seed", [2, 3, 5, 6])
def test_a_file_with_a_detection_tail(seed, tmp_path):
    """Of int8 by DEQUANTIZE or of uint8 as it is: options and anchors are those of the file."""
    made = detection(seed)
    graph = parse(made.data)
    (tmp_path / "detector.tflite").write_bytes(made.data)
    model = import_tflite(tmp_path / "detector.tflite")
    (op,) = (op for op in host_ops(model.metadata, TAIL) if "Detection" in op.kind)
    for name, value in made.options.items():
        assert float(op.options[name]) == float(value), name
    anchors = graph.tensors[graph.ops[-1].inputs[2]]
    held = host_constants(model.metadata)[op.index, 2]
    if anchors.dtype == "uint8":
        zero = anchors.zero_point[0]
        assert np.array_equal(held, (anchors.data.astype(F) - F(zero)) * anchors.scale)
    else:
        assert np.array_equal(held, anchors.data)
    x = {
        name: (x ^ 0x80).view(np.int8) if x.dtype == np.uint8 else x
        for name, x in zip(model.inputs, made.stimulus, strict=True)
    }
    outputs = model.run(x).outputs
    host = run_host_tail(model, outputs)
    assert list(host.ends) == ["boxes", "classes", "scores", "count"] and not host.left
    reals = [
        ((outputs[n].astype(np.int64) - t.zero_point) * t.scale).astype(F)
        for n, t in ((n, model.tensor(n)) for n in model.outputs)
    ]
    options = DetectionOptions.of(op.options)
    for image in range(len(made.stimulus[0])):
        wanted = plainly(options, reals[0][image], reals[1][image], held)
        used = min(options.max_classes_per_detection, options.num_classes) if made.fast else 1
        assert int(host.values["count"][image, 0]) == len(wanted) // used
        if options.max_classes_per_detection == 1:
            boxes = host.values["boxes"][image, 0, : len(wanted)]
            assert np.array_equal(boxes, np.array([b for b, _, _ in wanted], F).reshape(-1, 4))


def test_damaged_detectors(full, tmp_path):
    """A model whose tail is run or left, or one line naming the file; never another error."""
    rng, path = np.random.default_rng(1), tmp_path / "m.tflite"
    sources = [detection(seed).data for seed in range(8)]
    refused = done = left = 0
    for _ in range(20_000 if full else 500):
        data = bytearray(sources[rng.integers(len(sources))])
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(len(data)))
            if rng.random() < 0.5:
                data[at] = rng.choice([0, 255, 128, data[at] ^ 1 << int(rng.integers(8))])
            else:
                word = rng.choice([0, 1, -1, 2**31 - 1, -(2**31), len(data), rng.integers(64)])
                data[at : at + 4] = struct.pack("<i", word)
        path.write_bytes(data)
        try:
            model = import_tflite(path)
        except ImportFileError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            continue
        tensors = [model.tensor(name) for name in model.outputs]
        x = {t.name: rng.integers(-128, 128, (2, *t.shape)).astype(t.dtype) for t in tensors}
        host = run_host_tail(model, x)
        done, left = done + ("count" in host.values), left + bool(host.left)
    assert min(refused, done, left) > 10


def detector(path):
    """A network whose picture decides, and a picture: class 0 on its left, 1 on its right."""
    (path / "d.tflite").write_bytes(detector_file())
    import_tflite(path / "d.tflite").save(path / "d.npz")
    pixels = np.zeros((1, 2, 3), np.uint8)
    pixels[0, 0] = (0, 255, 51)  # background, class 0, class 1
    pixels[0, 1] = (0, 102, 153)
    Image.fromarray(pixels).save(path / "p.png")
    return [str(path / "d.npz"), str(path / "p.png")]


def test_predict_shows_boxes(tmp_path, capsys):
    """A row each, classes by name, those of low scores counted; host arithmetic is named."""
    given = detector(tmp_path)
    names = tmp_path / "names.txt"
    names.write_text("cat\nd\u00f6g\n", encoding="utf-8")
    assert main(["predict", *given, "--class-names", str(names), "--min-score", "0.7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == given[1]
    assert lines[1].split() == ["class", "score", "ymin", "xmin", "ymax", "xmax"]
    assert lines[3].split()[:2] == ["cat", "1.000"]
    assert lines[4:] == ["1 with a score below 0.7", NOTE]
    assert main(["predict", *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    first, second = found["images"][0]["detections"]
    assert (first["class"], first["score"]) == (0, 1.0) and second["class"] == 1
    assert second["score"] == float(F(153) * F(1 / 255))
    assert found["host"]["arithmetic"] == NOTE
    assert len(found["images"][0]["host"]["boxes"][0]) == 4


def test_predict_draws_boxes(tmp_path, capsys):
    """On what the network saw, for one picture; the file is known again as intgold's."""
    given = detector(tmp_path)
    out = str(tmp_path / "boxes.png")
    for _ in range(2):  # over its own
        assert main(["predict", *given, "--save-boxes", out]) == 0
    with Image.open(out) as drawn, Image.open(given[1]) as seen:
        assert drawn.size == (480, 240)
        assert drawn.getpixel((120, 120)) == seen.getpixel((0, 0))
        colours = {c for _, c in drawn.getcolors(2**20)}
    assert {(0xE6, 0x19, 0x4B), (0x3C, 0xB4, 0x4B)} < colours
    assert main(["predict", *given, "--save-boxes", out, "--min-score", "0.9"]) == 0
    with Image.open(out) as drawn:
        assert (0x3C, 0xB4, 0x4B) not in {c for _, c in drawn.getcolors(2**20)}
    capsys.readouterr()


def test_what_predict_refuses(tmp_path, capsys):
    """One line each, and no file."""
    given = detector(tmp_path)
    few, none, other = (tmp_path / name for name in ("few.txt", "none.txt", "other.txt"))
    few.write_text("cat\n")
    none.write_text("")
    other.write_bytes(b"\xff\xfe")
    out = tmp_path / "b.png"
    for more, why in (
        (["--class-names", few], f"predict: {few}: 1 names; there is a class 1"),
        (["--class-names", few, "--save-boxes", out], f"predict: {few}: 1 names; there is a clas"),
        (["--brief"], f"{given[0]}: its images have no class, which --brief shows"),
        (["--details"], f"{given[0]}: its images have no class, which --details shows"),
        (["--picture"], f"{given[0]}: its images have no class, which --picture shows"),
        (
            ["--json", "--min-score", "0.5"],
            "--min-score goes with a table or picture; --json has all detections",
        ),
        (["--class-names", none], f"{none}: no name"),
        (["--class-names", other], f"{other}: no UTF-8 text at byte 0"),
        ([given[1], "--save-boxes", out], f"--save-boxes {out}: 2 images; give one"),
    ):
        assert main(["predict", *given, *map(str, more)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and why in error
    assert not out.exists()
    for more in ([], ["--json"], ["--save-boxes", out]):  # class 1 has a score below
        arguments = ["predict", *given, "--class-names", str(few), *map(str, more)]
        status = main([*arguments, *([] if "--json" in more else ["--min-score", "0.7"])])
        assert status == (2 if "--json" in more else 0), more
    capsys.readouterr()
    assert main(["predict", "lut", given[1], "--min-score", "0.5"]) == 2
    assert "lut: no detector, which --min-score is for" in capsys.readouterr().err
