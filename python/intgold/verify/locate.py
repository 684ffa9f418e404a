"""Where a value of a set lies, and what lies at a place: file, line, address, lane."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from pathlib import Path

import numpy as np

from ..errors import VectorError
from ..support.arguments import checked
from ..vectors.arrays.contents import ArraySpec
from ..vectors.formats import FORMATS
from ..vectors.formats.compression import COMPRESSIONS
from ..vectors.formats.word_file import words_of_line
from ..vectors.sets.lines import line_or_byte_text
from ..vectors.sets.manifest import read_manifest
from ..vectors.sets.plan import Plan, SetFile
from ..vectors.sets.reader import read_entry, values_of
from ..vectors.sets.rom_files import memory_files

Coordinate = tuple[int, ...]
_MAX_NAMES = 6


@dataclass(frozen=True)
class FileLocation:
    """One value in one file.

    Parameters
    ----------
    array : str
        Path of the array in the set.
    coordinate : tuple of int
        The image first, where the array has one for each.
    value : int
        As the files store it (SPEC 10.4, encoding).
    file : str
        Relative to the set.
    place : str
        ``line N``, from 1, or ``byte N``, from 0, of what is in the file.
    word : int
        Of the file, from 0.
    address : int
        Of the memory word, as the memory map counts.
    bank, bank_address : int
        Which bank it is in, and its address there.
    lane : int
        From the least significant bits.
    """

    array: str
    coordinate: Coordinate
    value: int
    file: str
    place: str
    word: int
    address: int
    bank: int
    bank_address: int
    lane: int


@checked
def locate(
    folder: str | os.PathLike[str], array: str, coordinate: Sequence[int]
) -> list[FileLocation]:
    """Return where a value lies, in each file that holds it (several where it takes several words).

    Parameters
    ----------
    folder : path
        A vector set.
    array : str
        Its path, such as ``outputs/conv1`` or ``parameters/conv1.bias``.
    coordinate : sequence of int
        Image, y, x, channel; of a parameter as in its shape. Image i is the i-th of the set.

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
    (value,) = _values(folder, plan, entry, [at])
    return [
        s
        for name in plan.array_formats
        for s in file_locations(plan, entry, at, value, plan.files_of(entry, name))
    ]


@checked
def at_place(folder: str | os.PathLike[str], place: str) -> list[FileLocation]:
    """Return the values at a place, word by word and lane by lane from the least significant one.

    Parameters
    ----------
    folder : path
        A vector set.
    place : str
        ``outputs/conv1.hex:12``, a line (from 1) of a text or a byte (from 0) of a binary file;
        ``outputs/conv1@1f4``, an address of its memory in hexadecimal, as the memory map counts;
        or ``outputs/conv1.bank2@7d``, an address in its bank.

    Raises
    ------
    VectorError
        When no word of the set is there.
    """
    plan, _ = read_manifest(folder)
    by_line = re.fullmatch(r"(.+):([0-9]+)", place)
    by_address = re.fullmatch(r"(.+?)(?:\.bank([0-9]+))?@(?:0x)?([0-9a-fA-F]+)", place)
    match = by_line or by_address
    for number in filter(None, match.groups()[1:] if match else ()):
        if len(number) > 16:
            raise VectorError(f"{place}: {number[:40]} is too large, no set has that many words")
    if by_line:
        file = next((f for f in plan.files if f.path == by_line[1]), None)
        if file is None:
            return _at_line_of_memory(folder, plan, place, by_line[1], int(by_line[2]))
        words = file.format.words_at(file.words, int(by_line[2]))
        if not words:
            raise VectorError(f"{place}: no word of the set is there")
        files = plan.files_of(file.entry, file.format.name)
        found = _at_words(folder, plan, files, file, words)
    elif by_address:
        found = _at_address(folder, plan, place, by_address)
    else:
        raise VectorError(f"{place!r}: neither FILE:LINE nor ARRAY@ADDRESS")
    if not found:
        raise VectorError(f"{place}: its words hold padding only")
    return found


