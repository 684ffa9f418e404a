"""How many bits state what a device made, where nothing but noise is the reason.

The shortest of several statements counts: how much a cause says is at most what it saves of that.
What carries little information costs little here, and so is little evidence: a difference of one,
one flipped bit, a value at an end of the clamp, an answer of ten classes that a small error turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, lgamma, log, log2

import numpy as np

from ...support.array_types import BoolArray, IntArray
from ...support.quoting import short_repr
from .hypotheses.freedom import choose_bits, constant_bits

_SCHEMES = 3.0
"""Bits that name the statement that was chosen."""
_THRESHOLDS = 64


@dataclass(frozen=True, eq=False)
class ValueKind:
    """What is known of the values of an array.

    Parameters
    ----------
    width : int
        Bits of a value.
    limits : tuple of int
        Values that a result saturates at, whatever is wrong before it.
    classes : int
        Of an index: how many there are; else 0.
    rows : ndarray, optional
        Of an index: the values that it was chosen from, shape (..., classes).
    key : ndarray, optional
        Of results: what they are made of, the accumulators without a bug.  That the largest or the
        smallest are the wrong ones is soon said, and many bugs do it.
    """

    __repr__ = short_repr

    width: int
    limits: tuple[int, ...] = ()
    classes: int = 0
    rows: IntArray | None = None
    key: IntArray | None = None


def noise_bits(made: IntArray, got: IntArray, kind: ValueKind) -> float:
    """Return the bits that state `got` where `made` is known; 0 where they are equal."""
    if np.array_equal(made, got):
        return 0.0
    made, got = (
        a.reshape(a.shape if a.ndim > 1 else (-1, 1)).astype(np.int64) for a in (made, got)
    )
    if kind.classes:
        return _SCHEMES + min(_index_bits(made, got, kind))
    return _SCHEMES + _value_bits(made, got, kind) + _place_bits(made, got, kind)


def _value_bits(made: IntArray, got: IntArray, kind: ValueKind) -> float:
    """Return the bits of the values that differ, each as it is stated shortest."""
    differs = made != got
    wrong, right = got[differs], made[differs]
    size = np.abs(wrong - right)
    flipped = (wrong ^ right) & ((1 << kind.width) - 1)
    values, counts = np.unique(made, return_counts=True)
    at = np.minimum(np.searchsorted(values, wrong), len(values) - 1)
    known = np.where(values[at] == wrong, counts[at], 0.5)
    bits = np.minimum.reduce([
        np.full(wrong.shape, float(kind.width)),
        2 * np.floor(np.log2(size)) + 2,
        np.where(_one_bit(size) | _one_bit(flipped), log2(kind.width) + 2, np.inf),
        np.log2((made.size + 128) / known) + 1,
    ])  # fmt: skip
    bits[np.isin(wrong, kind.limits)] = 0
    stated = float(bits.sum()) + kind.width * len(np.intersect1d(wrong, kind.limits))
    return min(stated, _repeated_bits(wrong, bits, stated, kind))


def _repeated_bits(wrong: IntArray, bits: IntArray, stated: float, kind: ValueKind) -> float:
    """Return the bits of values of which one that repeats is stated once, with where it is."""
    values, at, counts = np.unique(wrong, return_inverse=True, return_counts=True)
    each = np.bincount(at.ravel(), bits)
    most = int(np.argmax(each))
    k = int(counts[most])
    where = _count_bits(wrong.size, k) + choose_bits(wrong.size, k)
    return constant_bits(int(values[most]), kind.width) + where + stated - float(each[most])


def _one_bit(values: IntArray) -> BoolArray:
    return np.asarray((values != 0) & (values & (values - 1) == 0))


def _place_bits(made: IntArray, got: IntArray, kind: ValueKind) -> float:
    """Return the bits that state which values differ: among all, or in the box that holds them."""
    differs = made != got
    box, bits = [], 0.0
    for axis, extent in enumerate(differs.shape):
        others = tuple(a for a in range(differs.ndim) if a != axis)
        found = np.flatnonzero(differs.any(axis=others))
        box.append(found)
        run = len(found) == found[-1] - found[0] + 1
        some = log2(extent) + choose_bits(extent, len(found))
        bits += 1 + (0 if len(found) == extent else min(some, 2 * log2(extent) if run else some))
    inside = np.ix_(*box)
    return min(
        _inner_bits(differs, got, kind),
        bits + _inner_bits(differs[inside], got[inside], kind),
        _end_bits(differs, kind.key),
    )


def _end_bits(differs: IntArray, key: IntArray | None) -> float:
    """Return the bits that state which differ: those of the largest or of the smallest key."""
    if key is None or differs.all():
        return inf
    key = key.reshape(differs.shape)
    wrong, right = key[differs], key[~differs]
    if wrong.min() < right.max() and wrong.max() > right.min():
        return inf
    return 3 + _count_bits(differs.size, len(wrong))


def _count_bits(n: int, k: int) -> float:
    """Return the bits that state a count from 1 to `n`."""
    return min(log2(n), 2 * log2(k) + 1)


def _inner_bits(differs: IntArray, got: IntArray, kind: ValueKind) -> float:
    """Return the bits that state which of these differ.

    Where all that differs is saturated, which are saturated says it too.
    """
    n, k = differs.size, int(np.count_nonzero(differs))
    codings = [_count_bits(n, k) + choose_bits(n, k)]
    limited = np.isin(got, kind.limits)
    if limited[differs].all():
        at = int(np.count_nonzero(limited))
        codings.append(_count_bits(n, at) + choose_bits(n, at))
    return min(codings)


def _index_bits(made: IntArray, got: IntArray, kind: ValueKind) -> Iterator[float]:
    """Yield the bits of an index, each way that it can be stated."""
    differs, each = made != got, log2(kind.classes)
    n, k = differs.size, int(np.count_nonzero(differs))
    places = _count_bits(n, k) + choose_bits(n, k)
    known = np.unique(made)
    one = log2(len(known)) if np.isin(got, known).all() else each
    yield min(places + k * one, n * one)  # any class, or any that the model answers
    yield places + _drawn_bits(got[differs], each)
    yield _drawn_bits(got, each)  # all at once: one class may be nearly every answer
    yield sum(each + _drawn_bits(got[made == v], each) for v in np.unique(made))
    if kind.rows is None:  # a small error turned close ones to the runner-up
        yield log2(n + 1) + k
    else:
        yield from _turned(kind.rows.reshape(n, -1), made.ravel(), got.ravel(), each)


def _drawn_bits(values: IntArray, each: float) -> float:
    """Return the bits of values drawn from a few, whose shares are not known before."""
    _, counts = np.unique(values, return_counts=True)
    orders = lgamma(values.size + 1) - sum(lgamma(c + 1) for c in counts.tolist())
    return float(len(counts)) * (each + log2(values.size + 1)) + orders / log(2)


def _turned(rows: IntArray, made: IntArray, got: IntArray, each: float) -> Iterator[float]:
    """Yield the bits of answers that a small error turned: those whose best two are close.

    An answer that turned is stated by its rank among the values, and by a bit that it did turn.
    """
    if rows.shape[1] < 2 or (got < 0).any() or (got >= rows.shape[1]).any():
        return
    rows = rows.astype(np.int64)
    best = np.sort(rows, axis=1)
    by_margin = np.argsort(best[:, -1] - best[:, -2], kind="stable")
    differs = (made != got)[by_margin]
    own = np.take_along_axis(rows, got[:, None], axis=1)
    ranks = (rows > own).sum(axis=1)[made != got]
    at = np.flatnonzero(differs) + 1
    n, k = len(rows), len(at)
    stated = _drawn_bits(ranks, each) + k + 2 * log2(n + 1)
    some = np.unique(np.linspace(0, k - 1, min(k, _THRESHOLDS)).astype(int))
    for i in some.tolist():
        m = int(at[i])
        yield stated + choose_bits(m, i + 1) + choose_bits(n - m, k - i - 1)
