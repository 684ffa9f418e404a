"""What a dump says for a cause: bits of evidence against bits of freedom.

A cause is named where stating it is shorter, by a margin, than stating the differing values as
noise around anything simpler.  What is not named is consistent with the dump; chance, or a bug that
is not in the table, may be as well.  Causes that make the same values and are about as simple have
one fate: what names one of them names all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf

import numpy as np

from ...ops.fields import INT32_MAX, INT32_MIN
from .hypotheses import Evidence
from .noise import ValueKind, noise_bits
from .score import MARGIN, Score
from .search import Cause, Trial, made_by

_CLOSE = 3
"""Bugs that come closest, around which noise is tried too."""


def rank_causes(
    causes: Sequence[Cause],
    tries: Sequence[Trial],
    searched: int,
    evidence: Evidence,
    more: float = 0.0,
) -> list[Cause]:
    """Return causes of one op, each with its weight.

    Parameters
    ----------
    causes : sequence of Cause
        All reproduce the device.
    tries : sequence of Trial
        Single bugs of the op that were tried, the best first.
    searched : int
        Values that differed without any, on the images that they were tried on.
    evidence : Evidence
        On the images that are weighed.
    more : float
        Bits of freedom besides: which op it is, where several may be.
    """
    kinds, images = kinds_of(evidence), len(evidence.path.inputs[0])
    stated = evidence_bits(evidence.expected, evidence, kinds)
    close = [t for t in tries if 0 < 2 * t.differing <= searched][:_CLOSE]
    for trial in close:
        made = made_by(trial.bug.variant.edit(evidence.path), evidence)
        stated = min(stated, trial.bug.freedom + more + evidence_bits(made, evidence, kinds))
    found = []
    for cause in causes:
        lefts = [t.differing for t in tries if t.bug.freedom < cause.freedom]
        simpler = max([0, *(searched - left for left in lefts)])
        doubt = "; ".join(bug.variant.doubt for bug in cause.bugs if bug.variant.doubt)
        granted = [evidence_bits(m, evidence, kinds) for m in _granted(cause, evidence)]
        own = min([stated, *granted])
        score = Score(simpler, searched, own, cause.freedom + more, images, doubt)
        found.append(replace(cause, score=score))
    return found


def decided(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """Return the causes that are named: what the dump decides for, and what it cannot exclude.

    That is any cause in no doubt whose freedom is within the margin of the simplest one's.  What a
    cause takes from the dump, and so has less evidence than others of its op, counts as freedom.

    Parameters
    ----------
    causes : sequence of Cause
        All that reproduce the device, with their weights.
    """
    most: dict[str, float] = {}
    for cause in causes:
        most[cause.op.name] = max(most.get(cause.op.name, 0.0), _score(cause).evidence)
    costs = [_score(c).freedom + most[c.op.name] - _score(c).evidence for c in causes]
    named = [cost for c, cost in zip(causes, costs, strict=True) if _score(c).named]
    limit = min(named, default=-inf) + MARGIN
    return tuple(
        cause
        for cause, cost in zip(causes, costs, strict=True)
        if _score(cause).named or (cost < limit and not _score(cause).doubt)
    )


def _score(cause: Cause) -> Score:
    assert cause.score is not None
    return cause.score


def _granted(cause: Cause, evidence: Evidence) -> Iterator[dict[str, np.ndarray]]:
    """Yield what is made by nothing but what the bugs take from the dump."""
    for bug in cause.bugs:
        if bug.variant.granted:
            yield made_by(bug.variant.granted(evidence.path), evidence)


def evidence_bits(
    made: Mapping[str, np.ndarray], evidence: Evidence, kinds: Mapping[str, ValueKind]
) -> float:
    """Return the bits of what the device made as noise around what something else produces.

    What follows from accumulators that were dumped is no evidence beside them; of several arrays
    after an op that was not dumped, which may follow from each other, the one that says most
    counts.
    """
    bits = {key: noise_bits(made[key], got, kinds[key]) for key, got in evidence.got.items()}
    if evidence.follow:
        return max(bits.values())
    if len(bits) == 2 and made is evidence.expected:
        path, acc = evidence.path, evidence.got["accumulator"].astype(np.int64)
        from_accumulators = noise_bits(path.after(acc)[1], evidence.got["output"], kinds["output"])
        bits["output"] = min(bits["output"], from_accumulators)
    return sum(bits.values())


def kinds_of(evidence: Evidence) -> dict[str, ValueKind]:
    """Return what is known of the values of each array that was dumped."""
    return {key: _kind(evidence, key) for key in evidence.got}


def _kind(evidence: Evidence, key: str) -> ValueKind:
    path, op = evidence.path, evidence.path.op
    if evidence.follow:
        name = key.rsplit(" ", 1)[0]
        (op,) = [o for o in path.model.ops if o.name == name]
    if op.kind == "argmax":
        classes = path.model.tensor(op.inputs[0]).shape[-1]
        rows = path.inputs[0] if op is path.op else None
        return ValueKind(32, classes=max(classes, 2), rows=rows)
    sums = None if evidence.follow else path.accumulators()
    if evidence.got[key].dtype != np.int8:
        return ValueKind(32, (INT32_MIN, INT32_MAX), key=sums)
    ends = {op.fields[n] for n in ("act_min", "act_max") if n in op.fields}
    return ValueKind(8, tuple(sorted({-128, 127, *ends})), key=sums)
