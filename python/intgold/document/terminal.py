"""Blocks as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ..support.text_table import columns
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
)


def to_terminal(blocks: Sequence[DocumentBlock]) -> str:
    """Return the blocks as lines; details are left out, and of a figure all but its caption."""
    return "\n".join(_lines(blocks))


def _lines(blocks: Iterable[DocumentBlock]) -> Iterator[str]:
    for block in blocks:
        yield from _block(block)


def _block(block: DocumentBlock) -> Iterable[str]:
    match block:
        case Heading(text) | Paragraph(text):
            return [text]
        case Remark(text, width=width):
            return textwrap.wrap(text, width) if width else [text]
        case Preformatted(text):
            return text.split("\n")
        case Table(head, rows, right):
            return columns([head, *rows], left=[i for i in range(len(head)) if i not in right])
        case Definitions(entries):
            width = max(len(term) for term, _ in entries)
            return [f"{term:<{width}} {what}" for term, what in entries]
        case Section(head, blocks):
            return [*_block(head), *_indented(blocks, 2)]
        case NumberedItem(number, title, note, blocks):
            return [f"{number}. {' '.join(filter(None, (title, note)))}", *_indented(blocks, 3)]
        case Details(summary):
            return _block(summary)
        case Figure(_, caption):
            return [caption] if caption else []


def _indented(blocks: Iterable[DocumentBlock], by: int) -> Iterator[str]:
    return (" " * by + line for line in _lines(blocks))
