"""The report as one HTML page that needs nothing else: tables, maps, histogram, arithmetic."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence

from ...support.file_kinds import REPORT, html_start
from ...support.safe_files import replacing
from ...vectors.sets.strays import stray_lines
from ..comparison import IN_DEVICE, ArrayComparison, location_text, place, with_hex
from ..diagnose.finding import OpFinding
from ..diagnose.search import Cause
from .maps import bars, error_maps, legend
from .stages import Stages
from .text import (
    MAX_CONSISTENT,
    cause_groups,
    conclusion,
    correct_by_reading,
    demoted,
    heading,
    labels,
    others,
    remarks,
    tried,
    verdict,
    worth,
)
from .verification_report import VerificationReport

_STYLE = """
:root{--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--panel:#f6f8fa;--bad:#c62828;
--good:#1a7f37;--mark:#b35900;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ground:#0e1116;--ink:#e6edf3;--soft:#9aa4af;
--line:#30363d;--panel:#161b22;--bad:#ff7b72;--good:#3fb950;--mark:#e3a04f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 4rem;background:var(--ground);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .3rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line)}
p{margin:.4rem 0}.soft{color:var(--soft)}.bad{color:var(--bad)}.good{color:var(--good)}
.cause{border-left:4px solid var(--mark);background:var(--panel);padding:.6rem .9rem;
margin:.6rem 0;overflow-wrap:anywhere}
.cause b{font-size:1.1rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .7rem .2rem 0;text-align:left;border-bottom:1px solid var(--line);
white-space:nowrap}
td.n,th.n{text-align:right}
tr.wrong td{color:var(--bad)}
pre{background:var(--panel);padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere;
font:14px/1.5 ui-monospace,monospace}
.maps{display:flex;flex-wrap:wrap;gap:.8rem}
figure{margin:0}figcaption{font-size:.8rem;color:var(--soft)}
svg{display:block}svg .cell{fill:var(--bad)}svg .ground{fill:var(--panel);stroke:var(--line)}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .bar{fill:var(--mark)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.5rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
"""


def write_page(report: VerificationReport, path: str | os.PathLike[str]) -> None:
    """Write the page.

    Raises
    ------
    IntgoldError
        When the file cannot be written, or one that is there and not empty is no such page or was
        changed.
    """
    with replacing(path, REPORT) as file:
        file.write(html_page(report).encode())


def html_page(report: VerificationReport) -> str:
    """Return the page as text."""
    comparison, model = report.comparison, report.dump.plan.model
    differing = sum(c.differing for c in comparison.comparisons)
    strays = stray_lines(c.tally.strays for c in comparison.comparisons)
    if comparison.first is None and strays:
        verdict = f'<p class="bad">{comparison.values:,} values are equal; padding is not.</p>'
    elif comparison.first is None:
        verdict = f'<p class="good">{comparison.values:,} values compared, all equal.</p>'
    else:
        verdict = (
            f'<p class="bad">{differing:,} of {comparison.values:,} values differ, first in op '
            f"<b>{html.escape(comparison.first.op)}</b>.</p>"
        )
    missing = (
        f"<p>{comparison.missing} of {len(comparison.comparisons)} arrays are not in the dump.</p>"
        if comparison.missing
        else ""
    )
    parts = [
        f"<h1>{html.escape(model.name)}: device against golden model</h1>",
        f'<p class="soft">{report.dump.plan.count} images; model {model.sha256[:16]}</p>',
        verdict,
        missing,
        *(f"<p>{html.escape(line)}</p>" for line in strays),
        *_causes(report),
        *(_first(report) if comparison.first else []),
        "<h2>Every array</h2>",
        _arrays(comparison.comparisons),
    ]
    title = html.escape(f"{model.name}: device against golden model")
    return (
        f'{html_start("verify")}<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(p for p in parts if p)
        + "\n</body></html>\n"
    )


def _causes(report: VerificationReport) -> Iterable[str]:
    findings, first = report.findings, report.comparison.first
    if first is None or not (findings or report.not_sought):
        return
    yield "<h2>Why</h2>"
    if report.not_sought:
        yield f"<p>{html.escape(report.not_sought)}.</p>"
    yield from (f"<p>{_sentence(line)}.</p>" for line in conclusion(findings))
    for finding in findings:
        if finding.propagates:
            continue
        if finding.op != first.op:
            yield f"<p>{html.escape(heading(finding))}.</p>"
        yield from _finding(finding)
    yield from (f"<p>{html.escape('R' + line[1:])}.</p>" for line in correct_by_reading(findings))
    follow = [f.op for f in findings if f.propagates and not f.read_by]
    if follow:
        yield f"<p>Right from wrong inputs: {html.escape(', '.join(follow))}.</p>"


def _finding(finding: OpFinding) -> Iterable[str]:
    """Yield the causes of one op, numbered, and what is left open."""
    named, thin = cause_groups(finding.causes), cause_groups(finding.consistent)
    place = _op(finding.op, finding.kind)
    if not finding.fitting:
        yield f"<p>{place}: {html.escape(verdict(finding))}; tried {tried(finding)}.</p>"
        yield from (f"<p>{_sentence(fact)}.</p>" for fact in finding.facts)
        for label, left, of in finding.close_matches:
            yield (
                f"<p>Close: {html.escape(label)} leaves {left} of {of} differences on "
                f"{finding.images} images.</p>"
            )
        return
    yield f"<p>{place}: {html.escape(verdict(finding))}:</p>"
    yield from (f"<p>{_sentence(fact)}.</p>" for fact in finding.facts)
    for number, causes in enumerate(named, 1):
        yield _box(number, causes, finding)
    if why := demoted(finding):
        yield f"<p>{_sentence(why)}:</p>"
    for number, causes in enumerate(thin[:MAX_CONSISTENT], len(named) + 1):
        yield _box(number, causes, finding)
    if more := thin[MAX_CONSISTENT:]:
        yield f"<p>{_sentence(' '.join(line.strip() for line in others(more)))}.</p>"
    images = "1 image" if finding.images == 1 else f"{finding.images} images"
    each = "Reproduces" if len(named) + len(thin) == 1 else "Each reproduces"
    yield f'<p class="soft">{each} every value of {html.escape(finding.op)} on {images}.</p>'
    for line in remarks(finding):
        yield f"<p>{_sentence(line)}.</p>"


def _box(number: int, causes: Sequence[Cause], finding: OpFinding) -> str:
    first = causes[0]
    text = html.escape(" and ".join(first.names))
    place = ""
    if first.op.name != finding.op:
        place = f", in {_op(first.op.name, first.op.kind)}, which was not dumped"
    lines = [worth(first, finding)]
    lines += [first.score.doubt] if first.score and first.score.doubt else []
    bugs = "".join(
        f"<p>{html.escape(b.hypothesis.explanation)}</p>"
        f'<p class="soft">Look at {html.escape(b.hypothesis.look_at)}.</p>'
        for b in first.bugs
    )
    facts = "".join(f'<p class="soft">{_sentence(s)}.</p>' for s in lines)
    return (
        f'<div class="cause"><b>{number}. {text}</b>{html.escape(labels(causes))}{place}'
        f"{bugs}{facts}</div>"
    )


def _sentence(line: str) -> str:
    return html.escape(line[:1].upper() + line[1:])


def _op(name: str, kind: str) -> str:
    return f"op <b>{html.escape(name)}</b> ({html.escape(kind)})"


def _first(report: VerificationReport) -> Iterable[str]:
    first = report.comparison.first
    assert first is not None
    comparison = next(
        c for c in report.comparison.comparisons if (c.op, c.role) == (first.op, first.role)
    )
    tally = comparison.tally
    facts = [
        ("array", f"{first.role} of {first.tensor}"),
        ("place", place(first)),
        ("expected", with_hex(first.expected, first.dtype)),
        ("got", with_hex(first.got, first.dtype)),
        *([("values", f"in device encoding: {IN_DEVICE}")] if first.dtype == "uint8" else []),
    ]
    if first.expected_accumulator is not None and first.role == "output":
        got = first.got_accumulator
        facts.append(("accumulator", with_hex(first.expected_accumulator, "int32")))
        facts.append(
            ("accumulator, got", "not in the dump" if got is None else with_hex(got, "int32"))
        )
    if first.requantize and first.role != "partial":
        form, m, t = first.requantize
        facts.append(("requantize", f"{form}, multiplier {with_hex(m, 'int32')}, right_shift {t}"))
    facts += [("in the dump", location_text(location)) for location in first.locations]
    yield "<h2>The first wrong value</h2>"
    rows = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in facts)
    yield f"<dl>{rows}</dl>"
    if report.stages.stages:
        yield f"<p>{_sentence(report.stages.heading)}:</p>"
        yield _stages(report.stages)
    if report.worked:
        yield "<p>As it should be, in full:</p>"
        yield f"<pre>{html.escape(chr(10).join(report.worked))}</pre>"
    yield f"<h2>Where {html.escape(first.op)} differs</h2>"
    where = "; ".join([f"{tally.differing:,} of {tally.of:,} values", *tally.sentences()])
    yield f"<p>{html.escape(where)}.</p>"
    if tally.places is not None:
        yield f'<div class="maps">{error_maps(tally.places)}</div>'
        yield f'<p class="soft">{legend(tally.places, report.dump.plan.count)}</p>'
    yield "<h2>Got - expected</h2>"
    yield f'<div class="wide">{bars(tally.histogram())}</div>'


def _stages(stages: Stages) -> str:
    head = "<tr><th><th class=n>as it should be<th class=n>as the device computed it</tr>"
    rows = "".join(
        f"<tr{' class=wrong' if s.expected != s.got else ''}><td>{html.escape(s.name)}"
        f"<td class=n>{s.expected}<td class=n>{s.got}</tr>"
        for s in stages.stages
    )
    return f'<div class="wide"><table>{head}{rows}</table></div>'


def _arrays(comparisons: Sequence[ArrayComparison]) -> str:
    head = "<tr><th>op<th>kind<th>tensor<th class=n>values<th class=n>differing</tr>"
    rows = []
    for c in comparisons:
        name = c.tensor + ("" if c.role == "output" else f" ({c.role})")
        found = (f"{c.values:,}", f"{c.differing:,}") if c.values else ("-", "not in the dump")
        cells = "".join(f"<td>{html.escape(v)}" for v in (c.op, c.kind, name))
        numbers = "".join(f"<td class=n>{v}" for v in found)
        rows.append(f"<tr{' class=wrong' if c.differing else ''}>{cells}{numbers}</tr>")
    return f'<div class="wide"><table>{head}{"".join(rows)}</table></div>'
