"""The manifest of a vector set (SPEC 10.3): what each file is, with the digest of everything.

A set is read as what its model says must be in it; a manifest that says anything else, or a file
that is missing, surplus or changed, refuses the whole.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import artefact
from ..errors import IntgoldError, VectorError
from ..files import canonical_json, read_plain, strict_json
from ..model import SPEC_VERSION, Model
from . import contents
from .formats import FORMATS
from .stimulus import check_range

NAME, MODEL = "manifest.json", "model.npz"
FORMAT, VERSION = "intgold-vectors", 1
_KEYS = {"format", "version", "tool", "spec", "contract", "model", "stimulus", "ops", "files"}
_PATH = re.compile(r"(?:\w+/)?\w+(?:\.\w+)+", re.ASCII)


@dataclass(frozen=True)
class File:
    """One file of a set.

    Parameters
    ----------
    path : str
        Relative, with forward slashes.
    role, owner, name, dtype, shape
        See `intgold.vectors.contents.Entry`; for the model "model", its name twice, "", ().
    order, format : str
        "C" and a name out of `FORMATS`; for the model "" and "npz".
    sha256 : str
        Of the file's bytes.
    """

    path: str
    role: str
    owner: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    order: str
    format: str
    sha256: str


def provenance() -> dict[str, Any]:
    """Return what a manifest says of its maker: tool with version, version of SPEC.md."""
    return {"tool": {"name": "intgold", "version": version("intgold")}, "spec": SPEC_VERSION}


def manifest_bytes(model: Model, stimulus: dict[str, Any], files: Sequence[File]) -> bytes:
    """Return the canonical bytes, with the digest of the rest under ``sha256``.

    Parameters
    ----------
    model : Model
    stimulus : dict
        source ("builtin", "mnist" or "file"), count, seed (of "builtin", else None).
    files : sequence of File
        In the order of `expected_files`.
    """
    document = _document(model, provenance(), stimulus, files)
    document["sha256"] = hashlib.sha256(canonical_json(document)).hexdigest()
    return canonical_json(document)


def _document(
    model: Model, maker: dict[str, Any], stimulus: dict[str, Any], files: Sequence[File]
) -> dict[str, Any]:
    return {
        **maker,
        "format": FORMAT,
        "version": VERSION,
        "contract": model.contract,
        "model": {"name": model.name, "sha256": model.sha256},
        "stimulus": stimulus,
        "ops": contents.ops(model),
        "files": [{**asdict(file), "shape": list(file.shape)} for file in files],
    }


def read_manifest(folder: str | os.PathLike[str]) -> tuple[Model, list[File]]:
    """Return the model and the files of a set, whose files are exactly these, unchanged.

    Raises
    ------
    VectorError
        Naming the file that is missing, surplus, changed or not what it should be.
    """
    where = Path(folder) / NAME
    try:
        document = _parse(read_plain(where))
        stated = _digests(document["files"])
        _check_folder(Path(folder), stated)
        model = artefact.load(Path(folder) / MODEL)
        return model, _check(document, model, stated)
    except VectorError:
        raise
    except IntgoldError as error:  # of the artefact: it names the path
        raise VectorError(str(error)) from error
    except (OSError, ValueError) as error:
        raise VectorError(f"{where}: {error}") from error


def _parse(data: bytes) -> dict[str, Any]:
    """Return the document, whole and undamaged, without its digest."""
    document = strict_json(data)
    if not isinstance(document, dict) or set(document) != {*_KEYS, "sha256"}:
        raise ValueError("not a manifest of vectors")
    stated = document.pop("sha256")
    if document["format"] != FORMAT:
        raise ValueError("not a manifest of vectors")
    if document["version"] != VERSION:
        raise ValueError(f"version {document['version']!r}; this intgold reads {VERSION}")
    if hashlib.sha256(canonical_json(document)).hexdigest() != stated:
        raise ValueError("its content does not match its sha256")
    if canonical_json({**document, "sha256": stated}) != data:
        raise ValueError("not in canonical form")
    return document


def _digests(files: Any) -> dict[str, str]:
    """Return the digest of each file by path; a path stays in the folder."""
    stated: dict[str, str] = {}
    if not isinstance(files, list):
        raise ValueError(f"file {files!r}")
    for entry in files:
        path, digest = _texts(entry)
        if not _PATH.fullmatch(path):
            raise ValueError(f"path {path!r} is not one of a set")
        if path in stated:
            raise ValueError(f"path {path!r} appears twice")
        stated[path] = digest
    if MODEL not in stated:
        raise ValueError(f"no {MODEL}")
    return stated


def _texts(entry: Any) -> tuple[str, str]:
    if isinstance(entry, dict):
        path, digest = entry.get("path"), entry.get("sha256")
        if isinstance(path, str) and isinstance(digest, str):
            return path, digest
    raise ValueError(f"file {entry!r}")


def check_replaceable(folder: Path) -> None:
    """Raise VectorError unless `folder` holds a set, changed or not, and nothing else."""
    try:
        stated = _digests(_parse(read_plain(folder / NAME))["files"])
        surplus = sorted(_paths(folder) - {*stated, NAME})
    except (OSError, ValueError, IntgoldError) as error:
        raise VectorError(f"{folder} is there and not a vector set: {error}") from error
    if surplus:
        raise VectorError(f"{folder} is there and not only a vector set: {surplus[0]}")


def _paths(folder: Path) -> set[str]:
    """Return whatever is no folder, links included."""
    found = (p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())
    return {p.relative_to(folder).as_posix() for p in found}


def _check_folder(folder: Path, stated: dict[str, str]) -> None:
    odd = sorted(_paths(folder) ^ {*stated, NAME})
    if odd:
        raise VectorError(f"{folder}: {odd[0]} is missing or not of this set")
    for path, digest in stated.items():
        if (folder / path).is_symlink() or not (folder / path).is_file():
            raise VectorError(f"{folder / path}: not a plain file")
        if sha256_of(folder / path) != digest:
            raise VectorError(f"{folder / path}: changed: does not match its sha256")


def _check(document: dict[str, Any], model: Model, stated: dict[str, str]) -> list[File]:
    """Return the files when the document says what the model demands, and nothing else."""
    _check_maker(document["tool"], document["spec"])
    count = _count(document["stimulus"])
    formats = [f for f in FORMATS if any(path.endswith(f".{f}") for path in stated)]
    if not formats:
        raise ValueError("files names no array")
    files = expected_files(model, count, formats, stated)

    maker = {key: document[key] for key in ("tool", "spec")}
    wanted = _document(model, maker, document["stimulus"], files)
    for given, file in zip(document["files"], wanted["files"], strict=False):
        if canonical_json(given) != canonical_json(file):
            raise ValueError(f"file {given['path']} is described as {given}, not as {file}")
    for key, value in wanted.items():
        if canonical_json(document[key]) != canonical_json(value):
            raise ValueError(f"{key} is not what {MODEL} demands")
    return files


def expected_files(
    model: Model, count: int, formats: Sequence[str], digests: Mapping[str, str]
) -> list[File]:
    """Return the files of a set of `count` images, with their digests by path.

    Raises
    ------
    ValueError
        When a file has no digest, or that of a parameter is not that of the model's.
    """
    files = [File(MODEL, "model", model.name, model.name, "", (), "", "npz", digests[MODEL])]
    arrays = {entry: array for entry, array in contents.parameters(model)}
    for entry in (*arrays, *contents.stimuli(model, count), *contents.results(model, count)):
        for name in formats:
            path = f"{entry.path}.{name}"
            if path not in digests:
                raise ValueError(f"{path} is missing")
            if entry in arrays:
                data = FORMATS[name].header(entry.dtype, entry.shape)
                data += FORMATS[name].encode(arrays[entry])
                if hashlib.sha256(data).hexdigest() != digests[path]:
                    raise ValueError(f"{path} is not the parameter of {MODEL}")
            facts = (entry.role, entry.owner, entry.name, entry.dtype, entry.shape)
            files.append(File(path, *facts, "C", name, digests[path]))
    return files


def _check_maker(tool: Any, spec: Any) -> None:
    if not isinstance(tool, dict) or set(tool) != {"name", "version"}:
        raise ValueError(f"tool {tool!r}")
    if not all(isinstance(text, str) for text in (*tool.values(), spec)):
        raise ValueError(f"tool {tool!r} or spec {spec!r} is not text")


def _count(stimulus: Any) -> int:
    """Return the number of images of a stimulus that is described as SPEC 10.3 has it."""
    if not isinstance(stimulus, dict) or set(stimulus) != {"source", "count", "seed"}:
        raise ValueError(f"stimulus {stimulus!r}")
    source, seed, count = (stimulus[key] for key in ("source", "seed", "count"))
    if source not in ("builtin", "mnist", "file") or (source != "builtin" and seed is not None):
        raise ValueError(f"stimulus {stimulus!r}")
    try:
        check_range(count, seed if source == "builtin" else 0)
    except IntgoldError as error:
        raise ValueError(f"stimulus {error}") from error
    return int(count)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()
