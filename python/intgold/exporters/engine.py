"""The sources of the C engine, to compile beside exported models."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from ..support.arguments import checked
from ..support.folders import MARKER, marked, marker_bytes, replacing_folder, sha256_of

WHAT = "C engine"


@checked
def copy_engine(folder: str | os.PathLike[str]) -> list[Path]:
    """Write all of ``csrc/`` of this version into a folder of its own.

    The folder also gets ``intgold-files.json``, by which it is known again: a copy that is there
    already is replaced, if all in it is as it was written.

    Parameters
    ----------
    folder : path
        Is made; where it is there, it is empty or an earlier copy.

    Returns
    -------
    list of Path
        The files, headers among them.

    Raises
    ------
    IntgoldError
        When the folder cannot be written, or holds a file that was not written here or was changed
        since; nothing is written then.
    """
    target = Path(folder)
    engine = files("intgold").joinpath("csrc")
    sources = sorted(engine.iterdir(), key=lambda source: source.name)
    with replacing_folder(target, marked(WHAT)) as made:
        for source in sources:
            made.joinpath(source.name).write_bytes(source.read_bytes())
        digests = {source.name: sha256_of(made / source.name) for source in sources}
        made.joinpath(MARKER).write_bytes(marker_bytes(WHAT, digests))
    return [target / source.name for source in sources]
