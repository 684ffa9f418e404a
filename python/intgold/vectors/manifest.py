"""The manifest of a vector set (SPEC 10): what each file is, with the digest of everything."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import VectorError
from ..files import canonical_json
from .formats import FORMATS

NAME = "manifest.json"
FORMAT, VERSION = "intgold-vectors", 1
DTYPES = ("int8", "uint8", "int16", "int32")
ROLES = ("stimulus", "output", "accumulator", "parameter", "model")
_KEYS = {"format", "version", "tool", "spec", "contract", "model", "stimulus", "ops", "files"}
_PATH = re.compile(r"(?:\w+/)?[\w.]+")


@dataclass(frozen=True)
class File:
    """One file of a set.

    Parameters
    ----------
    path : str
        Relative, with forward slashes, at most one folder deep.
    role : str
        One of `ROLES`.
    owner : str
        Op of an output, accumulator or parameter; input tensor of a stimulus; model name.
    name : str
        Tensor, or field of a parameter.
    dtype, shape, order, format
        Of the array; for the model "", (), "", "npz".
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


def manifest_bytes(document: dict[str, Any], files: list[File]) -> bytes:
    """Return the canonical bytes, with the digest of the rest under ``sha256``."""
    entries = [{**asdict(file), "shape": list(file.shape)} for file in files]
    whole = {**document, "format": FORMAT, "version": VERSION, "files": entries}
    whole["sha256"] = hashlib.sha256(canonical_json(whole)).hexdigest()
    return canonical_json(whole)


def read_manifest(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], list[File]]:
    """Return the document and the files of a set, whose files are exactly these, unchanged.

    Raises
    ------
    VectorError
        Naming the file that is missing, surplus, changed or not what it should be.
    """
    where = Path(folder) / NAME
    try:
        data = where.read_bytes()
        document = json.loads(data)
        stated = document.pop("sha256")
        if set(document) != _KEYS or document["format"] != FORMAT:
            raise ValueError("not a manifest of vectors")
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']!r}; this intgold reads {VERSION}")
        if hashlib.sha256(canonical_json(document)).hexdigest() != stated:
            raise ValueError("its content does not match its sha256")
        if canonical_json({**document, "sha256": stated}) != data:
            raise ValueError("not in canonical form")
        files = [_file(entry) for entry in document["files"]]
        _check_ops(document["ops"], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise VectorError(f"{where}: {error}") from error
    _check_folder(Path(folder), files)
    return document, files


def _file(entry: dict[str, Any]) -> File:
    file = File(**{**entry, "shape": tuple(entry["shape"])})
    if not _PATH.fullmatch(file.path) or ".." in file.path:
        raise ValueError(f"path {file.path!r} is not one of a set")
    if file.role not in ROLES:
        raise ValueError(f"role {file.role!r} of {file.path}")
    if not all(type(n) is int and 0 < n < 2**31 for n in file.shape):
        raise ValueError(f"shape {file.shape} of {file.path}")
    if file.role == "model":
        fits = (file.dtype, file.shape, file.order, file.format) == ("", (), "", "npz")
    else:
        fits = file.dtype in DTYPES and file.order == "C" and file.format in FORMATS
        fits = fits and len(file.shape) > 0
    if not fits or not file.path.endswith(f".{file.format}"):
        raise ValueError(f"dtype, shape, order or format of {file.path}")
    return file


def _check_ops(ops: Any, files: list[File]) -> None:
    """Refuse a list of ops that is none, or whose outputs are not the set's."""
    for op in ops:
        texts = {key: op[key] for key in ("name", "kind", "output")}
        if len(op) != 4 or not all(isinstance(t, str) for t in (*texts.values(), *op["inputs"])):
            raise ValueError(f"op {op!r}")
    outputs = {(file.owner, file.name) for file in files if file.role == "output"}
    if not ops or outputs != {(op["name"], op["output"]) for op in ops}:
        raise ValueError("its ops do not have exactly the outputs that it holds")


def _check_folder(folder: Path, files: list[File]) -> None:
    stated = [file.path for file in files]
    if len(set(stated)) != len(stated) or not stated:
        raise VectorError(f"{folder / NAME}: no files, or one twice")
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    odd = sorted(there ^ {*stated, NAME})
    if odd:
        raise VectorError(f"{folder}: {odd[0]} is missing or not of this set")
    for file in files:
        if sha256_of(folder / file.path) != file.sha256:
            raise VectorError(f"{folder / file.path}: changed: does not match its sha256")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()
