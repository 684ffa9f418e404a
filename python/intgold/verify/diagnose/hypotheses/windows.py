"""Where windows lie: the phase of the stride, the side of the padding, a pixel beside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from ....support.array_types import IntArray
from ..datapath import SLIDING, Datapath, ExcludedError
from .hypothesis import Edit, Evidence, Hypothesis, Variant


def _moved(path: Datapath, down: int, right: int) -> Datapath:
    """Return the path whose windows begin `down` pixels further down and `right` to the right."""
    top, bottom, left, right_side = path.arguments["padding"]
    sides = (top - down, bottom + down, left - right, right_side + right)
    # What is beyond an edge by more than the padding is cut off.
    cut = [max(0, -n) for n in sides]
    x = path.inputs[0]
    if max(cut[:2]) >= x.shape[1] or max(cut[2:]) >= x.shape[2]:
        raise ExcludedError("the windows left the image")
    x = x[:, cut[0] : x.shape[1] - cut[1], cut[2] : x.shape[2] - cut[3]]
    return path.with_inputs(x).with_fields(padding=tuple(max(0, n) for n in sides))


_MOVES = {
    (-1, 0): "up", (1, 0): "down", (0, -1): "left", (0, 1): "right",
    (-1, -1): "up and left", (1, 1): "down and right", (-1, 1): "up and right",
    (1, -1): "down and left",
}  # fmt: skip


def _move(down: int, right: int) -> Edit:
    return lambda path: _moved(path, down, right)


def _slides(evidence: Evidence) -> bool:
    return evidence.path.op.kind in (*SLIDING, "max_pool2d", "avg_pool2d")


def _stays(evidence: Evidence, move: tuple[int, int]) -> bool:
    """Whether windows that moved so far still read something of the image."""
    top, bottom, left, right = evidence.path.arguments["padding"]
    (down, aside), (_, h, w, _) = move, evidence.path.inputs[0].shape
    return bool(max(down - top, -down - bottom) < h and max(aside - left, -aside - right) < w)


def _phases(evidence: Evidence) -> list[tuple[int, int]]:
    """The windows begin at another of the pixels that a stride passes over."""
    if not _slides(evidence):
        return []
    stride = evidence.path.arguments["stride"]
    starts = product(range(min(stride[0], 4)), range(min(stride[1], 4)))
    return [start for start in starts if start != (0, 0) and _stays(evidence, start)]


def _other_side(evidence: Evidence) -> list[tuple[int, int]]:
    """The padding of an axis on the other side moves the windows by the difference."""
    if not _slides(evidence):
        return []
    top, bottom, left, right = evidence.path.arguments["padding"]
    moves = {(top - bottom, 0), (0, left - right), (top - bottom, left - right)} - {(0, 0)}
    known = _phases(evidence)
    return [m for m in sorted(moves) if m not in known and _stays(evidence, m)]


def _stride_phase(evidence: Evidence) -> Iterator[Variant]:
    for down, right in _phases(evidence):
        yield Variant(f"{down} down, {right} right", _move(down, right))


def _padding_side(evidence: Evidence) -> Iterator[Variant]:
    for down, right in _other_side(evidence):
        yield Variant(f"windows move by {down}, {right}", _move(down, right))


def _window_moved(evidence: Evidence) -> Iterator[Variant]:
    if _slides(evidence):
        known = [*_phases(evidence), *_other_side(evidence)]
        for (down, right), label in _MOVES.items():
            if (down, right) not in known and _stays(evidence, (down, right)):
                yield Variant(label, _move(down, right))


def _rounded_up(evidence: Evidence) -> Iterator[Variant]:
    """Where the stride leaves columns over, each row has one more window.

    A row more changes nothing of what the dump holds: it comes after the others.
    """
    if not _slides(evidence):
        return
    path = evidence.path
    a, width = path.arguments, path.inputs[0].shape[2]
    reach = (path.kernel[1] - 1) * a.get("dilation", (1, 1))[1] + 1
    left_over = (width + sum(a["padding"][2:]) - reach) % a["stride"][1]
    if left_over:
        yield Variant("", _wider(a["stride"][1] - left_over))


def _wider(by: int) -> Edit:
    """Wider rows, of which the dump holds the values that come first."""

    def wide(path: Datapath) -> Datapath:
        top, bottom, left, right = path.arguments["padding"]
        return path.with_fields(padding=(top, bottom, left, right + by))

    def first(path: Datapath, values: IntArray) -> IntArray:
        h, w, _ = path.model.tensor(path.op.output).shape
        n, _, _, c = values.shape
        return values.reshape(n, -1, c)[:, : h * w].reshape(n, h, w, c)

    def edit(path: Datapath) -> Datapath:
        before = path.accumulate
        more = path.with_accumulate(lambda p: first(p, before(wide(p))))
        if path.op.kind != "avg_pool2d":
            return more
        return more.with_stage(scale=lambda p, acc: p.divide(acc, first(p, wide(p).cells())))

    return edit


HYPOTHESES = (
    Hypothesis(
        "output_size_rounded_up",
        "The columns that the stride leaves over make one more window in each row.",
        "the number of windows: it is rounded down; and the pitch of the output's rows",
        _rounded_up,
    ),
    Hypothesis(
        "stride_phase",
        "Windows begin at another of the pixels that the stride passes over.",
        "the pixel counter's value at the start of a row and of an image",
        _stride_phase,
    ),
    Hypothesis(
        "padding_on_the_wrong_side",
        "The padding of top and bottom, or of left and right, is exchanged.",
        "SAME padding with an even total: the odd cell is at the bottom and at the right",
        _padding_side,
    ),
    Hypothesis(
        "window_moved",
        "Each window lies one pixel beside its place.",
        "the latency of the line buffer, and the row and column counters",
        _window_moved,
    ),
)
