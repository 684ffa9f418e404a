"""Ops that move values by address: counters, strides, offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from ..datapath import Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant

_Walk = tuple[tuple[int, ...], tuple[int, ...], int]
"""Counts, strides and offset of a strided_copy."""


def _walk_of(path: Datapath) -> _Walk:
    a = path.arguments
    return a["counts"], a["strides"], a["offset"]


def _legal(path: Datapath, walk: _Walk) -> bool:
    """Return whether all addresses lie in the input."""
    counts, strides, offset = walk
    reach = [(n - 1) * step for n, step in zip(counts, strides, strict=True)]
    last = offset + sum(max(r, 0) for r in reach)
    return offset + sum(min(r, 0) for r in reach) >= 0 and last < path.inputs[0][0].size


def _with(walk: _Walk) -> Edit:
    counts, strides, offset = walk
    return lambda path: path.with_fields(counts=counts, strides=strides, offset=offset)


def _walks(
    change: Callable[[_Walk], Iterator[tuple[str, _Walk]]],
) -> Callable[[Evidence], Iterator[Variant]]:
    """Return the variants of other walks that stay in the input."""

    def found(evidence: Evidence) -> Iterator[Variant]:
        if evidence.path.op.kind == "strided_copy":
            for label, walk in change(_walk_of(evidence.path)):
                if _legal(evidence.path, walk):
                    yield Variant(label, _with(walk))

    return found


def _moved(walk: _Walk) -> Iterator[tuple[str, _Walk]]:
    counts, strides, offset = walk
    for by, label in ((1, "one more"), (-1, "one less")):
        yield label, (counts, strides, offset + by)
    if offset:
        yield "no offset", (counts, strides, 0)


def _used(counts: tuple[int, ...]) -> list[int]:
    return [k for k, count in enumerate(counts) if count > 1]


def _put(values: tuple[int, ...], k: int, value: int) -> tuple[int, ...]:
    return (*values[:k], value, *values[k + 1 :])


def _exchanged(walk: _Walk) -> Iterator[tuple[str, _Walk]]:
    counts, strides, offset = walk
    for i, k in combinations(_used(counts), 2):
        other = _put(_put(strides, i, strides[k]), k, strides[i])
        yield f"counters {i} and {k}", (counts, other, offset)


def _backwards(walk: _Walk) -> Iterator[tuple[str, _Walk]]:
    counts, strides, offset = walk
    for k in _used(counts):
        last = offset + (counts[k] - 1) * strides[k]
        yield f"counter {k}", (counts, _put(strides, k, -strides[k]), last)


def _still(walk: _Walk) -> Iterator[tuple[str, _Walk]]:
    counts, strides, offset = walk
    for k in _used(counts):
        yield f"counter {k}", (counts, _put(strides, k, 0), offset)


def _other_stride(walk: _Walk) -> Iterator[tuple[str, _Walk]]:
    counts, strides, offset = walk
    for k in _used(counts):
        for by, label in ((1, "one more"), (-1, "one less")):
            yield f"counter {k}, {label}", (counts, _put(strides, k, strides[k] + by), offset)


def _nested(walk: _Walk) -> Iterator[tuple[str, _Walk]]:
    counts, strides, offset = walk
    if len(_used(counts)) > 1:
        yield "", (counts[::-1], strides[::-1], offset)


HYPOTHESES = (
    Hypothesis(
        "first_address_shifted",
        "The first address is not the offset.",
        "what the address register is loaded with at the start of an image",
        _walks(_moved),
    ),
    Hypothesis(
        "strides_exchanged",
        "Two counters have each other's stride.",
        "which stride register belongs to which counter",
        _walks(_exchanged),
    ),
    Hypothesis(
        "counters_nested_in_reverse",
        "The first counter counts fastest; it should be the last.",
        "the order in which counters carry over: counter 5 is the innermost",
        _walks(_nested),
    ),
    Hypothesis(
        "counter_backwards",
        "A counter walks the same addresses from the last to the first.",
        "the sign of the stride, and the offset that goes with it",
        _walks(_backwards),
    ),
    Hypothesis(
        "stride_ignored",
        "A counter does not move the address.",
        "the enable of the stride's adder",
        _walks(_still),
    ),
    Hypothesis(
        "stride_off_by_one",
        "The stride of a counter is one more or one less.",
        "whether a stride counts from the start of a run or from behind its last value",
        _walks(_other_stride),
    ),
)
