"""How LiteRT's optimised kernels walk two operands of different shapes: in loops of long rows."""

from __future__ import annotations

from collections.abc import Callable

Shape = tuple[int, ...]
_Pair = tuple[int, int]


def contiguous_length(one: Shape, other: Shape) -> int:
    """Return for how many values in a row both operands go on, one as fast as the other."""
    return _walk(_pairs(one, other), _equal)


def broadcast_length(one: Shape, other: Shape) -> int:
    """Return for how many values in a row one operand stands still; 0: kernels make no use of it.

    They do where five loops are enough, from the innermost axis outwards: equal extents, one
    operand spread, equal ones, the other operand spread, equal ones.
    """
    pairs = _pairs(one, other)
    _walk(pairs, _equal)
    if not pairs:
        return 0
    still = pairs[-1].index(1)
    row = _walk(pairs, lambda p: p[still] == 1)
    for test in (_equal, lambda p: p[1 - still] == 1, _equal):
        _walk(pairs, test)
    return 0 if pairs else row


def _pairs(one: Shape, other: Shape) -> list[_Pair]:
    rank = max(len(one), len(other))
    return list(zip(*((*(1,) * (rank - len(s)), *s) for s in (one, other)), strict=True))


def _equal(pair: _Pair) -> bool:
    return pair[0] == pair[1]


def _walk(pairs: list[_Pair], goes_on: Callable[[_Pair], bool]) -> int:
    """Take pairs of extents off the end while a loop goes on; return how long it is."""
    count = 1
    while pairs and goes_on(pairs[-1]):
        count *= max(pairs.pop())
    return count
