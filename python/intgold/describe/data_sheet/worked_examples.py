"""Single elements of an op worked through, each compared with the golden model's trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ...errors import IntgoldError
from ...model.graph import Model, Op
from ...ops.fields import Requantize
from ...support.quoting import short_repr
from .arithmetic_trace import (
    ArithmeticTrace,
    away,
    clamped,
    some_of,
    trace_requantize,
    up,
)
from .worked_rows import ROW_WALKS, RowWalk

PRODUCTS_SHOWN = 9
"""Products that are written out; the rest is one partial sum."""


@dataclass(frozen=True)
class WorkedElement:
    """One output value and the arithmetic that leads to it.

    Parameters
    ----------
    image : int
    place : tuple of int
        In the output tensor.
    why : str
        What it shows.
    lines : list of str
    """

    __repr__ = short_repr

    image: int
    place: tuple[int, ...]
    why: str
    lines: list[str]


@dataclass(frozen=True, eq=False)
class TracedOp:
    """An op with the golden tensors around it, of a few images."""

    __repr__ = short_repr

    model: Model
    op: Op
    inputs: list[np.ndarray]
    y: np.ndarray
    acc: np.ndarray | None

    @property
    def zero_points(self) -> list[int]:
        """Of the inputs, then of the output."""
        names = (*self.op.inputs, self.op.output)
        return [self.model.tensor(name).zero_point for name in names]


def worked_elements(traced: TracedOp, count: int = 3) -> list[WorkedElement]:
    """Return elements of an op worked through.

    Parameters
    ----------
    traced : TracedOp
    count : int
        How many; fewer where the output has fewer values.

    Raises
    ------
    IntgoldError
        When the arithmetic does not come to the golden model's value: one of them is wrong.
    """
    elements = []
    for why, index in _instructive(traced, count):
        place = tuple(int(i) for i in np.unravel_index(index, traced.y.shape))
        elements.append(WorkedElement(place[0], place[1:], why, worked_lines(traced, place)))
    return elements


def worked_lines(
    traced: TracedOp, place: tuple[int, ...], products: int = PRODUCTS_SHOWN
) -> list[str]:
    """Return the arithmetic of one element, line by line.

    Parameters
    ----------
    traced : TracedOp
    place : tuple of int
        Image and coordinate.
    products : int
        How many summands are written out.

    Raises
    ------
    IntgoldError
        When the arithmetic does not come to the golden model's value: one of them is wrong.
    """
    steps = ArithmeticTrace(products=products)
    made = _WALKS[traced.op.kind](traced, place, steps)
    expected = int(traced.y[place])
    if made != expected:
        raise IntgoldError(f"op {traced.op.name} at {place}: worked {made}, golden {expected}")
    return steps.lines


def _instructive(traced: TracedOp, count: int) -> list[tuple[str, int]]:
    """Return (reason, flat index) of values that show most: ordinary, first, at a limit."""
    y = traced.y.ravel().astype(np.int64)
    acc = y if traced.acc is None else traced.acc.ravel().astype(np.int64)
    lo, hi = traced.op.fields.get("act_min", -128), traced.op.fields.get("act_max", 127)
    inner = (y > lo) & (y < hi) if traced.y.dtype == np.int8 else np.ones(y.shape, bool)
    what = "value" if traced.acc is None else "accumulator"
    at_limit = "at an end of the clamp" if "act_min" in traced.op.fields else "at an end of int8"
    size = np.abs(acc)
    middle = int(np.argsort(np.where(inner, size, -1), kind="stable")[-(inner.sum() // 2 or 1)])
    picks = [("an ordinary value" if inner[middle] else "a clamped value", middle)]
    picks.append(("the first value", 0))
    if (~inner).any():
        # Of the clamped ones that with the largest accumulator.
        picks.append((at_limit, int(np.where(inner, -1, size).argmax())))
    picks += [
        (f"the {what} of largest magnitude", int(size.argmax())),
        (f"the smallest {what}", int(acc.argmin())),
        ("the last value", y.size - 1),
        ("another value", y.size // 2),
    ]
    chosen: dict[int, str] = {}
    for why, index in picks:
        chosen.setdefault(index, why)
    return [(why, index) for index, why in list(chosen.items())[:count]]


def _sum(
    steps: ArithmeticTrace, bias: int | None, terms: list[tuple[str, int]], what: str = "acc"
) -> int:
    """Return the sum of bias and terms, with the first terms written out."""
    parts = [] if bias is None else [str(bias)]
    shown = steps.products
    parts += [text for text, _ in terms[:shown]]
    total = (bias or 0) + sum(value for _, value in terms)
    if len(terms) > shown:
        more = sum(value for _, value in terms[shown:])
        parts.append(f"[{len(terms) - shown} more: {more}]")
    steps.say(f"{what} = {' + '.join(parts) or '0'} = {total}")
    return total


def _hold(traced: TracedOp, place: tuple[int, ...], acc: int) -> None:
    """Raise IntgoldError unless the golden accumulator is this one."""
    assert traced.acc is not None
    if int(traced.acc[place]) != acc:
        raise IntgoldError(
            f"op {traced.op.name} at {place}: worked accumulator {acc}, golden "
            f"{int(traced.acc[place])}"
        )


def _finish(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace, acc: int) -> int:
    """Return the output of an accumulator: requantized and clamped, or itself."""
    _hold(traced, place, acc)
    by = traced.op["requantize"]
    if by is None:
        steps.say(f"y = acc = {acc} (int32)")
        return acc
    value = trace_requantize(steps, acc, *_entry(by, place[-1]))
    return _clamp(traced, steps, value)


def _clamp(traced: TracedOp, steps: ArithmeticTrace, value: int) -> int:
    point, op = traced.zero_points[-1], traced.op
    return clamped(steps, value, point, op["act_min"], op["act_max"])


def _entry(by: Requantize, channel: int) -> tuple[str, int, int, int]:
    c = channel if by.count > 1 else 0
    return by.form[c], int(by.multiplier[c]), int(by.right_shift[c]), int(by.multiplier_low[c])


def _term(x: int, zero: int, w: int, weight_zero: int) -> tuple[str, int]:
    return f"{_less(x, zero)}*{_less(w, weight_zero)}", (x - zero) * (w - weight_zero)


def _less(value: int, zero: int) -> str:
    """Return the difference as people write it."""
    if zero == 0:
        return f"({value})" if value < 0 else str(value)
    return f"({value} - {zero})" if zero > 0 else f"({value} + {-zero})"


def _taps(traced: TracedOp, place: tuple[int, ...], kernel: tuple[int, int]) -> list[Any]:
    """Return (ky, kx, iy, ix) of the valid taps of an output place."""
    op, (_, height, width, _) = traced.op, traced.inputs[0].shape
    (sh, sw), pads = op["stride"], op["padding"]
    dh, dw = op.fields.get("dilation", (1, 1))
    rows = _valid(kernel[0], place[1] * sh - pads[0], dh, height)
    columns = _valid(kernel[1], place[2] * sw - pads[2], dw, width)
    return [(ky, kx, iy, ix) for (ky, iy), (kx, ix) in product(rows, columns)]


def _valid(kernel: int, start: int, dilation: int, size: int) -> list[tuple[int, int]]:
    """Return (tap, input) of the valid taps along one axis."""
    taps = ((tap, start + tap * dilation) for tap in range(kernel))
    return [(tap, at) for tap, at in taps if 0 <= at < size]


def _padded(steps: ArithmeticTrace, valid: int, all_taps: int) -> None:
    if valid < all_taps:
        steps.say(f"{all_taps - valid} of {all_taps} taps are padded and add nothing")


def _conv2d(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    op, x = traced.op, traced.inputs[0][place[0]]
    weights, oc = op["weights"], place[3]
    points = op["weight_zero_point"]
    weight_zero = int(points[oc % points.size])
    deep = op.kind == "depthwise_conv2d"
    kernel = weights.shape[:2] if deep else weights.shape[1:3]
    taps = _taps(traced, place, kernel)
    _padded(steps, len(taps), kernel[0] * kernel[1])
    terms = []
    for ky, kx, iy, ix in taps:
        if deep:
            pairs = [(oc // (weights.shape[2] // x.shape[2]), int(weights[ky, kx, oc]))]
        else:
            pairs = [(ic, int(weights[oc, ky, kx, ic])) for ic in range(x.shape[2])]
        for ic, w in pairs:
            terms.append(_term(int(x[iy, ix, ic]), traced.zero_points[0], w, weight_zero))
    return _finish(traced, place, steps, _sum(steps, int(op["bias"][oc]), terms))


def _transpose_conv2d(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    op, x, (_, oy, ox, oc) = traced.op, traced.inputs[0][place[0]], place
    _, kernel_h, kernel_w, _ = op["weights"].shape
    rows = _met(kernel_h, oy + op["padding"][0], op["stride"][0], len(x))
    columns = _met(kernel_w, ox + op["padding"][2], op["stride"][1], x.shape[1])
    met, taps = len(rows) * len(columns), kernel_h * kernel_w
    if met < taps:
        steps.say(f"{taps - met} of {taps} taps meet no input and add nothing")
    weight_zero = int(op["weight_zero_point"][oc % op["weight_zero_point"].size])
    terms = [
        _term(value, traced.zero_points[0], w, weight_zero)
        for (ky, iy), (kx, ix) in product(rows, columns)
        for value, w in zip(x[iy, ix].tolist(), op["weights"][oc, ky, kx].tolist(), strict=True)
    ]
    return _finish(traced, place, steps, _sum(steps, int(op["bias"][oc]), terms))


def _met(kernel: int, place: int, stride: int, size: int) -> list[tuple[int, int]]:
    """Return (tap, input) of the taps that meet an input at a place of the full result."""
    pairs = ((tap, place - tap) for tap in range(kernel))
    return [(k, at // stride) for k, at in pairs if at % stride == 0 and 0 <= at // stride < size]


def _fully_connected(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    op, x = traced.op, traced.inputs[0][place[0]].ravel().tolist()
    points, row = op["weight_zero_point"], op["weights"][place[1]].tolist()
    weight_zero = int(points[place[1] % points.size])
    terms = [_term(v, traced.zero_points[0], w, weight_zero) for v, w in zip(x, row, strict=True)]
    return _finish(traced, place, steps, _sum(steps, int(op["bias"][place[1]]), terms))


def _lut(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    x = int(traced.inputs[0][place])
    made = int(traced.op["table"][x + 128])
    steps.say(f"y = table[{x} + 128] = table[{x + 128}] = {made}")
    return made


def _pwl(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    op, x = traced.op, int(traced.inputs[0][place])
    starts = op["breakpoints"].tolist()
    k = sum(start <= x for start in starts) - 1
    slope, offset, bits = int(op["slope"][k]), int(op["offset"][k]), op["frac_bits"]
    acc = slope * x + offset
    _hold(traced, place, acc)
    steps.say(f"x = {x}: segment {k}, from {starts[k]} on")
    steps.say(f"acc = {slope} * {x} + {offset} = {acc}")
    value = up(acc, bits)
    steps.say(f"({acc} + 2^{bits - 1}) >> {bits} = {value}" if bits else f"no fraction: {value}")
    made = int(max(op["act_min"], min(value, op["act_max"])))
    steps.say(f"y = clamp({value}, {op['act_min']}, {op['act_max']}) = {made}")
    return made


def _pool(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> list[int]:
    x, kernel = traced.inputs[0][place[0]], traced.op["kernel"]
    taps = _taps(traced, place, kernel)
    _padded(steps, len(taps), kernel[0] * kernel[1])
    return [int(x[iy, ix, place[3]]) for _, _, iy, ix in taps]


def _max_pool2d(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    cells, op = _pool(traced, place, steps), traced.op
    made = int(max(op["act_min"], min(max(cells), op["act_max"])))
    steps.say(f"largest of {some_of(cells)} = {max(cells)}")
    steps.say(f"y = clamp({max(cells)}, {op['act_min']}, {op['act_max']}) = {made}")
    return made


def _avg_pool2d(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    cells, op = _pool(traced, place, steps), traced.op
    form, n = op["form"], len(cells)
    zero = traced.zero_points[0] if form == "centred_away" else 0
    acc = _sum(steps, None, [(_less(v, zero), v - zero) for v in cells])
    _hold(traced, place, acc)
    if form == "raw_up":
        value = (acc + n // 2) // n
        steps.say(f"floor(({acc} + {n // 2}) / {n}) = {value}")
    else:
        value = (abs(acc) + n // 2) // n * (1 if acc > 0 else -1)
        steps.say(f"sign * floor((|{acc}| + {n // 2}) / {n}) = {value}")
    point = traced.zero_points[1] if form == "centred_away" else 0
    return clamped(steps, value, point, op["act_min"], op["act_max"])


def _global_avg_pool(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    cells = traced.inputs[0][place[0], ..., place[3]].ravel().tolist()
    zero = traced.zero_points[0]
    acc = _sum(steps, None, [(_less(v, zero), v - zero) for v in cells])
    return _finish(traced, place, steps, acc)


def _add(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    op, parts = traced.op, []
    for i, x in enumerate(traced.inputs):
        v, zero = int(x[place]), traced.zero_points[i]
        shifted = (v - zero) << op["left_shift"]
        steps.say(f"x{i + 1} = {v}: {_less(v, zero)} * 2^{op['left_shift']} = {shifted}")
        parts.append(trace_requantize(steps, shifted, *_entry(op[f"requantize{i + 1}"], 0)))
    if op["form"] == "shared_scale_difference":
        acc = parts[0] - parts[1]
        steps.say(f"acc = ({parts[0]}) - ({parts[1]}) = {acc}")
    elif op["form"] == "shared_scale_squared_difference":
        acc = (parts[0] - parts[1]) ** 2
        steps.say(f"acc = (({parts[0]}) - ({parts[1]}))^2 = {acc}")
    else:
        acc = _sum(steps, None, [(f"({u})", u) for u in parts])
    return _finish(traced, place, steps, acc)


def _mul(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    (a, b), (za, zb, _) = (int(x[place]) for x in traced.inputs), traced.zero_points
    acc = (a - za) * (b - zb)
    steps.say(f"acc = {_less(a, za)} * {_less(b, zb)} = {acc}")
    return _finish(traced, place, steps, acc)


def _extreme(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    a, b = (int(x[place]) for x in traced.inputs)
    pick = {"maximum": max, "minimum": min}[traced.op.kind]
    made = pick(a, b)
    steps.say(f"y = {pick.__name__}({a}, {b}) = {made}")
    return made


def _lut2d(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    a, b = (int(x[place]) for x in traced.inputs)
    made = int(traced.op["table"][a + 128, b + 128])
    steps.say(f"y = table[{a + 128}][{b + 128}] of x1 = {a} and x2 = {b} = {made}")
    return made


def _matmul(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    (za, zb, _), (*batch, row, column) = traced.zero_points, place
    rows = [x[(*batch, i)].tolist() for x, i in zip(traced.inputs, (row, column), strict=True)]
    terms = [
        (f"{_less(a, za)}*{_less(b, zb)}", (a - za) * (b - zb)) for a, b in zip(*rows, strict=True)
    ]
    acc = _sum(steps, int(traced.op["bias"][column]), terms)
    return _finish(traced, place, steps, acc)


def _resize_bilinear(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    op, x, (_, oy, ox, c) = traced.op, traced.inputs[0][place[0]], place
    bits = op["frac_bits"]
    parts, one = [], 1 << bits
    w, v = int(op["row_weight"][oy]), int(op["column_weight"][ox])
    columns = [int(op[name][ox]) for name in ("column0", "column1")]
    for name, row in (("top", int(op["row0"][oy])), ("bottom", int(op["row1"][oy]))):
        a, b = (int(x[row, column, c]) for column in columns)
        parts.append((one - v) * a + v * b)
        steps.say(
            f"{name} = {one - v}*x{[row, columns[0], c]} + {v}*x{[row, columns[1], c]} "
            f"= {one - v}*({a}) + {v}*({b}) = {parts[-1]}"
        )
    acc = (one - w) * parts[0] + w * parts[1]
    _hold(traced, place, acc)
    steps.say(f"acc = {one - w}*({parts[0]}) + {w}*({parts[1]}) = {acc}")
    made = (up if op["form"] == "up" else away)(acc, 2 * bits)
    steps.say(f"y = {op['form']}({acc}, {2 * bits}) = {made}")
    return made


def _rescale(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    x = int(traced.inputs[0][place])
    value = trace_requantize(steps, x, *_entry(traced.op["requantize"], place[-1]))
    made = max(-(2**31), min(value, 2**31 - 1))
    steps.say(f"y = {value} saturated to int32 = {made}")
    return made


def _argmax(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    row: list[int] = traced.inputs[0][place[:-1]].tolist()
    made = row.index(max(row))
    steps.say(f"row {some_of(row)}: the largest is {max(row)}, first at {made}")
    return made


def _concat(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    axis = traced.op["axis"]
    size, at = traced.inputs[0].shape[axis + 1], place[axis + 1]
    which, source = (0, place) if at < size else (1, (
        *place[: axis + 1], at - size, *place[axis + 2 :]))  # fmt: skip
    made = int(traced.inputs[which][source])
    steps.say(f"index {at} along axis {axis}: x{which + 1} at {source[1:]} = {made}")
    return made


def _pad(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    x, op = traced.inputs[0], traced.op
    at = [i - b for i, b in zip(place[1:], op["before"], strict=False)]
    if any(not 0 <= i < n for i, n in zip(at, x.shape[1:], strict=True)):
        steps.say(f"{place[1:]} lies outside x: value = {op['value']}")
        return int(op["value"])
    made = int(x[(place[0], *at)])
    steps.say(f"{place[1:]} is x at {tuple(at)} = {made}")
    return made


def _reshape(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    x = traced.inputs[0]
    flat = int(np.ravel_multi_index(place[1:], [n for n in traced.op["shape"] if n]))
    made = int(x[place[0]].ravel()[flat])
    origin = tuple(int(i) for i in np.unravel_index(flat, x.shape[1:]))
    steps.say(f"value {flat} in C order, x at {origin} = {made}")
    return made


def _strided_copy(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    x, op = traced.inputs[0], traced.op
    n = int(np.ravel_multi_index(place[1:], [extent for extent in op["shape"] if extent]))
    indices = [int(i) for i in np.unravel_index(n, op["counts"])]
    address = op["offset"] + sum(i * s for i, s in zip(indices, op["strides"], strict=True))
    origin = tuple(int(i) for i in np.unravel_index(address, x.shape[1:]))
    made = int(x[(place[0], *origin)])
    used = [k for k, count in enumerate(op["counts"]) if count > 1]
    sums = "".join(f" + {indices[k]}*{op['strides'][k]}" for k in used)
    steps.say(f"value {n} in C order: address {op['offset']}{sums} = {address}")
    steps.say(f"x at {origin} = {made}")
    return made


def _gather(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
    axis, at = traced.op["axis"], place[traced.op["axis"] + 1]
    index = int(traced.op["indices"][at])
    origin = (*place[: axis + 1], index, *place[axis + 2 :])
    made = int(traced.inputs[0][origin])
    steps.say(f"indices({at}) = {index}: x at {origin[1:]} = {made}")
    return made


def _of_row(walk: RowWalk) -> Callable[[TracedOp, tuple[int, ...], ArithmeticTrace], int]:
    def worked(traced: TracedOp, place: tuple[int, ...], steps: ArithmeticTrace) -> int:
        row = traced.inputs[0][place[:-1]].astype(int).tolist()
        return walk(traced.op, row, place[-1], steps)

    return worked


_WALKS: Mapping[str, Callable[[TracedOp, tuple[int, ...], ArithmeticTrace], int]] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _conv2d,
    "fully_connected": _fully_connected,
    "lut": _lut,
    "pwl": _pwl,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "global_avg_pool": _global_avg_pool,
    "add": _add,
    "rescale": _rescale,
    "argmax": _argmax,
    "mul": _mul,
    "concat": _concat,
    "pad": _pad,
    "reshape": _reshape,
    "strided_copy": _strided_copy,
    "gather": _gather,
    "transpose_conv2d": _transpose_conv2d,
    "resize_bilinear": _resize_bilinear,
    "maximum": _extreme,
    "minimum": _extreme,
    "lut2d": _lut2d,
    "matmul": _matmul,
    **{kind: _of_row(walk) for kind, walk in ROW_WALKS.items()},
}
"""One walk per op; each returns the output value that its lines come to."""
