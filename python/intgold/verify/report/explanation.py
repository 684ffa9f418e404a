"""Why a device differs, in blocks: what is true of the whole model, then each op and its causes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...document.blocks import Details, DocumentBlock, NumberedItem, Remark, Section
from ..diagnose.finding import OpFinding, cause_groups, contracts_of
from ..diagnose.hypotheses import HYPOTHESES
from ..diagnose.search import Cause

_MAX_LABELS = 4
_MAX_CONSISTENT = 4
"""Causes that are shown at length of those that are not named."""
_WIDTH = 100
"""Columns of a line of names."""


def explanation(findings: Sequence[OpFinding], first: str) -> list[DocumentBlock]:
    """Return what is true of the whole model, then the first op at length.

    The others are at length where they have causes of their own; otherwise a statement each, or
    one for all, with their causes as details.

    Parameters
    ----------
    findings : sequence of OpFinding
    first : str
        The op of the first difference, which is named just before.
    """
    blocks: list[DocumentBlock] = []
    if by := " or ".join(contracts_of(findings)):
        blocks.append(Remark(f"every op that is wrong computes by the contract {by}"))
    explained: dict[tuple[str, ...], str] = {}
    alike: list[OpFinding] = []
    for number, finding in enumerate(f for f in findings if not f.propagates):
        if finding.op == first and not number:
            blocks.append(_causes(finding))
        elif by and explained:
            alike.append(finding)
        elif known := explained.get(_ops_and_names(finding)):
            same = f"the same cause makes {finding.op} ({finding.kind}) wrong as {known}"
            blocks.append(Details(Remark(same), (_causes(finding),)))
        else:
            blocks.append(_introduced(finding))
        if finding.fitting:
            explained.setdefault(_ops_and_names(finding), finding.op)
    if alike:
        names = ", ".join(finding.op for finding in alike)
        summary = Remark(f"the same is wrong of {names}", width=_WIDTH)
        blocks.append(Details(summary, tuple(map(_introduced, alike))))
    return [*blocks, *_not_wrong(findings)]


def _ops_and_names(finding: OpFinding) -> tuple[str, ...]:
    """Return the class of causes as one key: each op that a bug is in, and the bug."""
    return tuple(sorted({" ".join((c.op.name, *map(str, c.bugs))) for c in finding.fitting}))


def _not_wrong(findings: Sequence[OpFinding]) -> Iterator[Remark]:
    """Yield which ops are right: once the device's words are read by another rule, or as is."""
    by_reading: dict[str, list[str]] = {}
    for finding in (f for f in findings if f.propagates):
        by_reading.setdefault(finding.read_by, []).append(finding.op)
    follow = by_reading.pop("", [])
    for label, ops in by_reading.items():
        text = f"right with the words of every array read so ({label}): {', '.join(ops)}"
        yield Remark(text, width=_WIDTH)
    if follow:
        yield Remark(f"correct; only propagate the error: {', '.join(follow)}")


def _introduced(finding: OpFinding) -> Section:
    """Return the causes of an op that is not the first, under its name."""
    if finding.read_by:
        head = f"wrong by itself, with words read so ({finding.read_by}): {finding.op}"
    elif finding.not_dumped:
        missing = ", ".join(finding.not_dumped)
        head = f"wrong by itself, or by {missing}, not dumped: {finding.op} ({finding.kind})"
    else:
        head = f"wrong by itself: {finding.op} ({finding.kind})"
    return Section(Remark(head), (_causes(finding),))


