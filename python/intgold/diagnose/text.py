"""The diagnosis for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .finding import OpFinding, contracts_of
from .hypotheses import HYPOTHESES
from .search import Cause

_MOST_LABELS = 4
OTHER_CONTRACT = "every op that is wrong computes by the contract {}"


def told(findings: Sequence[OpFinding], first: str) -> list[str]:
    """Return the lines: the first op at length, the others in a line each, or in one for all.

    Parameters
    ----------
    findings : sequence of OpFinding
    first : str
        The op of the first difference, whose lines stand just before.
    """
    lines: list[str] = []
    by, others = contracts_of(findings), []
    explained: dict[tuple[str, ...], OpFinding] = {}
    for finding in (f for f in findings if not f.follows):
        if finding.op == first and not lines:
            lines += _cause(finding)
        elif by and explained:
            others.append(finding.op)
        elif known := explained.get(_ops_and_names(finding)):
            lines.append(f"the same cause makes {finding.op} ({finding.kind}) wrong as {known.op}")
        else:
            lines.append(heading(finding))
            lines += [f"  {line}" for line in _cause(finding)]
        if finding.causes:
            explained.setdefault(_ops_and_names(finding), finding)
    follow = [f.op for f in findings if f.follows]
    if by:
        lines.append(OTHER_CONTRACT.format(" or ".join(by)))
    if others:
        lines += textwrap.wrap(f"the same is wrong of {', '.join(others)}", 100)
    if follow:
        lines.append(f"right from wrong inputs: {', '.join(follow)}")
    return lines


def heading(finding: OpFinding) -> str:
    """Return how an op behind the first one is introduced."""
    if finding.unseen:
        unseen = ", ".join(finding.unseen)
        return f"wrong by itself, or by {unseen}, not dumped: {finding.op} ({finding.kind})"
    return f"wrong by itself: {finding.op} ({finding.kind})"


def _ops_and_names(finding: OpFinding) -> tuple[str, ...]:
    """Return the class of causes as one key: each op that a bug is in, and the bug."""
    return tuple(sorted({" ".join((c.op.name, *map(str, c.bugs))) for c in finding.causes}))


def members(finding: OpFinding) -> list[list[Cause]]:
    """Return the causes, those of one op and of the same hypotheses together."""
    groups: dict[tuple[str, ...], list[Cause]] = {}
    for cause in finding.causes:
        groups.setdefault((cause.op.name, *cause.names), []).append(cause)
    return list(groups.values())


def reservations(finding: OpFinding) -> list[str]:
    """Return what the dump leaves open for want of outputs."""
    told = []
    ops = list(dict.fromkeys(c.op.name for c in finding.causes))
    unseen = [name for name in ops if name != finding.op]
    if unseen and len(ops) > 1:
        told.append(f"a dump of {', '.join(unseen)} would tell which op it is")
    if finding.unseen and finding.op in ops:
        told.append(f"not dumped and taken to be right: {', '.join(finding.unseen)}")
    return told


def labels(causes: Sequence[Cause]) -> str:
    """Return the parameters with which a hypothesis fits."""
    found = [" and ".join(b.variant.label or "-" for b in c.bugs) for c in causes]
    found = [label for label in found if set(label.split()) - {"-", "and"}]
    more = f" and {len(found) - _MOST_LABELS} more" if len(found) > _MOST_LABELS else ""
    return f" ({'; or '.join(found[:_MOST_LABELS])}{more})" if found else ""


def _cause(finding: OpFinding) -> list[str]:
    groups = members(finding)
    tried = f"{finding.variants} variants of {len(HYPOTHESES)} hypotheses"
    tried += f" and {finding.pairs} pairs" if finding.pairs else ""
    if not groups:
        lines = [f"cause: none known fits; tried {tried}"]
        on = f"on {finding.images} images"
        return lines + [
            f"  close: {label} leaves {left} of {of} differences {on}"
            for label, left, of in finding.near
        ]
    lines = []
    if len(groups) > 1:
        lines.append(f"cause: one of {len(groups)} that this set cannot tell apart")
    for causes in groups:
        op = causes[0].op.name
        where = f" in {op}, which was not dumped" if op != finding.op else ""
        start = f"  or{where}:" if where else "  or"
        start = start if len(groups) > 1 else f"cause{where}:"
        lines.append(f"{start} {' and '.join(causes[0].names)}{labels(causes)}")
        for bug in causes[0].bugs:
            lines.append(f"    {bug.hypothesis.explanation}")
            lines.append(f"    look at {bug.hypothesis.look_at}")
    images = "1 image" if finding.images == 1 else f"{finding.images} images"
    lines.append(f"  reproduces every value of {finding.op} on {images}; tried {tried}")
    lines += [f"  {told}" for told in (*finding.apart, *reservations(finding))]
    return lines
