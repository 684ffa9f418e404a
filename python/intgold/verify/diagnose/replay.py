"""What each op of a device does with what it read, on every image: which are wrong, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...model.graph import Op
from ...support.progress import Progress
from ...support.quoting import short_repr
from ..dump import Dump
from .hypotheses import Evidence
from .traces import in_blocks

_FEW = 4
"""Bytes that an op looks up wrongly, up to which they are named."""


@dataclass
class Replay:
    """An op on all images: those for which it produces something else than its inputs demand.

    Parameters
    ----------
    wrong : list of int
        The images.
    golden : bool
        Whether its inputs are golden.
    differing : Counter
        Values that differ, by role.
    read : set of int
        Of an op that looks bytes up: those whose result differs.
    """

    __repr__ = short_repr

    wrong: list[int]
    golden: bool = True
    differing: Counter[str] = field(default_factory=Counter)
    read: set[int] = field(default_factory=set)

    def add(self, first: int, evidence: Evidence) -> int:
        """Count some images, of which `first` is the first; return how many they are."""
        differs = evidence.differs()
        images = differs.reshape(differs.shape[0], -1).any(axis=1)
        self.wrong += (first + np.flatnonzero(images)).tolist()
        for role, got in evidence.got.items():
            self.differing[role] += int(np.count_nonzero(got != evidence.expected[role]))
        if evidence.path.op.kind in ("lut", "pwl"):
            self.read |= set(np.unique(evidence.path.inputs[0][differs]).tolist())
        return int(images.size)

    @property
    def facts(self) -> tuple[str, ...]:
        """What the values that differ have in common, besides their places."""
        if not 0 < len(self.read) <= _FEW:
            return ()
        return (f"only where the op reads {' or '.join(map(str, sorted(self.read)))}",)


def replayed(dump: Dump, ops: Sequence[Op], *, progress: bool) -> dict[str, Replay]:
    """Return what each op does with what it read, on every image."""
    found = {op.name: Replay([]) for op in ops}
    with Progress[int](total=dump.plan.count, unit="image", label="replay", show=progress) as bar:
        for first, traces in in_blocks(dump):
            for op in ops:
                images = found[op.name].add(first, traces.evidence(op))
                found[op.name].golden &= traces.reads_golden(op)
            bar.update(images)
    return found
