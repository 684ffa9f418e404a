"""Where a value of a set lies, and what lies at a place: file, line, address, lane."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from ..errors import VectorError
from .contents import Entry
from .manifest import read_manifest
from .plan import Plan, SetFile
from .reader import read_entry, value_at


@dataclass(frozen=True)
class Spot:
    """One value in one file.

    Parameters
    ----------
    array : str
        Path of the array in the set.
    coordinate : tuple of int
        The image first, where the array has one for each.
    value : int
        In the set.
    file : str
        Relative to the set.
    place : str
        ``line N``, from 1, or ``byte N``, from 0, of what is in the file.
    word : int
        Of the file, from 0.
    address : int
        Of the word, in its memory (in its bank, where there are several).
    bank, lane : int
        Lanes count from the least significant bits.
    """

    array: str
    coordinate: tuple[int, ...]
    value: int
    file: str
    place: str
    word: int
    address: int
    bank: int
    lane: int


def locate(folder: str | os.PathLike[str], array: str, coordinate: Sequence[int]) -> list[Spot]:
    """Return where a value lies, in each file that has it (several where it takes several words).

    Parameters
    ----------
    folder : path
        A vector set.
    array : str
        Its path, such as ``outputs/conv1`` or ``parameters/conv1.bias``.
    coordinate : sequence of int
        Image, y, x, channel; of a parameter as its shape has it. Image i is the i-th of the set.

    Raises
    ------
    VectorError
        When the set has no such array or coordinate.
    """
    plan, _ = read_manifest(folder)
    entry = _entry(plan, array)
    shape = entry.whole(plan.count)
    at = tuple(coordinate)
    if len(at) != len(shape) or not all(0 <= i < n for i, n in zip(at, shape, strict=True)):
        raise VectorError(f"{array}: {at} is no coordinate of its shape {shape}")
    return [spot for name in plan.array_formats for spot in _spots(folder, plan, entry, at, name)]


def at_place(folder: str | os.PathLike[str], place: str) -> list[Spot]:
    """Return the values at a place, lane by lane from the least significant one.

    Parameters
    ----------
    folder : path
        A vector set.
    place : str
        ``outputs/conv1.hex:12``, a line (from 1) of a text or a byte (from 0) of a binary file, or
        ``outputs/conv1@1f4``, an address of its memory in hexadecimal (``outputs/conv1.bank2@1f4``
        in its bank).

    Raises
    ------
    VectorError
        When no word of the set is there.
    """
    plan, _ = read_manifest(folder)
    by_line = re.fullmatch(r"(.+):(\d{1,18})", place)
    by_address = re.fullmatch(r"(.+?)(?:\.bank(\d+))?@(?:0x)?([0-9a-fA-F]{1,16})", place)
    if by_line:
        file = next((f for f in plan.files if f.path == by_line[1]), None)
        if file is None:
            raise VectorError(f"{place}: the set has no array file {by_line[1]}")
        word = file.format.word_at(file.words, int(by_line[2]))
    elif by_address:
        entry = _entry(plan, by_address[1])
        laid = [n for n in plan.array_formats if n != "npy"] or plan.array_formats
        files, bank = plan.files_of(entry, laid[0]), int(by_address[2] or 0)
        if bank >= len(files):
            raise VectorError(f"{place}: {by_address[1]} has {len(files)} banks")
        file = files[bank]
        word = file.words.word_of(int(by_address[3], 16))
    else:
        raise VectorError(f"{place!r}: neither FILE:LINE nor ARRAY@ADDRESS")
    if word is None:
        raise VectorError(f"{place}: no word of the set is there")
    spots = []
    for at in _elements(plan, file, word):
        of_word = _spots(folder, plan, file.entry, at, file.format.name)
        spots += [s for s in of_word if (s.word, s.file) == (word, file.path)]
    if not spots:
        raise VectorError(f"{place}: word {word} holds padding only")
    return spots


def _entry(plan: Plan, array: str) -> Entry:
    found = next((e for e in plan.entries if e.path == array), None)
    if found is None:
        paths = ", ".join(e.path for e in plan.entries)
        raise VectorError(f"{array!r}: the set has the arrays {paths}")
    return found


def _elements(plan: Plan, file: SetFile, word: int) -> list[tuple[int, ...]]:
    """Return the coordinates of the elements of a word of a file, from the lowest lane up."""
    entry = file.entry
    run, place = divmod(word, file.words.run)
    if file.format.name == "npy":
        flats: list[int | None] = [place]
    else:
        packing = plan.blocks[entry].packing
        flats = packing.elements(packing.word_of(file.bank, place))
    ahead = (run,) if entry.images else ()
    return [
        (*ahead, *(int(i) for i in np.unravel_index(flat, entry.shape)))
        for flat in flats
        if flat is not None
    ]


def _spots(
    folder: str | os.PathLike[str], plan: Plan, entry: Entry, at: tuple[int, ...], name: str
) -> list[Spot]:
    files = plan.files_of(entry, name)
    run, inner = (at[0], at[1:]) if entry.images else (0, at)
    flat = int(np.ravel_multi_index(inner, entry.shape))
    packing = plan.blocks[entry].packing
    if name == "npy":
        places = [(0, run * prod(entry.shape) + flat, 0)]
    else:
        position = packing.position(flat)
        words = range(position.word, position.word + packing.words_per_element)
        banks = [packing.bank_of(word) for word in words]
        places = [(b, run * files[b].words.run + place, position.lane) for b, place in banks]
    value = value_at(read_entry(Path(folder), plan, entry), run, inner)
    spots = []
    for bank, word, lane in places:
        file = files[bank]
        unit = "line" if file.format.lines else "byte"
        place = f"{unit} {file.format.place(file.words, word)}"
        address = file.words.address_of(word)
        spots.append(Spot(entry.path, at, value, file.path, place, word, address, bank, lane))
    return spots
