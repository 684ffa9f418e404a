"""The blocks of a document: what it says, in order.

Renderers say how that looks.  They escape all text; only a `Figure` holds markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..support.quoting import short_repr

Tone: TypeAlias = Literal["", "soft", "good", "bad"]


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3; one of level 1 is the title of the document."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Prose that every medium shows as it is written."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Remark:
    """A statement without capital and full stop: a line in a terminal, a sentence elsewhere.

    Parameters
    ----------
    text : str
    tone : {"", "soft", "good", "bad"}
    width : int
        Columns of the terminal after which it goes on in the next line; 0: never.
    """

    text: str
    tone: Tone = ""
    width: int = 0


@dataclass(frozen=True)
class Preformatted:
    """Lines that keep their breaks and blanks: formulas, arithmetic."""

    __repr__ = short_repr

    text: str


@dataclass(frozen=True)
class Table:
    """Rows under a head.

    Parameters
    ----------
    head : tuple of str
    rows : tuple of tuple of str
        Each as long as the head.
    right : frozenset of int
        Columns of numbers, aligned on the right.
    marked : frozenset of int
        Rows, from 0, that a reader should see first.
    """

    __repr__ = short_repr

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Definitions:
    """Terms, and what each is."""

    __repr__ = short_repr

    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """A statement, and what belongs under it."""

    __repr__ = short_repr

    head: Remark
    blocks: tuple[DocumentBlock, ...]


@dataclass(frozen=True)
class NumberedItem:
    """One of several answers, in a box where a medium has boxes.

    Parameters
    ----------
    number : int
    title : str
    note : str
        What stands after the title, less prominent.
    blocks : tuple of DocumentBlock
    """

    __repr__ = short_repr

    number: int
    title: str
    note: str
    blocks: tuple[DocumentBlock, ...]


@dataclass(frozen=True)
class Details:
    """A statement, and details that a terminal leaves out and a page unfolds."""

    __repr__ = short_repr

    summary: Remark
    blocks: tuple[DocumentBlock, ...]


@dataclass(frozen=True)
class Figure:
    """A picture.

    Parameters
    ----------
    svg : str
        Markup of an ``<svg>`` element, the only one that a block holds.
    caption : str
    """

    __repr__ = short_repr

    svg: str
    caption: str = ""


DocumentBlock: TypeAlias = (
    Heading
    | Paragraph
    | Remark
    | Preformatted
    | Table
    | Definitions
    | Section
    | NumberedItem
    | Details
    | Figure
)


def sentence(text: str) -> str:
    """Return a statement with a capital, and a full stop unless it ends in a mark already."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ":", "!", "?")) else ".")
