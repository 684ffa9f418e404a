"""How much freedom a mapping has that was solved for, in bits."""

from __future__ import annotations

from collections.abc import Sequence
from math import lgamma, log, log2


def choose_bits(n: int, k: int) -> float:
    """Return log2 of how many sets of `k` things there are among `n`."""
    return max(0.0, (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2))


def order_bits(order: Sequence[int], distinct: int) -> float:
    """Return the bits that state an order: by a rule, by what moved, or one thing after another.

    Parameters
    ----------
    order : sequence of int
        For each place the thing that is there.
    distinct : int
        How many of the things differ from each other: a place could be taken for any of them.
    """
    n, each = len(order), log2(max(distinct, 1))
    moved = sum(i != j for i, j in enumerate(order))
    ways = [n * each, log2(n + 1) + choose_bits(n, moved) + moved * each]
    if _by_rule(order):
        ways.append(log2(4 * n))
    return min(ways)


def _by_rule(order: Sequence[int]) -> bool:
    """Return whether places rotate, run backwards, swap in blocks, interleave, or are all one."""
    n, first = len(order), order[0]
    rules = [
        [(i + first) % n for i in range(n)],
        [(first - i) % n for i in range(n)],
        [first] * n,
        [i ^ first for i in range(n)],
    ]
    rules += [
        [j for i in range(step) for j in range(i, n, step)]
        for step in range(2, n)
        if n % step == 0
    ]
    return list(order) in rules
