"""The detection tail of files: what the host computes, beside what the real engines answer.

    python conformance/run.py --tails --count 200
    >>> made = detection(3)
    >>> row = hold("tflm", 20)
    >>> row.differing
    0

Each file is two RELUs, boxes and scores, and TFLite_Detection_PostProcess: of uint8 as it is, or of
int8 through DEQUANTIZE.  Boxes, classes, scores and their number are compared by their bytes, as
far as the engine writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from engines import Answer, Stimulus, answer_as_int8, answers
from flatbuffers import flexbuffers
from tflite_writer import Writer

from intgold.contracts import contract_named
from intgold.host.host_ops import TAIL, host_ops
from intgold.host.host_tail import run_host_tail
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse
from intgold.support.text_table import columns

IMAGES = 4
CONTRACTS = ("litert_reference", "xnnpack", "tflm")
"""Those whose DEQUANTIZE rounds once, as the host does: the optimised kernel of LiteRT rounds the
product with the zero point as well."""
_NAMES = ("boxes", "classes", "scores", "count")


@dataclass(frozen=True)
class Detector:
    """A file with a detection tail: its inputs and outputs, its options, what it is fed with."""

    data: bytes
    inputs: tuple[int, int]
    outputs: tuple[int, int, int, int]
    options: dict[str, int | float | bool]
    stimulus: tuple[np.ndarray, np.ndarray]

    @property
    def fast(self) -> bool:
        """Whether all classes are suppressed at once."""
        return not self.options.get("use_regular_nms", False)


@dataclass
class Row:
    """What was found under a contract."""

    contract: str
    models: int = 0
    refused: int = 0
    values: int = 0
    found: int = 0
    differing: int = 0
    first: str = ""


def detection(seed: int) -> Detector:
    """Return a file: odd sizes, scores with many ties, anchors that overlap or do not."""
    rng = np.random.default_rng([seed, *b"detection"])
    dtype = ("int8", "uint8")[seed % 2]
    classes, boxes = int(rng.integers(1, 7)), int(rng.integers(1, 60))
    background, width = int(rng.integers(0, 2)), 4 + 3 * (seed % 5 == 4)
    regular, each = bool(rng.random() < 0.4), 1 if rng.random() < 0.7 else int(rng.integers(2, 5))
    scales = {"y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}
    if rng.random() < 0.3:
        scales = {name: float(np.float32(rng.uniform(0.5, 12))) for name in scales}
    options: dict[str, int | float | bool] = {
        "max_detections": int(rng.integers(1, 25)), "max_classes_per_detection": each,
        "num_classes": classes, "nms_iou_threshold": float(np.float32(rng.uniform(0.1, 1))),
        "nms_score_threshold": float(np.float32(rng.choice([-1e9, 1e-8, rng.uniform(0, 1)]))),
        **scales,
    }  # fmt: skip
    if regular:
        options |= {"use_regular_nms": True, "detections_per_class": int(rng.integers(1, 20))}
    elif rng.random() < 0.5:
        options["use_regular_nms"] = False
    w, size = Writer(), (1, boxes, classes + background)
    zero = int(rng.integers(-20, 20)) + (128 if dtype == "uint8" else 0)
    reach = float(rng.uniform(0.05, 0.2))
    sides = [_side(w, (1, boxes, width), dtype, reach, zero),
             _side(w, size, dtype, 1 / 256, 0 if dtype == "uint8" else -128)]  # fmt: skip
    anchors = np.concatenate([rng.uniform(0, 1, (boxes, 2)), rng.uniform(0.05, 0.6, (boxes, 2))], 1)
    if dtype == "uint8":
        held = w.tensor(anchors.shape, dtype, 1 / 200, 3, np.round(anchors * 200 + 3))
    else:
        held = w.tensor(anchors.shape, "float32", data=anchors)
    read = [y for _, y in sides]
    if dtype == "int8":
        read = [_dequantized(w, y) for y in read]
    rows = int(options["max_detections"]) * each
    outputs = tuple(
        w.tensor(shape, "float32", name=name)
        for name, shape in zip(_NAMES, ((1, rows, 4), (1, rows), (1, rows), (1,)), strict=True)
    )
    w.custom("TFLite_Detection_PostProcess", [*read, held], list(outputs), flexbuffer(options))
    inputs = (sides[0][0], sides[1][0])
    stimulus = tuple(_bytes(rng, (IMAGES, *w.tensors[at]["shape"][1:]), dtype) for at in inputs)
    if each > 1:  # no equal scores of one anchor: their order is that of the C++ library
        step = 200 // (classes + background)
        low = np.iinfo(dtype).min + 40
        places = np.argsort(rng.random((IMAGES, *size[1:])), axis=2)
        stimulus = (stimulus[0], (low + step * places).astype(dtype))
    data = w.finish(list(inputs), list(outputs))
    return Detector(data, inputs, outputs, options, stimulus)  # type: ignore[arg-type]


def flexbuffer(options: dict[str, int | float | bool]) -> bytes:
    """Return options as the map that converters write."""
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, value in options.items():
            builder.Key(name)
            {bool: builder.Bool, int: builder.Int, float: builder.Float}[type(value)](value)
    return bytes(builder.Finish())


def _side(w: Writer, shape: Sequence[int], dtype: str, scale: float, zero: int) -> tuple[int, int]:
    x, y = (w.tensor(shape, dtype, scale, zero) for _ in range(2))
    w.op("RELU", [x], y, 2)
    return x, y


def _dequantized(w: Writer, at: int) -> int:
    y = w.tensor(w.tensors[at]["shape"], "float32")
    w.op("DEQUANTIZE", [at], y, 2)
    return y


def _bytes(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return random bytes, of half of the images few different ones."""
    limits = np.iinfo(dtype)
    x = rng.integers(limits.min, limits.max + 1, shape)
    x[::2] = x[::2] // 16 * 16
    return x.astype(dtype)


