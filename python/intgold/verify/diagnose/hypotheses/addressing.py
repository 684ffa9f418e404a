"""Ops that move values by address: counters, strides, offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from ....support.array_types import IntArray
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


def _indices(
    *variants: tuple[str, Callable[[IntArray, int], IntArray]],
) -> Callable[[Evidence], Iterator[Variant]]:
    """Return the variants of other indices, made of those of the op and the extent of its axis."""

    def found(evidence: Evidence) -> Iterator[Variant]:
        path = evidence.path
        if path.op.kind != "gather":
            return
        indices = path.arguments["indices"]
        extent = path.inputs[0].shape[path.arguments["axis"] + 1]
        for label, change in variants:
            made = change(indices, extent)
            if made.min() >= 0 and made.max() < extent and not np.array_equal(made, indices):
                yield Variant(label, _with_indices(made))

    return found


def _with_indices(indices: IntArray) -> Edit:
    return lambda path: path.with_fields(indices=indices.astype(np.int32))


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
        "whether a stride counts from the start of a run or from after its last value",
        _walks(_other_stride),
    ),
    Hypothesis(
        "indices_shifted",
        "Each index is one more or one less than it should be.",
        "whether the list's indices count from 0",
        _indices(
            ("one more", lambda at, n: at + 1),
            ("one less", lambda at, n: at - 1),
            ("one more, wraps", lambda at, n: (at + 1) % n),
            ("one less, wraps", lambda at, n: (at - 1) % n),
        ),
    ),
    Hypothesis(
        "index_read_late",
        "Each place goes by the index beside its own in the list.",
        "the latency of the list's memory",
        _indices(
            ("the one before", lambda at, n: np.concatenate([at[:1], at[:-1]])),
            ("the one after", lambda at, n: np.concatenate([at[1:], at[-1:]])),
        ),
    ),
    Hypothesis(
        "indices_ignored",
        "Places are taken in their order; the list should say which.",
        "the select between the counter and the list of indices",
        _indices(
            ("in order", lambda at, n: np.arange(at.size) % n),
            ("from the last to the first", lambda at, n: (n - 1 - np.arange(at.size)) % n),
            ("the first index only", lambda at, n: np.full_like(at, at[0])),
        ),
    ),
    Hypothesis(
        "index_from_other_end",
        "Indices count from the end of the axis.",
        "the direction of the address along the axis",
        _indices(("", lambda at, n: n - 1 - at)),
    ),
)
