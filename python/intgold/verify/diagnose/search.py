"""Finds the hypotheses that reproduce, bit for bit, what a device made of one op."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np

from ...model.graph import Op
from ...support.quoting import short_repr
from .datapath import Datapath, ExcludedError
from .hypotheses import HYPOTHESES, Evidence, Hypothesis, Variant
from .score import Score

_ROWS = 64
"""Output pixels that a pair is tried on before it is compared with everything."""


_TABLE_BITS = log2(len(HYPOTHESES))


@dataclass(frozen=True, eq=False)
class Bug:
    """A hypothesis with its parameters.

    Parameters
    ----------
    hypothesis : Hypothesis
    variant : Variant
    freedom : float
        Bits that name it: which hypothesis of the table, which of its variants.
    """

    hypothesis: Hypothesis
    variant: Variant
    freedom: float

    def __str__(self) -> str:
        name = self.hypothesis.name
        return f"{name} ({self.variant.label})" if self.variant.label else name


@dataclass(frozen=True, eq=False)
class Cause:
    """One bug of an op, or two at once, in the order of the datapath."""

    __repr__ = short_repr

    op: Op
    bugs: tuple[Bug, ...]
    score: Score | None = None

    @property
    def freedom(self) -> float:
        """Bits that name its bugs."""
        return sum(bug.freedom for bug in self.bugs)

    def plant(self, path: Datapath) -> Datapath:
        """Return the path with the bugs."""
        for bug in self.bugs:
            path = bug.variant.edit(path)
        return path

    @property
    def mixes_images(self) -> bool:
        """Whether an image's result depends on other images."""
        return any(bug.hypothesis.mixes_images for bug in self.bugs)

    @property
    def names(self) -> tuple[str, ...]:
        """The hypotheses by name, in alphabetical order."""
        return tuple(sorted(bug.hypothesis.name for bug in self.bugs))

    def __str__(self) -> str:
        return " and ".join(map(str, self.bugs))


def bugs_of(evidence: Evidence, table: Sequence[Hypothesis] = HYPOTHESES) -> Iterator[Bug]:
    """Yield every variant of every hypothesis that applies."""
    for hypothesis in table:
        found = list(hypothesis.variants(evidence))
        for variant in found:
            bits = log2(len(found)) if variant.bits is None else variant.bits
            yield Bug(hypothesis, variant, _TABLE_BITS + bits)


def made_by(path: Datapath, evidence: Evidence) -> dict[str, np.ndarray]:
    """Return what the path produces for each array that the device dumped.

    Accumulators may be dumped as the op holds them, or moved as its results are; or only they are.
    """
    held, raw = path.undelivered()
    y = path.write_output(path, raw)
    if evidence.follow:
        return evidence.follow(held, y)
    outcomes = [{"output": y, "accumulator": held}]
    moved = path.write_output(path, held)
    if moved is not held and "accumulator" in evidence.got:
        outcomes += [{"output": y, "accumulator": moved}, {"output": raw, "accumulator": moved}]
    if "output" not in evidence.got:
        outcomes = outcomes[:2]
    return min(outcomes, key=lambda made: _count(made, evidence.got))


def differing(path: Datapath, evidence: Evidence) -> int:
    """Return how many values of what the device dumped the path does not make."""
    return _count(made_by(path, evidence), evidence.got)