def _at_address(
    folder: str | os.PathLike[str], plan: Plan, place: str, match: re.Match[str]
) -> list[FileLocation]:
    """Return the values of the word at ARRAY@ADDRESS."""
    entry = _entry(plan, match[1])
    name = next((n for n in plan.array_formats if n != "npy"), "npy")
    bank = None if match[2] is None else int(match[2])
    run, word = _word_at(plan, place, entry, bank, int(match[3], 16))
    block = plan.blocks[entry]
    target = block.address + run * block.frame + word
    coordinates = _held(plan, entry, run, word)
    values = _values(folder, plan, entry, coordinates) if coordinates else []
    pairs = zip(coordinates, values, strict=True)
    files = plan.files_of(entry, name)
    found = [s for at, value in pairs for s in file_locations(plan, entry, at, value, files)]
    return [s for s in found if s.address == target]


def _at_line_of_memory(
    folder: str | os.PathLike[str], plan: Plan, place: str, path: str, line: int
) -> list[FileLocation]:
    """Return the values of all words at a line of the file of a whole memory, by address."""
    found: list[FileLocation] = []
    held = [*_of_memory(plan, path)]
    if not held:
        known = [f.path for f in plan.files]
        suggestions = get_close_matches(path[:200], known, 1, 0.75)
        suggestions = suggestions or [p for p in known if p.endswith(f"/{path}")]
        meant = f": did you mean {suggestions[0]}?" if suggestions else ", and no such memory"
        raise VectorError(f"{place}: the set has no array file {path}{meant}")
    words = [words_of_line(file.format, file.words, line) for _, file in held]
    if not any(words):
        raise VectorError(f"{place}: no word of the set is there")
    for (files, file), inside in zip(held, words, strict=True):
        found += _at_words(folder, plan, files, file, inside)
    if not found:
        raise VectorError(f"{place}: its words hold padding only")
    return sorted(found, key=lambda location: location.address)


def _of_memory(plan: Plan, path: str) -> Iterator[tuple[list[SetFile], SetFile]]:
    """Yield, of each array in a memory, the files of the memory and the one of this path."""
    for entry in plan.entries:
        for name in FORMATS:
            for compression in COMPRESSIONS:
                files = memory_files(plan, entry, name, compression)
                yield from ((files, file) for file in files if file.path == path)


def _at_words(
    folder: str | os.PathLike[str], plan: Plan, files: list[SetFile], file: SetFile,
    words: Sequence[int],
) -> list[FileLocation]:  # fmt: skip
    """Return the values of words of an array in one of the files that hold it."""
    held = dict.fromkeys(at for word in words for at in _elements(plan, file, word))
    coordinates, there = list(held), {(file.path, word) for word in words}
    values = _values(folder, plan, file.entry, coordinates) if held else []
    pairs = zip(coordinates, values, strict=True)
    found = [s for at, value in pairs for s in file_locations(plan, file.entry, at, value, files)]
    return [location for location in found if (location.file, location.word) in there]


def _entry(plan: Plan, array: str) -> ArraySpec:
    found = next((e for e in plan.entries if e.path == array), None)
    if found is None:
        raise VectorError(f"{array!r}: no array of the set; {_suggestion(plan, array)}")
    return found


def _suggestion(plan: Plan, array: str) -> str:
    """Return the arrays of a like name, or some of all."""
    paths = [e.path for e in plan.entries]
    last = array.rpartition("/")[2].partition("@")[0].lower()
    like = [p for p in paths if last and last in (p.rpartition("/")[2], p.partition("/")[2])]
    like += [p for p in paths if last and p.rpartition("/")[2].startswith(f"{last}.")]
    like = like or get_close_matches(array[:200], paths, _MAX_NAMES, 0.75)
    if like:
        order = {"outputs": 0, "accumulators": 1}
        like.sort(key=lambda p: order.get(p.partition("/")[0], 2))
        more = ", ..." if like[_MAX_NAMES:] else ""
        return f"did you mean {', '.join(like[:_MAX_NAMES])}{more}?"
    some = [p for p in paths if p.startswith("outputs/")][:_MAX_NAMES]
    return f"it has {len(paths)}, all in its README.md, such as {', '.join(some)}"


def _other_array(plan: Plan, entry: ArraySpec, bank: int | None, address: int) -> str:
    """Return the array that has this address of the memory; "" where none has."""
    memory = plan.blocks[entry].memory
    for other in plan.entries:
        block = plan.blocks[other]
        if other != entry and block.memory == memory and _place(plan, other, bank, address):
            return other.path
    return ""


