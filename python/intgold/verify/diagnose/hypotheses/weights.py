"""The weights: sign and zero point, the order in which they are read, products left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ....support.array_types import IntArray
from ..datapath import SLIDING, WEIGHTED, Datapath
from .accumulator import saturated, wrapped
from .hypothesis import Edit, Evidence, Hypothesis, Variant


def _weights_unsigned(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.op.kind in WEIGHTED:
        yield Variant("", _unsigned)


def _unsigned(path: Datapath) -> Datapath:
    """Reading a negative byte as unsigned adds 256 to it."""
    before = path.accumulate

    def accumulate(p: Datapath) -> IntArray:
        x = p.inputs[0]
        negative = (p.arguments["weights"] < 0).astype(np.int8)
        valid = p.plain_sums(np.ones_like(x), negative)
        return before(p) + 256 * (
            p.plain_sums(x, negative) - int(p.arguments["x_zero_point"]) * valid
        )

    return path.with_accumulate(accumulate)


def _weight_zero_point(evidence: Evidence) -> Iterator[Variant]:
    points = evidence.path.arguments.get("weight_zero_point")
    if points is not None and points.any():
        zeros = np.zeros_like(points)
        yield Variant("", lambda path: path.with_fields(weight_zero_point=zeros))


def _difference_narrow(evidence: Evidence) -> Iterator[Variant]:
    """The difference of a weight and its zero point has 9 bits."""
    points = evidence.path.arguments.get("weight_zero_point")
    if points is not None and points.any():
        for label, narrow in (("wraps", wrapped), ("saturates", saturated)):
            yield Variant(label, _narrow_weights(narrow))


def _narrow_weights(narrow: Callable[[IntArray, int], IntArray]) -> Edit:
    def edit(path: Datapath) -> Datapath:
        points = path.arguments["weight_zero_point"]
        difference = path.arguments["weights"].astype(np.int64) - _of_weights(path)
        weights = narrow(difference, 8).astype(np.int8)
        return path.with_fields(weights=weights, weight_zero_point=np.zeros_like(points))

    return edit


def _of_weights(path: Datapath) -> IntArray:
    """Return the zero point of each weight, of the shape of the weights."""
    shape = path.arguments["weights"].shape
    zero = path.arguments["weight_zero_point"].astype(np.int64)
    deep = path.op.kind == "depthwise_conv2d"
    return np.broadcast_to(zero if deep else zero.reshape(-1, *(1,) * (len(shape) - 1)), shape)


def _weights(label: str, change: Any) -> Variant:
    def edit(path: Datapath) -> Datapath:
        return path.with_fields(weights=np.ascontiguousarray(change(path.arguments["weights"])))

    return Variant(label, edit)


def _kernel_axes(evidence: Evidence) -> tuple[int, int] | None:
    kinds = {"conv2d": (1, 2), "depthwise_conv2d": (0, 1), "transpose_conv2d": (1, 2)}
    return kinds.get(evidence.path.op.kind)


def _mirrored(evidence: Evidence) -> Iterator[Variant]:
    axes = _kernel_axes(evidence)
    if axes and evidence.path.op.kind in SLIDING:
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
        "transpose_conv2d": ("OHWI", ("IOHW", "OIHW", "HWIO", "HWOI", "IHWO", "OWHI")),
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


def _dropped(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.op.kind not in WEIGHTED:
        return
    shape, names = path.arguments["weights"].shape, {
        "conv2d": ("", "kernel row", "kernel column", "input channel"),
        "depthwise_conv2d": ("kernel row", "kernel column", ""),
        "fully_connected": ("", "input"),
        "transpose_conv2d": ("", "kernel row", "kernel column", "input channel"),
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
        deep, zero = path.op.kind == "depthwise_conv2d", _of_weights(path)
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
        "weight_difference_narrow",
        "The difference of weight and zero point is kept in 8 bits.",
        "the width of the subtractor in front of the multiplier: 9 bits, signed",
        _difference_narrow,
    ),
    Hypothesis(
        "kernel_flipped",
        "The kernel is mirrored: a convolution where the model correlates.",
        "the order in which kernel rows and columns meet the line buffer",
        _mirrored,
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
        "products_dropped",
        "Some products do not reach the sum.",
        "loop bounds (< or <=), and whether the accumulator is read one cycle early",
        _dropped,
    ),
)
