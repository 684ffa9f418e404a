"""Whether a set's files are those that its manifest states, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ...errors import VectorError
from ...support.folder_records import paths_below, sha256_of
from ...support.progress import Progress
from ..formats.compression import DAMAGED, open_plain
from .plan import Plan, SetFile
from .rom_files import RomFile, rom_files

NAME = "manifest.json"
StatedDigests = Mapping[str, tuple[str, str]]
"""Digest of the content and of the bytes on disk ("" where that is the same), by path."""


def check_folder(folder: Path, stated: StatedDigests, *, progress: bool) -> None:
    """Raise VectorError unless a folder has exactly these files, with these bytes on disk."""
    present = {path for path in paths_below(folder) if not path.endswith("/")}
    unmatched = sorted(present ^ {*stated, NAME})
    if unmatched:
        raise VectorError(f"{folder}: {unmatched[0]} is missing or not of this set")
    for path in stated:
        if (folder / path).is_symlink() or not (folder / path).is_file():
            raise VectorError(f"{folder / path}: not a plain file")
    size = sum((folder / path).stat().st_size for path in stated)
    with Progress[str](total=size, unit="B", scaled=True, label="check", show=progress) as bar:
        for path, (plain, stored) in stated.items():
            if sha256_of(folder / path) != (stored or plain):
                which = "stored_sha256" if stored else "sha256"
                raise VectorError(f"{folder / path}: changed: does not match its {which}")
            bar.update((folder / path).stat().st_size)


def packed_files(plan: Plan) -> list[SetFile | RomFile]:
    """Return the files of a set that are compressed."""
    return [*plan.files, *rom_files(plan)] if plan.compression else []


def check_packed(folder: Path, plan: Plan, stated: StatedDigests, *, progress: bool) -> None:
    """Check what compressed files hold, each as far as a file of its words can be long."""
    packed = packed_files(plan)
    with Progress[str](total=len(packed), unit="file", label="unpack", show=progress) as bar:
        for file in packed:
            if _content_sha256(folder, file) != stated[file.path][0]:
                raise VectorError(f"{folder / file.path}: changed: does not match its sha256")
            bar.update(1)


def _content_sha256(folder: Path, file: SetFile | RomFile) -> str:
    path, most = folder / file.path, file.format.max_bytes(file.words)
    digest, size = hashlib.sha256(), 0
    try:
        with open_plain(path) as stream:
            while block := stream.read(2**20):
                size += len(block)
                if size > most:
                    raise VectorError(f"{path}: holds more bytes than the limit of {most}")
                digest.update(block)
    except DAMAGED as error:
        raise VectorError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    return digest.hexdigest()
