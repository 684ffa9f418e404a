"""Reads the arrays of a set or a dump, image by image, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import IntgoldError, VectorError
from ...support.safe_files import plain_size
from ..arrays.contents import ArraySpec
from ..formats.compression import DAMAGED, Limited, open_plain
from ..formats.word_file import FewImagesError, InvalidAddressError, InvalidWordError
from ..memory.packing import Packing
from .plan import Plan, SetFile
from .strays import Strays

_PART_BYTES = 2**22


def read_runs(
    plan: Plan, paths: Sequence[Path], files: Sequence[SetFile], strays: Strays | None = None
) -> Iterator[np.ndarray]:
    """Yield the images of an array (a parameter as one) from its files, one file a bank.

    Parameters
    ----------
    plan : Plan
    paths : sequence of Path
        Where the files lie.
    files : sequence of SetFile
        What they are.
    strays : Strays, optional
        Takes in the words with something else than padding in lanes or bits without an element;
        without it they are an error.

    Yields
    ------
    ndarray, shape (n, *shape), in C order
        Some megabytes at a time.

    Raises
    ------
    VectorError
        Naming the file, and the coordinate of a word that is none.
    """
    entry, first = files[0].entry, 0
    packing = plan.blocks[entry].packing
    for words in read_words(plan, paths, files):
        if files[0].format.name == "npy":
            stored = words.reshape(-1).view(packing.stored.newbyteorder("<"))
            yield packing.decode(stored).reshape(len(words), *entry.shape)
        elif strays is not None:
            array, found = packing.read(words)
            strays.add(paths, files, first, words, found)
            yield array
        else:
            try:
                yield packing.unpack(words)
            except InvalidWordError as error:
                word = error.word % packing.run_words
                image = first + error.word // packing.run_words
                raise _invalid_word(
                    str(paths[0]), files[0], packing, image, word, error.problem
                ) from error
        first += len(words)


def read_words(plan: Plan, paths: Sequence[Path], files: Sequence[SetFile]) -> Iterator[np.ndarray]:
    """Yield the words of the images of an array, uint8 (n, words of all banks, word_bytes).

    See `read_runs`; of `npy` a word is an element.
    """
    words = files[0].words
    packing = plan.blocks[files[0].entry].packing
    most = max(1, _PART_BYTES // max(1, words.run * words.word_bytes * len(files)))
    sizes = [min(most, words.count - i) for i in range(0, words.count, most)]
    streams = [_words(plan, p, f) for p, f in zip(paths, files, strict=True)]
    parts = [regroup(s, [n * words.run for n in sizes]) for s in streams]
    for n in sizes:
        shaped = [next(p).reshape(n, words.run, words.word_bytes) for p in parts]
        yield packing.from_banks(shaped)
    for part in parts:  # a reader checks what follows its last word when it is asked for more
        if next(part, None) is not None:
            raise VectorError(f"{paths[0]}: more words than {words.words}")


def read_entry(folder: Path, plan: Plan, entry: ArraySpec) -> Iterator[np.ndarray]:
    """Yield the images of an array of a set; see `read_runs`."""
    files = plan.files_of(entry, plan.array_formats[0])
    return read_runs(plan, [folder / file.path for file in files], files)


def values_of(runs: Iterator[np.ndarray], places: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the values at some coordinates, image first, of what `read_runs` yields."""
    found: dict[int, int] = {}
    first = 0
    for part in runs:
        for number, (image, *where) in enumerate(places):
            if first <= image < first + len(part):
                found[number] = int(part[(image - first, *where)])
        first += len(part)
        if len(found) == len(places):
            return [found[number] for number in range(len(places))]
    raise VectorError(f"image {max(image for image, *_ in places)} is not there")


def _words(plan: Plan, path: Path, file: SetFile) -> Iterator[np.ndarray]:
    packing = plan.blocks[file.entry].packing
    try:
        plain_size(path, 2**50)
        with open_plain(path) as stream:
            limited: Any = Limited(stream, file.format.max_bytes(file.words), path)
            yield from file.format.read(str(path), file.words, limited)
    except InvalidWordError as error:
        run, place = divmod(error.word, file.words.run)
        word = place if file.format.name == "npy" else packing.word_of(file.bank, place)
        raise _invalid_word(error.where, file, packing, run, word, error.problem) from error
    except InvalidAddressError as error:
        raise VectorError(f"{error.where}: {_at(plan, file, error)}: {error.problem}") from error
    except FewImagesError as error:
        of = f" of {file.entry.path}" if file.words.memory_words else ""
        raise VectorError(f"{error}{of}; --images {error.images} compares them") from error
    except VectorError:
        raise
    except IntgoldError as error:
        raise VectorError(str(error)) from error
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or error
        raise VectorError(f"{path}: cannot be read: {reason}") from error


def _invalid_word(
    where: str, file: SetFile, packing: Packing, run: int, word: int, problem: str
) -> VectorError:
    """Return the error of a word of an array, with the elements that it holds."""
    held = [e for e in packing.elements(word) if e is not None]
    if held:
        at = [int(i) for i in np.unravel_index(held[0], file.entry.shape)]
        place = ", ".join(f"{a.lower()} {i}" for a, i in zip(file.entry.axes, at, strict=True))
    else:
        place = "padding"
    image = f"image {run}, " if file.entry.images else ""
    number = f"word {word}"
    if file.words.memory_words:  # other arrays are in the file, too
        image = f"{file.entry.path}, {image}"
        in_bank = packing.bank_of(word)[1]
        number += f", address 0x{file.words.address_of(run * file.words.run + in_bank):x}"
    return VectorError(f"{where}: {image}{place} ({number}): {problem}")


def _at(plan: Plan, file: SetFile, error: InvalidAddressError) -> str:
    """Return the address of a word of a memory, and the array that it is of."""
    memory = plan.blocks[file.entry].memory
    for entry, block in plan.blocks.items():
        if block.memory == memory:
            words = block.word_files(plan.layout, plan.count)[file.bank]
            if words.word_of(error.address) is not None:
                return f"{entry.path}, address 0x{error.address:x}"
    return f"no array's address 0x{error.address:x}"


def regroup(parts: Iterable[np.ndarray], sizes: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the rows of `parts` in groups of these sizes; what is left comes as one more."""
    source = iter(parts)
    held: list[np.ndarray] = []
    have = 0
    for size in sizes:
        while have < size:
            part = next(source, None)
            if part is None:
                raise VectorError(f"{have} words where {size} are needed")
            if len(part):
                held.append(part)
                have += len(part)
        joined = np.concatenate(held) if len(held) > 1 else held[0]
        held, have = ([joined[size:]], have - size) if have > size else ([], 0)
        yield joined[:size]
    left = next((part for part in source if len(part)), None)
    if have or left is not None:
        yield held[0] if have else left  # type: ignore[misc]
