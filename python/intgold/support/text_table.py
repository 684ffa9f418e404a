"""Tables of text whose columns line up: one look for everything that the terminal shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def columns(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Return the rows as aligned lines, with a rule under the first, which is the head.

    Parameters
    ----------
    rows : sequence of sequence of str
        All of one length.
    left : collection of int
        Columns of words, aligned on the left; numbers are on the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
