"""The sources of the C engine, to compile beside exported models: as they are, or as one file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path

from ..support.arguments import checked
from ..support.folders import MARKER, marked, marker_bytes, replacing_folder, sha256_of
from .amalgamation import amalgamation

WHAT = "C engine"
_ROOM = re.compile(r'^(#include ")[\w/]+/(\w+\.h")', re.MULTILINE)


@checked
def copy_engine(folder: str | os.PathLike[str], amalgamated: bool = False) -> list[Path]:
    """Write the C engine of this version into a folder of its own, all files side by side.

    The folder also gets ``intgold-files.json``, by which it is known again: a copy that is there
    already is replaced, if all in it is as it was written.

    Parameters
    ----------
    folder : path
        Is made; where it is there, it is empty or an earlier copy.
    amalgamated : bool
        Write ``intgold.c`` and ``intgold.h`` only: the whole engine in one file of C99, which is
        C++ as well, with all variants of the kernels, or without any where the macro
        ``INTGOLD_PORTABLE_ONLY`` is defined.

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
    engine = sources()
    if amalgamated:
        texts = {"intgold.c": amalgamation(engine), "intgold.h": engine["intgold.h"]}
    else:
        texts = {path.rpartition("/")[2]: _ROOM.sub(r"\1\2", text) for path, text in engine.items()}
    with replacing_folder(target, marked(WHAT)) as made:
        for name, text in texts.items():
            made.joinpath(name).write_text(text, encoding="utf-8", newline="\n")
        digests = {name: sha256_of(made / name) for name in texts}
        made.joinpath(MARKER).write_bytes(marker_bytes(WHAT, digests))
    return [target / name for name in sorted(texts)]


def sources() -> dict[str, str]:
    """Return the text of every C file and header by its path below ``csrc/``, in order."""
    return dict(sorted(_below(files("intgold").joinpath("csrc"), "")))


def _below(folder: Traversable, at: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{at}{entry.name}/")
        elif entry.name.endswith((".c", ".h")):
            yield f"{at}{entry.name}", entry.read_text(encoding="utf-8")
