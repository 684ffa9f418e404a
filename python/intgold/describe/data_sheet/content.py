"""What the data sheet of a model says: tensors, then each op with constants and worked elements."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np

from ...document.blocks import DocumentBlock, Heading, Paragraph, Preformatted, Table
from ...document.html_page import to_html
from ...document.markdown import to_markdown
from ...model.budget import check_work
from ...model.graph import Model, Op
from ...ops.fields import Requantize
from ...support.file_kinds import SHEET
from ...support.safe_files import replacing
from ...vectors.cases.stimulus import stimulus
from ..footprint import footprint
from ..summary import notes
from .arithmetic_trace import formula
from .formulas import op_formula
from .worked_examples import TracedOp, worked_elements

_IMAGES = 8  # built-in ones: strokes, noise, corners
_MAX_VALUES = 2**24  # of a tensor of all images; a larger one is shown with fewer images
_ROWS = 32  # of a table of channels

_TABLES: dict[str, tuple[str, Callable[[int], str]]] = {
    "lut": ("x = -128", str),
    "lut2d": ("x1 = x2 = -128", str),
    "softmax_float32": ("difference -255", "{:08x}".format),
    "log_softmax_float32": ("difference -255", "{:08x}".format),
}
"""Of each op with a table: what its first entry is for, and how an entry is shown."""
_NO_ZERO_POINT = (
    "lut",
    "pwl",
    "max_pool2d",
    "softmax",
    "rescale",
    "argmax",
    "concat",
    "pad",
    "reshape",
    "softmax_float32",
    "strided_copy",
    "gather",
    "resize_bilinear",
    "maximum",
    "minimum",
    "lut2d",
    "log_softmax",
    "log_softmax_float32",
)


def _uses_zero_points(op: Op) -> bool:
    return op.kind not in _NO_ZERO_POINT and op.fields.get("form") not in ("raw_away", "raw_up")


def data_sheet(model: Model) -> list[DocumentBlock]:
    """Return the data sheet: tensors, then per op formula, constants and worked elements.

    The elements are those of a golden run on built-in images; every worked result is compared
    with it.

    Raises
    ------
    IntgoldError
        When a worked result is not the golden model's, or an image takes too many operations.
    """
    check_work(model)
    count = max(1, min(_IMAGES, _MAX_VALUES // max(t.size for t in model.tensors)))
    x = stimulus(model, "builtin", count, 0)
    run = model.run(x, backend="golden", trace=True)
    live = {**x, **run.tensors}
    blocks: list[DocumentBlock] = [
        Heading(f"{model.name}: arithmetic data sheet"),
        Paragraph(
            " ".join([f"Contract {model.contract}, content SHA-256 {model.sha256}.", *notes(model)])
        ),
        Paragraph(
            "Exact integers throughout. int8 and int32 are two's complement; >> is the "
            "arithmetic shift (floor); clamp(v, lo, hi) = max(lo, min(v, hi)). A real is "
            "(q - zero point) * scale; no scale is needed to compute. Of a requantize entry, "
            "m is the multiplier and t the right_shift."
        ),
        Paragraph(
            f"The worked elements are of the built-in images: intgold vectors MODEL "
            f"--count {count} --seed 0 writes these images, every tensor and accumulator, and "
            "all weights, which are too many for this page. Images count from 0; an element's "
            "coordinate is (y, x, channel)."
        ),
        Heading("Tensors", 2),
        _tensors(model),
    ]
    for op in model.ops:
        traced = TracedOp(
            model, op, [live[n] for n in op.inputs], live[op.output],
            run.accumulators.get(op.output),
        )  # fmt: skip
        blocks += _op_blocks(model, op, traced)
    return blocks


def _tensors(model: Model) -> Table:
    head = ("tensor", "made by", "dtype", "shape (h, w, c)", "zero point", "scale (metadata)")
    makers = {op.output: op.name for op in model.ops}
    rows = (
        (t.name, makers.get(t.name, "input"), t.dtype, " x ".join(map(str, t.shape)),
         str(t.zero_point), "-" if t.scale is None else f"{t.scale:.9g}")
        for t in model.tensors
    )  # fmt: skip
    return Table(head, tuple(rows))


def _op_blocks(model: Model, op: Op, traced: TracedOp) -> Iterator[DocumentBlock]:
    yield Heading(f"{op.name}: {op.kind} (SPEC {op.spec.clause})", 2)
    yield Paragraph(f"{', '.join(op.inputs)} -> {op.output}; {op.spec.summary}.")
    yield Preformatted(op_formula(op))
    yield Table(("constant", "value"), tuple(_constants(model, op)))
    for name, value in op.fields.items():
        if isinstance(value, Requantize):
            what = _argument(op, name)
            forms = (f"{name}, {f}{what}: {formula(f)}" for f in sorted(set(value.form)))
            yield Preformatted("\n".join(forms))
            yield _entries(name, value)
    if "table" in op.fields:
        first, each = _TABLES[op.kind]
        entries = [each(v) for v in op["table"].ravel().tolist()]
        lines = (
            " ".join(f"{e:>4}" for e in entries[i : i + 16]) for i in range(0, len(entries), 16)
        )
        yield Paragraph(f"The table, entry 0 ({first}) first, 16 a line:")
        yield Preformatted("\n".join(lines))
    bounds = model.bounds[op.name]
    if bounds.lo is not None and bounds.hi is not None:
        yield Paragraph(
            f"Every accumulator and partial sum lies in [{int(bounds.lo.min())}, "
            f"{int(bounds.hi.max())}]: {bounds.bits} bits."
        )
    yield Paragraph(f"Constants: {footprint(op).total} bytes.")
    for element in worked_elements(traced):
        at = f"image {element.image}, {op.output}{list(element.place)}"
        yield Heading(f"{at}: {element.why}", 3)
        yield Preformatted("\n".join(element.lines))


def _argument(op: Op, name: str) -> str:
    """Return what the argument of R is, where that is not the op's accumulator."""
    if op.kind == "rescale":
        return ", acc being x"
    if name == "requantize":
        return ""
    return f", acc being (x{name[-1]} - zero_x{name[-1]}) * 2^left_shift"


