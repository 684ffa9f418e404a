"""Op cases as lines of hexadecimal words, one per output value, that a testbench scans.

A block of lines is one case.  Comments start with ``//`` and stand before its values::

    // op conv2d, case saturation
    // reason: both saturations, by one (128 and -129 before the clamp) and by far
    // forms: 0 single, 1 single_away, ...
    // constant axis:uint8 01
    // columns: x:int8[4] weights:int8[4] ... acc:int32 y:int8

then, for every value of the output in C order (all values of image 0 first), the words of the
columns: lower-case hexadecimal, two's complement, as many digits as the dtype has nibbles, one
space between words.  ``[n]`` says n words.  What is the same on every line is a constant; a line
and the constants are all that its accumulator and output depend on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import InputError, VectorError
from ...golden.transpose_conv2d import met_inputs
from ...golden.windows import taps
from ...model.graph import Model, Op
from ...ops.fields import FORMS, Choice, Requantize
from ...ops.table import OPS
from ...support.arguments import checked
from ...support.quoting import short_repr
from ..cases.corners.case import Case

BITS = {"int8": 8, "uint8": 8, "int16": 16, "int32": 32, "uint32": 32, "int64": 64}
_WORD = {bits: re.compile(f"[0-9a-fA-F]{{{bits // 4}}}") for bits in set(BITS.values())}
LineValue = int | list[int]
Part = tuple[str, str, Any]
"""Name, dtype and values: (lines,) or (lines, n) of a column, one or (n,) of a constant."""

_DECLARED = re.compile(r"([a-z][a-z0-9_]*):([a-z0-9]+)(?:\[([0-9]{1,10})\])?")
_REQUANTIZE = ("form", "multiplier", "multiplier_low", "right_shift")


@dataclass(frozen=True)
class LineColumn:
    """A name with the dtype of its words and their number; None for a single one."""

    name: str
    dtype: str
    count: int | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.dtype}" + ("" if self.count is None else f"[{self.count}]")

    @property
    def words(self) -> int:
        """Words of this column on a line."""
        return 1 if self.count is None else self.count

    @property
    def layout(self) -> str:
        """The words as a ``%`` format of non-negative integers."""
        return " ".join([f"%0{BITS[self.dtype] // 4}x"] * self.words)

    def unsigned(self, values: Any) -> np.ndarray:
        """Return values as uint64 words of this width, shape (lines, words)."""
        words = np.asarray(values, np.int64).astype(np.uint64).reshape(-1, self.words)
        return words & np.uint64(2 ** BITS[self.dtype] - 1)

    def read(self, words: list[str], where: str) -> LineValue:
        """Return the integers of some words, or raise VectorError."""
        bits = BITS[self.dtype]
        is_word = _WORD[bits].fullmatch
        for word in words:
            if not is_word(word):
                raise VectorError(f"{where}: {word!r} is not {self.dtype} in hexadecimal")
        values = [int(word, 16) for word in words]
        if self.dtype.startswith("int"):
            sign = 1 << (bits - 1)
            values = [(value ^ sign) - sign for value in values]
        return values[0] if self.count is None else values


@dataclass(frozen=True)
class OpLines:
    """A block of lines as it was read: every value an int, or a list where a column has ``[n]``."""

    op: str
    case: str
    reason: str
    columns: tuple[LineColumn, ...]
    constants: dict[str, LineValue]
    rows: list[dict[str, LineValue]]

    __repr__ = short_repr


@checked
def op_lines(case: Case) -> Iterator[str]:
    """Yield the lines of a case, without line ends; the results are the golden model's.

    Raises
    ------
    InputError
        When the case's model has more than one op.
    """
    model = case.model
    if len(model.ops) != 1:
        raise InputError(f"case {case.name}: a model of {len(model.ops)} ops instead of one")
    op = model.ops[0]
    run = model.run(case.x, backend="golden", trace=True)
    yield f"// op {op.kind}, case {case.name}"
    yield f"// reason: {case.reason}"
    if any(name.startswith("requantize") for name in op.fields):
        yield f"// forms: {_numbered(FORMS)}"
    if "form" in op.fields:
        yield f"// forms of op: {_numbered(_choices(op))}"
    for part in _constants(model, op):
        column = _column(part, lines=False)
        yield f"// constant {column} {_row(column.layout, column.unsigned(part[2]))}"
    for i in range(len(run.output)):
        inputs = [case.x[name][i : i + 1] for name in op.inputs]
        columns = _COLUMNS[op.kind](model, op, *inputs)
        for name, results in (("acc", run.accumulators), ("y", run.tensors)):
            if op.output in results:
                columns.append(_result(name, op, results[op.output][i]))
        declared = [_column(part) for part in columns]
        if i == 0:
            yield f"// columns: {' '.join(map(str, declared))}"
        layout = " ".join(column.layout for column in declared)
        pairs = zip(declared, columns, strict=True)
        words = np.concatenate([column.unsigned(part[2]) for column, part in pairs], axis=1)
        for line in words:
            yield _row(layout, line)


def _numbered(names: tuple[str, ...]) -> str:
    return ", ".join(f"{i} {name}" for i, name in enumerate(names))


def _row(layout: str, words: np.ndarray) -> str:
    return layout % tuple(words.ravel().tolist())


def _column(part: Part, *, lines: bool = True) -> LineColumn:
    name, dtype, values = part
    shape = np.shape(values)[lines:]
    return LineColumn(name, dtype, shape[0] if shape else None)


def _result(name: str, op: Op, values: np.ndarray) -> Part:
    """Return the output or accumulator of an image: a value a line, for a softmax a row."""
    rows = values.reshape(-1, values.shape[-1]) if "softmax" in op.kind else values.ravel()
    return name, str(values.dtype), rows


def _constants(model: Model, op: Op) -> list[Part]:
    """Return what is the same on every line: fields and zero points that no column holds."""
    parts: list[Part] = []
    if "weights" in op.fields or op.kind == "global_avg_pool":
        return parts
    for name, value in model.arguments(op).items():
        if name in _IN_LINES or (op.kind, name) == ("rescale", "requantize"):
            continue  # the lines hold these, and the entries of a rescale
        if isinstance(value, Requantize):
            suffix = name.removeprefix("requantize")
            parts += [(n + suffix, d, v[0]) for n, d, v in _entries(value, np.zeros(1, int))]
        elif isinstance(value, np.ndarray):
            parts.append((name, str(value.dtype), value.ravel()))
        elif isinstance(value, tuple):
            signed = min(value) < 0
            parts.append((name, "int32" if signed else "uint32", np.array(value)))
        elif name == "form":
            parts.append((name + "_of_op", "uint8", _choices(op).index(value)))
        else:
            signed = name.startswith(("act_", "value")) or name.endswith("_zero_point")
            dtype = (
                "int8" if signed else "int32" if name in ("multiplier", "scale_bits") else "uint8"
            )
            dtype = "uint32" if name == "offset" else dtype
            parts.append((name, dtype, value))
    if op.kind == "concat":
        parts.append(("x1_extent", "uint32", model.tensor(op.inputs[0]).shape[op["axis"]]))
    return parts


_IN_LINES = ("kernel", "stride", "padding", "row0", "row1", "row_weight", "column0", "column1",
             "column_weight", "bias")  # fmt: skip
"""Fields of windows, and tables by output place or channel."""


def _choices(op: Op) -> tuple[str, ...]:
    choice = OPS[op.kind].fields["form"]
    return choice.values if isinstance(choice, Choice) else ()


def _entries(by: Requantize, channels: np.ndarray) -> list[Part]:
    """Return the parts of the entry of each of these channels."""
    which = channels if by.count > 1 else np.zeros_like(channels)
    forms = np.array([FORMS.index(form) for form in by.form])
    values = (forms, by.multiplier, by.multiplier_low, by.right_shift)
    dtypes = ("uint8", "int32", "int32", "uint8")
    named = zip(_REQUANTIZE, dtypes, values, strict=True)
    return [(name, dtype, value[which]) for name, dtype, value in named]


def _output(model: Model, op: Op, channels: np.ndarray) -> list[Part]:
    """Return how the accumulators of these channels become int8; nothing when they do not."""
    if op["requantize"] is None:
        return []
    same = {
        "y_zero_point": model.tensor(op.output).zero_point,
        "act_min": op["act_min"],
        "act_max": op["act_max"],
    }
    constants = [(name, "int8", np.full(channels.shape, v)) for name, v in same.items()]
    return [*_entries(op["requantize"], channels), *constants]


def _products(
    model: Model, op: Op, cells: np.ndarray, weights: np.ndarray, channels: np.ndarray
) -> list[Part]:
    """Return the columns of a multiply-accumulate: (lines, taps) of x and of the weights."""
    points = op["weight_zero_point"]
    zero = model.tensor(op.inputs[0]).zero_point
    return [
        ("x", "int8", cells),
        ("weights", "int8", weights),
        ("x_zero_point", "int8", np.full(channels.shape, zero)),
        ("weight_zero_point", "int8", points[channels if points.size > 1 else 0 * channels]),
        ("bias", "int32", op["bias"][channels]),
        *_output(model, op, channels),
    ]


def _under(op: Op, x: np.ndarray, kernel: tuple[int, int], fill: int) -> np.ndarray:
    """Return the cells under each window of one image: (windows, taps, channels)."""
    dilation = op.fields.get("dilation", (1, 1))
    cells = [c for _, _, c in taps(x, kernel, op["stride"], op["padding"], dilation, fill)]
    stacked = np.stack(cells, axis=3)
    return stacked.reshape(-1, *stacked.shape[3:])


def _conv2d(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    weights = op["weights"].reshape(len(op["weights"]), -1)
    zero = model.tensor(op.inputs[0]).zero_point
    cells = _under(op, x, op["weights"].shape[1:3], zero)
    cells = cells.reshape(len(cells), -1)
    channels = np.tile(np.arange(len(weights)), len(cells))
    spread = np.repeat(cells, len(weights), axis=0)
    return _products(model, op, spread, weights[channels], channels)


def _depthwise_conv2d(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    kernel_h, kernel_w, out_c = op["weights"].shape
    zero = model.tensor(op.inputs[0]).zero_point
    cells = _under(op, x, (kernel_h, kernel_w), zero)
    spread = np.repeat(cells, out_c // x.shape[-1], axis=2)
    channels = np.tile(np.arange(out_c), len(cells))
    weights = op["weights"].reshape(-1, out_c).T
    rows = spread.transpose(0, 2, 1).reshape(-1, kernel_h * kernel_w)
    return _products(model, op, rows, weights[channels], channels)


def _transpose_conv2d(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    weights = op["weights"].reshape(len(op["weights"]), -1)
    zero = model.tensor(op.inputs[0]).zero_point
    met = met_inputs(x, op["weights"].shape[1:3], op["stride"], op["padding"], zero)
    cells = met.reshape(-1, weights.shape[1])
    channels = np.tile(np.arange(len(weights)), len(cells))
    return _products(model, op, np.repeat(cells, len(weights), 0), weights[channels], channels)


def _fully_connected(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    channels = np.arange(len(op["weights"]))
    vector = np.repeat(x.reshape(1, -1), len(channels), axis=0)
    return _products(model, op, vector, op["weights"], channels)


def _global_avg_pool(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    channels = np.arange(x.shape[-1])
    zero = np.full(channels.shape, model.tensor(op.inputs[0]).zero_point)
    cells = x.reshape(-1, len(channels)).T
    return [("x", "int8", cells), ("x_zero_point", "int8", zero), *_output(model, op, channels)]


def _pool(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    """Return the valid cells of each window, in kernel order, their number first, then zeros."""
    cells = _under(op, x, op["kernel"], 0).transpose(0, 2, 1)
    valid = _under(op, np.ones_like(x), op["kernel"], 0).transpose(0, 2, 1)
    order = np.argsort(valid == 0, axis=2, kind="stable")
    size = cells.shape[2]
    ordered = np.take_along_axis(cells, order, axis=2).reshape(-1, size)
    return [("valid", "uint32", valid.sum(axis=2).ravel()), ("x", "int8", ordered)]


def _elementwise(model: Model, op: Op, *inputs: np.ndarray) -> list[Part]:
    return [(n, "int8", x.ravel()) for n, x in zip(op.spec.inputs, inputs, strict=True)]


def _softmax(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    return [("x", "int8", x.reshape(-1, x.shape[-1]))]


def _rescale(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    channels = np.tile(np.arange(x.shape[-1]), x.size // x.shape[-1])
    return [("x", "int32", x.ravel()), *_entries(op["requantize"], channels)]


def _argmax(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    return [("x", x.dtype.name, x.reshape(-1, x.shape[-1]))]


def _concat(model: Model, op: Op, x1: np.ndarray, x2: np.ndarray) -> list[Part]:
    """Return where each value stands in y, from which input it comes, and from where there."""
    axis, shape = op["axis"], model.tensor(op.output).shape
    at = _places(shape)
    first = x1.shape[axis + 1]
    second = at[:, axis] >= first
    origin = at.copy()
    origin[second, axis] -= first
    values = np.empty(len(at), np.int8)
    for x, chosen in ((x1, ~second), (x2, second)):
        values[chosen] = x[0][tuple(origin[chosen].T)]
    return [
        ("at", "uint32", at),
        ("input", "uint8", second + 1),
        ("input_at", "uint32", origin),
        ("x", "int8", values),
    ]


def _pad(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    """Return where each value stands in y, whether it is one of x, and from where there."""
    at = _places(model.tensor(op.output).shape)
    shape = np.array(x.shape[1:])
    origin = at - np.array(op["before"])[: len(shape)]
    inside = ((origin >= 0) & (origin < shape)).all(axis=1)
    values = np.zeros(len(at), np.int8)
    values[inside] = x[0][tuple(origin[inside].T)]
    origin[~inside] = 0
    return [
        ("at", "uint32", at), ("inside", "uint8", inside), ("input_at", "uint32", origin),
        ("x", "int8", values),
    ]  # fmt: skip


def _reshape(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    """Return where each value stands in y, and where in x."""
    at, origin = _places(model.tensor(op.output).shape), _places(x.shape[1:])
    return [("at", "uint32", at), ("input_at", "uint32", origin), ("x", "int8", x.ravel())]


def _strided_copy(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    """Return which value of y each is, and its address in x."""
    n = np.arange(model.tensor(op.output).size)
    indices = np.stack(np.unravel_index(n, op["counts"]), axis=1)
    address = op["offset"] + (indices * np.array(op["strides"])).sum(axis=1)
    return [("n", "uint32", n), ("address", "uint32", address), ("x", "int8", x.ravel()[address])]


def _gather(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    """Return where each value stands in y, and where in x."""
    at = _places(model.tensor(op.output).shape)
    origin = at.copy()
    origin[:, op["axis"]] = op["indices"][at[:, op["axis"]]]
    values = x[0][tuple(origin.T)]
    return [("at", "uint32", at), ("input_at", "uint32", origin), ("x", "int8", values)]


def _resize_bilinear(model: Model, op: Op, x: np.ndarray) -> list[Part]:
    """Return the four values of each place, rows before columns, and the weights of the second."""
    places = _places(model.tensor(op.output).shape)
    oy, ox, c = places.T
    cells = [x[0][op[row][oy], op[column][ox], c]
             for row in ("row0", "row1") for column in ("column0", "column1")]  # fmt: skip
    return [
        ("x", "int8", np.stack(cells, axis=1)),
        ("row_weight", "uint32", op["row_weight"][oy]),
        ("column_weight", "uint32", op["column_weight"][ox]),
    ]


def _matmul(model: Model, op: Op, x1: np.ndarray, x2: np.ndarray) -> list[Part]:
    """Return the two rows of each value, and the bias of its column."""
    shape = model.tensor(op.output).shape
    *batch, row, column = _places(shape).T
    pairs = [x[0][(*batch, at)] for x, at in ((x1, row), (x2, column))]
    return [
        ("x1", "int8", pairs[0]), ("x2", "int8", pairs[1]), ("bias", "int32", op["bias"][column])
    ]  # fmt: skip


def _places(shape: tuple[int, ...]) -> np.ndarray:
    """Return every place of a tensor in C order, shape (values, dimensions)."""
    return np.stack(np.unravel_index(np.arange(int(np.prod(shape))), shape), axis=1)


_COLUMNS: dict[str, Callable[..., list[Part]]] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "fully_connected": _fully_connected,
    "lut": _elementwise,
    "pwl": _elementwise,
    "max_pool2d": _pool,
    "avg_pool2d": _pool,
    "global_avg_pool": _global_avg_pool,
    "add": _elementwise,
    "softmax": _softmax,
    "rescale": _rescale,
    "argmax": _argmax,
    "mul": _elementwise,
    "concat": _concat,
    "pad": _pad,
    "reshape": _reshape,
    "softmax_float32": _softmax,
    "strided_copy": _strided_copy,
    "gather": _gather,
    "transpose_conv2d": _transpose_conv2d,
    "resize_bilinear": _resize_bilinear,
    "maximum": _elementwise,
    "minimum": _elementwise,
    "lut2d": _elementwise,
    "matmul": _matmul,
    "log_softmax": _softmax,
    "log_softmax_float32": _softmax,
}


@checked
def read_op_lines(text: str) -> list[OpLines]:
    """Return the blocks of a text that `op_lines` wrote, one or several cases after another.

    Raises
    ------
    VectorError
        Naming the line and what is wrong with it.
    """
    blocks: list[OpLines] = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"line {number}"
        if match := re.fullmatch(r"// op (\w+), case (\w+)", line):
            blocks.append(OpLines(match[1], match[2], "", (), {}, []))
        elif not line.strip():
            continue
        elif not blocks:
            raise VectorError(f"{where}: {line[:60]!r} before the first case")
        elif line.startswith("// reason: "):
            blocks[-1] = replace(blocks[-1], reason=line.removeprefix("// reason: "))
        elif line.startswith("// constant "):
            declared, _, words = line.removeprefix("// constant ").partition(" ")
            column = _declaration(declared, where)
            blocks[-1].constants[column.name] = read_row((column,), words, where)[column.name]
        elif line.startswith("// columns: "):
            blocks[-1] = replace(blocks[-1], columns=read_columns(line, where))
        elif not line.startswith("//"):
            blocks[-1].rows.append(read_row(blocks[-1].columns, line, where))
    for block in blocks:
        if not block.rows:
            raise VectorError(f"case {block.case} of {block.op}: no lines")
    if not blocks:
        raise VectorError("no line: a text of op cases is needed")
    return blocks


def read_columns(line: str, where: str) -> tuple[LineColumn, ...]:
    """Return the columns that a head comment declares, or raise VectorError."""
    columns = tuple(_declaration(w, where) for w in line.removeprefix("// columns: ").split())
    if len({column.name for column in columns}) < len(columns):
        raise VectorError(f"{where}: a column twice")
    return columns


def read_row(columns: tuple[LineColumn, ...], line: str, where: str) -> dict[str, LineValue]:
    """Return the values of a line by column, or raise VectorError."""
    words = line.split()
    expected = sum(column.words for column in columns)
    if len(words) != expected:
        raise VectorError(f"{where}: {len(words)} words instead of {expected}")
    row, start = {}, 0
    for column in columns:
        row[column.name] = column.read(words[start : start + column.words], where)
        start += column.words
    return row


def _declaration(text: str, where: str) -> LineColumn:
    match = _DECLARED.fullmatch(text)
    if not match or match[2] not in BITS:
        raise VectorError(f"{where}: {text[:60]!r} is not NAME:DTYPE or NAME:DTYPE[COUNT]")
    return LineColumn(match[1], match[2], None if match[3] is None else int(match[3]))
