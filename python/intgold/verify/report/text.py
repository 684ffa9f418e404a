"""The diagnosis for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ..diagnose.finding import OpFinding, contracts_of
from ..diagnose.hypotheses import HYPOTHESES
from ..diagnose.search import Cause

_MAX_LABELS = 4
MAX_CONSISTENT = 4
"""Causes that are shown of those that are not named."""


def conclusion(findings: Sequence[OpFinding]) -> list[str]:
    """Return a line of the model as a whole, where one cause is common to every op."""
    by = " or ".join(contracts_of(findings))
    return [f"every op that is wrong computes by the contract {by}"] if by else []


def report_lines(findings: Sequence[OpFinding], first: str) -> list[str]:
    """Return the lines: what is true of the whole model, then the first op at length.

    The others have a line each, or one for all.

    Parameters
    ----------
    findings : sequence of OpFinding
    first : str
        The op of the first difference, whose lines stand just before.
    """
    lines, others = conclusion(findings), []
    by = bool(lines)
    explained: dict[tuple[str, ...], OpFinding] = {}
    for number, finding in enumerate(f for f in findings if not f.propagates):
        if finding.op == first and not number:
            lines += _cause(finding)
        elif by and explained:
            others.append(finding.op)
        elif known := explained.get(_ops_and_names(finding)):
            lines.append(f"the same cause makes {finding.op} ({finding.kind}) wrong as {known.op}")
        else:
            lines.append(heading(finding))
            lines += [f"  {line}" for line in _cause(finding)]
        if finding.fitting:
            explained.setdefault(_ops_and_names(finding), finding)
    follow = [f.op for f in findings if f.propagates and not f.read_by]
    if others:
        lines += textwrap.wrap(f"the same is wrong of {', '.join(others)}", 100)
    lines += [row for line in correct_by_reading(findings) for row in textwrap.wrap(line, 100)]
    if follow:
        lines.append(f"correct; only propagate the error: {', '.join(follow)}")
    return lines


def correct_by_reading(findings: Sequence[OpFinding]) -> list[str]:
    """Return which ops are right once the device's words are read by another rule."""
    found: dict[str, list[str]] = {}
    for finding in (f for f in findings if f.propagates and f.read_by):
        found.setdefault(finding.read_by, []).append(finding.op)
    return [
        f"right with the words of every array read so ({label}): {', '.join(ops)}"
        for label, ops in found.items()
    ]


def heading(finding: OpFinding) -> str:
    """Return how an op after the first one is introduced."""
    if finding.read_by:
        return f"wrong by itself, with words read so ({finding.read_by}): {finding.op}"
    if finding.not_dumped:
        missing = ", ".join(finding.not_dumped)
        return f"wrong by itself, or by {missing}, not dumped: {finding.op} ({finding.kind})"
    return f"wrong by itself: {finding.op} ({finding.kind})"


def _ops_and_names(finding: OpFinding) -> tuple[str, ...]:
    """Return the class of causes as one key: each op that a bug is in, and the bug."""
    return tuple(sorted({" ".join((c.op.name, *map(str, c.bugs))) for c in finding.fitting}))


def cause_groups(causes: Sequence[Cause]) -> list[list[Cause]]:
    """Return causes, those of one op and of the same hypotheses together."""
    groups: dict[tuple[str, ...], list[Cause]] = {}
    for cause in causes:
        groups.setdefault((cause.op.name, *cause.names), []).append(cause)
    return list(groups.values())


def reservations(finding: OpFinding) -> list[str]:
    """Return what the dump leaves open for want of outputs, and which outputs would tell."""
    lines = []
    ops = {c.op.name for c in finding.fitting}
    if missing := ", ".join(would_confirm(finding)):
        if len(ops) > 1:
            lines.append(f"a dump of {missing} would show which op it is")
        elif finding.causes:
            lines.append(f"seen through later ops only: a dump of {missing} would confirm it")
    right = [name for name in finding.not_dumped if name not in ops]
    if ops and right:
        check = "" if missing else "; a dump of them would confirm it"
        lines.append(f"not dumped and assumed correct: {', '.join(right)}{check}")
    return lines


def would_confirm(finding: OpFinding) -> list[str]:
    """Return the ops to dump where a cause is in one that was not: it, and those after it."""
    causes = {cause.op.name for cause in finding.fitting}
    places = [at for at, name in enumerate(finding.not_dumped) if name in causes]
    return list(finding.not_dumped[: max(places) + 1]) if places else []


def labels(causes: Sequence[Cause]) -> str:
    """Return the parameters with which a hypothesis fits."""
    found = [" and ".join(b.variant.label or "-" for b in c.bugs) for c in causes]
    found = [label for label in found if set(label.split()) - {"-", "and"}]
    more = f" and {len(found) - _MAX_LABELS} more" if len(found) > _MAX_LABELS else ""
    return f" ({'; or '.join(found[:_MAX_LABELS])}{more})" if found else ""


