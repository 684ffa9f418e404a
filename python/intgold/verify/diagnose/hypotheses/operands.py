"""What an op reads: zero points and sign of its inputs, padding, order of axes and channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ....support.array_types import IntArray
from ..datapath import SLIDING, WEIGHTED, Datapath, ExcludedError
from .accumulator import saturated, wrapped
from .elementwise import unsigned_inputs
from .hypothesis import Edit, Evidence, Hypothesis, Variant, Wording
from .pools import unsigned_cells

Narrow = Callable[[IntArray, int], IntArray]


def _fields(label: str, **fields: Any) -> Variant:
    return Variant(label, lambda path: path.with_fields(**fields))


def _zero_points(evidence: Evidence) -> Iterator[tuple[str, int]]:
    """Yield the zero points of the inputs that count."""
    path = evidence.path
    for name in path.op.spec.zero_points:
        value = int(path.arguments[name])
        counts = path.op.kind != "avg_pool2d" or path.arguments["form"] == "centred_away"
        if name != "y_zero_point" and value and counts:
            yield name, value


def _zero_point_ignored(evidence: Evidence) -> Iterator[Variant]:
    path, several = evidence.path, len(evidence.path.op.inputs) > 1
    padded = path.op.kind in SLIDING and any(path.arguments["padding"])
    for name, value in _zero_points(evidence):
        label = "padding adds nothing" if padded else ""
        yield _fields(name if several else label, **{name: 0})
        if padded:
            yield Variant("padding is the zero point", _padded(value, {name: 0}))


def _zero_point_added(evidence: Evidence) -> Iterator[Variant]:
    several = len(evidence.path.op.inputs) > 1
    for name, value in _zero_points(evidence):
        yield _fields(name if several else "", **{name: -value})


def _zero_point_other(evidence: Evidence) -> Iterator[Variant]:
    """Another constant: one beside, or the one that accumulators follow which were dumped."""
    path, several = evidence.path, len(evidence.path.op.inputs) > 1
    padded = path.op.kind in SLIDING and any(path.arguments["padding"])
    for name in (n for n in path.op.spec.zero_points if n != "y_zero_point"):
        value = int(path.arguments[name])
        if path.op.kind == "avg_pool2d" and path.arguments["form"] != "centred_away":
            continue
        for error in dict.fromkeys([1, -1, *_error_of_accumulators(evidence, name)]):
            other = value + error
            if other in (0, -value) or not -128 <= other <= 127:
                continue
            label = f"{name} " * several + f"{other} instead of {value}"
            more = ", padding adds nothing" if padded else ""
            yield Variant(label + more, _fields("", **{name: other}).edit, 8.0)
            if padded:
                yield Variant(
                    f"{label}, padding is the zero point", _padded(value, {name: other}), 8.0
                )


def _error_of_accumulators(evidence: Evidence, name: str) -> list[int]:
    """Return by how much a zero point is wrong, of which an accumulator is a linear function."""
    path = evidence.path
    if "accumulator" not in evidence.got or path.op.kind not in WEIGHTED:
        return []
    differs = evidence.got["accumulator"].astype(np.int64) - path.accumulators()
    if not differs.any():
        return []
    one_more = path.with_fields(**{name: int(path.arguments[name]) + 1})
    slope = one_more.accumulators() - path.accumulators()
    at = np.unravel_index(np.argmax(np.abs(slope) * (differs != 0)), slope.shape)
    return [int(differs[at] // slope[at])] if slope[at] and differs[at] % slope[at] == 0 else []


def _difference_narrow(evidence: Evidence) -> Iterator[Variant]:
    """The difference of a byte and a zero point has 9 bits."""
    several = len(evidence.path.op.inputs) > 1
    for name, _ in _zero_points(evidence):
        for label, narrow in (("wraps", wrapped), ("saturates", saturated)):
            yield Variant(f"{name} {label}" if several else label, _narrow_input(name, narrow))


def _narrow_input(name: str, narrow: Narrow) -> Edit:
    at = 1 if name == "x2_zero_point" else 0

    def edit(path: Datapath) -> Datapath:
        inputs = list(path.inputs)
        difference = inputs[at].astype(np.int64) - int(path.arguments[name])
        inputs[at] = narrow(difference, 8).astype(np.int8)
        return path.with_inputs(*inputs).with_fields(**{name: 0})

    return edit


def _padded(fill: int, fields: dict[str, Any] | None = None) -> Edit:
    """Return the edit that stores `fill` around the image and knows of no padding."""

    def edit(path: Datapath) -> Datapath:
        top, bottom, left, right = path.arguments["padding"]
        x = np.pad(
            path.inputs[0], ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill
        )
        return path.with_inputs(x).with_fields(padding=(0, 0, 0, 0), **(fields or {}))

    return edit


def _padding(fill: int) -> Any:
    def variants(evidence: Evidence) -> Iterator[Variant]:
        path = evidence.path
        if path.op.kind == "pad" and path.arguments["value"] != fill:
            yield _fields("", value=fill)
        padded = path.op.kind in SLIDING and any(path.arguments["padding"])
        if padded and path.arguments["x_zero_point"] != fill:
            yield Variant("", _padded(fill))

    return variants


def _unsigned(path: Datapath) -> Datapath:
    """Reading a negative byte as unsigned adds 256 to it."""
    before = path.accumulate

    def accumulate(p: Datapath) -> IntArray:
        # (w - zero_w) * 256 where x < 0; a zero point of the weights counts too.
        x, w, points = p.inputs[0], p.arguments["weights"], p.arguments["weight_zero_point"]
        negative = (x < 0).astype(np.int8)
        acc = before(p) + 256 * p.plain_sums(negative, w)
        if points.any():
            acc = acc - 256 * points.astype(np.int64) * p.plain_sums(negative, np.ones_like(w))
        return acc

    return path.with_accumulate(accumulate)


def _input_unsigned(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.op.kind in ("add", "mul"):
        yield from unsigned_inputs(evidence)
    if path.op.kind in ("avg_pool2d", "global_avg_pool"):
        yield Variant("", unsigned_cells)
    if path.op.kind not in WEIGHTED:
        return
    zero = int(path.arguments["x_zero_point"])
    padded = path.op.kind in SLIDING and any(path.arguments["padding"])
    yield Variant(f"the zero point signed{', padding adds nothing' if padded else ''}", _unsigned)
    if padded:
        yield Variant(
            "the zero point signed, padding too", lambda path: _unsigned(_padded(zero)(path))
        )
    if zero < 0:
        yield Variant(
            "the zero point too",
            lambda path: _unsigned(path.with_fields(x_zero_point=zero + 256)),
        )


def _input(label: str, change: Any) -> Variant:
    return Variant(label, lambda path: path.with_inputs(*(change(x) for x in path.inputs)))


def _channels(evidence: Evidence) -> Iterator[Variant]:
    x = evidence.path.inputs[0]
    if evidence.path.op.kind not in WEIGHTED:
        return
    count = x.shape[-1]
    if count > 1:
        yield _input("reversed", lambda x: x[..., ::-1])
    if count > 2:
        yield _input("one late", lambda x: np.roll(x, 1, -1))
        yield _input("one early", lambda x: np.roll(x, -1, -1))
    for group in (2, 4, 8):
        if count % group == 0 and count > group:
            yield _input(
                f"reversed in groups of {group}",
                lambda x, g=group: x.reshape(*x.shape[:-1], -1, g)[..., ::-1].reshape(x.shape),
            )


def _input_order(evidence: Evidence) -> Iterator[Variant]:
    x = evidence.path.inputs[0]
    if x.ndim != 4 or evidence.path.op.kind not in (*WEIGHTED, "max_pool2d", "avg_pool2d"):
        return
    _, h, w, c = x.shape
    if c > 1 and h * w > 1:
        yield _input("NHWC bytes read as NCHW", _from_nchw)
        yield _input("NCHW bytes read as NHWC", lambda x: x.transpose(0, 3, 1, 2).reshape(x.shape))
    if h == w > 1 and evidence.path.op.kind in WEIGHTED:
        yield _input("rows and columns exchanged", _exchanged)


def _exchanged(x: IntArray) -> IntArray:
    if x.shape[1] != x.shape[2]:
        raise ExcludedError("an image that is no square any more")
    return x.swapaxes(1, 2)


def _from_nchw(x: IntArray) -> IntArray:
    n, h, w, c = x.shape
    return x.reshape(n, c, h, w).transpose(0, 2, 3, 1)


HYPOTHESES = (
    # What the buffer holds, then what is made of it: pairs are planted in this order.
    Hypothesis(
        "input_channels_in_other_order",
        "Weights and inputs of different channels meet.",
        "the channel counter, and the lanes of the input words",
        _channels,
    ),
    Hypothesis(
        "input_in_other_order",
        "The input buffer is read in another order of axes.",
        "NHWC or NCHW: the address generator of the input buffer",
        _input_order,
    ),
    Hypothesis(
        "input_zero_point_ignored",
        "The input's zero point is not subtracted.",
        "the subtractor in front of the multiplier, or the constant folded into the bias",
        _zero_point_ignored,
    ),
    Hypothesis(
        "input_zero_point_added",
        "The input's zero point is added where it should be subtracted.",
        "the sign of the zero point: some tools store it negated as an offset",
        _zero_point_added,
    ),
    Hypothesis(
        "input_zero_point_other",
        "Another constant is subtracted for the input's zero point.",
        "the constant of the subtractor in front of the multiplier: is it this op's input's?",
        _zero_point_other,
    ),
    Hypothesis(
        "input_difference_narrow",
        "The difference of input and zero point is kept in 8 bits.",
        "the width of the subtractor in front of the multiplier: 9 bits, signed",
        _difference_narrow,
    ),
    Hypothesis(
        "padding_0",
        "Padded cells hold 0; they should hold the input's zero point.",
        "the value that the line buffer gives outside the image",
        _padding(0),
        of_bytes=Wording(
            "Padded cells hold the byte 128 (q 0); they should hold the input's zero point.",
            "the value that the line buffer gives outside the image",
            name="padding_byte_128",
        ),
    ),
    Hypothesis(
        "padding_minus_128",
        "Padded cells hold -128; they should hold the input's zero point.",
        "the value that the line buffer gives outside the image",
        _padding(-128),
        of_bytes=Wording(
            "Padded cells hold the byte 0; they should hold the input's zero point.",
            "the value that the line buffer gives outside the image",
            name="padding_byte_0",
        ),
    ),
    Hypothesis(
        "input_unsigned",
        "The inputs are read as unsigned bytes.",
        "signed declarations at the multiplier: in Verilog one unsigned operand makes all unsigned",
        _input_unsigned,
        of_bytes=Wording(
            "The input bytes are read as signed: the x ^ 0x80 on the way in is missing.",
            "where the unsigned bytes become operands: x ^ 0x80 turns them into int8, or a 9 bit "
            "difference of byte and zero point",
            name="input_signed",
            labels={"the zero point too": "the zero point as it is"},
        ),
    ),
)
