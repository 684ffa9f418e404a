"""How values of a tensor are visited by nested counters: what a strided_copy does (SPEC 5.18)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ....ops.strided_copy import MAX_COUNTERS
from ....support.quoting import short_repr

Shape = tuple[int, ...]
Counters = tuple[tuple[int, int], ...]
"""Nested counters as (count, stride), the last one fastest."""


@dataclass(frozen=True)
class Pick:
    """Places along one axis, in an order that counters make.

    Parameters
    ----------
    first : int
    counters : tuple of (int, int)
        Strides in places.
    """

    first: int
    counters: Counters

    @classmethod
    def along(cls, places: range) -> Pick:
        """Return the places of a range."""
        return cls(places.start, ((len(places), places.step),))

    @classmethod
    def of(cls, indices: np.ndarray) -> Pick | None:
        """Return two counters that produce these indices; None where more are needed."""
        for inner in _divisors(indices.size):
            blocks = indices.reshape(-1, inner).astype(np.int64)
            steps = np.diff(blocks, axis=1)
            heads = np.diff(blocks[:, 0])
            even = steps.size == 0 or (steps == steps.flat[0]).all()
            if even and (heads.size == 0 or (heads == heads[0]).all()):
                step = int(steps.flat[0]) if steps.size else 0
                outer = int(heads[0]) if heads.size else 0
                return cls(int(indices[0]), ((len(blocks), outer), (inner, step)))
        return None


def _divisors(n: int) -> list[int]:
    """Return the divisors, the largest first."""
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return sorted({*small, *(n // d for d in small)}, reverse=True)


@dataclass(frozen=True)
class AddressWalk:
    """Axes, each of nested counters whose strides are addresses in the tensor that is read."""

    __repr__ = short_repr

    axes: tuple[Counters, ...]
    offset: int = 0

    @classmethod
    def over(cls, shape: Shape) -> AddressWalk:
        """Return the walk in C order over all values of a tensor."""
        pitches = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        return cls(tuple(((n, p),) for n, p in zip(shape, pitches, strict=True)))

    @property
    def shape(self) -> Shape:
        """How many values each axis visits."""
        return tuple(math.prod(count for count, _ in counters) for counters in self.axes)

    def picked(self, axis: int, pick: Pick) -> AddressWalk:
        """Return the walk over only some places of an axis that has one counter."""
        ((_, pitch),) = self.axes[axis]
        counters = tuple((count, stride * pitch) for count, stride in pick.counters)
        axes = (*self.axes[:axis], counters, *self.axes[axis + 1 :])
        return replace(self, axes=axes, offset=self.offset + pick.first * pitch)

    def ordered(self, order: Sequence[int]) -> AddressWalk:
        """Return the walk whose axis i is axis ``order[i]`` of this one."""
        return replace(self, axes=tuple(self.axes[i] for i in order))

    def joined(self) -> Counters:
        """Return its counters: none that does not count, and as few as do."""
        made: list[tuple[int, int]] = []
        for count, stride in itertools.chain.from_iterable(self.axes):
            if count == 1:
                continue
            if made and made[-1][1] == stride * count:
                made[-1] = (made[-1][0] * count, stride)
            else:
                made.append((count, stride))
        return tuple(made)

    def is_plain(self, size: int) -> bool:
        """Return whether it visits all values of a tensor of this size in C order."""
        return self.offset == 0 and self.joined() in (((size, 1),), ())[: 1 + (size == 1)]

    @property
    def fits(self) -> bool:
        """Whether a strided_copy has as many counters."""
        return len(self.joined()) <= MAX_COUNTERS

    def fields(self) -> dict[str, Any]:
        """Return counts, strides and offset of a strided_copy, where it `fits`."""
        counters = self.joined()
        unused = MAX_COUNTERS - len(counters)
        return {
            "counts": (1,) * unused + tuple(n for n, _ in counters),
            "strides": (0,) * unused + tuple(s for _, s in counters),
            "offset": self.offset,
        }
