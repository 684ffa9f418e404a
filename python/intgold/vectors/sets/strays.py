"""What a dump holds where its layout has no element: lanes and bits that ought to be padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .lines import line_or_byte_text
from .plan import SetFile

if TYPE_CHECKING:
    from ..memory.memory_map import Allocation
    from ..memory.packing import Packing

_MAX_PATHS = 8


@dataclass(frozen=True)
class Stray:
    """A word of a dump with something else than padding in it.

    Parameters
    ----------
    file : str
        Relative to the dump.
    place : str
        ``line N``, from 1, or ``byte N``, from 0.
    image, address : int
        Of the word; the address as the memory map counts.
    expected, got : int
        The word, of which the elements are the dump's in both.
    word_bits : int
    """

    file: str
    place: str
    image: int
    address: int
    expected: int
    got: int
    word_bits: int

    def __str__(self) -> str:
        digits = -(-self.word_bits // 4)
        return (
            f"{self.file} {self.place}, image {self.image}, address 0x{self.address:x}: "
            f"0x{self.got:0{digits}x} instead of 0x{self.expected:0{digits}x}"
        )


class Strays:
    """Counts the words of one array that have something else than padding around its elements.

    Parameters
    ----------
    block : Allocation
        Of the dump.
    """

    def __init__(self, block: Allocation) -> None:
        self._block, self.path = block, block.entry.path
        self.words = 0
        self.first: Stray | None = None

    def add(
        self, paths: Sequence[Path], files: Sequence[SetFile], first: int, words: np.ndarray,
        found: np.ndarray,
    ) -> None:  # fmt: skip
        """Take in some images.

        Parameters
        ----------
        paths, files : sequence of Path and of SetFile
            That they are of, one a bank.
        first : int
            The first of the images.
        words, found
            Words, shape (n, run_words, word_bytes), and where `Packing.read` found such words.
        """
        self.words += int(np.count_nonzero(found))
        if self.first is not None or not found.any():
            return
        packing = self._block.packing
        run, word = (int(i) for i in np.argwhere(found)[0])
        bank, at = packing.bank_of(word)
        file, image = files[bank], first + run
        array, _ = packing.read(words[run : run + 1])
        got, expected = words[run, word], packing.pack(array)[0, word]
        lane = _first_lane(packing, got != expected)
        self.first = Stray(
            file.path,
            line_or_byte_text(file, image * file.words.run + at, lane, paths[bank]),
            image,
            self._block.address + image * self._block.frame + word,
            _number(expected),
            _number(got),
            packing.word_bits,
        )


def stray_lines(found: Iterable[Strays | None]) -> list[str]:
    """Return what a report says of the arrays of a dump: the first at length, the others named."""
    wrong = [strays for strays in found if strays is not None and strays.first is not None]
    if not wrong:
        return []
    words = "1 word has" if wrong[0].words == 1 else f"{wrong[0].words} words have"
    lines = [
        (
            f"{wrong[0].path}: {words} something else than padding in lanes or bits without an "
            "element, first"
        ),
        f"  {wrong[0].first}",
    ]
    if others := [strays.path for strays in wrong[1:]]:
        more = ", ..." if others[_MAX_PATHS:] else ""
        lines.append(f"the same of {len(others)} more: {', '.join(others[:_MAX_PATHS])}{more}")
    return lines


def _first_lane(packing: Packing, wrong: np.ndarray) -> int:
    """Return the first lane of a word, in the order of its elements, with a byte that is wrong.

    Bits above all lanes count to the last one.
    """
    width = packing.dtype.itemsize if packing.words_per_element == 1 else packing.word_bytes
    lanes = np.minimum(np.flatnonzero(wrong) // width, packing.lanes - 1)
    return int(lanes.max() if packing.rule.lane_order == "high_first" else lanes.min())


def _number(word: np.ndarray) -> int:
    return int.from_bytes(word.tobytes(), "little")