def _causes(finding: OpFinding) -> Section:
    """Return the causes of an op, numbered, what is left open, and how much was tried."""
    verdict, facts = _verdict(finding), map(Remark, finding.facts)
    if not finding.fitting:
        close = (
            Remark(
                f"close: {label} leaves {left} of {of} differences on {finding.images} images"
            )
            for label, left, of in finding.close_matches
        )  # fmt: skip
        return Section(Remark(f"{verdict}; tried {_tried(finding)}"), (*facts, *close))
    named, consistent = cause_groups(finding.causes), cause_groups(finding.consistent)
    blocks: list[DocumentBlock] = [*facts]
    blocks += [_cause(number, causes, finding) for number, causes in enumerate(named, 1)]
    if why := _why_not_named(finding):
        blocks.append(Remark(f"{why}:"))
    shown = enumerate(consistent[:_MAX_CONSISTENT], len(named) + 1)
    blocks += [_cause(number, causes, finding) for number, causes in shown]
    if more := consistent[_MAX_CONSISTENT:]:
        names = "; ".join(" and ".join(causes[0].names) for causes in more)
        blocks.append(Remark(f"and {len(more)} more: {names}", width=_WIDTH - 4))
    images = "1 image" if finding.images == 1 else f"{finding.images} images"
    each = "" if len(named) + len(consistent) == 1 else "each "
    what = f"{each}reproduces every value of {finding.op} on {images}"
    blocks.append(Remark(f"{what}; tried {_tried(finding)}", "soft"))
    return Section(Remark(verdict), (*blocks, *remarks(finding)))


def _verdict(finding: OpFinding) -> str:
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


def _tried(finding: OpFinding) -> str:
    """Return how much was tried."""
    pairs = f" and {finding.pairs} pairs" if finding.pairs else ""
    return (
        f"{finding.hypotheses} of {len(HYPOTHESES)} hypotheses, in {finding.variants} variants"
        f"{pairs}"
    )


def _why_not_named(finding: OpFinding) -> str:
    """Return why causes that fit as well are not named, where others are; "" where none is left."""
    doubts = {bool(c.score and c.score.doubt) for c in finding.consistent}
    why = " or ".join(w for w, there in (("less simple", False), ("in doubt", True))
                      if there in doubts)  # fmt: skip
    return f"consistent too, but {why}" if finding.causes and why else ""


def _cause(number: int, causes: Sequence[Cause], finding: OpFinding) -> NumberedItem:
    first = causes[0]
    where = f"in {first.op.name}, which was not dumped: " if first.op.name != finding.op else ""
    blocks = [Remark(_worth(first, finding), "soft")]
    if first.score and first.score.doubt:
        blocks.append(Remark(first.score.doubt, "soft"))
    for hypothesis in dict.fromkeys(bug.hypothesis for bug in first.bugs):
        blocks.append(Remark(hypothesis.explanation))
        blocks.append(Remark(f"look at {hypothesis.look_at}", "soft"))
    return NumberedItem(
        number, f"{where}{' and '.join(first.names)}", _labels(causes), tuple(blocks)
    )


def _labels(causes: Sequence[Cause]) -> str:
    """Return the parameters with which a hypothesis fits."""
    found = [" and ".join(b.variant.label or "-" for b in c.bugs) for c in causes]
    found = [label for label in found if set(label.split()) - {"-", "and"}]
    more = f" and {len(found) - _MAX_LABELS} more" if len(found) > _MAX_LABELS else ""
    return f"({'; or '.join(found[:_MAX_LABELS])}{more})" if found else ""


def _worth(cause: Cause, finding: OpFinding) -> str:
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


def remarks(finding: OpFinding) -> list[Remark]:
    """Return what distinguishes the causes, what is open, what would decide."""
    lines = [*map(str, finding.discriminations), *_reservations(finding)]
    if finding.needed_evidence:
        lines.append(f"what would decide: {'; or '.join(finding.needed_evidence)}")
    return list(map(Remark, lines))


def _reservations(finding: OpFinding) -> Iterator[str]:
    """Yield what the dump leaves open for want of outputs, and which outputs would show it."""
    ops = {c.op.name for c in finding.fitting}
    if missing := ", ".join(finding.would_confirm):
        if len(ops) > 1:
            yield f"a dump of {missing} would show which op it is"
        elif finding.causes:
            yield f"seen through later ops only: a dump of {missing} would confirm it"
    right = [name for name in finding.not_dumped if name not in ops]
    if ops and right:
        check = "" if missing else "; a dump of them would confirm it"
        yield f"not dumped and assumed correct: {', '.join(right)}{check}"