def _count(made: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> int:
    return sum(int(np.count_nonzero(made[key] != a)) for key, a in got.items())


def _differing(
    held: np.ndarray, y: np.ndarray, moved: np.ndarray, got: dict[str, np.ndarray]
) -> int:
    """Return how many values are not made, of accumulators as they are held or moved."""
    accs = [held] if moved is held or "accumulator" not in got else [held, moved]
    return min(_count({"output": y, "accumulator": acc}, got) for acc in accs)


@dataclass(frozen=True, eq=False)
class Trial:
    """A bug, and how many values of the device it does not make."""

    bug: Bug
    differing: int


def trials(evidence: Evidence, table: Sequence[Hypothesis] = HYPOTHESES) -> list[Trial]:
    """Return every single bug with what it leaves unexplained, the best first."""
    if evidence.follow:  # what the device made is not of this op, so nothing is solved from it
        table = [h for h in table if not h.solved]
    tried = [
        Trial(bug, differing(bug.variant.edit(evidence.path), evidence))
        for bug in bugs_of(evidence, table)
    ]
    return sorted(tried, key=lambda trial: trial.differing)


def pair_causes(
    evidence: Evidence, table: Sequence[Hypothesis] = HYPOTHESES
) -> tuple[list[Cause], int]:
    """Return every pair of bugs that reproduces the device's arrays exactly; how many were tried.

    Bugs that are solved for are left out: they take all that differs as their own.  Two bugs of
    one stage are tried in the order of the table.
    """
    search = _PairSearch(evidence, table)
    return search.run(), search.count


class _PairSearch:
    """Pairs by stage: what an earlier bug has computed serves all later ones."""

    def __init__(self, evidence: Evidence, table: Sequence[Hypothesis]) -> None:
        self.evidence, self.base = evidence, evidence.path
        self.base.accumulators()
        self.operands: list[Bug] = []
        self.pointwise: list[Bug] = []
        self.output_order: list[Bug] = []
        for bug in bugs_of(evidence, [h for h in table if not h.solved]):
            path = bug.variant.edit(self.base)
            if path.write_output is not self.base.write_output:
                self.output_order.append(bug)
            elif path.made is not self.base.made:
                self.operands.append(bug)
            else:
                self.pointwise.append(bug)

    @property
    def count(self) -> int:
        """How many pairs there are."""
        first, last = len(self.operands) + len(self.pointwise), len(self.output_order)
        return first * (first - 1) // 2 + (first + last - 1) * last

    def run(self) -> list[Cause]:
        found: list[Cause] = []
        for pair in self._likely():
            cause = Cause(self.base.op, pair)
            if not differing(cause.plant(self.base), self.evidence):
                found.append(cause)
        return found

    def _likely(self) -> Iterator[tuple[Bug, Bug]]:
        yield from self._delivered()
        few = _Few(self.evidence)
        for i, first in enumerate(self.pointwise):
            yield from few.pairs(self.base, first, self.pointwise[i + 1 :])
        for i, first in enumerate(self.operands):
            path = first.variant.edit(few.part)
            yield from few.pairs(path, first, self.pointwise, planted=True)
            for second in self.operands[i + 1 :]:
                both = _planted(second, path)
                if both is not None and few.fits(both):
                    yield first, second

    def _delivered(self) -> Iterator[tuple[Bug, Bug]]:
        """Pairs with one that moves results: the other's results are computed once."""
        moves = [(bug, bug.variant.edit(self.base)) for bug in self.output_order]
        got = self.evidence.got
        for first in [*self.operands, *self.pointwise, *self.output_order]:
            held, y = first.variant.edit(self.base).results()
            for second, path in moves:
                if second is first:
                    continue
                made = path.write_output(path, y) if "output" in got else y
                if not _differing(held, made, path.write_output(path, held), got):
                    yield first, second


def _planted(bug: Bug, path: Datapath) -> Datapath | None:
    """Return a path with one more bug; None where the first one leaves it no way.

    A zero point of 128, from a wrong sign, is no value that an int8 input can hold; windows that
    moved away from a small image twice read nothing of it.
    """
    try:
        return bug.variant.edit(path)
    except (OverflowError, ExcludedError):
        return None


class _Few:
    """A small part of the evidence that every pair is tried on first: two images, some pixels."""

    def __init__(self, evidence: Evidence) -> None:
        differs = evidence.differs()
        wrong = differs.reshape(differs.shape[0], -1).any(axis=1)
        first = int(np.flatnonzero(wrong)[0])
        images = [first, first + 1] if first + 1 < wrong.size else [first]
        path = evidence.path
        self.part = Datapath.of(path.model, path.op, tuple(x[images] for x in path.inputs))
        channels = differs.shape[-1]
        rows = differs[images].reshape(-1, channels).any(axis=1)
        half = _ROWS // 2
        some, others = np.flatnonzero(rows), np.flatnonzero(~rows)
        spread = some[np.linspace(0, len(some) - 1, min(half, len(some))).astype(int)]
        self.rows = np.concatenate([spread, others[: _ROWS - len(spread)]])
        self.channels = channels
        self.whole = path.op.kind == "avg_pool2d"  # its divisor depends on the place
        self.got = {r: self._some(a[images]) for r, a in evidence.got.items()}

    def _some(self, values: np.ndarray) -> np.ndarray:
        return values if self.whole else values.reshape(-1, self.channels)[self.rows]

    def fits(self, path: Datapath) -> bool:
        """Return whether the path agrees on these rows."""
        acc = self._some(path.accumulators())
        if "accumulator" in self.got:  # most pairs end here
            held = path.accumulator_register(path, acc)
            if not np.array_equal(held.astype(np.int32), self.got["accumulator"]):
                return False
        held, y = path.after(acc)
        return not _count({"output": y, "accumulator": held}, self.got)

    def pairs(
        self, path: Datapath, first: Bug, others: Sequence[Bug], *, planted: bool = False
    ) -> Iterator[tuple[Bug, Bug]]:
        """Yield the pairs of `first` with others that agree on these rows."""
        path = path if planted else first.variant.edit(self.part)
        for second in others:
            both = _planted(second, path)
            if both is not None and self.fits(both):
                yield first, second
