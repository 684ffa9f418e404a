"""Transposed convolutions: direction of the kernel, the cut, inserted zeros, only bias."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....support.array_types import IntArray
from ..datapath import Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant


def _is_transposed(evidence: Evidence) -> bool:
    return evidence.path.op.kind == "transpose_conv2d"


def _not_flipped(evidence: Evidence) -> Iterator[Variant]:
    """A sliding window over the input with zeros between its cells needs the kernel mirrored."""
    if _is_transposed(evidence):
        for label, axes in (("both ways", (1, 2)), ("rows", (1,)), ("columns", (2,))):
            yield Variant(label, _flip(axes))


def _flip(axes: tuple[int, ...]) -> Edit:
    def edit(path: Datapath) -> Datapath:
        return path.with_fields(
            weights=np.ascontiguousarray(np.flip(path.arguments["weights"], axes))
        )

    return edit


def _cut(down: int, right: int) -> Edit:
    """Return the edit that cuts the output out of the full result further down and right."""

    def edit(path: Datapath) -> Datapath:
        top, bottom, left, right_side = path.arguments["padding"]
        return path.with_fields(
            padding=(top + down, bottom - down, left + right, right_side - right)
        )

    return edit


def _other_side(evidence: Evidence) -> list[tuple[int, int]]:
    """Return by how much the cut moves where two sides are exchanged."""
    if not _is_transposed(evidence):
        return []
    top, bottom, left, right = evidence.path.arguments["padding"]
    moves = {(bottom - top, 0), (0, right - left), (bottom - top, right - left)}
    return sorted(moves - {(0, 0)})


def _wrong_side(evidence: Evidence) -> Iterator[Variant]:
    for down, right in _other_side(evidence):
        yield Variant(f"cut {down} further down, {right} to the right", _cut(down, right))


def _of_convolution(evidence: Evidence) -> list[tuple[int, int]]:
    """Return the move where `padding` is added around the inserted zeros: k - 1 - p is right."""
    if not _is_transposed(evidence):
        return []
    (height, width), pads = evidence.path.kernel, evidence.path.arguments["padding"]
    move = (height - 1 - 2 * pads[0], width - 1 - 2 * pads[2])
    return [move] if move != (0, 0) else []


def _wrong_origin(evidence: Evidence) -> Iterator[Variant]:
    known = _other_side(evidence)
    for down, right in _of_convolution(evidence):
        if (down, right) not in known:
            yield Variant("kernel - 1 - padding for the padding", _cut(down, right))
            known.append((down, right))
    if _is_transposed(evidence):
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                if (down, right) not in (*known, (0, 0)):
                    label = f"cut {down} further down, {right} to the right"
                    yield Variant(label, _cut(down, right))


def _inserted(evidence: Evidence) -> Iterator[Variant]:
    """Inserted cells that hold a constant are other than 0 once the zero point is subtracted."""
    if not _is_transposed(evidence) or max(evidence.path.arguments["stride"]) == 1:
        return
    zero = int(evidence.path.arguments["x_zero_point"])
    for value in (0, -128):
        if value != zero:
            yield Variant(f"{value} between inputs", _hold(value, around=False))
            yield Variant(f"{value} between and around inputs", _hold(value, around=True))


def _hold(value: int, *, around: bool) -> Edit:
    def edit(path: Datapath) -> Datapath:
        before = path.accumulate

        def accumulate(p: Datapath) -> IntArray:
            met = _weights_that_meet(p, np.ones_like(p.inputs[0]), p.arguments["stride"])
            taps = _all_weights(p) if around else _weights_that_meet(p, _filled(p), (1, 1))
            return before(p) + (value - int(p.arguments["x_zero_point"])) * (taps - met)

        return path.with_accumulate(accumulate)

    return edit


def _filled(path: Datapath) -> IntArray:
    """Return ones of the size of the input with its inserted cells."""
    (n, height, width, channels), stride = path.inputs[0].shape, path.arguments["stride"]
    shape = (n, (height - 1) * stride[0] + 1, (width - 1) * stride[1] + 1, channels)
    return np.ones(shape, np.int8)


def _all_weights(path: Datapath) -> IntArray:
    """Return the sum of all weights of a channel, less their zero points."""
    w = path.arguments["weights"].astype(np.int64)
    zero = path.arguments["weight_zero_point"].astype(np.int64).reshape(-1, 1, 1, 1)
    total: IntArray = (w - zero).sum(axis=(1, 2, 3))
    return total


def _weights_that_meet(path: Datapath, ones: IntArray, stride: tuple[int, int]) -> IntArray:
    """Return the sum of the weights, less their zero points, that meet a cell of `ones`."""
    w, points = path.arguments["weights"], path.arguments["weight_zero_point"].astype(np.int64)
    plain = path.with_fields(stride=stride)
    sums: IntArray = plain.plain_sums(ones, w) - points * plain.plain_sums(ones, np.ones_like(w))
    return sums


def _without_bias(evidence: Evidence) -> Iterator[Variant]:
    if _is_transposed(evidence) and evidence.path.arguments["bias"].any():
        yield Variant("", _only_where_met)


def _only_where_met(path: Datapath) -> Datapath:
    before = path.accumulate

    def accumulate(p: Datapath) -> IntArray:
        met = p.plain_sums(np.ones_like(p.inputs[0]), np.ones_like(p.arguments["weights"]))
        return np.where(met > 0, before(p), 0)

    return path.with_accumulate(accumulate)


HYPOTHESES = (
    Hypothesis(
        "transposed_kernel_not_flipped",
        "A window slides over the input with zeros between, and its kernel is not mirrored.",
        "the order of the kernel's rows and columns: gathering needs it mirrored, scattering does "
        "not",
        _not_flipped,
    ),
    Hypothesis(
        "transposed_cut_on_the_wrong_side",
        "The padding of top and bottom, or of left and right, is exchanged.",
        "which side of the full result is cut; output_padding adds rows at the bottom and right",
        _wrong_side,
    ),
    Hypothesis(
        "transposed_cut_moved",
        "The output is cut out of the full result at another place.",
        "the first output row and column: padding is what is cut off, kernel - 1 - padding what "
        "is added around inserted zeros",
        _wrong_origin,
    ),
    Hypothesis(
        "transposed_zeros_not_zero_point",
        "The cells inserted between inputs hold a constant, and the zero point is subtracted.",
        "the value that is inserted: the input's zero point, or 0 after the subtractor",
        _inserted,
    ),
    Hypothesis(
        "transposed_bias_missing",
        "Outputs that no tap reaches lack the bias.",
        "how the accumulators of an image start: with the bias everywhere, before the first input",
        _without_bias,
    ),
)
