"""What is multiplied with what: zero points, signs, padding, order of weights and channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import golden
from ..datapath import SLIDING, WEIGHTED, Datapath, IntArray
from .hypothesis import Edit, Evidence, Hypothesis, Variant


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
    for name, value in _zero_points(evidence):
        yield _fields(name if several else "padding adds nothing", **{name: 0})
        if path.op.kind in SLIDING and any(path.arguments["padding"]):
            yield Variant("padding is the zero point", _padded(value, {name: 0}))


def _zero_point_added(evidence: Evidence) -> Iterator[Variant]:
    several = len(evidence.path.op.inputs) > 1
    for name, value in _zero_points(evidence):
        yield _fields(name if several else "", **{name: -value})


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
        padded = path.op.kind in SLIDING and any(path.arguments["padding"])
        if padded and path.arguments["x_zero_point"] != fill:
            yield Variant("", _padded(fill))

    return variants


def _linear(path: Datapath, x: IntArray, weights: IntArray) -> IntArray:
    """Return the sums of products of 0/1 masks or values as they are, with nothing around."""
    zero = np.zeros_like(path.arguments["weight_zero_point"])
    arguments = {
        **path.arguments, "x_zero_point": 0, "weights": weights, "weight_zero_point": zero,
        "bias": np.zeros_like(path.arguments["bias"]), "requantize": None,
    }  # fmt: skip
    made = golden.FUNCTIONS[path.op.kind](np.ascontiguousarray(x, np.int8), **arguments)
    return np.asarray(made[1], np.int64)


def _unsigned(which: str) -> Edit:
    """Reading a negative byte as unsigned adds 256 to it."""

    def edit(path: Datapath) -> Datapath:
        before = path.accumulate

        def accumulate(p: Datapath) -> IntArray:
            x, w = p.inputs[0], p.arguments["weights"]
            acc = before(p)
            if which == "x":
                # (w - zero_w) * 256 where x < 0; a zero point of the weights counts too.
                negative = (x < 0).astype(np.int8)
                acc = acc + 256 * _linear(p, negative, w)
                if p.arguments["weight_zero_point"].any():
                    ones = np.ones_like(w)
                    points = p.arguments["weight_zero_point"].astype(np.int64)
                    acc = acc - 256 * points * _linear(p, negative, ones)
                return acc
            negative = (w < 0).astype(np.int8)
            valid = _linear(p, np.ones_like(x), negative)
            return acc + 256 * (
                _linear(p, x, negative) - int(p.arguments["x_zero_point"]) * valid
            )  # fmt: skip

        return path.with_accumulate(accumulate)

    return edit


def _weights_unsigned(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind in WEIGHTED:
        yield Variant("", _unsigned("weights"))


def _input_unsigned(evidence: Evidence) -> Iterator[Variant]:
    path, unsigned = evidence.path, _unsigned("x")
    if path.op.kind not in WEIGHTED:
        return
    zero = int(path.arguments["x_zero_point"])
    yield Variant("the zero point signed, padding adds nothing", unsigned)
    if path.op.kind in SLIDING and any(path.arguments["padding"]):
        yield Variant(
            "the zero point signed, padding too", lambda path: unsigned(_padded(zero)(path))
        )
    if zero < 0:
        yield Variant(
            "the zero point too",
            lambda path: unsigned(path.with_fields(x_zero_point=zero + 256)),
        )


def _weight_zero_point(evidence: Evidence) -> Iterator[Variant]:
    points = evidence.path.arguments.get("weight_zero_point")
    if points is not None and points.any():
        yield _fields("", weight_zero_point=np.zeros_like(points))


def _weights(label: str, change: Any) -> Variant:
    def edit(path: Datapath) -> Datapath:
        return path.with_fields(weights=np.ascontiguousarray(change(path.arguments["weights"])))

    return Variant(label, edit)


def _kernel_axes(evidence: Evidence) -> tuple[int, int] | None:
    kinds = {"conv2d": (1, 2), "depthwise_conv2d": (0, 1)}
    return kinds.get(evidence.path.op.kind)


def _flipped(evidence: Evidence) -> Iterator[Variant]:
    axes = _kernel_axes(evidence)
    if axes:
        for label, chosen in (("both ways", axes), ("rows", axes[:1]), ("columns", axes[1:])):
            yield _weights(label, lambda w, chosen=chosen: np.flip(w, chosen))


def _transposed(evidence: Evidence) -> Iterator[Variant]:
    axes = _kernel_axes(evidence)
    if axes:
        shape = evidence.path.arguments["weights"].shape
        if shape[axes[0]] == shape[axes[1]] > 1:
            yield _weights("", lambda w: np.swapaxes(w, *axes))


def _weight_order(evidence: Evidence) -> Iterator[Variant]:
    """The bytes of the weights taken for another order of axes."""
    orders = {
        "conv2d": ("OHWI", ("OIHW", "HWIO", "IHWO", "OWHI")),
        "depthwise_conv2d": ("HWO", ("OHW", "WHO")),
        "fully_connected": ("OI", ("IO",)),
    }.get(evidence.path.op.kind)
    if not orders:
        return
    axes, others = orders
    shape = dict(zip(axes, evidence.path.arguments["weights"].shape, strict=True))
    for order in others:
        if order in ("OWHI", "WHO") and shape["H"] == shape["W"]:
            continue  # a transposed kernel

        def change(w: IntArray, order: str = order) -> IntArray:
            read = w.reshape([shape[a] for a in order])
            return read.transpose([order.index(a) for a in axes])

        yield _weights(f"read as {order}", change)


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
        yield _input("rows and columns exchanged", lambda x: x.swapaxes(1, 2))


def _from_nchw(x: IntArray) -> IntArray:
    n, h, w, c = x.shape
    return x.reshape(n, c, h, w).transpose(0, 2, 3, 1)


def _dropped(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.op.kind not in WEIGHTED:
        return
    shape, names = path.arguments["weights"].shape, {
        "conv2d": ("", "kernel row", "kernel column", "input channel"),
        "depthwise_conv2d": ("kernel row", "kernel column", ""),
        "fully_connected": ("", "input"),
    }[path.op.kind]  # fmt: skip
    for axis, name in enumerate(names):
        for which, label in ((0, "first"), (-1, "last")):
            if name and shape[axis] > 1:
                yield Variant(f"the {label} {name}", _without(axis, which))
    if path.op.kind != "fully_connected":
        for which, label in ((0, "first"), (-1, "last")):
            yield Variant(f"the {label} tap", _without(None, which))


def _without(axis: int | None, which: int) -> Edit:
    """Weights that are their zero point add nothing."""

    def edit(path: Datapath) -> Datapath:
        w = path.arguments["weights"].astype(np.int64)
        zero = path.arguments["weight_zero_point"].astype(np.int64)
        deep = path.op.kind == "depthwise_conv2d"
        zero = np.broadcast_to(zero if deep else zero.reshape(-1, *(1,) * (w.ndim - 1)), w.shape)
        mask = np.zeros(w.shape, bool)
        index: list[Any] = [slice(None)] * w.ndim
        if axis is None:
            first = 0 if deep else 1
            index[first] = index[first + 1] = which
            if not deep:
                index[3] = which
        else:
            index[axis] = which
        mask[tuple(index)] = True
        return path.with_fields(weights=np.where(mask, zero, w).astype(np.int8))

    return edit


HYPOTHESES = (
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
        "padding_0",
        "Padded cells hold 0; they should hold the input's zero point.",
        "the value that the line buffer gives outside the image",
        _padding(0),
    ),
    Hypothesis(
        "padding_minus_128",
        "Padded cells hold -128; they should hold the input's zero point.",
        "the value that the line buffer gives outside the image",
        _padding(-128),
    ),
    Hypothesis(
        "input_unsigned",
        "The inputs are multiplied as unsigned bytes.",
        "signed declarations at the multiplier: in Verilog one unsigned operand makes all unsigned",
        _input_unsigned,
    ),
    Hypothesis(
        "weights_unsigned",
        "The weights are multiplied as unsigned bytes.",
        "signed declarations at the multiplier: in Verilog one unsigned operand makes all unsigned",
        _weights_unsigned,
    ),
    Hypothesis(
        "weight_zero_point_ignored",
        "The weights' zero point is not subtracted.",
        "the correction term of the weights' zero point",
        _weight_zero_point,
    ),
    Hypothesis(
        "kernel_flipped",
        "The kernel is mirrored: a convolution where the model correlates.",
        "the order in which kernel rows and columns meet the line buffer",
        _flipped,
    ),
    Hypothesis(
        "kernel_transposed",
        "Rows and columns of the kernel are exchanged.",
        "the loop order of kernel_h and kernel_w in the weight memory",
        _transposed,
    ),
    Hypothesis(
        "weights_in_other_order",
        "The weight memory is read in another order of axes.",
        "the export of the weights: the model's order is OHWI, HWO or OI (SPEC 5)",
        _weight_order,
    ),
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
        "products_dropped",
        "Some products do not reach the sum.",
        "loop bounds (< or <=), and whether the accumulator is read one cycle early",
        _dropped,
    ),
)
