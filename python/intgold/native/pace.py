"""How many images one call of C takes: few enough that Python looks at signals in between."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

_PERIOD = 0.1
"""Seconds between two looks."""
_GROWTH = 8
"""A first image may be a slow one: calls grow step by step."""


class Pace:
    """The pace of a model, learned from its runs; any number of threads may share it.

    Attributes
    ----------
    images : int
        That a call takes at most.
    """

    def __init__(self) -> None:
        self.images = 1

    def parts(self, whole: range) -> Iterator[range]:
        """Yield parts of a range of images, each to be run before the next is asked for."""
        first = whole.start
        while first < whole.stop:
            part = range(first, min(first + self.images, whole.stop))
            started = perf_counter()
            yield part
            self._learn(len(part), perf_counter() - started)
            first = part.stop

    def _learn(self, count: int, seconds: float) -> None:
        fit = int(count * _PERIOD / max(seconds, 1e-9))
        self.images = max(1, min(fit, _GROWTH * self.images))
