"""The data sheet as a list of blocks, and its two renderings: Markdown and HTML."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...model.budget import check_work
from ...model.graph import Model, Op
from ...ops.fields import Requantize
from ...support.file_kinds import SHEET, html_start
from ...support.quoting import short_repr
from ...support.safe_files import replacing
from ...vectors.cases.stimulus import stimulus
from ..footprint import footprint
from ..summary import notes
from .arithmetic_trace import formula
from .worked_examples import TracedOp, worked_elements

_IMAGES = 8  # built-in ones: strokes, noise, corners
_MAX_VALUES = 2**24  # of a tensor of all images; a larger one is shown with fewer images
_ROWS = 32  # of a table of channels


@dataclass(frozen=True)
class DocumentBlock:
    """A heading (level 1 to 3), a paragraph (0), a table or lines of arithmetic."""

    __repr__ = short_repr

    kind: str
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


_FORMULAS = {
    "conv2d": "acc(oy,ox,oc) = bias(oc) + sum over valid taps of "
    "(x(iy,ix,ic) - zero_x) * (w(oc,ky,kx,ic) - zero_w(oc)), "
    "iy = oy*stride_h - pad_top + ky*dilation_h, ix alike; padded taps add nothing",
    "depthwise_conv2d": "acc(oy,ox,oc) = bias(oc) + sum over valid taps of "
    "(x(iy,ix,ic) - zero_x) * (w(ky,kx,oc) - zero_w(oc)), ic = oc div (out_c / in_c); "
    "iy = oy*stride_h - pad_top + ky*dilation_h, ix alike; padded taps add nothing",
    "fully_connected": "acc(oc) = bias(oc) + sum of (x(i) - zero_x) * (w(oc,i) - zero_w(oc)), "
    "x flattened as (height, width, channel)",
    "lut": "y = table[x + 128]",
    "pwl": "k = the last segment with breakpoint(k) <= x;  acc = slope(k)*x + offset(k);  "
    "y = clamp((acc + 2^(frac_bits-1)) >> frac_bits, act_min, act_max); acc itself for frac_bits 0",
    "max_pool2d": "y(oy,ox,c) = clamp(largest valid x(iy,ix,c), act_min, act_max), "
    "iy = oy*stride_h - pad_top + ky, ix alike; padded cells do not count",
    "global_avg_pool": "acc(c) = sum over height and width of (x - zero_x)",
    "add": "u1 = R1((x1 - zero_x1) * 2^left_shift), R1 by requantize1;  "
    "u2 alike by requantize2;  acc = u1 + u2; u1 - u2 in form shared_scale_difference",
    "softmax": "diff(i) = x(i) - max x of the row; e(i) = 0 and y(i) = -128 where "
    "diff(i) < -floor(31*2^26 / 2^left_shift)\n"
    "P(a,b) = (a*b + 2^30) >> 31;  e(i) = EXP(P(diff(i)*2^left_shift, multiplier)), SPEC 5.10.2\n"
    "s = sum of away(e(i), 12);  L = 32 - bits(s);  g = REC(s*2^L - 2^31), SPEC 5.10.4\n"
    "y(i) = clamp(away(P(g, e(i)), 35 - L) - 128, -128, 127);  "
    "away(p,t) = sign(p) * ((|p| + 2^(t-1)) >> t)",
    "rescale": "y = R(x), saturated to int32",
    "argmax": "y = index of the largest value of the last dimension, ties to the lowest",
    "mul": "acc = (x1 - zero_x1) * (x2 - zero_x2)",
    "concat": "the values of x1, then those of x2, along the axis",
    "pad": "x with `before` cells before each dimension and `after` cells after it, all `value`",
    "reshape": "the values of x in C order, in another shape",
    "softmax_float32": "e(i) = float32 with the bits table[255 + x(i) - max x of the row]\n"
    "s = e(0) + e(1) + ... in this order, each sum to 24 significant bits, ties to even\n"
    "s = S * 2^(j-149), S of 24 bits;  g = floor((2^47 + floor(S/2)) / S)\n"
    "p(i) = e(i) * 2^149 * g to 24 significant bits;  T = 39 + j\n"
    "y(i) = clamp(r(i) - 128, -128, 127), r(i) = (p(i) + 2^(T-1)) >> T;  "
    "in form half_added p(i) + 2^(T-1) to 24 significant bits first",
}

_TABLES: dict[str, tuple[str, Callable[[int], str]]] = {
    "lut": ("x = -128", str),
    "softmax_float32": ("difference -255", "{:08x}".format),
}
"""Of each op with a table: what its first entry is for, and how an entry is shown."""
_AVERAGES = {
    "raw_away": "acc = sum over the n valid cells of x;  "
    "y = clamp(sign(acc) * floor((|acc| + floor(n/2)) / n), act_min, act_max)",
    "raw_up": "acc = sum over the n valid cells of x;  "
    "y = clamp(floor((acc + floor(n/2)) / n), act_min, act_max)",
    "centred_away": "acc = sum over the n valid cells of (x - zero_x);  "
    "y = clamp(zero_y + sign(acc) * floor((|acc| + floor(n/2)) / n), act_min, act_max)",
}
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
)


def _formula(op: Op) -> str:
    """Return the formula of an op, with what follows from its own fields."""
    if op.kind == "avg_pool2d":
        return f"{_AVERAGES[op['form']]};  cells as for a convolution, padded ones not counted"
    if "requantize" not in op.fields or op.kind == "rescale":
        return _FORMULAS[op.kind]
    last = "clamp(zero_y + R(acc), act_min, act_max)"
    return (
        f"{_FORMULAS[op.kind]}\ny = {last if op['requantize'] else 'acc, int32: not requantized'}"
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
    blocks = [
        DocumentBlock("heading", f"{model.name}: arithmetic data sheet", 1),
        DocumentBlock("text",
              " ".join([f"Contract {model.contract}, content SHA-256 {model.sha256}.",
                        *notes(model)])),
        DocumentBlock("text",
              "Exact integers throughout. int8 and int32 are two's complement; >> is the "
              "arithmetic shift (floor); clamp(v, lo, hi) = max(lo, min(v, hi)). A real is "
              "(q - zero point) * scale; no scale is needed to compute. Of a requantize entry, "
              "m is the multiplier and t the right_shift."),
        DocumentBlock("text",
              f"The worked elements are of the built-in images: intgold vectors MODEL "
              f"--count {count} --seed 0 writes these images, every tensor and accumulator, and "
              "all weights, which are too many for this page. Images count from 0; an element's "
              "coordinate is (y, x, channel)."),
        DocumentBlock("heading", "Tensors", 2),
        _tensors(model),
    ]  # fmt: skip
    for op in model.ops:
        traced = TracedOp(
            model, op, [live[n] for n in op.inputs], live[op.output],
            run.accumulators.get(op.output),
        )  # fmt: skip
        blocks += _op_blocks(model, op, traced)
    return blocks


def _tensors(model: Model) -> DocumentBlock:
    rows = [("tensor", "made by", "dtype", "shape (h, w, c)", "zero point", "scale (metadata)")]
    makers = {op.output: op.name for op in model.ops}
    for t in model.tensors:
        rows.append(
            (t.name, makers.get(t.name, "input"), t.dtype, " x ".join(map(str, t.shape)),
             str(t.zero_point), "-" if t.scale is None else f"{t.scale:.9g}")
        )  # fmt: skip
    return DocumentBlock("table", rows=tuple(rows))


def _op_blocks(model: Model, op: Op, traced: TracedOp) -> list[DocumentBlock]:
    bounds, used = model.bounds[op.name], footprint(op)
    blocks = [
        DocumentBlock("heading", f"{op.name}: {op.kind} (SPEC {op.spec.clause})", 2),
        DocumentBlock("text", f"{', '.join(op.inputs)} -> {op.output}; {op.spec.summary}."),
        DocumentBlock("lines", _formula(op)),
        DocumentBlock("table", rows=_constants(model, op)),
    ]
    for name, value in op.fields.items():
        if isinstance(value, Requantize):
            forms = sorted(set(value.form))
            what = (
                ""
                if name == "requantize" and op.kind != "rescale"
                else (
                    ", acc being x"
                    if op.kind == "rescale"
                    else f", acc being (x{name[-1]} - zero_x{name[-1]}) * 2^left_shift"
                )
            )
            descriptions = (f"{name}, {f}{what}: {formula(f)}" for f in forms)
            blocks.append(DocumentBlock("lines", "\n".join(descriptions)))
            blocks.append(DocumentBlock("table", rows=_entries(name, value)))
    if "table" in op.fields:
        first, each = _TABLES[op.kind]
        entries = [each(v) for v in op["table"].tolist()]
        lines = (" ".join(f"{e:>4}" for e in entries[i : i + 16]) for i in range(0, 256, 16))
        blocks.append(DocumentBlock("text", f"The table, entry 0 ({first}) first, 16 a line:"))
        blocks.append(DocumentBlock("lines", "\n".join(lines)))
    if bounds.lo is not None and bounds.hi is not None:
        blocks.append(
            DocumentBlock(
                "text",
                f"Every accumulator and partial sum lies in [{int(bounds.lo.min())}, "
                f"{int(bounds.hi.max())}]: {bounds.bits} bits.",
            )
        )
    blocks.append(DocumentBlock("text", f"Constants: {used.total} bytes."))
    for element in worked_elements(traced):
        at = f"image {element.image}, {op.output}{list(element.place)}"
        blocks.append(DocumentBlock("heading", f"{at}: {element.why}", 3))
        blocks.append(DocumentBlock("lines", "\n".join(element.lines)))
    return blocks


def _constants(model: Model, op: Op) -> tuple[tuple[str, ...], ...]:
    rows = [("constant", "value")]
    for name, tensor in zip((*op.spec.inputs, "y"), (*op.inputs, op.output), strict=True):
        if _uses_zero_points(op):
            rows.append((f"zero_{name}", str(model.tensor(tensor).zero_point)))
    for name, value in op.fields.items():
        if isinstance(value, Requantize) or name == "weight_scale" or value is None:
            continue
        if name in ("act_min", "act_max") and op.fields.get("requantize", True) is None:
            continue
        if isinstance(value, np.ndarray):
            shown = f"{value.dtype} {' x '.join(map(str, value.shape))}"
            few = name != "table" and value.size <= _ROWS
            shown += f": {', '.join(map(str, value.ravel().tolist()))}" if few else ""
            rows.append((name, shown))
        else:
            rows.append((name, str(value)))
    return tuple(rows)


def _entries(name: str, by: Requantize) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = [(name, "form", "m", "m (hex)", "t", "low")]
    for c in range(min(by.count, _ROWS)):
        m, t, low = int(by.multiplier[c]), int(by.right_shift[c]), int(by.multiplier_low[c])
        label = "all" if by.count == 1 else f"channel {c}"
        rows.append((label, by.form[c], str(m), f"0x{m:08x}", str(t), str(low)))
    if by.count > _ROWS:
        rows.append((f"{by.count - _ROWS} more: see intgold info --json", "", "", "", "", ""))
    columns = 6 if by.multiplier_low.any() else 5  # low: only of form float64
    return tuple(row[:columns] for row in rows)


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
    text = to_markdown(blocks) if suffix == ".md" else to_html(blocks)
    with replacing(path, SHEET) as file:
        file.write(text.encode())


def to_markdown(blocks: Sequence[DocumentBlock]) -> str:
    """Return the blocks as Markdown."""
    parts = []
    for block in blocks:
        if block.kind == "heading":
            parts.append(f"{'#' * block.level} {block.text}")
        elif block.kind == "text":
            parts.append(block.text)
        elif block.kind == "lines":
            parts.append(f"```text\n{block.text}\n```")
        else:
            head, *rows = ["| " + " | ".join(row) + " |" for row in block.rows]
            parts.append("\n".join([head, "|" + "---|" * len(block.rows[0]), *rows]))
    return "\n\n".join(parts) + "\n"


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.6rem 0}
td,th{border:1px solid #8888;padding:.15rem .6rem;text-align:left}
pre{background:#8882;padding:.5rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere}
h2{border-top:1px solid #8888;padding-top:.8rem;margin-top:2rem}
h3{font-size:1rem;margin-bottom:.2rem}
@media print{h2{break-before:auto}h3,pre,table{break-inside:avoid}}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}
"""


def to_html(blocks: Sequence[DocumentBlock]) -> str:
    """Return the blocks as one page of HTML that needs nothing else."""
    parts = []
    for block in blocks:
        text = html.escape(block.text)
        if block.kind == "heading":
            parts.append(f"<h{block.level}>{text}</h{block.level}>")
        elif block.kind == "text":
            parts.append(f"<p>{text}</p>")
        elif block.kind == "lines":
            parts.append(f"<pre>{text}</pre>")
        else:
            rows = []
            for i, row in enumerate(block.rows):
                tag = "td" if i else "th"
                cells = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
                rows.append(f"<tr>{cells}</tr>")
            parts.append(f"<table>{''.join(rows)}</table>")
    title = html.escape(blocks[0].text)
    return (
        f"{html_start('data sheet')}<title>{title}</title>"
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )
