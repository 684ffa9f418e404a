"""How the elements of one array become memory words, and back (SPEC 10.4).

`Packing` is a rule applied to the shape of one array, and does the work both ways: elements to
words, words to elements (unused lanes checked), and the position of any element.  All three
use one index map, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import lcm, prod
from typing import Any

import numpy as np

from ...errors import LayoutError
from ..formats.word_file import InvalidWordError
from .rule import PackingRule

_MAX_LANES, _MAX_PADDING = 2**24, 16
"""Lanes of an image that a layout may take, whatever the values; lanes for each value."""


def from_offset_binary(stored: np.ndarray) -> np.ndarray:
    """Return the int8 values q of bytes q + 128."""
    return (stored ^ np.uint8(0x80)).view(np.int8)


@dataclass(frozen=True)
class Position:
    """Where an element lies in the words of one image.

    Parameters
    ----------
    word : int
        Within the image, over all banks.
    lane : int
        From the least significant one.
    """

    word: int
    lane: int


class Packing:
    """A rule applied to an array: one run is one image of a tensor, or a whole parameter.

    Parameters
    ----------
    where : str
        What an error names.
    rule : PackingRule
    dtype : str
    shape : tuple of int
        Of a run.
    axes : str
        A letter for each dimension of `shape`.
    zero_point : int

    Raises
    ------
    LayoutError
        When the rule does not fit the array.
    """

    def __init__(
        self, where: str, rule: PackingRule, dtype: str, shape: tuple[int, ...], axes: str,
        zero_point: int = 0,
    ) -> None:  # fmt: skip
        self.where, self.rule, self.shape, self.axes = where, rule, shape, axes
        self.zero_point, self.dtype = zero_point, np.dtype(dtype)
        self.offset_binary = rule.encoding == "offset_binary" and self.dtype == np.int8
        self.stored = np.dtype(np.uint8) if self.offset_binary else self.dtype
        bits = 8 * self.dtype.itemsize
        self.word_bits = rule.word_bits or bits
        self.padding = self._padding()
        if self.word_bits >= bits:
            self.lanes = rule.lanes or self.word_bits // bits
            self.words_per_element = 1
            if self.lanes * bits > self.word_bits:
                raise LayoutError(
                    f"{where}: {self.lanes} lanes of {bits} bits in a word of {self.word_bits}, "
                    f"which holds {self.word_bits // bits}; {self._own('lanes')}"
                )
        else:
            self.lanes, self.words_per_element = 1, bits // self.word_bits
            if rule.lanes > 1:
                raise LayoutError(
                    f"{where}: {rule.lanes} lanes of {bits} bits in a word of {self.word_bits}, "
                    f"which holds a part of one; {self._own('lanes')}"
                )
            if bits % self.word_bits:
                raise LayoutError(
                    f"{where}: elements of {bits} bits do not fill words of {self.word_bits}; "
                    f"{self._own('word_bits')}"
                )
        self.word_bytes = -(-self.word_bits // 8)
        self._outer = self._split()
        if self._lanes > max(_MAX_LANES, _MAX_PADDING * prod(shape)):
            raise LayoutError(
                f"{where}: {self._lanes} lanes for {prod(shape)} values: tile or row_alignment "
                "leave nearly all of the words to padding"
            )
        # In the array's own order only the last word is filled up: no index map is needed.
        self._natural = "".join(self._outer) == axes and not self._has_rows()

    def _own(self, key: str) -> str:
        """Return how a layout sets a key only for this array."""
        path = self.where.removeprefix("layout: ")
        return f'{key} of only this array: in a table [array."{path}"] of the layout'

    def _has_rows(self) -> bool:
        return bool(self.rule.row_alignment) and self.rule.row_axis in self._outer

    def _padding(self) -> int:
        if self.rule.padding == "zero_point":
            return self.stored_value(self.zero_point)
        info = np.iinfo(self.stored)
        value = int(self.rule.padding)
        if not info.min <= value <= info.max:
            raise LayoutError(f"{self.where}: padding {value} is no {self.stored}")
        return value

    def by(self, **changes: Any) -> Packing:
        """Return the packing of the same array by a rule with some other keys."""
        rule = replace(self.rule, **changes)
        return Packing(
            self.where, rule, self.dtype.name, self.shape, self.axes, self.zero_point
        )  # fmt: skip

    def stored_value(self, value: int) -> int:
        """Return a value of the array as it is encoded."""
        return value + 128 if self.offset_binary else value

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return values as they are encoded, little-endian, in C order."""
        plain = np.ascontiguousarray(values, self.dtype.newbyteorder("<"))
        return plain.view(np.uint8) ^ np.uint8(0x80) if self.offset_binary else plain

    def decode(self, stored: np.ndarray) -> np.ndarray:
        """Return the values of what is stored, in C order: the inverse of `encode`."""
        if self.offset_binary:
            return from_offset_binary(stored)
        return np.require(stored, self.dtype, ["C", "A"])

    def _split(self) -> list[str]:
        """Return the axes in the order of the words; an axis of tiles appears twice."""
        expected = self.rule.order.removeprefix("N") if self.rule.order else self.axes
        one_order = len(self.axes) == 1 or "T" in self.axes  # tables and the like
        if one_order and not set(self.axes) <= set(expected.upper()):
            expected = self.axes
        order = [a for a in expected if a.upper() in self.axes]
        if "S" in self.axes and "S" not in order:
            order.insert(0, "S")
        unknown = set(self.axes) - set(order)
        if unknown or len(set(order)) != len(order):
            raise LayoutError(
                f"{self.where}: order {self.rule.order!r} does not name each axis of {self.axes}"
            )
        return order

    @cached_property
    def run_words(self) -> int:
        """Words of a run, over all banks."""
        count = self._lanes // self.lanes * self.words_per_element
        return -(-count // self.rule.banks) * self.rule.banks

    @cached_property
    def _extents(self) -> dict[str, int]:
        """Extent of each axis of the order: of tiles, or of what is in a tile."""
        sizes, tiles = dict(zip(self.axes, self.shape, strict=True)), dict(self.rule.tile)
        return {
            a: tiles[a] if a.islower() else -(-sizes[a] // tiles.get(self._tile(a), 1))
            for a in self._outer
        }

    def _tile(self, axis: str) -> str:
        """Return the letter of what is in a tile of an axis; "" where it has none."""
        return axis.lower() if axis.lower() in self._outer else ""

    @cached_property
    def _rows(self) -> tuple[int, int]:
        """Number of rows, and lanes of each with its padding; one row where they have no gap."""
        rows, unit = 1, self.lanes
        if self._has_rows():
            ahead = self._outer[: self._outer.index(self.rule.row_axis) + 1]
            rows = prod(self._extents[a] for a in ahead)
            # A row of elements that take several words each ends with a whole element.
            words = lcm(self.rule.row_alignment, self.words_per_element)
            unit = self.lanes * words // self.words_per_element
        length = prod(self._extents.values()) // rows
        return rows, length + -length % unit

    @property
    def _lanes(self) -> int:
        """Lanes of a run, all words but those that fill the banks."""
        return prod(self._rows)

    @cached_property
    def source(self) -> np.ndarray:
        """Flat index of the element in each lane of each word, in order; -1 is padding."""
        at = np.arange(prod(self.shape), dtype=np.int64).reshape(self.shape)
        split = [part for a in self.axes for part in (a, self._tile(a)) if part]
        whole = [self._extents[a] * self._extents.get(self._tile(a), 1) for a in self.axes]
        fill = [(0, n - size) for n, size in zip(whole, at.shape, strict=True)]
        at = np.pad(at, fill, constant_values=-1).reshape([self._extents[a] for a in split])
        at = at.transpose([split.index(a) for a in self._outer])
        rows, length = self._rows
        at = at.reshape(rows, -1)
        return np.pad(at, ((0, 0), (0, length - at.shape[1])), constant_values=-1).ravel()

    @property
    def padded(self) -> bool:
        """Whether some lane or bit of the words holds no element."""
        used = self._lanes // self.lanes * self.words_per_element
        full = 8 * self.lanes * self.dtype.itemsize == self.word_bits * self.words_per_element
        return not full or used != self.run_words or self._lanes != prod(self.shape)

    @property
    def reordered(self) -> bool:
        """Whether the elements are in another order than the array's own, or in tiles or rows."""
        return not self._natural

    @property
    def axis_order(self) -> str:
        """The axes from the slowest to the fastest, tiles included."""
        return "".join(self._outer)

    def stored_order(self, *, images: bool) -> str:
        """Return `axis_order`, after the N of images where there are several."""
        return "N" * images + self.axis_order

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Extent of each axis of `axis_order`, the padding of a last tile included."""
        return tuple(self._extents[a] for a in self._outer)

    @property
    def _plain(self) -> bool:
        """Whether the elements are in the array's own order, without padding."""
        return self._natural and self._lanes == prod(self.shape)

    @cached_property
    def _inverse(self) -> np.ndarray:
        """Place of each element among the lanes of all words."""
        inverse = np.empty(prod(self.shape), np.int64)
        used = np.flatnonzero(self.source >= 0)
        inverse[self.source[used]] = used
        return inverse

    def pack(self, runs: np.ndarray) -> np.ndarray:
        """Return the words of some runs.

        Parameters
        ----------
        runs : ndarray, shape (n, *shape)

        Returns
        -------
        ndarray of uint8, shape (n, run_words, word_bytes)
            Each word from its least significant byte on.
        """
        n, width = len(runs), self.dtype.itemsize
        flat = self.encode(runs).reshape(n, -1)
        if not self._plain:
            filled = np.full((n, self._lanes), self.padding, flat.dtype)
            if self._natural:
                filled[:, : flat.shape[1]] = flat
            else:
                filled[:, self._inverse] = flat
            flat = filled
        octets = flat.view(np.uint8).reshape(n, -1, self.lanes, width)
        if self.rule.byte_order == "big":
            octets = octets[..., ::-1]
        if self.rule.lane_order == "high_first":
            octets = octets[:, :, ::-1]
        part = self.lanes * width // self.words_per_element
        parts = np.ascontiguousarray(octets).reshape(n, -1, part)
        if parts.shape[1:] == (self.run_words, self.word_bytes):
            return parts
        words = np.zeros((n, self.run_words, self.word_bytes), np.uint8)
        words[:, : parts.shape[1], :part] = parts
        if parts.shape[1] < self.run_words:
            words[:, parts.shape[1] :, :part] = self._filler()
        return words

    def _filler(self) -> np.ndarray:
        """Return the words of padding that make the run a multiple of the banks."""
        missing = self.run_words - self._lanes // self.lanes * self.words_per_element
        elements = -(-missing // self.words_per_element) * self.lanes
        padded = np.full(elements, self.padding, self.stored.newbyteorder("<")).view(np.uint8)
        octets = padded.reshape(-1, self.lanes, self.dtype.itemsize)
        octets = octets[..., ::-1] if self.rule.byte_order == "big" else octets
        part = self.lanes * self.dtype.itemsize // self.words_per_element
        return np.ascontiguousarray(octets).reshape(-1, part)[:missing]

    def unpack(self, words: np.ndarray) -> np.ndarray:
        """Return the runs in words, the inverse of `pack`; in C order, for any rule.

        Raises
        ------
        InvalidWordError
            When a lane or bit that holds no element is not as `pack` fills it; `word` counts from
            the first of `words`.
        """
        array, stray = self.read(words)
        if stray.any():
            run, word = (int(i) for i in np.argwhere(stray)[0])
            got = words[run, word, ::-1].tobytes().hex()
            expected = self.pack(array[run : run + 1])[0, word, ::-1].tobytes().hex()
            raise InvalidWordError(
                self.where,
                run * self.run_words + word,
                f"0x{got} instead of 0x{expected}: "
                "a lane or bit that holds no element is not padding",
            )
        return array

    def read(self, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the runs in words, and which words have something else than padding around them.

        Parameters
        ----------
        words : ndarray of uint8, shape (n, run_words, word_bytes)

        Returns
        -------
        runs : ndarray, shape (n, *shape)
        stray : ndarray of bool, shape (n, run_words)
            Words of which a lane or bit that holds no element is not as `pack` fills it.
        """
        n, width = len(words), self.dtype.itemsize
        part = self.lanes * width // self.words_per_element
        used = self._lanes // self.lanes * self.words_per_element
        octets = np.ascontiguousarray(words[:, :used, :part])
        octets = octets.reshape(n, -1, self.lanes, width)
        if self.rule.lane_order == "high_first":
            octets = octets[:, :, ::-1]
        if self.rule.byte_order == "big":
            octets = octets[..., ::-1]
        flat = np.ascontiguousarray(octets).reshape(n, -1).view(self.stored.newbyteorder("<"))
        # An index beside a slice would give an array in another order of memory.
        own = flat[:, : prod(self.shape)] if self._natural else flat.take(self._inverse, axis=1)
        array = self.decode(own).reshape(n, *self.shape)
        if not self.padded:
            return array, np.zeros(words.shape[:2], bool)
        return array, (self.pack(array) != words).any(axis=2)

    def position(self, flat: int) -> Position:
        """Return where the element of this flat index (C order in a run) lies."""
        place = flat if self._natural else int(self._inverse[flat])
        word, element = divmod(place, self.lanes)
        high = self.rule.lane_order == "high_first"
        lane = self.lanes - 1 - element if high else element
        return Position(word * self.words_per_element, lane)

    def elements(self, word: int) -> list[int | None]:
        """Return the flat index of the element in each lane of a word; None is padding.

        Lanes count from the least significant one.
        """
        first = word // self.words_per_element * self.lanes
        if self._natural:
            size = prod(self.shape)
            found = [f if f < size else -1 for f in range(first, first + self.lanes)]
        else:
            found = self.source[first : first + self.lanes].tolist()
            found += [-1] * (self.lanes - len(found))
        if self.rule.lane_order == "high_first":
            found.reverse()
        return [None if f < 0 else f for f in found]

    def to_banks(self, words: np.ndarray) -> list[np.ndarray]:
        """Return the words of each bank, shape (n, run_words / banks, word_bytes)."""
        banks = self.rule.banks
        if banks == 1:
            return [words]
        if self.rule.bank_order == "interleaved":
            return [words[:, b::banks] for b in range(banks)]
        return np.split(words, banks, axis=1)

    def from_banks(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Return the words of all banks in order."""
        if len(parts) == 1:
            return parts[0]
        if self.rule.bank_order == "blocked":
            return np.concatenate(parts, axis=1)
        return np.stack(parts, axis=2).reshape(len(parts[0]), self.run_words, self.word_bytes)

    def bank_of(self, word: int) -> tuple[int, int]:
        """Return the bank of a word of a run, and its place there."""
        if self.rule.bank_order == "interleaved":
            place, bank = divmod(word, self.rule.banks)
            return bank, place
        return divmod(word, self.run_words // self.rule.banks)

    def word_of(self, bank: int, place: int) -> int:
        """Return which word of a run is at `place` of a bank."""
        if self.rule.bank_order == "interleaved":
            return place * self.rule.banks + bank
        return bank * (self.run_words // self.rule.banks) + place
