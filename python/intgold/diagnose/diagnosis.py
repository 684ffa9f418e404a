"""Diagnoses a dump: the first op that differs, the bugs that would make it so, what follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from .. import golden
from ..model import Model, Op
from ..vectors import contents
from ..vectors.dump import Dump
from ..verify import Report
from .apart import Apart, tell_apart
from .datapath import Datapath
from .hypotheses import Evidence
from .search import Cause, Trial, differing, pair_causes, trials

_IMAGES = 8
"""Images that every hypothesis is tried on; what fits is then held against all of the set."""
_BLOCK = 64


@dataclass(frozen=True, eq=False)
class OpFinding:
    """What is known of an op that differs.

    Parameters
    ----------
    op, kind : str
    inputs : str
        ``golden``; ``device``: the device's own, which differ from the golden ones; ``unseen``:
        not in the dump, and taken to be golden.
    follows : bool
        The op does right what it does, from inputs that differ.
    causes : tuple of Cause
        Every bug, or pair of bugs, that reproduces all that the device made of the op.
    at : str
        The op that the bugs are in; another than `op` where what is between was not dumped.
    images : int
        On how many images they reproduce it.
    apart : tuple of Apart
    near : tuple of (str, int, int)
        Where nothing fits: bugs that come close, with the values still differing, of those that
        do without it.
    variants, pairs : int
        How many single bugs and how many pairs were tried.
    seconds : float
    """

    op: str
    kind: str
    inputs: str
    follows: bool
    causes: tuple[Cause, ...]
    at: str
    images: int
    apart: tuple[Apart, ...]
    near: tuple[tuple[str, int, int], ...]
    variants: int
    pairs: int
    seconds: float

    @property
    def names(self) -> list[tuple[str, ...]]:
        """The class: names of hypotheses, or pairs of names, that all fit."""
        return sorted({cause.names for cause in self.causes})


def diagnose(
    dump: Dump, report: Report, pairs: bool = True, progress: bool = False
) -> list[OpFinding]:
    """Return a finding for each op whose dumped arrays differ, in graph order.

    The first is searched with pairs of bugs too, where no single one fits and `pairs` is set.

    Parameters
    ----------
    dump : Dump
    report : Report
        Of `intgold.verify.compare`.
    pairs : bool
    progress : bool
        Show a bar.
    """
    wrong = {c.op for c in report.comparisons if c.differing and c.role != "partial"}
    ops = [op for op in dump.plan.model.ops if op.name in wrong]
    if not ops:
        return []
    traces = _Traces(dump, _chosen(report, ops[0].name, dump.plan.count))
    return [
        _find(traces, op, pairs and op is ops[0])
        for op in tqdm(ops, unit="op", desc="diagnose", disable=not progress)
    ]


def _chosen(report: Report, op: str, count: int) -> list[int]:
    """Return the images to look at: the first that differs, the one before, those behind."""
    differs = sum(
        (c.tally.images for c in report.comparisons if c.op == op), np.zeros(count, np.int64)
    )
    first = max(0, int(np.flatnonzero(differs)[0]) - 1)
    return list(range(max(0, min(first, count - _IMAGES)), count))[:_IMAGES]


class _Traces:
    """Golden and device's tensors of some images."""

    def __init__(self, dump: Dump, images: Sequence[int]) -> None:
        self.dump, self.images, self.model = dump, images, dump.plan.model
        stimulus = [contents.stimulus(self.model.tensor(n)) for n in self.model.inputs]
        x = {e.name: dump.expected(e, images) for e in stimulus}
        run = self.model.run(x, trace=True)
        self.golden = {**x, **run.tensors}
        self.seen: dict[str, dict[str, np.ndarray]] = {}
        for entry in dump.files:
            if dump.has(entry) and entry.role in ("output", "accumulator"):
                self.seen.setdefault(entry.owner, {})[entry.role] = dump.got(entry, images)

    def device(self, name: str) -> np.ndarray | None:
        """Return a tensor as the device had it; None where it was not dumped."""
        if name in self.model.inputs:
            return self.golden[name]
        maker = next(op for op in self.model.ops if op.output == name)
        return self.seen.get(maker.name, {}).get("output")

    def evidence(self, op: Op) -> tuple[Evidence, str]:
        """Return the evidence of an op, and whose inputs it has."""
        own = [self.device(n) for n in op.inputs]
        inputs = tuple(
            self.golden[n] if x is None else x for n, x in zip(op.inputs, own, strict=True)
        )
        path = Datapath.of(self.model, op, inputs)
        acc, y = path.results()
        wanted = {"output": y, **({"accumulator": acc} if op.spec.accumulator else {})}
        got = self.seen[op.name]
        whose = "golden"
        if any(
            x is not None and not np.array_equal(x, self.golden[n])
            for n, x in zip(op.inputs, own, strict=True)
        ):
            whose = "device"
        elif any(x is None for x in own):
            whose = "unseen"
        return Evidence(path, {r: wanted[r] for r in got}, got), whose


