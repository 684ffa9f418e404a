"""Diagnoses a dump: the first op that differs, the bugs that would make it so, what follows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, log2, prod

import numpy as np

from ...model.graph import Op
from ...support.progress import Progress
from ...vectors.memory.layout import ACTIVATIONS
from ..comparison import DumpComparison
from ..dump import Dump
from .discriminate import Discrimination, discriminate
from .finding import OpFinding
from .hypotheses import HYPOTHESES, Evidence
from .ranking import decided, rank_causes
from .replay import Replay, replayed
from .score import MARGIN
from .search import Cause, Trial, differing, pair_causes, trials
from .traces import Traces, in_blocks, of_images

_IMAGES = 8
"""Images that every hypothesis is tried on; what fits is then compared on all of the set."""
_MIXED = 256
"""Images that bugs which mix images are compared on."""
_RANKED = 2**20
"""Values of the largest tensor up to which more images are weighed than searched."""

_KEPT = 2**18
"""Values of a tensor up to which the evidence of an op that was not dumped is kept."""

_Kept = dict[tuple[int, ...], Traces]
"""Traces by their images."""


def diagnose(
    dump: Dump, comparison: DumpComparison, *, pairs: bool = True, progress: bool = False
) -> list[OpFinding]:
    """Return a finding for each op whose dumped outputs or accumulators differ, in graph order.

    The first is searched with pairs of bugs too, where no single one fits and `pairs` is set.

    Parameters
    ----------
    dump : Dump
    comparison : DumpComparison
        Of `intgold.verify.comparison.compare`.
    pairs : bool
    progress : bool
        Show bars.
    """
    wrong = {c.op for c in comparison.comparisons if c.differing and c.role != "partial"}
    ops = [op for op in dump.plan.model.ops if op.name in wrong]
    replays = replayed(dump, ops, progress=progress) if ops else {}
    found: list[OpFinding] = []
    reread: _Reread | None = None
    kept: _Kept = {}
    for op in Progress(ops, unit="op", label="diagnose", show=progress):
        finding = _Search(dump, op, replays[op.name], kept).finding(pairs=pairs and op is ops[0])
        if reread and finding.causes == () and not finding.propagates:
            finding = reread.finding(op) or finding
        found.append(finding)
        if reread is None and finding.reading:
            reread = _Reread(dump.read_by(finding.reading), finding.reading, ops, progress=progress)
    return found


class _Reread:
    """The dump by another rule of its layout, which explains an op: later ones may be right by it.

    Parameters
    ----------
    dump : Dump
        By the other rule.
    label : str
        What it is.
    ops : sequence of Op
    progress : bool
    """

    def __init__(self, dump: Dump, label: str, ops: Sequence[Op], *, progress: bool) -> None:
        self.dump, self.label = dump, label
        self.kept: _Kept = {}
        self.replays = replayed(dump, ops, progress=progress)

    def finding(self, op: Op) -> OpFinding | None:
        """Return what is known of an op by it; None where that is no more than without."""
        found = _Search(self.dump, op, self.replays[op.name], self.kept).finding(pairs=False)
        better = found.propagates or found.causes
        return replace(found, read_by=self.label) if better else None


class _Search:
    """The search for what is wrong with one op.

    Parameters
    ----------
    dump : Dump
    op : Op
    replay : Replay
    kept : dict
        Takes the traces of few images, for the searches of other ops.
    """

    def __init__(self, dump: Dump, op: Op, replay: Replay, kept: _Kept) -> None:
        self.dump, self.op, self.replay, self.kept = dump, op, replay, kept
        self.wrong = wrong = replay.wrong
        count = dump.plan.count
        start = max(0, min(wrong[0] - 1, count - _IMAGES)) if wrong else 0
        self.images = list(range(start, count))[:_IMAGES]
        self.traces = self._traces(self.images)
        self._few: dict[str, Evidence] = {}
        self.hypotheses: set[str] = set()
        self.variants = self.pairs = 0
        blocks = dump.device.blocks.items()
        of_bytes = any(b.packing.offset_binary for e, b in blocks if e.role in ACTIVATIONS)
        differing = replay.differing
        of_accumulators = "output" in differing and differing["output"] == 0
        self.table = [
            h.worded(of_bytes=of_bytes, of_accumulators=of_accumulators) for h in HYPOTHESES
        ]

    def finding(self, *, pairs: bool) -> OpFinding:
        """Return what is known: single bugs here and in ops not dumped, then pairs."""
        started = time.monotonic()
        facts = dict(
            op=self.op.name,
            kind=self.op.kind,
            propagates=not self.wrong,
            inputs="golden" if self.replay.golden else "device",
            not_dumped=tuple(before.name for before in self.traces.not_dumped(self.op)),
            causes=(),
            consistent=(),
            needed_evidence=(),
            differing=self.replay.differing.total(),
            roles=tuple(r for r, n in sorted(self.replay.differing.items()) if n),
            facts=self.replay.facts,
            images=self.dump.plan.count,
            discriminations=(),
            close_matches=(),
        )
        if self.wrong:
            facts |= self._causes(pairs=pairs)
        took = time.monotonic() - started
        counts = dict(hypotheses=len(self.hypotheses), variants=self.variants, pairs=self.pairs)
        return OpFinding(**facts, **counts, seconds=took)  # type: ignore[arg-type]

    def _causes(self, *, pairs: bool) -> dict[str, object]:
        evidence = self._evidence(self.traces, self.op)
        tries, causes, images = self._single(self.op)
        tried = {self.op.name: tries}
        for before in self.traces.not_dumped(self.op):
            tried[before.name], more, on = self._single(before)
            causes, images = [*causes, *more], min(images, on)
        if pairs and not causes:
            found, self.pairs = pair_causes(evidence, self.table)
            causes, images = self._confirmed(self.op, found)
        if not causes:
            return {"close_matches": _close_matches(tries, evidence), "images": len(self.images)}
        causes = self._ranked(causes, tried)
        here = [cause for cause in causes if cause.op is self.op]
        named = decided(causes)
        return {
            "causes": named, "images": images, "discriminations": _discriminations(evidence, here),
            "consistent": tuple(c for c in causes if c not in named),
            "needed_evidence": () if named else tuple(self._needed_evidence(evidence, causes)),
        }  # fmt: skip

    def _ranked(self, causes: Sequence[Cause], tried: Mapping[str, Sequence[Trial]]) -> list[Cause]:
        """Return the causes with their weights, the simplest first; on more images if need be."""
        found: list[Cause] = []
        for images in self._widening():
            traces = self._traces(images)
            found = []
            for at in {cause.op.name: cause.op for cause in causes}.values():
                here = [cause for cause in causes if cause.op is at]
                few, evidence = self._evidence(self.traces, at), self._evidence(traces, at)
                searched = differing(few.path, few)
                found += rank_causes(here, tried[at.name], searched, evidence, log2(len(tried)))
            if all(c.score and (c.score.named or c.score.doubt) for c in found):
                break
        return sorted(found, key=lambda cause: cause.freedom)

    def _widening(self) -> Iterator[list[int]]:
        """Yield the images that were searched; then more, as many as are small."""
        yield self.images
        model, count = self.dump.plan.model, self.dump.plan.count
        largest = max(prod(tensor.shape) for tensor in model.tensors)
        most = min(_MIXED, _RANKED // largest)
        more = sorted({*range(min(count, most)), *self.wrong[: most // 2]} | {*self.images})
        if len(more) > len(self.images):
            yield more

    def _needed_evidence(self, evidence: Evidence, causes: Sequence[Cause]) -> Iterator[str]:
        """Say which arrays, or how many images, would decide."""
        op = self.op
        dumped = "accumulator" in evidence.got or evidence.path.dtype == np.int32
        if op.spec.accumulator and not dumped:
            yield f"the accumulators of {op.name}"
        if not_dumped := [before.name for before in self.traces.not_dumped(op)]:
            yield f"the outputs of {', '.join(not_dumped)}"
        if all(c.mixes_images for c in causes):
            yield "images whose results are long, or differ more from each other"
        count, weights = self.dump.plan.count, [c.score for c in causes if not c.mixes_images]
        needed = [
            ceil(w.images * (w.freedom + MARGIN) / w.evidence)
            for w in weights
            if w and w.evidence > 0 and not w.doubt
        ]
        if needed:
            yield f"about {max(min(needed), count + 1)} images as these are; the set has {count}"

    def _single(self, at: Op) -> tuple[list[Trial], list[Cause], int]:
        """Return the trials of single bugs in an op, those that hold, and on how many images.

        Bugs that mix images are tried on the first images of the set, from the first one on.
        """
        separate = [h for h in self.table if not h.mixes_images]
        tries = trials(self._evidence(self.traces, at), separate)
        causes, images = self._confirmed(at, _exact(at, tries))
        self._count(tries)
        if self.wrong[0] < _MIXED:
            first = self._evidence(self._first_images(), at)
            mixing = trials(first, [h for h in self.table if h.mixes_images])
            self._count(mixing)
            if found := _exact(at, mixing):
                causes, images = [*causes, *found], min(images, _MIXED)
        return tries, causes, images

    def _count(self, tries: Sequence[Trial]) -> None:
        self.hypotheses.update(trial.bug.hypothesis.name for trial in tries)
        self.variants += len(tries)

    def _confirmed(self, at: Op, causes: Sequence[Cause]) -> tuple[list[Cause], int]:
        """Return the causes that hold on all other images too, and on how many each does."""
        count = self.dump.plan.count
        kept = [cause for cause in causes if not cause.mixes_images]
        if kept and count > len(self.images):
            for _, traces in in_blocks(self.dump):
                evidence = self._evidence(traces, at)
                kept = [c for c in kept if not differing(c.plant(evidence.path), evidence)]
        if len(kept) == len(causes):
            return kept, count
        if self.wrong[0] >= _MIXED:
            return kept, count
        evidence = self._evidence(self._first_images(), at)
        mixing = [c for c in causes if c.mixes_images]
        mixing = [c for c in mixing if not differing(c.plant(evidence.path), evidence)]
        return [*kept, *mixing], min(count, _MIXED) if mixing else count

    def _first_images(self) -> Traces:
        """Return the traces of the images that bugs which mix them are compared on."""
        return self._traces(range(min(self.dump.plan.count, _MIXED)))

    def _traces(self, images: Sequence[int]) -> Traces:
        """Return the traces of some images; of few they are kept, of many they are large."""
        key = tuple(images)
        if key in self.kept:
            return self.kept[key]
        made = of_images(self.dump, images)
        if len(key) <= _IMAGES:
            self.kept.clear()
            self.kept[key] = made
        return made

    def _evidence(self, traces: Traces, at: Op) -> Evidence:
        if traces is self.traces and at.name in self._few:
            return self._few[at.name]
        evidence = traces.evidence(at) if at is self.op else traces.through(at)
        size = len(self.images) * prod(traces.model.tensor(at.output).shape)
        if traces is self.traces and (at is self.op or size <= _KEPT):
            self._few[at.name] = evidence
        return evidence


def _exact(at: Op, tries: Sequence[Trial]) -> list[Cause]:
    return [Cause(at, (trial.bug,)) for trial in tries if not trial.differing]


def _discriminations(evidence: Evidence, causes: Sequence[Cause]) -> tuple[Discrimination, ...]:
    """Return what distinguishes the members of a class, one of each name."""
    one_each: dict[tuple[str, ...], Cause] = {}
    for cause in causes:
        one_each.setdefault(cause.names, cause)
    return tuple(discriminate(evidence.path, list(one_each.values())[:6]))


def _close_matches(tries: Sequence[Trial], evidence: Evidence) -> tuple[tuple[str, int, int], ...]:
    """Return bugs that explain at least half of the differences, the best first."""
    without = differing(evidence.path, evidence)
    close = [t for t in tries if 2 * t.differing <= without]
    return tuple((str(t.bug), t.differing, without) for t in close[:3])