def _constants(model: Model, op: Op) -> Iterator[tuple[str, str]]:
    for name, tensor in zip((*op.spec.inputs, "y"), (*op.inputs, op.output), strict=True):
        if _uses_zero_points(op):
            yield f"zero_{name}", str(model.tensor(tensor).zero_point)
    for name, value in op.fields.items():
        if isinstance(value, Requantize) or name == "weight_scale" or value is None:
            continue
        if name in ("act_min", "act_max") and op.fields.get("requantize", True) is None:
            continue
        if isinstance(value, np.ndarray):
            shown = f"{value.dtype} {' x '.join(map(str, value.shape))}"
            few = name != "table" and value.size <= _ROWS
            shown += f": {', '.join(map(str, value.ravel().tolist()))}" if few else ""
            yield name, shown
        else:
            yield name, str(value)


def _entries(name: str, by: Requantize) -> Table:
    head = (name, "form", "m", "m (hex)", "t", "low")
    rows: list[tuple[str, ...]] = []
    for c in range(min(by.count, _ROWS)):
        m, t, low = int(by.multiplier[c]), int(by.right_shift[c]), int(by.multiplier_low[c])
        label = "all" if by.count == 1 else f"channel {c}"
        rows.append((label, by.form[c], str(m), f"0x{m:08x}", str(t), str(low)))
    if by.count > _ROWS:
        rows.append((f"{by.count - _ROWS} more: see intgold info --json", "", "", "", "", ""))
    columns = 6 if by.multiplier_low.any() else 5  # low: only of form float64
    return Table(head[:columns], tuple(row[:columns] for row in rows))


def write_sheet(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the data sheet as Markdown or as one HTML page, by the ending of the name.

    Raises
    ------
    IntgoldError
        When the name has another ending, the file cannot be written, or one that is there and not
        empty is no data sheet of intgold, or was changed since.
    """
    suffix = SHEET.suffix(path)
    blocks = data_sheet(model)
    text = to_markdown(blocks) if suffix == ".md" else to_html(blocks, "data sheet")
    with replacing(path, SHEET) as file:
        file.write(text.encode())
