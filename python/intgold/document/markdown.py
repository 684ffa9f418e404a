"""Blocks as Markdown, with tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

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

_MARKUP = re.compile(r"\\|<(?=[A-Za-z/!?])|&(?=#?\w+;)|](?=\()")
"""What would take an escape away, begin a tag or a character reference, or end a link's text."""


def to_markdown(blocks: Sequence[DocumentBlock]) -> str:
    """Return the blocks as Markdown; of a figure its caption."""
    return "\n\n".join(_parts(blocks)) + "\n"


def _parts(blocks: Iterable[DocumentBlock]) -> Iterator[str]:
    for block in blocks:
        yield from _block(block)


def _block(block: DocumentBlock) -> Iterable[str]:
    match block:
        case Heading(text, level):
            return [f"{'#' * level} {_plain(text)}"]
        case Paragraph(text):
            return [_plain(text)]
        case Remark(text):
            return [_plain(sentence(text))]
        case Preformatted(text):
            longest = max((len(run) for run in re.findall("`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            return [f"{fence}text\n{text}\n{fence}"]
        case Table(head, rows, right):
            rule = "|" + "".join("---:|" if i in right else "---|" for i in range(len(head)))
            return ["\n".join([_row(head), rule, *map(_row, rows)])]
        case Definitions(entries):
            return ["\n".join(f"- {_plain(term)}: {_plain(what)}" for term, what in entries)]
        case Section(head, inner) | Details(head, inner):
            return [*_block(head), *_parts(inner)]
        case NumberedItem(number, title, note, inner):
            after = f" {_plain(note)}" if note else ""
            return [f"**{number}. {_plain(title)}**{after}", *_parts(inner)]
        case Figure(_, caption):
            return [_plain(caption)] if caption else []


def _row(cells: Iterable[str]) -> str:
    shown = (_plain(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"


def _plain(text: str) -> str:
    """Return Markdown that shows a text as it is, on one line: no tag, link, heading or fence."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.splitlines()))