def hold(contract: str, count: int) -> Row:
    """Return the row of a contract over so many files."""
    row, made = Row(contract), {f"detection_{seed}": detection(seed) for seed in range(count)}
    if contract == "tflm":  # of several classes a box its classes hold scores, or it ends
        made = {k: m for k, m in made.items() if m.options["max_classes_per_detection"] == 1}
    asked = {
        name: Stimulus(m.data, dict(zip(m.inputs, m.stimulus, strict=True)), m.outputs)
        for name, m in made.items()
    }
    for name, answer in answers(contract, asked).items():
        if isinstance(answer, str):
            row.refused += 1
            continue
        row.models += 1
        compare(row, name, made[name], answer)
    return row


def compare(row: Row, name: str, made: Detector, answer: Answer) -> None:
    """Count in a row what differs between an engine's answer and the host's values."""
    model = convert(parse(made.data), contract_named(row.contract), name)
    x = dict(zip(model.inputs, map(answer_as_int8, made.stimulus), strict=True))
    host = run_host_tail(model, model.run(x).outputs)
    if host.left:
        raise AssertionError(f"{name}: not done: {host.left[0]}")
    names = [y.name for y in host_ops(model.metadata, TAIL)[-1].outputs]
    counts = answer.outputs[made.outputs[3]].reshape(-1)
    written = _written(made, counts.astype(int))
    for place, (at, output) in enumerate(zip(made.outputs, names, strict=True)):
        shape = (IMAGES, -1, 4) if place == 0 else (IMAGES, -1)
        theirs, ours = (
            np.ascontiguousarray(v.astype(np.float32)).reshape(shape)
            for v in (answer.outputs[at], host.values[output])
        )
        if place < 3:
            theirs, ours = theirs[written], ours[written]
        row.values += theirs.size
        row.differing += int(np.count_nonzero(theirs.view(np.int32) != ours.view(np.int32)))
    row.found += int(counts.sum())
    if row.differing and not row.first:
        row.first = name


def _written(made: Detector, counts: np.ndarray) -> np.ndarray:
    """Return which rows of each image the engine writes."""
    each = int(made.options["max_classes_per_detection"])
    rows = np.arange(int(made.options["max_detections"]) * each)
    if not made.fast:
        return np.tile(rows < int(made.options["max_detections"]), (len(counts), 1))
    used = min(each, int(made.options["num_classes"]))
    return (rows // each < counts[:, np.newaxis]) & (rows % each < used)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table."""
    head = ("contract", "files", "detections", "values", "differing", "first",
            "refused by the engine")  # fmt: skip
    cells = [
        (r.contract, str(r.models), f"{r.found:,}", f"{r.values:,}", f"{r.differing:,}",
         r.first or "-", str(r.refused or "-"))
        for r in rows
    ]  # fmt: skip
    yield from columns([head, *cells], left=(0, 5))
