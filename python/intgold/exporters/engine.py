"""The sources of the C engine, to compile beside exported models."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from ..errors import IntgoldError
from ..files import replacing_folder


def copy_engine(folder: str | os.PathLike[str]) -> list[Path]:
    """Write all of ``csrc/`` of this version into a folder of its own, which it replaces.

    Returns
    -------
    list of Path
        The files, headers among them.

    Raises
    ------
    IntgoldError
        When the folder cannot be written, or holds anything but C sources.
    """
    target = Path(folder)
    engine = files("intgold").joinpath("csrc")
    sources = sorted(engine.iterdir(), key=lambda source: source.name)
    present = target.iterdir() if target.is_dir() else ()
    foreign = [p.name for p in present if p.suffix not in (".c", ".h")]
    if foreign:
        raise IntgoldError(f"{target}: holds {min(foreign)}; give a folder for the engine alone")
    with replacing_folder(target) as made:
        for source in sources:
            made.joinpath(source.name).write_bytes(source.read_bytes())
    return [target / source.name for source in sources]
