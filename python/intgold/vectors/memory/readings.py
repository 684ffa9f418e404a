"""Other layouts by which a device may have written its words: what a dump is read by, as a trial.

A reading keeps the number of words, and stands where what the dump holds between elements agrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import LayoutError
from .packing import Packing
from .rule import PackingRule

if TYPE_CHECKING:
    from .memory_map import Allocation

_ORDERS = ("NHWC", "NCHW", "NHCW", "NWHC", "NCWH", "NWCH")


@dataclass(frozen=True)
class Swap:
    """Words exchanged in pairs: what belongs at address a is at address a ^ by.

    Parameters
    ----------
    by : int
        0: no word is moved.
    unit : int
        Words that move as one: addresses count these.
    start, frame : int
        Address of an image's first word: start + i * frame.
    parts : int
        Banks that have addresses of their own, one after the other in the words of an image.
    """

    by: int = 0
    unit: int = 1
    start: int = 0
    frame: int = 0
    parts: int = 1

    def sources(self, words: int, images: np.ndarray) -> np.ndarray:
        """Return which word of its image is at each place; -1: one from outside the array.

        Parameters
        ----------
        words : int
            Of an image.
        images : ndarray, shape (n,)

        Returns
        -------
        ndarray of int64, shape (n, words)
        """
        size = words // self.parts
        first = self.start + images.astype(np.int64)[:, np.newaxis] * self.frame
        number, remainder = np.divmod(first + np.arange(size), self.unit)
        found = (number ^ self.by) * self.unit + remainder - first
        inside = (found >= 0) & (found < size)
        banks = [np.where(inside, found + bank * size, -1) for bank in range(self.parts)]
        return np.concatenate(banks, axis=1)


@dataclass(frozen=True, eq=False)
class Reading:
    """An array whose words follow another rule than the layout says.

    Where words are exchanged with some outside the array, these are unknown: `dumped` or
    `expected` has their values.

    Parameters
    ----------
    key : str
        Of the rule, that is another; or ``address``.
    label : str
        What it is.
    stated, other : Packing
        By the layout, and by the device.
    swap : Swap
    """

    key: str
    label: str
    stated: Packing
    other: Packing
    swap: Swap = Swap()

    def seen(
        self, y: np.ndarray, images: np.ndarray | None = None, dumped: np.ndarray | None = None
    ) -> np.ndarray:
        """Return what results look like by the layout, shape (n, *shape), as the device has y.

        Parameters
        ----------
        y : ndarray, shape (n, ...)
        images : ndarray, shape (n,), optional
            Which images of the set these are; default the first ones.
        dumped : ndarray, shape (n, ...), optional
            What the device dumped, of which words from outside the array are taken; default y.
        """
        written = self.stated.from_banks(self.banks(y, images, dumped))
        return self.stated.read(written)[0].reshape(y.shape)

    def granted(
        self, y: np.ndarray, images: np.ndarray | None = None, dumped: np.ndarray | None = None
    ) -> np.ndarray:
        """Return y but for the words that `seen` takes from the dump."""
        if dumped is None:
            return y
        outside = self._sources(len(y), images)[..., np.newaxis] < 0
        words = np.where(outside, self.stated.pack(self._shaped(dumped)), self._packed(y))
        return self.stated.read(words)[0].reshape(y.shape)

    def meant(
        self, words: np.ndarray, images: np.ndarray | None = None,
        expected: np.ndarray | None = None,
    ) -> np.ndarray:  # fmt: skip
        """Return the results that the device has, of words in the order of the layout.

        Parameters
        ----------
        words : ndarray, shape (n, words, word_bytes)
        images : ndarray, shape (n,), optional
        expected : ndarray, shape (n, ...), optional
            Has the values of words that the device has outside the array.
        """
        moved = self.other.from_banks(self.stated.to_banks(words))
        rest = moved if expected is None else self.other.pack(self._shaped(expected))
        return self.other.read(self._exchanged(moved, rest, images))[0]

    def banks(
        self, y: np.ndarray, images: np.ndarray | None = None, dumped: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """Return the words of each bank as the device writes y; see `seen`."""
        own = self._packed(y)
        rest = own if dumped is None else self.stated.pack(self._shaped(dumped))
        return self.other.to_banks(self._exchanged(own, rest, images))

    @cached_property
    def crosses(self) -> bool:
        """Whether words are exchanged with some outside the array."""
        return bool((self._sources(2, None) < 0).any())

    def _sources(self, count: int, images: np.ndarray | None) -> np.ndarray:
        images = np.arange(count) if images is None else images
        return self.swap.sources(self.other.run_words, images)

    def _exchanged(
        self, words: np.ndarray, rest: np.ndarray, images: np.ndarray | None
    ) -> np.ndarray:
        if not self.swap.by:
            return words
        at = self._sources(len(words), images)[..., np.newaxis]
        return np.where(at < 0, rest, np.take_along_axis(words, np.maximum(at, 0), axis=1))

    def _packed(self, y: np.ndarray) -> np.ndarray:
        return self.other.pack(self._shaped(y))

    def _shaped(self, y: np.ndarray) -> np.ndarray:
        return y.reshape(len(y), *self.stated.shape)

    @cached_property
    def leaves(self) -> bool:
        """Whether elements come to lie where the layout has none."""
        value = int(self.stated.stored_value(0) == self.stated.padding)  # not the padding's
        probe = np.full((1, *self.stated.shape), value, self.stated.dtype)
        written = self.stated.from_banks(self.banks(probe))
        return bool(self.stated.read(written)[1].any())


def readings(block: Allocation) -> Iterator[Reading]:
    """Yield the rules that differ in one key, or in both that a reversed word has.

    Of an array that a layout speaks of, words with a bit of their address inverted too: of the
    lowest bit, of the lowest one in each bank, and of each that selects a bank.
    """
    stated = block.packing
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
    if rule != PackingRule():
        yield from _in_other_banks(stated)
        yield from _at_other_addresses(block)


def _in_other_banks(stated: Packing) -> Iterator[Reading]:
    """Yield the banks with one bit of their number inverted, where each has such a partner."""
    rule = stated.rule
    blocked = rule.bank_order == "blocked"
    for bit in range(rule.banks.bit_length()):
        if rule.banks % (2 << bit):
            return
        label = f"bank b's words in bank b ^ {1 << bit}"
        if not blocked and bit == 0:
            label += ": word a at address a ^ 1"
        unit = stated.run_words // rule.banks if blocked else 1
        yield Reading("bank_order", label, stated, stated, Swap(1 << bit, unit))


def _at_other_addresses(block: Allocation) -> Iterator[Reading]:
    """Yield the words at addresses with the lowest bit inverted, or exchanged in pairs.

    Addresses are those of the memory, and where its words are interleaved those in each bank too.
    """
    stated, rule = block.packing, block.packing.rule
    parts = rule.banks if rule.bank_order == "blocked" else 1
    start, frame = block.address // parts, block.frame // parts
    interleaved = rule.banks > 1 and parts == 1
    of_bank = " of each bank" if parts > 1 else ""
    trials = [(of_bank, 1)] if not interleaved or rule.banks % 2 else []  # else it selects a bank
    trials += [(" of each bank", rule.banks)] if interleaved else []
    for of_which, unit in trials:
        swap = Swap(1, unit, start, frame, parts)
        if (swap.sources(stated.run_words, np.arange(2)) >= 0).any():
            yield Reading("address", f"word a{of_which} at address a ^ 1", stated, stated, swap)
    if interleaved and rule.banks % 2 == 0:
        return
    if (start % 2 or frame % 2) and stated.run_words // parts % 2 == 0:
        label = f"words{of_bank} exchanged in pairs, from the array's first one on"
        yield Reading("address", label, stated, stated, Swap(1, parts=parts))


def agreeing_readings(
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