def _word_at(
    plan: Plan, place: str, entry: ArraySpec, bank: int | None, address: int
) -> tuple[int, int]:
    """Return (run, word of it) at an address of the memory, or of a bank."""
    banks = plan.blocks[entry].packing.rule.banks
    if bank is not None and bank >= banks:
        raise VectorError(f"{place}: {entry.path} has {banks} banks")
    found = _place(plan, entry, bank, address)
    if found is None:
        raise VectorError(f"{place}: {_who(plan, entry, bank, address)}")
    return found


def _who(plan: Plan, entry: ArraySpec, bank: int | None, address: int) -> str:
    """Return what is at an address that an array does not have, and which the array has."""
    block = plan.blocks[entry]
    divided = 1 if bank is None else block.packing.rule.banks
    first, frame, size = (n // divided for n in (block.address, block.frame, block.words))
    own = f"{entry.path} is at 0x{first:x} to 0x{first + size - 1:x}"
    if entry.images and plan.count > 1:
        own += f", of each of {plan.count} images 0x{frame:x} further on"
    other = _other_array(plan, entry, bank, address)
    return f"{f'that is of {other}' if other else 'no word of the set is there'}; {own}"


def _place(plan: Plan, entry: ArraySpec, bank: int | None, address: int) -> tuple[int, int] | None:
    """Return (run, word of it) of an array at an address; None where it has no such word."""
    block = plan.blocks[entry]
    divided = 1 if bank is None else block.packing.rule.banks
    first, frame, size = (n // divided for n in (block.address, block.frame, block.words))
    run, offset = divmod(address - first, frame) if entry.images else (0, address - first)
    if not (0 <= run < (plan.count if entry.images else 1) and 0 <= offset < size):
        return None
    return run, offset if bank is None else block.packing.word_of(bank, offset)


def _elements(plan: Plan, file: SetFile, word: int) -> list[Coordinate]:
    """Return the coordinates of the elements of a word of a file, from the lowest lane up."""
    run, place = divmod(word, file.words.run)
    if file.format.name == "npy":
        return _coordinates(file.entry, run, [place])
    return _held(plan, file.entry, run, plan.blocks[file.entry].packing.word_of(file.bank, place))


def _held(plan: Plan, entry: ArraySpec, run: int, word: int) -> list[Coordinate]:
    return _coordinates(entry, run, plan.blocks[entry].packing.elements(word))


def _coordinates(entry: ArraySpec, run: int, flats: Sequence[int | None]) -> list[Coordinate]:
    ahead = (run,) if entry.images else ()
    return [
        (*ahead, *(int(i) for i in np.unravel_index(flat, entry.shape)))
        for flat in flats
        if flat is not None
    ]


def _values(
    folder: str | os.PathLike[str], plan: Plan, entry: ArraySpec, coordinates: Sequence[Coordinate]
) -> list[int]:
    ahead = () if entry.images else (0,)
    return values_of(read_entry(Path(folder), plan, entry), [(*ahead, *at) for at in coordinates])


def file_locations(
    plan: Plan, entry: ArraySpec, at: Coordinate, value: int, files: Sequence[SetFile],
    paths: Sequence[Path] | None = None,
) -> Iterator[FileLocation]:  # fmt: skip
    """Yield where an element lies in the files that a format has of its array.

    Parameters
    ----------
    plan : Plan
    entry : ArraySpec
    at : tuple of int
        Image first, where the array has one for each.
    value : int
    files : sequence of SetFile
        Those that have the array in one format: its own, or those of a memory.
    paths : sequence of Path, optional
        Where these files are, of any style: lines are those of the files as they are. Default:
        as in a set.
    """
    run, inner = (at[0], at[1:]) if entry.images else (0, at)
    flat = int(np.ravel_multi_index(inner, entry.shape))
    block = plan.blocks[entry]
    packing = block.packing
    position = packing.position(flat)
    for word in range(position.word, position.word + packing.words_per_element):
        bank, place = packing.bank_of(word)
        start = block.address + run * block.frame
        if files[0].format.name == "npy":  # the array itself: one element after the other
            number, in_file = 0, run * prod(entry.shape) + flat
        else:
            number, in_file = bank, run * files[bank].words.run + place
        file, path = files[number], paths[number] if paths else None
        yield FileLocation(
            entry.path, at, packing.stored_value(value), file.path,
            line_or_byte_text(file, in_file, position.lane, path), in_file, start + word, bank,
            start // packing.rule.banks + place, position.lane,
        )  # fmt: skip
