"""Files of a dump that would be passed over: refused, with the name or the place that is meant."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from ..errors import VectorError
from ..vectors.arrays.contents import FOLDERS, ArraySpec
from ..vectors.formats import FORMATS
from ..vectors.formats.compression import COMPRESSIONS
from ..vectors.sets.plan import Plan
from ..vectors.sets.rom_files import FOLDER, memory_files, rom_files

ROLES = ("output", "accumulator", "partial")
_MAX_NAMES, _MAX_NAMED = 6, 4
_MAX_FOLDERS = 200


def refuse_unknown(dut: Path, device: Plan, entries: Sequence[ArraySpec], known: set[Path]) -> None:
    """Refuse a file under another name than the set's: it would be passed over.

    Parameters
    ----------
    dut : Path
    device : Plan
        Of the dump.
    entries : sequence of ArraySpec
        What a dump may have.
    known : set of Path
        The files that were found.

    Raises
    ------
    VectorError
        Naming the file, and what is wrong with its name.
    """
    for role in ROLES:
        if (dut / role).exists():
            raise VectorError(f"{dut / role}: the folder of a dump is called {role}s")
    for folder in (FOLDERS[role] for role in ROLES):
        held = dut / folder
        if (held.is_symlink() or held.exists()) and not held.is_dir():
            raise VectorError(f"{held}: no readable folder")
        for path in sorted(held.rglob("*")):
            if path not in known:
                raise VectorError(f"{path}: {_why(path, dut, device, entries)}")


def refuse_unread_memories(dut: Path, device: Plan, known: set[Path]) -> None:
    """A set has its own files of parameters in this folder; any other must have been of use."""
    stems = {file.path.partition(".")[0] for file in rom_files(device)}
    for path in sorted((dut / FOLDER).rglob("*")):
        stem = path.relative_to(dut).as_posix().partition(".")[0]
        if path not in known and stem not in stems:
            raise VectorError(
                f"{path}: the layout has no such memory, or it has none of the arrays"
            )


def no_array(dut: Path, device: Plan, entries: Sequence[ArraySpec]) -> VectorError:
    """Return the error of a dump without any array: where arrays are instead, if near by."""
    names = {path for entry in entries for path in _paths(device, entry)}
    listed = ", ".join(e.path for e in entries[:_MAX_NAMED])
    more = ", ..." if entries[_MAX_NAMED:] else ""
    problem = f"{dut}: has none of the set's arrays, which are {len(entries)}: {listed}{more}"
    nearby = [str(folder) for folder in _nearby_folders(dut) if _holds(folder, names)]
    if nearby:
        which = "has some: give that folder" if len(nearby) == 1 else "have some: give one of them"
        return VectorError(f"{problem}; {_some(nearby)} {which}")
    flat = next((n for n in sorted(names) if (dut / Path(n).name).is_file()), None)
    if flat is not None:
        return VectorError(f"{problem}; {Path(flat).name} is to be in a sub-folder: {flat}")
    return VectorError(problem)


def _why(path: Path, dut: Path, device: Plan, entries: Sequence[ArraySpec]) -> str:
    """Return what is wrong with the name of a file, and the name that is meant."""
    name = path.relative_to(dut).as_posix()
    if path.is_dir():
        return "a folder, where only files of arrays may be"
    array = max((e for e in entries if name.startswith(f"{e.path}.")), key=_length, default=None)
    if array is not None:
        return _wrong_suffix(name[len(array.path) :], device, array)
    array = next((e for e in entries if name == e.path), None)
    if array is not None:
        return f"it has no suffix; such as {device.files_of(array, 'hex', '')[0].path}"
    if path.name.startswith("."):
        return "a hidden file, not of an array; take it out of the dump"
    end = max((s for s in _suffixes() if name.endswith(s)), key=len, default="")
    stem = name.removesuffix(end) if end else name.rpartition(".")[0] or name
    suggestion = _nearest(stem, [e.path for e in entries])
    also = f", and {path.suffix} is of no format" if path.suffix else ", and it has no suffix"
    also = "" if end else also
    if suggestion:
        return f"the set has no array {stem}: did you mean {suggestion}?{also}"
    inside = [e.path for e in entries if e.path.startswith(name.partition("/")[0] + "/")]
    return f"the set has no array {stem}, but {_some(inside) or 'none in this folder'}{also}"


def _wrong_suffix(end: str, device: Plan, array: ArraySpec) -> str:
    """Return what is wrong with what follows the name of an array."""
    plain = end
    if end.startswith(".bank"):
        plain = "." + end.removeprefix(".bank").partition(".")[2]
    if plain in _suffixes():
        expected = [file.path for file in device.files_of(array, "hex", "")]
        banks = len(expected) if len(expected) > 1 else "no"
        return f"the layout has {banks} banks of {array.path}: {_some(expected)}"
    listed = " ".join(form.suffix for form in FORMATS.values())
    packed = " ".join(c for c in COMPRESSIONS.values() if c)
    return (
        f"{array.path} is an array of the set, but {end} is the suffix of no format; suffixes: "
        f"{listed}, each with {packed} or without (lines of text: .hex, .memb for binary, .dec)"
    )


def _nearest(name: str, names: Sequence[str]) -> str:
    """Return the path that is meant, whatever its case; "" where none is like it."""
    folder, _, last = name.lower().rpartition("/")
    others = {other.partition("/")[2].lower(): other for other in names}
    inside = {p.partition("/")[2].lower(): p for p in names if p.startswith(f"{folder}/")}
    found = get_close_matches(last[:200], inside, 1, 0.7)
    found = found or [n for n in sorted(inside, key=len, reverse=True) if n in last]
    return inside[found[0]] if found else others.get(last, "")


def _length(entry: ArraySpec) -> int:
    return len(entry.path)


def _suffixes() -> list[str]:
    return [form.suffix + end for form in FORMATS.values() for end in COMPRESSIONS.values()]


def _some(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


def _paths(device: Plan, entry: ArraySpec) -> Iterator[str]:
    for name in FORMATS:
        for compression in COMPRESSIONS:
            for files in (device.files_of, lambda e, n, c: memory_files(device, e, n, c)):
                yield from (file.path for file in files(entry, name, compression))


def _nearby_folders(dut: Path) -> Iterator[Path]:
    """Yield the folder above, and those inside."""
    yield Path(os.path.normpath(dut / ".."))
    with suppress(OSError):
        yield from [path for path in sorted(dut.iterdir()) if path.is_dir()][:_MAX_FOLDERS]


def _holds(folder: Path, names: Collection[str]) -> bool:
    for inner in (*(FOLDERS[role] for role in ROLES), FOLDER):
        with suppress(OSError):
            if any(f"{inner}/{name}" in names for name in os.listdir(folder / inner)):
                return True
    return False
