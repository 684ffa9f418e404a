"""The braces of a C array's initialiser: rows that C would fill up with 0 are no rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from ...errors import VectorError

_SPACE = b" \t\n\r\f\v"
_HINT = "; C fills what lacks with 0"


def bare(token: bytes) -> bytes:
    """Return what stands between commas without the braces that open before and close after it."""
    return token.lstrip(_SPACE + b"{").rstrip(_SPACE + b"}")


class Braces:
    """Counts the elements of an initialiser: every one must be given, in rows of equal length.

    C takes less, and fills it up with 0; it takes one list without rows as well, which is right.

    Parameters
    ----------
    where : str
        The file that an error names.
    extents : sequence of (int or None)
        As declared, the outermost first; None: not a known number.
    """

    def __init__(self, where: str, extents: Sequence[int | None]) -> None:
        self._where, self._extents = where, extents
        self._given = 0
        self._starts: list[int] = []  # how many elements came before each open row
        self._depth: int | None = None  # open rows around each element
        self._lengths: dict[int, int] = {}  # elements of a row, by the rows open with it

    def _size(self, depth: int) -> int | None:
        """Return how many elements are declared of a row inside `depth` braces, or of the array."""
        known = [extent for extent in self._extents[depth:] if extent is not None]
        return prod(known) if len(known) == len(self._extents[depth:]) else None

    def take(self, text: bytes, line_of: Callable[[int], int]) -> None:
        """Count the elements and braces of a text that ends before a comma, or at the end.

        `line_of` is of what stands between its commas, by number.

        Raises
        ------
        VectorError
            Naming the line of the first row that is of another length.
        """
        if b"{" not in text and b"}" not in text and self._depth == len(self._starts):
            self._given += text.count(b",") + 1
            return
        for index, token in enumerate(text.split(b",")):
            opened, closed = token.count(b"{"), token.count(b"}")
            problem = self._open(opened, element=bool(bare(token)))
            for _ in range(closed):
                problem = problem or self._close()
            if problem:
                raise VectorError(f"{self._where}, line {line_of(index)}: {problem}")

    def _open(self, opened: int, *, element: bool) -> str:
        """Take opening braces and the element after them; return what is wrong."""
        self._starts += [self._given] * opened
        if not element:  # after the last comma of a row
            return ""
        self._given += 1
        if self._depth is None:
            self._depth = len(self._starts)
        if self._depth != len(self._starts):
            return f"an element in {len(self._starts)} inner braces, others in {self._depth}"
        return ""

    def _close(self) -> str:
        depth = len(self._starts)
        if not depth:
            return "'}' without '{'"
        length = self._given - self._starts.pop()
        if depth not in self._lengths:
            declared = self._size(depth)
            self._lengths[depth] = length if declared is None else declared
        expected = self._lengths[depth]
        if length == expected:
            return ""
        return f"a row of {length} elements instead of {expected}{_HINT * (length < expected)}"

    def finish(self) -> None:
        """Raise VectorError unless all rows are closed and all declared elements were given."""
        if self._starts:
            raise VectorError(f"{self._where}: '{{' without '}}' in the array")
        declared, row = self._size(0), self._size(1) or 1
        if declared is not None and declared != self._given:
            raise VectorError(
                f"{self._where}: {self._given} elements, but {declared} are declared"
                f"{_HINT * (self._given < declared)}"
            )
        if self._given % row:
            raise VectorError(f"{self._where}: {self._given} elements are no rows of {row}{_HINT}")
