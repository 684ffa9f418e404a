"""Other layouts by which a device may have written its words: what a dump is read by, as a trial.

A reading keeps the number of words, and stands where what the dump holds between elements agrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import LayoutError
from .packing import Packing
from .rule import Rule

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
    swap : int
        The device has word a of an image at a ^ swap.
    """

    key: str
    label: str
    stated: Packing
    other: Packing
    swap: int = 0

    def seen(self, y: np.ndarray) -> np.ndarray:
        """Return what results look like by the layout, shape (n, *shape), as the device has y."""
        return self.stated.read(self._written(y))[0].reshape(y.shape)

    def meant(self, words: np.ndarray) -> np.ndarray:
        """Return the results that the device has, of words in the order of the layout."""
        moved = self.other.from_banks(self.stated.to_banks(words))
        return self.other.read(moved[:, self._order])[0]

    def banks(self, y: np.ndarray) -> list[np.ndarray]:
        """Return the words of each bank as the device writes y; see `Packing.to_banks`."""
        return self.other.to_banks(self.other.pack(y)[:, self._order])

    @property
    def _order(self) -> np.ndarray:
        return np.arange(self.other.run_words) ^ self.swap

    def _written(self, y: np.ndarray) -> np.ndarray:
        return self.stated.from_banks(self.banks(y))

    @cached_property
    def leaves(self) -> bool:
        """Whether elements come to lie where the layout has none."""
        value = int(self.stated.stored_value(0) == self.stated.padding)  # not the padding's
        probe = np.full((1, *self.stated.shape), value, self.stated.dtype)
        return bool(self.stated.read(self._written(probe))[1].any())


def readings(stated: Packing) -> Iterator[Reading]:
    """Yield the rules that differ in one key, or in both that a reversed word has.

    Of an array that a layout speaks of, words with a bit of their address inverted too: of the
    lowest bit, and of each that selects a bank.
    """
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
    yield from _swapped(stated)


def _swapped(stated: Packing) -> Iterator[Reading]:
    """Yield the words at addresses with one bit inverted, which whole images must have."""
    rule = stated.rule
    if rule == Rule():
        return
    swaps = {1: "word a at address a ^ 1"}
    blocked = rule.bank_order == "blocked"
    of_bank = stated.run_words // rule.banks if blocked else 1
    for bit in range((rule.banks - 1).bit_length()):
        step = of_bank << bit
        if step & (step - 1) == 0:
            swaps.setdefault(step, f"bank b's words in bank b ^ {1 << bit}")
    if rule.banks > 1 and not blocked:
        swaps[1] = "bank b's words in bank b ^ 1: word a at address a ^ 1"
    for swap, label in swaps.items():
        if stated.run_words % (2 * swap) == 0:
            yield Reading("bank_order", label, stated, stated, swap)


def standing(
    stated: Packing, trials: Iterable[Reading], words: Iterable[np.ndarray]
) -> list[Reading]:
    """Return the readings that agree with a dump where the layout has no elements.

    One that puts elements there needs something else than padding there.  (Whatever lies in the
    lanes of elements is compared as values.)

    Parameters
    ----------
    stated : Packing
        By the layout.
    trials : iterable of Reading
    words : iterable of ndarray
        Of some images at a time, in the order of the layout.
    """
    kept = list(trials)
    if not any(reading.leaves for reading in kept):
        return kept
    stray = any(stated.read(part)[1].any() for part in words)
    return [reading for reading in kept if stray or not reading.leaves]