def _find(traces: _Traces, op: Op, pairs: bool) -> OpFinding:
    started = time.monotonic()
    evidence, whose = traces.evidence(op)

    def finding(causes: Sequence[Cause] = (), **more: object) -> OpFinding:
        facts = dict(
            op=op.name, kind=op.kind, inputs=whose, follows=False, causes=tuple(causes),
            at=op.name, images=len(traces.images), apart=(), near=(), variants=0, pairs=0,
        )  # fmt: skip
        return OpFinding(**{**facts, **more, "seconds": time.monotonic() - started})  # type: ignore[arg-type]

    if all(np.array_equal(evidence.got[r], evidence.wanted[r]) for r in evidence.got):
        return finding(follows=True)
    tries = trials(evidence)
    causes, tried = _exact(tries), len(tries)
    if not causes and whose == "unseen":
        for before in reversed(_unseen(traces, op)):
            upstream = trials(_through(traces, before, op, evidence))
            tried += len(upstream)
            causes = _exact(upstream)
            if causes:
                causes, images = _confirmed(traces, before, op, causes)
                return finding(causes, at=before.name, images=images, variants=tried)
    tried_pairs = 0
    if not causes and pairs:
        causes, tried_pairs = pair_causes(evidence)
    causes, images = _confirmed(traces, op, op, causes)
    near = () if causes else _near(tries, evidence)
    one_each = {cause.names: cause for cause in reversed(causes)}
    apart = tell_apart(evidence.path, list(one_each.values())[::-1][:6])
    return finding(
        causes, apart=tuple(apart), near=near, variants=tried, pairs=tried_pairs, images=images
    )


def _exact(tries: Sequence[Trial]) -> list[Cause]:
    return [Cause((trial.bug,)) for trial in tries if not trial.differing]


def _near(tries: Sequence[Trial], evidence: Evidence) -> tuple[tuple[str, int, int], ...]:
    """Return bugs that explain at least half of the differences, the best first."""
    without = differing(evidence.path, evidence)
    close = [t for t in tries if 2 * t.differing <= without]
    return tuple((str(t.bug), t.differing, without) for t in close[:3])


def _unseen(traces: _Traces, op: Op) -> list[Op]:
    """Return the ops between what the device dumped and `op`, in graph order."""
    makers = {o.output: o for o in traces.model.ops}
    found: list[Op] = []
    waiting = list(op.inputs)
    while waiting:
        maker = makers.get(waiting.pop())
        if maker and maker not in found and "output" not in traces.seen.get(maker.name, {}):
            found.append(maker)
            waiting += maker.inputs
    return [o for o in traces.model.ops if o in found]


def _through(traces: _Traces, before: Op, op: Op, evidence: Evidence) -> Evidence:
    """Return the evidence of an op that was not dumped, seen through those behind it."""
    path = Datapath.of(traces.model, before, tuple(traces.golden[n] for n in before.inputs))
    acc, y = path.results()
    return Evidence(
        path, {"output": y, "accumulator": acc}, evidence.got,
        _follower(traces.model, traces.golden, before, op),
    )  # fmt: skip


def _follower(
    model: Model, tensors: dict[str, np.ndarray], before: Op, op: Op
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the function from the output of `before` to (accumulator, output) of `op`."""
    names = [o.name for o in model.ops]
    between = model.ops[names.index(before.name) + 1 : names.index(op.name) + 1]

    def follow(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        live = {**tensors, before.output: y}
        for o in between:
            made = golden.FUNCTIONS[o.kind](*(live[n] for n in o.inputs), **model.arguments(o))
            made = made if o.spec.accumulator else (made, made)
            live[o.output] = made[0]
        return made[1], made[0]

    return follow


def _confirmed(traces: _Traces, at: Op, op: Op, causes: Sequence[Cause]) -> tuple[list[Cause], int]:
    """Return the causes that reproduce all other images too, and how many images these are.

    Bugs that mix images are known on the images that they were found on alone.
    """
    count, kept = traces.dump.plan.count, list(causes)
    if count == len(traces.images) or not kept:
        return kept, len(traces.images)
    if any(bug.hypothesis.mixes_images for cause in kept for bug in cause.bugs):
        return kept, len(traces.images)
    for first in range(0, count, _BLOCK):
        other = _Traces(traces.dump, list(range(first, min(count, first + _BLOCK))))
        evidence, _ = other.evidence(op)
        if at is not op:
            evidence = _through(other, at, op, evidence)
        kept = [cause for cause in kept if not differing(cause.plant(evidence.path), evidence)]
        if not kept:
            break
    return kept, count
