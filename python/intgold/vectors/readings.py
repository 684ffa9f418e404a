"""Other layouts by which a device may have written its words: what a dump is read by, as a trial.

A reading keeps the number of words.  It stands only where every lane and bit that it leaves
without an element holds padding in the dump.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import LayoutError
from .packing import Packing

_ORDERS = ("NHWC", "NCHW", "NHCW", "NWHC", "NCWH", "NWCH")


@dataclass(frozen=True, eq=False)
class Reading:
    """An array whose words follow another rule than the layout says.

    Parameters
    ----------
    key : str
        Of the rule, that is another.
    label : str
        What it is.
    stated, other : Packing
        By the layout, and by the device.
    """

    key: str
    label: str
    stated: Packing
    other: Packing

    def seen(self, y: np.ndarray) -> np.ndarray:
        """Return what results look like by the layout, shape (n, *shape), as the device has y."""
        parts = self.other.to_banks(self.other.pack(y))
        return self.stated.read(self.stated.from_banks(parts))[0].reshape(y.shape)


def readings(stated: Packing) -> Iterator[Reading]:
    """Yield the rules that differ in one key, or in both that a reversed word has."""
    rule = stated.rule
    lanes = {"lane_order": "low_first" if rule.lane_order == "high_first" else "high_first"}
    octets = {"byte_order": "little" if rule.byte_order == "big" else "big"}
    trials: list[tuple[str, dict[str, Any]]] = []
    if stated.lanes > 1:
        trials.append(("lane_order", lanes))
        if stated.dtype.itemsize > 1:
            trials.append(("lane_order", {**lanes, **octets}))
    if rule.banks > 1:
        blocked = rule.bank_order == "blocked"
        trials.append(("bank_order", {"bank_order": "interleaved" if blocked else "blocked"}))
    if len(stated.axes) > 1 and stated.reordered:
        orders = [o for o in _ORDERS if set(o) >= set(stated.axes)]
        trials += [("order", {"order": o, "tile": ()}) for o in orders]
    orders_seen = {stated.axis_order}
    for key, changes in trials:
        try:
            other = stated.by(**changes)
        except LayoutError:  # too many lanes of padding
            continue
        if key == "order":
            if other.axis_order in orders_seen:
                continue
            orders_seen.add(other.axis_order)
        if other.run_words == stated.run_words:
            label = ", ".join(f"{k} = {v}" for k, v in changes.items() if v)
            yield Reading(key, label, stated, other)


def standing(trials: Iterable[Reading], words: Iterable[np.ndarray]) -> list[Reading]:
    """Return the readings by which the words of a dump hold padding wherever they have to.

    Parameters
    ----------
    trials : iterable of Reading
    words : iterable of ndarray
        Of some images at a time, in the order of the layout.
    """
    kept = list(trials)
    if not any(r.other.padded for r in kept):
        return kept
    for part in words:
        kept = [r for r in kept if not _stray(r, part)]
        if not kept:
            break
    return kept


def _stray(reading: Reading, words: np.ndarray) -> bool:
    if not reading.other.padded:
        return False
    dealt = reading.other.from_banks(reading.stated.to_banks(words))
    return bool(reading.other.read(dealt)[1].any())
