"""How results leave the device: order of axes, channels, images, bytes and lanes; stuck wires."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..datapath import Datapath, IntArray
from .hypothesis import Edit, Evidence, Hypothesis, Variant

_LANES = (2, 4, 8, 16, 32, 64)


def _delivered(change: Callable[[IntArray], IntArray]) -> Edit:
    def edit(path: Datapath) -> Datapath:
        before = path.deliver
        return path.with_stage(deliver=lambda p, y: change(before(p, y)))

    return edit


def _shape(evidence: Evidence) -> tuple[int, ...]:
    """Of a result: (n, ...)."""
    path = evidence.path
    return (len(path.inputs[0]), *path.model.tensor(path.op.output).shape)


def _axes(evidence: Evidence) -> Iterator[Variant]:
    shape = _shape(evidence)
    if len(shape) != 4:
        return
    _, h, w, c = shape
    if c > 1 and h * w > 1:
        yield Variant(
            "NCHW written", _delivered(lambda y: y.transpose(0, 3, 1, 2).reshape(y.shape))
        )
        yield Variant(
            "NHWC read as NCHW",
            _delivered(lambda y: y.reshape(len(y), c, h, w).transpose(0, 2, 3, 1)),
        )
    if h == w > 1:
        yield Variant("rows and columns exchanged", _delivered(lambda y: y.swapaxes(1, 2)))
    if h > 1:
        yield Variant("the last row first", _delivered(lambda y: y[:, ::-1]))
    if w > 1:
        yield Variant("the last column first", _delivered(lambda y: y[:, :, ::-1]))


def _first(evidence: Evidence) -> tuple[IntArray, IntArray]:
    """What was wanted and got of an array that differs, the output before the accumulators."""
    roles = [role for role in ("output", "accumulator") if role in evidence.got]
    wrong = [r for r in roles if not np.array_equal(evidence.wanted[r], evidence.got[r])]
    role = (wrong or roles)[0]
    return evidence.wanted[role], evidence.got[role]


def _matched(wanted: IntArray, got: IntArray) -> list[int] | None:
    """Return which row of `wanted` each row of `got` is; None unless each is one."""
    rows = {row.tobytes(): i for i, row in reversed(list(enumerate(np.ascontiguousarray(wanted))))}
    found = [rows.get(row.tobytes()) for row in np.ascontiguousarray(got)]
    own = (got == wanted).all(axis=1)
    order = [i if own[i] else f for i, f in enumerate(found)]
    if any(i is None for i in order) or order == list(range(len(order))):
        return None
    return [i for i in order if i is not None]


def _channel_order(evidence: Evidence) -> Iterator[Variant]:
    wanted, got = _first(evidence)
    count = wanted.shape[-1]
    order = _matched(wanted.reshape(-1, count).T, got.reshape(-1, count).T)
    if order and count > 1 and not _reversed_in_groups(order):
        shown = ", ".join(map(str, order[:16])) + (", ..." if count > 16 else "")
        yield Variant(shown, _delivered(lambda y: y[..., order]))


def _reversed_in_groups(order: list[int]) -> bool:
    """Whether lanes of words are reversed, which is a hypothesis of its own."""
    at = np.arange(len(order))
    return any(
        len(order) % g == 0 and (at.reshape(-1, g)[:, ::-1].ravel() == order).all() for g in _LANES
    )


def _image_order(evidence: Evidence) -> Iterator[Variant]:
    wanted, got = _first(evidence)
    order = _matched(wanted.reshape(len(wanted), -1), got.reshape(len(got), -1))
    if order:
        shown = ", ".join(map(str, order[:16])) + (", ..." if len(order) > 16 else "")
        if order == [0, *range(len(order) - 1)] or not any(order):
            return  # the image before, the first image: hypotheses of their own
        yield Variant(shown, _delivered(lambda y: y[order] if len(y) == len(order) else y))


def _image_before(evidence: Evidence) -> Iterator[Variant]:
    if _shape(evidence)[0] > 1:
        yield Variant("the first is right", _delivered(lambda y: np.concatenate([y[:1], y[:-1]])))
        for value in (0, -128):
            yield Variant(f"{value} at first", _delivered(_one_late(value)))


def _one_late(first: int) -> Callable[[IntArray], IntArray]:
    return lambda y: np.concatenate([np.full_like(y[:1], first), y[:-1]])


def _first_image(evidence: Evidence) -> Iterator[Variant]:
    if _shape(evidence)[0] > 1:
        yield Variant("", _delivered(lambda y: np.repeat(y[:1], len(y), axis=0)))


def _border(evidence: Evidence) -> Iterator[Variant]:
    shape = _shape(evidence)
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
            yield Variant(f"{label} is {value}", _delivered(change))


def _rows_late(evidence: Evidence) -> Iterator[Variant]:
    shape = _shape(evidence)
    if len(shape) == 4:
        for axis, name in ((1, "row"), (2, "column")):
            if shape[axis] > 1:
                for by, word in ((1, "before"), (-1, "after")):
                    yield Variant(f"the {name} {word}", _delivered(_late(axis, by)))


def _late(axis: int, by: int) -> Callable[[IntArray], IntArray]:
    def change(y: IntArray) -> IntArray:
        at = np.clip(np.arange(y.shape[axis]) - by, 0, y.shape[axis] - 1)
        return y.take(at, axis=axis)

    return change


def _byte_order(evidence: Evidence) -> Iterator[Variant]:
    if evidence.path.dtype == np.int32 or "accumulator" in evidence.got:
        yield Variant("", _delivered(lambda y: y.byteswap() if y.itemsize > 1 else y))


def _lane_order(evidence: Evidence) -> Iterator[Variant]:
    size = int(np.prod(_shape(evidence)[1:]))
    for group in _LANES:
        if size % group == 0 and size >= group:
            yield Variant(f"{group} lanes", _delivered(_reversed(group)))


def _reversed(group: int) -> Callable[[IntArray], IntArray]:
    return lambda y: y.reshape(-1, group)[:, ::-1].reshape(y.shape)


def _lane_stuck(evidence: Evidence) -> Iterator[Variant]:
    """The lane and its value follow from what the device made."""
    wanted, got = (a.reshape(len(a), -1) for a in _first(evidence))
    size = wanted.shape[1]
    places = np.flatnonzero((wanted != got).any(axis=0))
    channels = _shape(evidence)[-1]
    for lanes in sorted({*_LANES, channels}):
        lane = set((places % lanes).tolist())
        if lanes < 2 or lanes > size or len(lane) != 1:
            continue
        first = lane.pop()
        values = np.unique(got[:, first::lanes])
        if len(values) == 1:
            value, name = int(values[0]), "channel" if lanes == channels else f"lane of {lanes}"
            yield Variant(f"{name} {first} at {value}", _delivered(_stuck(first, lanes, value)))


def _stuck(first: int, lanes: int, value: int) -> Callable[[IntArray], IntArray]:
    def change(y: IntArray) -> IntArray:
        made = y.reshape(len(y), -1).copy()
        made[:, first::lanes] = _low_bits(value, y)
        return made.reshape(y.shape)

    return change


def _low_bits(value: int, y: IntArray) -> IntArray:
    """Return a constant, perhaps of the accumulators, as the array holds it."""
    return np.asarray(value, np.int64).astype(y.dtype)


def _all(value: int) -> Callable[[IntArray], IntArray]:
    return lambda y: np.full_like(y, _low_bits(value, y))


def _bit_stuck(evidence: Evidence) -> Iterator[Variant]:
    for bit in range(8 * evidence.path.dtype.itemsize):
        for value in (0, 1):
            yield Variant(f"bit {bit} at {value}", _delivered(_bit(bit, value)))


def _bit(bit: int, value: int) -> Callable[[IntArray], IntArray]:
    def change(y: IntArray) -> IntArray:
        raw = y.view(np.uint8 if y.itemsize == 1 else np.uint32)
        mask = np.full((), 1 << bit, raw.dtype)
        return (raw | mask if value else raw & ~mask).view(y.dtype)

    return change


def _lane_bit_stuck(evidence: Evidence) -> Iterator[Variant]:
    """A bit of one lane; which follows from what the device made."""
    wanted, got = (a.reshape(len(a), -1) for a in _first(evidence))
    width = 8 * wanted.itemsize
    kind = {8: np.uint8, 32: np.uint32}[width]
    difference = np.bitwise_or.reduce((wanted ^ got).view(kind), axis=None)
    bit = int(difference).bit_length() - 1
    if bit < 0 or int(difference) != 1 << bit:
        return
    places = np.flatnonzero((wanted != got).any(axis=0))
    for lanes in sorted({*_LANES, _shape(evidence)[-1]}):
        lane = set((places % lanes).tolist())
        if lanes < 2 or lanes > wanted.shape[1] or len(lane) != 1:
            continue
        first = lane.pop()
        for value in (0, 1):

            def change(
                y: IntArray, first: int = first, lanes: int = lanes, value: int = value
            ) -> IntArray:
                made = y.reshape(len(y), -1).copy()
                if bit < 8 * made.itemsize:
                    made[:, first::lanes] = _bit(bit, value)(made[:, first::lanes].copy())
                return made.reshape(y.shape)

            name = f"lane {first} of {lanes}"
            yield Variant(f"bit {bit} of {name} at {value}", _delivered(change))


def _nothing(evidence: Evidence) -> Iterator[Variant]:
    _, got = _first(evidence)
    values = np.unique(got)
    if len(values) == 1:
        value = int(values[0])
        yield Variant(f"all is {value}", _delivered(_all(value)))


HYPOTHESES = (
    Hypothesis(
        "output_in_other_order",
        "The results are right, in another order of axes.",
        "NHWC or NCHW: the address generator of the output buffer, and the dump's layout",
        _axes,
    ),
    Hypothesis(
        "channels_in_other_order",
        "The results are right, in other channels: for each channel, the one that it holds.",
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
        "The results are right, of other images: for each image, the one whose result it is.",
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
        "lane_stuck",
        "One lane or channel always holds the same value.",
        "the write enable and the wires of that lane",
        _lane_stuck,
        solved=True,
    ),
    Hypothesis(
        "bit_stuck",
        "One bit of every result is stuck.",
        "the wire of that bit",
        _bit_stuck,
    ),
    Hypothesis(
        "bit_of_lane_stuck",
        "One bit of one lane or channel is stuck.",
        "the wire of that bit",
        _lane_bit_stuck,
        solved=True,
    ),
    Hypothesis(
        "nothing_computed",
        "All results are the same constant.",
        "clock, reset and start of the op; whether the dump is taken before it is done",
        _nothing,
        solved=True,
    ),
)
