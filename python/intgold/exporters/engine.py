"""The sources of the C engine, to compile with exported models: as they are, or as one file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path

from ..model.graph import Model
from ..support.arguments import checked
from ..support.folder_records import MARKER, marked, marker_bytes, sha256_of
from ..support.folder_replacement import replacing_folder
from .amalgamation import amalgamation
from .c import c_source, write_c

WHAT = "C engine"
MODELS = "C models with their engine"
_ROOM = re.compile(r'^(#include ")[\w/]+/(\w+\.h")', re.MULTILINE)


@checked
def copy_engine(folder: str | os.PathLike[str], *, amalgamated: bool = False) -> list[Path]:
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
    engine = sources()
    if amalgamated:
        texts = _one_file(engine)
    else:
        texts = {path.rpartition("/")[2]: _ROOM.sub(r"\1\2", text) for path, text in engine.items()}
    return _write(Path(folder), texts)


@checked
def export_c(models: Sequence[Model], folder: str | os.PathLike[str]) -> list[Path]:
    """Write all that a C compiler needs to run models into a folder of its own.

    ``models.c`` is what `write_c` writes; ``intgold.c`` and ``intgold.h`` are the engine, as
    `copy_engine` writes it amalgamated.

    Parameters
    ----------
    models : sequence of Model
        Each with a name of its own.
    folder : path
        As of `copy_engine`.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ModelError
        When there are no models, or two have the same name.
    IntgoldError
        As of `copy_engine`.
    """
    c_source(models)  # refuses what it cannot write before there is a folder
    return _write(Path(folder), _one_file(sources()), models)


def _one_file(engine: Mapping[str, str]) -> dict[str, str]:
    return {"intgold.c": amalgamation(engine), "intgold.h": engine["intgold.h"]}


def _write(target: Path, texts: Mapping[str, str], models: Sequence[Model] = ()) -> list[Path]:
    names = sorted([*texts, "models.c"] if models else texts)
    what = MODELS if models else WHAT
    with replacing_folder(target, marked(what)) as made:
        for name, text in texts.items():
            made.joinpath(name).write_text(text, encoding="utf-8", newline="\n")
        if models:
            write_c(models, made / "models.c")
        digests = {name: sha256_of(made / name) for name in names}
        made.joinpath(MARKER).write_bytes(marker_bytes(what, digests))
    return [target / name for name in names]


def sources() -> dict[str, str]:
    """Return the text of every C file and header by its path below ``csrc/``, in order."""
    return dict(sorted(_below(files("intgold").joinpath("csrc"), "")))


def _below(folder: Traversable, at: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{at}{entry.name}/")
        elif entry.name.endswith((".c", ".h")):
            yield f"{at}{entry.name}", entry.read_text(encoding="utf-8")
