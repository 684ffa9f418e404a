"""Where the differences of an array lie, and how large they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from ..vectors.arrays.contents import ArraySpec
from ..vectors.sets.strays import Strays

_AXES = {"S": "step", "H": "row", "W": "column", "C": "channel"}
_MAX_PLACES = 2**22
"""Elements of an image up to which each is counted by itself."""
_EXACT = 8
"""Differences up to this are counted by value, larger ones by powers of two."""


class ErrorStatistics:
    """Counts the differences of one array, image by image.

    Parameters
    ----------
    entry : ArraySpec
    count : int
        Images that come.
    stored : callable
        From a value to the number that the dump has for it.

    Attributes
    ----------
    strays : Strays or None
        What a dump holds instead of padding.
    """

    def __init__(self, entry: ArraySpec, count: int, stored: Callable[[int], int] = int) -> None:
        self.entry, self.count, self.stored = entry, count, stored
        self.images = np.zeros(count, np.int64)
        self.along = [np.zeros(n, np.int64) for n in entry.shape]
        size = int(np.prod(entry.shape, dtype=np.int64))
        self.places = np.zeros(entry.shape, np.int32) if size <= _MAX_PLACES else None
        self.bins: dict[tuple[int, int], int] = {}
        self.ends: dict[tuple[int, int], tuple[int, int]] = {}
        self.constants = np.zeros((count, 2), np.int64)
        self.first: tuple[int, tuple[int, ...], int, int] | None = None
        self.strays: Strays | None = None

    @property
    def differing(self) -> int:
        """How many values differ."""
        return int(self.images.sum())

    @property
    def of(self) -> int:
        """How many values the set has."""
        return self.count * int(np.prod(self.entry.shape, dtype=np.int64))

    def add(self, first: int, expected: np.ndarray, got: np.ndarray) -> None:
        """Count some images, of which `first` is the first."""
        differs = expected != got
        rows = got.reshape(len(got), -1)
        self.constants[first : first + len(got)] = np.stack([rows.min(1), rows.max(1)], axis=1)
        if not differs.any():
            return
        if self.first is None:
            at = tuple(int(i) for i in np.argwhere(differs)[0])
            self.first = (first + at[0], at[1:], int(expected[at]), int(got[at]))
        self.images[first : first + len(expected)] = differs.reshape(len(expected), -1).sum(axis=1)
        once = differs.sum(axis=0)
        for axis, counts in enumerate(self.along):
            counts += once.sum(axis=tuple(a for a in range(once.ndim) if a != axis))
        if self.places is not None:
            self.places += once.astype(np.int32)
        deltas, counts = np.unique(
            got[differs].astype(np.int64) - expected[differs].astype(np.int64), return_counts=True
        )
        for delta, n in zip(deltas.tolist(), counts.tolist(), strict=True):
            bin_ = _bin(delta)
            self.bins[bin_] = self.bins.get(bin_, 0) + n
            lowest, highest = self.ends.get(bin_, (delta, delta))
            self.ends[bin_] = min(lowest, delta), max(highest, delta)

    def histogram(self) -> list[tuple[str, int]]:
        """Return (got less expected, how many), rising; large differences by powers of two.

        Where all of one range are equal, it is that difference.
        """
        return [(self._shown(bin_), self.bins[bin_]) for bin_ in sorted(self.bins)]

    def _shown(self, bin_: tuple[int, int]) -> str:
        lowest, highest = self.ends[bin_]
        return f"{lowest:+d}" if lowest == highest else f"{bin_[0]:+d}..{bin_[1]:+d}"

    def sentences(self) -> list[str]:
        """Return what the places and sizes have in common."""
        found = [_among("image", np.flatnonzero(self.images), self.count)]
        if self._border_only():
            found.append("only at the border")
        else:
            found += [
                _among(_AXES.get(a, a), np.flatnonzero(counts), len(counts))
                for a, counts in zip(self.entry.axes, self.along, strict=True)
            ]
        if self.places is not None and (self.places == self.count).all():
            found.append("every value")
        if len(self.bins) == 1:
            found.append(f"always {self.histogram()[0][0]}")
        elif all(lo > 0 for lo, _ in self.bins):
            found.append("always too large")
        elif all(hi < 0 for _, hi in self.bins):
            found.append("always too small")
        found.append(self._constant())
        return [s for s in found if s]

    def _constant(self) -> str:
        """Return which value all have from an image on to the last, where images are constant."""
        lowest, highest = self.constants.T
        value = int(lowest[-1])
        other = np.flatnonzero((lowest != value) | (highest != value))
        first = int(other[-1]) + 1 if len(other) else 0
        wrong = int(np.count_nonzero(self.images[first:]))
        if self.of == self.count or 2 * wrong <= self.count - first:
            return ""  # images of one value each say nothing; some that are right may be constant
        since = f" from image {first} on" if first else ""
        return f"got is always {self.stored(value)}{since}"

    def _border_only(self) -> bool:
        if self.places is None or self.entry.axes != "HWC" or min(self.entry.shape[:2]) < 3:
            return False
        rows, columns = (set(np.flatnonzero(counts)) for counts in self.along[:2])
        height, width, _ = self.entry.shape
        if rows <= {0, height - 1} or columns <= {0, width - 1}:
            return False  # which row or column says more
        return not self.places[1:-1, 1:-1].any()


def _bin(delta: int) -> tuple[int, int]:
    if abs(delta) <= _EXACT:
        return delta, delta
    power = 1 << (abs(delta) - 1).bit_length()
    low, high = power // 2 + 1, power
    return (low, high) if delta > 0 else (-high, -low)


def _among(name: str, found: Sequence[int] | np.ndarray, extent: int) -> str:
    """Return which of `extent` things these are, "" for all of them."""
    chosen: Collection[int] = {int(i) for i in found}
    if len(chosen) == extent:
        return ""
    first, last = min(chosen), max(chosen)
    if len(chosen) == 1:
        return f"only {name} {first}"
    if len(chosen) == last - first + 1:
        if first == 0:
            return f"only {name}s up to {last}"
        return f"only {name}s from {first} on" if last == extent - 1 else (
            f"only {name}s {first} to {last}"
        )  # fmt: skip
    if chosen == {0, extent - 1}:
        return f"only the first and the last {name}"
    for step in (2, 3, 4, 8, 16, 32):
        if chosen == set(range(first, extent, step)) and first < step:
            return f"only {name}s {first}, {first + step}, ...: one of {step}"
    return f"{len(chosen)} of {extent} {name}s"
