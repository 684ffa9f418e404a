"""Signatures of results, for a chip that cannot dump: a running CRC-32 over tiles (SPEC 10.9).

The signature of an array and image is the CRC-32 of its bytes in order; it is read after each
tile, so it stays wrong once it is wrong, and a few read-outs lead to the first wrong tile.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from ..errors import VectorError
from ..support.arguments import checked
from ..support.file_kinds import SIGNATURES, SIGNATURES_HEAD
from ..support.progress import Progress
from ..support.quoting import short_repr
from ..support.safe_files import plain_size, replacing
from ..vectors.arrays.contents import ArraySpec
from ..vectors.sets.manifest import read_manifest
from ..vectors.sets.plan import Plan
from ..vectors.sets.reader import read_entry
from .dump import results

_LIMIT, _MAX_LINE, _MAX_READ = 2**28, 1000, 2**20
"""Bytes of a file of read-outs and of a line, and read-outs that are held."""
_LINE = re.compile(r"(\S{1,200}) ([0-9]{1,9}) ([0-9]{1,9}) ([0-9a-fA-F]{8})")
_TILE = re.compile(r"# tile ([1-9][0-9]{0,5}(?:,[1-9][0-9]{0,5}){2})")


@dataclass(frozen=True)
class Tile:
    """A part of an image of an array, and the signature up to its end.

    Parameters
    ----------
    array : str
        Path in the set.
    image, number : int
    start, stop : tuple of int
        First element and one past the last along each axis.
    signature : int
        CRC-32 of the bytes of all tiles of the image up to this one.
    """

    array: str
    image: int
    number: int
    start: tuple[int, ...]
    stop: tuple[int, ...]
    signature: int


@dataclass(frozen=True)
class SignatureReport:
    """What read-outs of a chip say.

    Parameters
    ----------
    compared : int
        Read-outs that the set has.
    wrong : int
    array : str
        The first array, in graph order, with a wrong read-out; "" where none is.
    image : int
    right, found : Tile or None
        The last right read-out before the first wrong one, and that one.
    next : int or None
        The tile to read next; None where the first wrong tile is known.
    unread : tuple of str
        Arrays before it, in graph order, of which no tile of the image was read.
    contradicts : Tile or None
        A right read-out after the wrong one, of the same array and image: one of both was read
        wrongly.
    """

    __repr__ = short_repr

    compared: int
    wrong: int
    array: str
    image: int
    right: Tile | None
    found: Tile | None
    next: int | None
    unread: tuple[str, ...] = ()
    contradicts: Tile | None = None

    @property
    def equal(self) -> bool:
        """Whether every read-out is right."""
        return self.compared > 0 and not self.wrong

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.compared} signatures compared, all equal"
        lines = [f"{self.compared} signatures compared, {self.wrong} wrong"]
        where = f"{self.array}, image {self.image}"
        if self.next is None:
            lines.append(f"first wrong tile: {where}, tile {self.found.number}, {_box(self.found)}")
        else:
            last = -1 if self.right is None else self.right.number
            lines.append(
                f"first wrong tile: {where}, one of {last + 1} to {self.found.number}; "
                f"read tile {self.next} next"
            )
        if self.unread:
            lines.append(f"not read before it: {', '.join(self.unread)}")
        if self.contradicts is not None:
            lines.append(
                f"the read-outs contradict each other: tile {self.found.number} is wrong, tile "
                f"{self.contradicts.number} after it is correct"
            )
        return "\n".join(lines)


def _box(tile: Tile) -> str:
    names = ("y", "x", "channel")[3 - len(tile.start) :]
    return ", ".join(
        f"{name} {a}" if b == a + 1 else f"{name} {a} to {b - 1}"
        for name, a, b in zip(names, tile.start, tile.stop, strict=True)
    )


def tiles(entry: ArraySpec, extents: Sequence[int]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield (start, stop) of the tiles of an image, the last axis fastest.

    Parameters
    ----------
    entry : ArraySpec
    extents : sequence of int
        Of a tile along height, width, channels; of an array of fewer axes the last ones count.
    """
    sizes = [min(t, n) for t, n in zip(extents[-len(entry.shape) :], entry.shape, strict=True)]
    steps = (range(0, n, t) for n, t in zip(entry.shape, sizes, strict=True))
    for start in product(*steps):
        ends = zip(start, sizes, entry.shape, strict=True)
        yield start, tuple(min(a + t, n) for a, t, n in ends)


@checked
def signatures(
    vectors: str | os.PathLike[str], extents: Sequence[int], *, progress: bool = False
) -> Iterator[Tile]:
    """Yield the signature after each tile of every result of a set, in graph order.

    Raises
    ------
    VectorError
        When the set is damaged or `extents` is not three numbers from 1 on.
    """
    if len(extents) != 3 or not all(1 <= e < 2**20 for e in extents):
        raise VectorError(f"tile {','.join(map(str, extents))}: not height,width,channels")
    plan, _ = read_manifest(vectors, progress=progress)
    chosen = [e for e in results(plan) if e.role != "partial"]
    for entry in Progress(chosen, unit="array", label="signatures", show=progress):
        yield from _of_entry(Path(vectors), plan, entry, extents)


