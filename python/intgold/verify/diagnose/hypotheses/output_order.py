"""How results leave the device: order of axes, channels, images, bytes and lanes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ....support.array_types import IntArray
from ....vectors.memory.readings import Reading
from ....vectors.memory.rule import PackingRule
from ..datapath import Datapath
from .freedom import solved_order
from .hypothesis import Edit, Evidence, Hypothesis, Variant, Wording

LANES = (2, 4, 8, 16, 32, 64)
_MAX_MOVED = 16
"""Channels or images of an order that a label names."""


def delivered(change: Callable[[IntArray], IntArray]) -> Edit:
    """Return the edit that changes what leaves the device, shape (n, ...)."""

    def edit(path: Datapath) -> Datapath:
        before = path.write_output
        return path.with_stage(write_output=lambda p, y: change(before(p, y)))

    return edit


def result_shape(evidence: Evidence) -> tuple[int, ...]:
    """Return (n, ...)."""
    path = evidence.path
    return (len(path.inputs[0]), *path.model.tensor(path.op.output).shape)


def _other_layout(evidence: Evidence, key: str) -> Iterator[Variant]:
    """Yield the layouts by which the device may have written its words, other in one key."""
    by_label: dict[str, _ByDtype] = {}
    for role, found in sorted(evidence.readings().items()):  # where dtypes agree, the output's
        if role in evidence.got:
            for reading in (r for r in found if r.key == key):
                by_label.setdefault(reading.label, {})[reading.stated.dtype] = role, reading
    for label, readings in by_label.items():
        crosses = any(reading.crosses for _, reading in readings.values())
        yield Variant(
            f"the layout's {label}" if "=" in label else label,
            _as_written(readings, Reading.seen), reading=label,
            granted=_as_written(readings, Reading.granted) if crosses else None,
        )  # fmt: skip


_ByDtype = dict[np.dtype[Any], tuple[str, Reading]]
_Move = Callable[[Reading, IntArray, IntArray | None, IntArray | None], IntArray]


def _as_written(readings: _ByDtype, rearrange: _Move) -> Edit:
    """Outputs and accumulators lie in words of their own: each dtype is moved by its reading."""

    def edit(path: Datapath) -> Datapath:
        before = path.write_output

        def write_output(p: Datapath, y: IntArray) -> IntArray:
            y = before(p, y)
            if y.dtype not in readings:
                return y
            role, reading = readings[y.dtype]
            return rearrange(reading, y, p.images, p.dumped.get(role))

        return path.with_stage(write_output=write_output)

    return edit


def _axes(evidence: Evidence) -> Iterator[Variant]:
    yield from _other_layout(evidence, "order")
    shape = result_shape(evidence)
    if len(shape) != 4:
        return
    _, h, w, c = shape
    if c > 1 and h * w > 1:
        yield Variant("NCHW written", delivered(lambda y: y.transpose(0, 3, 1, 2).reshape(y.shape)))
        yield Variant(
            "NHWC read as NCHW",
            delivered(lambda y: y.reshape(len(y), c, h, w).transpose(0, 2, 3, 1)),
        )
    if h == w > 1:
        yield Variant("rows and columns exchanged", delivered(lambda y: y.swapaxes(1, 2)))
    if h > 1:
        yield Variant("the last row first", delivered(lambda y: y[:, ::-1]))
    if w > 1:
        yield Variant("the last column first", delivered(lambda y: y[:, :, ::-1]))


def first_wrong(evidence: Evidence) -> tuple[IntArray, IntArray]:
    """Return what was expected and got of an array that differs, first the output."""
    roles = [role for role in ("output", "accumulator") if role in evidence.got]
    wrong = [r for r in roles if not np.array_equal(evidence.expected[r], evidence.got[r])]
    role = (wrong or roles)[0]
    return evidence.expected[role], evidence.got[role]


def _channel_order(evidence: Evidence) -> Iterator[Variant]:
    expected, got = first_wrong(evidence)
    count = expected.shape[-1]
    solved = solved_order(expected.reshape(-1, count).T, got.reshape(-1, count).T)
    if solved and count > 1 and not _reversed_in_groups(solved[0]):
        order, bits = solved
        yield Variant(_shown(order), delivered(lambda y: y[..., order]), bits)


def _shown(order: list[int]) -> str:
    """Return which places hold what of another one."""
    moved = [f"{place} holds {held}" for place, held in enumerate(order) if place != held]
    more = f" and {len(moved) - _MAX_MOVED} more" if len(moved) > _MAX_MOVED else ""
    return ", ".join(moved[:_MAX_MOVED]) + more


def _reversed_in_groups(order: list[int]) -> bool:
    """Whether lanes of words are reversed, which is a hypothesis of its own."""
    at = np.arange(len(order))
    return any(
        len(order) % g == 0 and (at.reshape(-1, g)[:, ::-1].ravel() == order).all() for g in LANES
    )


def _image_order(evidence: Evidence) -> Iterator[Variant]:
    expected, got = first_wrong(evidence)
    solved = solved_order(expected.reshape(len(expected), -1), got.reshape(len(got), -1))
    if not solved:
        return
    order, bits = solved
    if order == [0, *range(len(order) - 1)] or not any(order):
        return  # the image before, the first image: hypotheses of their own
    edit = delivered(lambda y: y[order] if len(y) == len(order) else y)
    yield Variant(_shown(order), edit, bits)


def _image_before(evidence: Evidence) -> Iterator[Variant]:
    if result_shape(evidence)[0] > 1:
        yield Variant("the first is right", delivered(lambda y: np.concatenate([y[:1], y[:-1]])))
        for value in (0, -128):
            yield Variant(f"{value} at first", delivered(_one_late(value)))


def _one_late(first: int) -> Callable[[IntArray], IntArray]:
    return lambda y: np.concatenate([np.full_like(y[:1], first), y[:-1]])


def _first_image(evidence: Evidence) -> Iterator[Variant]:
    if result_shape(evidence)[0] > 1:
        yield Variant("", delivered(lambda y: np.repeat(y[:1], len(y), axis=0)))


def _border(evidence: Evidence) -> Iterator[Variant]:
    shape = result_shape(evidence)
    if len(shape) != 4 or shape[1] * shape[2] == 1:
        return
    zero = evidence.path.model.tensor(evidence.path.op.output).zero_point
    sides = {
        "first row": (slice(None), 0), "last row": (slice(None), -1),
        "first column": (slice(None), slice(None), 0),
        "last column": (slice(None), slice(None), -1),
    }  # fmt: skip
    groups = [(name,) for name in sides] + [
        ("first row", "last row"), ("first column", "last column"), tuple(sides)
    ]  # fmt: skip
    for group in groups:
        for value in sorted({0, zero, -128}):

            def change(y: IntArray, group: tuple[str, ...] = group, value: int = value) -> IntArray:
                y = y.copy()
                for name in group:
                    y[sides[name]] = value
                return y

            label = "the whole border" if len(group) == 4 else " and ".join(group)
            yield Variant(f"{label} is {value}", delivered(change))


def _rows_late(evidence: Evidence) -> Iterator[Variant]:
    shape = result_shape(evidence)
    if len(shape) == 4:
        for axis, name in ((1, "row"), (2, "column")):
            if shape[axis] > 1:
                for by, word in ((1, "before"), (-1, "after")):
                    yield Variant(f"the {name} {word}", delivered(_late(axis, by)))


def _late(axis: int, by: int) -> Callable[[IntArray], IntArray]:
    def change(y: IntArray) -> IntArray:
        at = np.clip(np.arange(y.shape[axis]) - by, 0, y.shape[axis] - 1)
        return y.take(at, axis=axis)

    return change


def _byte_order(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.dtype == np.int32 or "accumulator" in evidence.got:
        yield Variant("", delivered(lambda y: y.byteswap() if y.itemsize > 1 else y))


def _bank_order(evidence: Evidence) -> Iterator[Variant]:
    return _other_layout(evidence, "bank_order")


def _address_order(evidence: Evidence) -> Iterator[Variant]:
    return _other_layout(evidence, "address")


def _encoding(evidence: Evidence) -> Iterator[Variant]:
    of_output = evidence.path.dtype
    yield Variant("", delivered(_sign_inverted(of_output)))
    if "accumulator" in evidence.got and of_output != np.int32:
        yield Variant("accumulators", delivered(_sign_inverted(np.dtype(np.int32))))


def _sign_inverted(dtype: np.dtype[Any]) -> Callable[[IntArray], IntArray]:
    """Two's complement as offset binary, or the reverse, of the arrays of a dtype."""
    sign = np.iinfo(dtype).min
    return lambda y: y ^ dtype.type(sign) if y.dtype == dtype else y


