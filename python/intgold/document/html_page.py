"""Blocks as one page of HTML that needs nothing else: no script, nothing that is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..support.file_kinds import html_start
from .blocks import (
    Definitions,
    Details,
    DocumentBlock,
    Figure,
    Heading,
    NumberedItem,
    Paragraph,
    Preformatted,
    Remark,
    Section,
    Table,
    sentence,
)

_STYLE = """
:root{--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--panel:#f6f8fa;--bad:#c62828;
--good:#1a7f37;--mark:#b35900;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ground:#0e1116;--ink:#e6edf3;--soft:#9aa4af;
--line:#30363d;--panel:#161b22;--bad:#ff7b72;--good:#3fb950;--mark:#e3a04f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 4rem;background:var(--ground);
color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .3rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1rem 0 .2rem}
p{margin:.4rem 0}.soft{color:var(--soft)}.bad{color:var(--bad)}.good{color:var(--good)}
.head{margin-top:1rem;font-weight:600}
.item{border-left:4px solid var(--mark);background:var(--panel);padding:.3rem .9rem;
margin:.6rem 0;overflow-wrap:anywhere}
.item b{font-size:1.1rem}
summary{cursor:pointer}details[open]{border-left:2px solid var(--line);padding-left:.9rem}
.wide{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right}td.n{white-space:nowrap}
tr.marked td{color:var(--bad)}
pre{background:var(--panel);padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere;
font:14px/1.5 ui-monospace,monospace}
figure{display:inline-block;vertical-align:top;margin:.2rem .8rem .6rem 0;max-width:100%;
overflow-x:auto}
figcaption{font-size:.8rem;color:var(--soft)}
svg{display:block}svg .cell{fill:var(--bad)}svg .ground{fill:var(--panel);stroke:var(--line)}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .bar{fill:var(--mark)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.5rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
@media print{h3,pre,table,.item,figure{break-inside:avoid}}
"""


def to_html(blocks: Sequence[DocumentBlock], what: str) -> str:
    """Return the blocks as a page.

    Parameters
    ----------
    blocks : sequence of DocumentBlock
        The first heading is the title.
    what : str
        Which page of intgold it is, see `intgold.support.file_kinds.html_start`.
    """
    title = next(block.text for block in blocks if isinstance(block, Heading))
    return (
        f'{html_start(what)}<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"{_markup(blocks)}\n</body></html>\n"
    )


def _markup(blocks: Iterable[DocumentBlock]) -> str:
    return "\n".join(map(_block, blocks))


def _block(block: DocumentBlock) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Paragraph(text, tone):
            return f"<p{_class(tone)}>{escape(text)}</p>"
        case Remark(text, tone):
            return f"<p{_class(tone)}>{escape(sentence(text))}</p>"
        case Preformatted(text):
            return f"<pre>{escape(text)}</pre>"
        case Table():
            return _table(block)
        case Definitions(entries):
            parts = (f"<dt>{escape(term)}</dt><dd>{escape(what)}</dd>" for term, what in entries)
            return f"<dl>{''.join(parts)}</dl>"
        case Section(head, inner):
            line = f"<p{_class(f'head {head.tone}'.rstrip())}>{escape(sentence(head.text))}</p>"
            return f"{line}\n{_markup(inner)}"
        case NumberedItem(number, title, note, inner):
            after = f" {escape(note)}" if note else ""
            line = f"<p><b>{number}. {escape(title)}</b>{after}</p>"
            return f'<div class="item">{line}\n{_markup(inner)}</div>'
        case Details(summary, inner):
            line = f"<summary{_class(summary.tone)}>{escape(sentence(summary.text))}</summary>"
            return f"<details>{line}\n{_markup(inner)}</details>"
        case Figure(svg, caption):
            under = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
            return f"<figure>{svg}{under}</figure>"


def _table(table: Table) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        return "".join(
            f"<{tag}{_class('n' if i in table.right else '')}>{escape(cell)}</{tag}>"
            for i, cell in enumerate(cells)
        )

    rows = (
        f"<tr{_class('marked' if i in table.marked else '')}>{row(cells, 'td')}</tr>"
        for i, cells in enumerate(table.rows)
    )
    head = f"<tr>{row(table.head, 'th')}</tr>"
    return f'<div class="wide"><table>{head}{"".join(rows)}</table></div>'


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
