"""How much freedom a mapping has that was solved for, in bits."""

from __future__ import annotations

from collections.abc import Iterator
from math import lgamma, log, log2

import numpy as np

_MAX_RULED = 1024
"""Things up to which orders by a rule are looked for."""


def choose_bits(n: int, k: int) -> float:
    """Return log2 of how many sets of `k` things there are among `n`."""
    return max(0.0, (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2))


def solved_order(expected: np.ndarray, got: np.ndarray) -> tuple[list[int], float] | None:
    """Return which row of `expected` each row of `got` is, and the bits of freedom that this has.

    None unless each is one, and some other than its own.  An order by a rule is preferred: places
    that rotate, run backwards, swap in blocks or interleave, or are all the same.
    """
    expected, got = np.ascontiguousarray(expected), np.ascontiguousarray(got)
    rows: dict[bytes, int] = {}
    own = np.array([rows.setdefault(row.tobytes(), len(rows)) for row in expected])
    found = np.array([rows.get(row.tobytes(), -1) for row in got])
    if (found < 0).any() or (own == found).all():
        return None
    n = len(own)
    for rule in _rules(n):
        if (own[rule] == found).all():
            return rule.tolist(), log2(5 * n)
    first = {row: i for i, row in reversed(list(enumerate(own.tolist())))}
    order = np.where(own == found, np.arange(n), [first[row] for row in found.tolist()])
    moved, each = int(np.count_nonzero(own != found)), log2(len(rows))
    codings = (n * each, 2 * log2(moved) + 1 + choose_bits(n, moved) + moved * each)
    return order.tolist(), min(codings)


def _rules(n: int) -> Iterator[np.ndarray]:
    """Yield orders that have a rule."""
    at = np.arange(n)
    for i in range(n if n <= _MAX_RULED else 0):
        yield (at + i) % n
        yield (i - at) % n
        yield np.full(n, i)
        if n & (n - 1) == 0:
            yield at ^ i
        if 1 < i < n and n % i == 0:
            yield at.reshape(-1, i).T.ravel()


def constant_bits(value: int, width: int) -> float:
    """Return the bits of a constant: few for 0, which wires and cells have for many reasons."""
    return 2.0 if value == 0 else float(width)
