"""What is known of one op that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...support.quoting import short_repr
from .discriminate import Discrimination
from .hypotheses import contracts
from .search import Cause


@dataclass(frozen=True, eq=False)
class OpFinding:
    """What is known of an op that differs.

    Parameters
    ----------
    op, kind : str
    inputs : str
        ``golden``, or ``device``: its own, which differ from the golden ones on some image.
    not_dumped : tuple of str
        Ops before it whose outputs were not dumped; they are taken to do right what they do.
    propagates : bool
        The op does right what it does, from inputs that differ, on every image.
    causes : tuple of Cause
        The bugs, or pairs of bugs, that reproduce all that the device made of the op and for which
        the dump says enough, with those that are about as simple; the simplest first; of the op
        itself, or of one before it that was not dumped.
    consistent : tuple of Cause
        Those that reproduce it as well, but by chance would, or with doubt, or are far less simple.
    needed_evidence : tuple of str
        Where no cause is named for want of evidence: what a dump would need.
    differing : int
        Values that differ from what the op should make of its inputs, on all images: outputs and
        accumulators, one by one.
    roles : tuple of str
        The arrays that they are in: ``accumulator``, ``output``.
    facts : tuple of str
        What else they have in common.
    images : int
        On how many images they reproduce it.
    discriminations : tuple of Discrimination
    close_matches : tuple of (str, int, int)
        Where nothing fits: bugs that come close on the images that were searched, with the values
        still differing, of those that do without it.
    hypotheses, variants, pairs : int
        How many hypotheses of the table were tried, in how many variants, and how many pairs.
    seconds : float
    read_by : str
        By which other rule of the layout the device's arrays were read, as that explains an op
        before it; "" where it was their own.
    """

    __repr__ = short_repr

    op: str
    kind: str
    inputs: str
    not_dumped: tuple[str, ...]
    propagates: bool
    causes: tuple[Cause, ...]
    consistent: tuple[Cause, ...]
    needed_evidence: tuple[str, ...]
    differing: int
    roles: tuple[str, ...]
    facts: tuple[str, ...]
    images: int
    discriminations: tuple[Discrimination, ...]
    close_matches: tuple[tuple[str, int, int], ...]
    hypotheses: int
    variants: int
    pairs: int
    seconds: float
    read_by: str = ""

    @property
    def names(self) -> list[tuple[str, ...]]:
        """The class: names of hypotheses, or pairs of names, that are named."""
        return sorted({cause.names for cause in self.causes})

    @property
    def reading(self) -> str:
        """The other rule of the layout that explains it by itself; "" where none does."""
        single = (c.bugs[0].variant.reading for c in self.fitting if len(c.bugs) == 1)
        return next(filter(None, single), "")

    @property
    def fitting(self) -> tuple[Cause, ...]:
        """Every cause that fits, named or not."""
        return (*self.causes, *self.consistent)

    @property
    def would_confirm(self) -> list[str]:
        """The ops to dump where a cause is in one that was not: it, and those after it."""
        causes = {cause.op.name for cause in self.fitting}
        places = [at for at, name in enumerate(self.not_dumped) if name in causes]
        return list(self.not_dumped[: max(places) + 1]) if places else []


def cause_groups(causes: Sequence[Cause]) -> list[list[Cause]]:
    """Return causes, those of one op and of the same hypotheses together."""
    groups: dict[tuple[str, ...], list[Cause]] = {}
    for cause in causes:
        groups.setdefault((cause.op.name, *cause.names), []).append(cause)
    return list(groups.values())


def contracts_of(findings: Sequence[OpFinding]) -> list[str]:
    """Return the other contracts by which every op that is wrong computes, in order."""
    common: set[str] | None = None
    for finding in (f for f in findings if not f.propagates):
        found = {
            bug.variant.label
            for cause in finding.causes
            for bug in cause.bugs
            if len(cause.bugs) == 1 and bug.hypothesis.name == contracts.NAME
        }
        common = found if common is None else common & found
    return sorted(common or ())