def _of_entry(
    vectors: Path, plan: Plan, entry: ArraySpec, extents: Sequence[int]
) -> Iterator[Tile]:
    boxes, packing = list(tiles(entry, extents)), plan.blocks[entry].packing
    image = 0
    for part in read_entry(vectors, plan, entry):
        for values in part:
            crc = 0
            for number, (start, stop) in enumerate(boxes):
                inside = values[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
                crc = zlib.crc32(packing.encode(inside).tobytes(), crc)
                yield Tile(entry.path, image, number, start, stop, crc)
            image += 1


@checked
def write_signatures(
    vectors: str | os.PathLike[str], extents: Sequence[int], path: str | os.PathLike[str],
    *, progress: bool = False,
) -> int:  # fmt: skip
    """Write the signatures of a set as text, a line a tile; return how many.

    Raises
    ------
    VectorError
        See `signatures`.
    IntgoldError
        When the file cannot be written, or one that is there and not empty does not begin as such a
        list or was changed since.
    """
    count = 0
    with replacing(path, SIGNATURES) as file:
        tile_line = f"# tile {','.join(map(str, extents))}\n"
        file.write(f"{SIGNATURES_HEAD}{tile_line}# array image tile crc32-so-far\n".encode())
        for tile in signatures(vectors, extents, progress=progress):
            line = f"{tile.array} {tile.image} {tile.number} {tile.signature:08x}\n"
            file.write(line.encode())
            count += 1
    return count


@checked
def compare_signatures(
    vectors: str | os.PathLike[str], path: str | os.PathLike[str], *, progress: bool = False
) -> SignatureReport:
    """Compare read-outs of a chip, some or all of them, with a set.

    Parameters
    ----------
    vectors : path
    path : path
        Text as `write_signatures` writes it, with any of its lines; the line of the tile is
        needed.
    progress : bool

    Raises
    ------
    VectorError
        Naming the line that is no read-out, or one of no tile of the set.
    """
    extents, read = _read(path)
    found: dict[tuple[str, int], list[tuple[Tile, bool]]] = {}
    compared = 0
    for tile in signatures(vectors, extents, progress=progress):
        key = (tile.array, tile.image, tile.number)
        if key in read:
            right = read.pop(key) == tile.signature
            found.setdefault((tile.array, tile.image), []).append((tile, right))
            compared += 1
    if read:
        array, image, number = next(iter(read))
        raise VectorError(f"{path}: {array} image {image} tile {number}: the set has no such tile")
    if not compared:
        raise VectorError(f"{path}: no signatures")
    wrong = sum(not right for outs in found.values() for _, right in outs)
    for (array, image), outs in found.items():
        bad = next((i for i, (_, right) in enumerate(outs) if not right), None)
        if bad is not None:
            tile = outs[bad][0]
            before = outs[bad - 1][0] if bad else None
            last = -1 if before is None else before.number
            between = None if tile.number == last + 1 else (last + tile.number) // 2
            recovered = next((t for t, right in outs[bad:] if right), None)
            unread = tuple(a for a in _arrays_before(vectors, array) if (a, image) not in found)
            return SignatureReport(
                compared, wrong, array, image, before, tile, between, unread, recovered
            )
    return SignatureReport(compared, 0, "", 0, None, None, None)


def _arrays_before(vectors: str | os.PathLike[str], array: str) -> list[str]:
    """Return the results of a set that come before one of them, in graph order."""
    plan, _ = read_manifest(vectors)
    paths = [e.path for e in results(plan) if e.role != "partial"]
    return paths[: paths.index(array)]


def _read(path: str | os.PathLike[str]) -> tuple[list[int], dict[tuple[str, int, int], int]]:
    extents: list[int] | None = None
    read: dict[tuple[str, int, int], int] = {}
    arrays: dict[str, str] = {}  # one text for each array, not one a line
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        tile, out = _TILE.fullmatch(line.rstrip()), _LINE.fullmatch(line.strip())
        if tile and extents is not None:
            raise VectorError(f"{path}, line {number}: a second tile")
        if tile:
            extents = [int(n) for n in tile[1].split(",")]
        elif out:
            key = (arrays.setdefault(out[1], out[1]), int(out[2]), int(out[3]))
            if key in read:
                raise VectorError(f"{path}, line {number}: {' '.join(line.split()[:3])} twice")
            read[key] = int(out[4], 16)
            if len(read) > _MAX_READ:
                raise VectorError(f"{path}: more than {_MAX_READ} read-outs: give some of them")
        elif line.startswith("# tile"):
            raise VectorError(f"{path}, line {number}: {line[:60]!r} is no tile such as 8,28,16")
        elif not line.startswith("#"):
            raise VectorError(f"{path}, line {number}: {line[:60]!r} is no array image tile crc")
    if extents is None:
        raise VectorError(f"{path}: no line such as '# tile 8,8,16' gives the tile")
    return extents, read


def _lines(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the lines of a text, one at a time, each cut where it is longer than any of ours."""
    try:
        plain_size(path, _LIMIT)
        with open(path, "rb") as file:
            while line := file.readline(_MAX_LINE):
                yield line.decode("ascii", "replace")
    except OSError as error:
        raise VectorError(f"{path}: cannot be read: {error.strerror or error}") from error
