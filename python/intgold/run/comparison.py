"""How many values of two engines were compared, and differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .result import Result


@dataclass
class MismatchCount:
    """How many tensors (accumulators counted separately) and values were compared, and differed."""

    tensors: int = 0
    values: int = 0
    differing: int = 0

    def add(self, golden: Result, c: Result) -> None:
        """Compare two traced runs, every tensor and accumulator."""
        pairs = [
            (want, got[name])
            for expected, got in (
                (golden.tensors, c.tensors),
                (golden.accumulators, c.accumulators),
            )
            for name, want in expected.items()
        ]
        self.tensors = max(self.tensors, len(pairs))
        for want, got in pairs:
            self.compare(want, got)

    def compare(self, expected: np.ndarray, got: np.ndarray) -> None:
        """Compare two arrays."""
        same = expected.dtype == got.dtype and expected.shape == got.shape
        self.values += expected.size
        self.differing += int((expected != got).sum()) if same else expected.size

    def __add__(self, other: MismatchCount) -> MismatchCount:
        return MismatchCount(
            max(self.tensors, other.tensors),
            self.values + other.values,
            self.differing + other.differing,
        )
