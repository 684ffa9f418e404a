"""The sources of the C engine, to compile beside exported models."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path

from ..support.arguments import checked
from ..support.folders import MARKER, marked, marker_bytes, replacing_folder, sha256_of

WHAT = "C engine"
_ROOM = re.compile(r'^(#include ")[\w/]+/(\w+\.h")', re.MULTILINE)


@checked
def copy_engine(folder: str | os.PathLike[str]) -> list[Path]:
    """Write all of ``csrc/`` of this version into a folder of its own, all files side by side.

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
    texts = {path.rpartition("/")[2]: _ROOM.sub(r"\1\2", text) for path, text in sources()}
    with replacing_folder(target, marked(WHAT)) as made:
        for name, text in texts.items():
            made.joinpath(name).write_text(text, encoding="utf-8", newline="\n")
        digests = {name: sha256_of(made / name) for name in texts}
        made.joinpath(MARKER).write_bytes(marker_bytes(WHAT, digests))
    return [target / name for name in sorted(texts)]


def sources() -> list[tuple[str, str]]:
    """Return (path below ``csrc/``, text) of every C file and header, in the order of paths."""
    found = _below(files("intgold").joinpath("csrc"), "")
    return sorted((path, text) for path, text in found)


def _below(folder: Traversable, at: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{at}{entry.name}/")
        elif entry.name.endswith((".c", ".h")):
            yield f"{at}{entry.name}", entry.read_text(encoding="utf-8")