def _lane_order(evidence: Evidence) -> Iterator[Variant]:
    yield from _other_layout(evidence, "lane_order")
    if any(r.stated.rule != PackingRule() for found in evidence.readings().values() for r in found):
        return  # a layout says how many lanes its words have
    size = int(np.prod(result_shape(evidence)[1:]))
    for group in LANES:
        if size % group == 0 and size >= group:
            yield Variant(f"{group} lanes", delivered(_reversed(group)))


def _reversed(group: int) -> Callable[[IntArray], IntArray]:
    return lambda y: y.reshape(-1, group)[:, ::-1].reshape(y.shape)


HYPOTHESES = (
    Hypothesis(
        "output_in_other_order",
        "The results are right, in another order of axes.",
        "NHWC or NCHW: the address generator of the output buffer, and the dump's layout",
        _axes,
        of_accumulators=Wording(
            "Only the accumulators are in another order of axes; the outputs are correct.",
            "order of [accumulator] in the dump's layout, and how the device writes accumulators",
            name="accumulators_in_other_order",
        ),
    ),
    Hypothesis(
        "channels_in_other_order",
        "The results are right, in other channels: each that is named holds another one.",
        "the channel counter of the output, and the lanes of its words",
        _channel_order,
        solved=True,
    ),
    Hypothesis(
        "result_of_image_before",
        "Each image has the result of the image before it.",
        "the handshake at the end of an image: results are read one image late",
        _image_before,
        mixes_images=True,
    ),
    Hypothesis(
        "result_of_first_image",
        "Every image has the result of the first one.",
        "whether the input buffer is loaded again",
        _first_image,
        mixes_images=True,
    ),
    Hypothesis(
        "images_in_other_order",
        "The results are right, of other images: each that is named holds another one's.",
        "the order in which images are sent and results are kept",
        _image_order,
        solved=True,
        mixes_images=True,
    ),
    Hypothesis(
        "border_not_computed",
        "Rows or columns at the border hold a constant.",
        "loop bounds of the output, and the validity of the line buffer",
        _border,
    ),
    Hypothesis(
        "results_late",
        "Each row or column of the output has the result of the one beside it.",
        "the write address: pipeline latency that is not accounted for",
        _rows_late,
    ),
    Hypothesis(
        "byte_order",
        "The bytes of each int32 are reversed.",
        "byte order of the bus, or --format bin against bin_be",
        _byte_order,
    ),
    Hypothesis(
        "lane_order",
        "The values of each word are reversed.",
        "lane order of the words: the dump's layout says low_first or high_first",
        _lane_order,
    ),
    Hypothesis(
        "bank_order",
        "Words are in another bank than the layout says.",
        "the bank select: low bits of the word's address (interleaved) or high ones (blocked), "
        "none inverted",
        _bank_order,
    ),
    Hypothesis(
        "address_order",
        "Words are at another address than the layout says. "
        "Those that this puts outside their array are not compared.",
        "the address decoder of the memory: its lowest bit, inverted or exchanged",
        _address_order,
    ),
    Hypothesis(
        "output_in_other_encoding",
        "The results are right, with their most significant bit inverted.",
        "whether results are two's complement or offset binary: the layout's encoding says which",
        _encoding,
    ),
)