def verdict(finding: OpFinding) -> str:
    """Return what is known of the cause: how many fit, and how many of them are named."""
    groups, more = len(cause_groups(finding.causes)), len(cause_groups(finding.consistent))
    if groups and more:
        likely = "one" if groups == 1 else f"{groups} of them"
        ambiguous = "" if groups == 1 else ", and this set cannot distinguish them"
        return (
            f"cause: {groups + more} of those tried fit; {likely} likelier than the rest{ambiguous}"
        )
    if groups > 1:
        return f"cause: {groups} of those tried fit and this set cannot distinguish them"
    if groups:
        return "cause: one of those tried fits"
    if finding.consistent:
        return "cause: this dump cannot decide; consistent with it, as others may be"
    return "cause: none known fits"


def demoted(finding: OpFinding) -> str:
    """Return why causes that fit as well are not named, where others are; "" where none is left."""
    doubts = {bool(c.score and c.score.doubt) for c in finding.consistent}
    why = " or ".join(w for w, there in (("less simple", False), ("in doubt", True))
                      if there in doubts)  # fmt: skip
    return f"consistent too, but {why}" if finding.causes and why else ""


def worth(cause: Cause, finding: OpFinding) -> str:
    """Return what a cause explains, and what that is worth."""
    score = cause.score
    assert score is not None
    n = f"{finding.differing} of {finding.differing} differing values"
    if len(finding.roles) > 1:
        n += f" ({' and '.join(f'{role}s' for role in finding.roles)})"
    if score.simpler == 0:
        others = "no simpler one explains any"
    elif score.simpler >= score.searched:
        others = "a simpler one explains them too"
    else:
        others = f"no simpler one explains more than {score.simpler}"
        if cause.op.name != finding.op:
            others += f" of {score.searched} in what was dumped after {cause.op.name}"
        if score.searched != finding.differing:
            of = "" if cause.op.name != finding.op else f" of the {score.searched}"
            others += f"{of} on the images searched"
    bits = f"evidence {score.evidence:.0f} bits, freedom {score.freedom:.0f} bits"
    return f"explains {n}; {others}; {bits}"


def tried(finding: OpFinding) -> str:
    """Return how much was tried."""
    found = f"{finding.variants} variants of {len(HYPOTHESES)} hypotheses"
    return found + (f" and {finding.pairs} pairs" if finding.pairs else "")


def _cause(finding: OpFinding) -> list[str]:
    if not finding.fitting:
        lines = [f"{verdict(finding)}; tried {tried(finding)}"]
        on = f"on {finding.images} images"
        lines += [f"  {fact}" for fact in finding.facts]
        return lines + [
            f"  close: {label} leaves {left} of {of} differences {on}"
            for label, left, of in finding.close_matches
        ]
    named, thin = cause_groups(finding.causes), cause_groups(finding.consistent)
    lines = [verdict(finding), *(f"  {fact}" for fact in finding.facts)]
    for number, causes in enumerate(named, 1):
        lines += _numbered(number, causes, finding)
    if why := demoted(finding):
        lines.append(f"  {why}:")
    for number, causes in enumerate(thin[:MAX_CONSISTENT], len(named) + 1):
        lines += _numbered(number, causes, finding)
    if more := thin[MAX_CONSISTENT:]:
        lines += others(more)
    images = "1 image" if finding.images == 1 else f"{finding.images} images"
    each = "" if len(named) + len(thin) == 1 else "each "
    lines.append(
        f"  {each}reproduces every value of {finding.op} on {images}; tried {tried(finding)}"
    )
    return lines + [f"  {remark}" for remark in remarks(finding)]


def others(groups: Sequence[Sequence[Cause]]) -> list[str]:
    """Return the names of causes that are not shown at length."""
    names = "; ".join(" and ".join(causes[0].names) for causes in groups)
    return textwrap.wrap(f"and {len(groups)} more: {names}", 98, initial_indent="  ",
                         subsequent_indent="  ")  # fmt: skip


def remarks(finding: OpFinding) -> list[str]:
    """Return what distinguishes the causes, what is open, what would decide."""
    lines = [*map(str, finding.discriminations), *reservations(finding)]
    if finding.needed_evidence:
        lines.append(f"what would decide: {'; or '.join(finding.needed_evidence)}")
    return lines


def _numbered(number: int, causes: Sequence[Cause], finding: OpFinding) -> list[str]:
    first = causes[0]
    where = f"in {first.op.name}, which was not dumped: " if first.op.name != finding.op else ""
    lines = [f"  {number}. {where}{' and '.join(first.names)}{labels(causes)}"]
    lines.append(f"     {worth(first, finding)}")
    if first.score and first.score.doubt:
        lines.append(f"     {first.score.doubt}")
    for hypothesis in dict.fromkeys(bug.hypothesis for bug in first.bugs):
        lines.append(f"     {hypothesis.explanation}")
        lines.append(f"     look at {hypothesis.look_at}")
    return lines
