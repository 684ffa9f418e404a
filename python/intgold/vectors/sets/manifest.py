"""The manifest of a vector set (SPEC 10.5): what each file is, with the digest of everything.

A set is read as what its model and its plan say must be in it; a manifest that says anything else,
or a file that is missing, surplus or changed, refuses the whole.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...errors import IntgoldError, VectorError
from ...model import artefact
from ...model.graph import SPEC_VERSION, Model
from ...support.folder_records import FolderKind
from ...support.folder_replacement import log_replacement
from ...support.json_text import canonical_sha256, is_canonical, strict_json
from ...support.quoting import shown
from ...support.safe_files import canonical_json, read_plain
from ..arrays import contents
from ..arrays.partials import LoopOrder
from ..cases.stimulus import check_range
from ..memory.layout_file import parse_layout
from .documents import documents
from .integrity import NAME, StatedDigests, check_folder, check_packed, packed_files
from .plan import Plan, merge_ranges
from .rom_files import rom_contents, rom_files

MODEL = "model.npz"
FORMAT, VERSION = "intgold-vectors", 2
SOURCES = ("builtin", "mnist", "file", "given")
_PLAN = {"stimulus", "shard", "selection", "partials", "formats", "compression", "layout"}
_KEYS = {"format", "version", "tool", "spec", "contract", "model", "ops", "files", *_PLAN}
_PATH = re.compile(r"(?:\w+/)?\w+(?:\.\w+)+", re.ASCII)


@dataclass(frozen=True)
class ManifestFile:
    """One file of a set.

    Parameters
    ----------
    path : str
        Relative, with forward slashes.
    role, owner, name, dtype, shape
        See `intgold.vectors.arrays.contents.ArraySpec`, images included; role "memory" of a file of
        `intgold.vectors.sets.rom_files`, "model" or "document" of the others, whose owner is the
        model.
    format : str
        A name out of `FORMATS`, ``npz`` or ``text``.
    bank : int
    sha256 : str
        Of what is in the file.
    stored_sha256 : str
        Of the bytes on disk where the file is compressed; else "".
    """

    path: str
    role: str
    owner: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    format: str
    bank: int
    sha256: str
    stored_sha256: str


def _array_files(plan: Plan) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for file in plan.files:
        e = file.entry
        dtype, shape = file.words.dtype, e.whole(plan.count)
        facts = (e.role, e.owner, e.name, dtype, shape, file.format.name, file.bank)
        yield file.path, facts


def _rom_files(plan: Plan) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for file in rom_files(plan):
        shape = (file.words.words,)
        yield (
            file.path,
            ("memory", plan.model.name, file.memory, "", shape, file.format.name, file.bank),
        )


def listed(plan: Plan, digests: StatedDigests, texts: Iterable[str]) -> list[ManifestFile]:
    """Return the files of a set in the order of its manifest.

    Parameters
    ----------
    plan : Plan
    digests : mapping of str to (str, str)
    texts : iterable of str
        The paths of its documents.

    Raises
    ------
    VectorError
        When a file has no digest.
    """
    name = plan.model.name
    found: list[tuple[str, tuple[Any, ...]]] = [
        (MODEL, ("model", name, name, "", (), "npz", 0)),
        *_array_files(plan),
        *_rom_files(plan),
        *((d, ("document", name, d, "", (), "text", 0)) for d in texts),
    ]
    missing = [path for path, _ in found if path not in digests]
    if missing:
        raise VectorError(f"{missing[0]} is missing")
    return [ManifestFile(*(path, *facts, *digests[path])) for path, facts in found]


def provenance() -> dict[str, Any]:
    """Return what a manifest says of its maker: tool with version, version of SPEC.md."""
    return {"tool": {"name": "intgold", "version": version("intgold")}, "spec": SPEC_VERSION}


def manifest_bytes(plan: Plan, files: list[ManifestFile]) -> bytes:
    """Return the canonical bytes, with the digest of the rest under ``sha256``."""
    document = _document(plan, provenance(), files)
    document["sha256"] = canonical_sha256(document)
    return canonical_json(document)


def _document(plan: Plan, maker: dict[str, Any], files: list[ManifestFile]) -> dict[str, Any]:
    model = plan.model
    return {
        **maker,
        "format": FORMAT,
        "version": VERSION,
        "contract": model.contract,
        "model": {"name": model.name, "sha256": model.sha256},
        **plan.described(),
        "ops": contents.op_entries(model),
        "files": [{**asdict(file), "shape": list(file.shape)} for file in files],
    }


def read_manifest(
    folder: str | os.PathLike[str], *, progress: bool = False
) -> tuple[Plan, list[ManifestFile]]:
    """Return the plan and the files of a set, whose files are exactly these, unchanged.

    Raises
    ------
    VectorError
        Naming the file that is missing, surplus, changed or not what it should be.
    """
    where = Path(folder) / NAME
    try:
        document = _parse(read_plain(where))
        stated = _digests(document["files"])
        check_folder(Path(folder), stated, progress=progress)
        model = artefact.load(Path(folder) / MODEL)
        plan, files = _stated(where, document, model, stated)
        check_packed(Path(folder), plan, stated, progress=progress)
        return plan, files
    except VectorError:
        raise
    except IntgoldError as error:  # of the artefact: it names the path
        raise VectorError(str(error)) from error
    except (OSError, ValueError) as error:
        raise VectorError(f"{where}: {error}") from error


def _stated(
    where: Path, document: dict[str, Any], model: Model, stated: StatedDigests
) -> tuple[Plan, list[ManifestFile]]:
    try:
        return _check(document, model, stated)
    except VectorError as error:  # of the plan, which does not know the file
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
        raise ValueError(f"version {shown(document['version'])}; this intgold reads {VERSION}")
    if canonical_sha256(document) != stated:
        raise ValueError("its content does not match its sha256")
    if not is_canonical({**document, "sha256": stated}, data):
        raise ValueError("not in canonical form")
    return document


def _digests(files: Any) -> dict[str, tuple[str, str]]:
    """Return the digests of each file by path; a path stays in the folder."""
    stated: dict[str, tuple[str, str]] = {}
    if not isinstance(files, list):
        raise ValueError(f"file {shown(files)}")
    for entry in files:
        path, *digests = _texts(entry)
        if not _PATH.fullmatch(path):
            raise ValueError(f"path {shown(path)} is not one of a set")
        if path in stated:
            raise ValueError(f"path {shown(path)} appears twice")
        stated[path] = (digests[0], digests[1])
    if MODEL not in stated:
        raise ValueError(f"no {MODEL}")
    return stated


def _texts(entry: Any) -> list[str]:
    if isinstance(entry, dict):
        texts = [entry.get(key) for key in ("path", "sha256", "stored_sha256")]
        if all(isinstance(text, str) for text in texts):
            return [str(text) for text in texts]
    raise ValueError(f"file {shown(entry)}")


def _stored(data: bytes) -> dict[str, str]:
    """Return the digest of the bytes on disk of each file that a manifest lists."""
    digests = _digests(_parse(data)["files"])
    return {path: stored or plain for path, (plain, stored) in digests.items()}


def _facts(data: bytes) -> str:
    document = _parse(data)
    model, images = document["model"], _lists(document["stimulus"]["images"], "images")
    count = sum(stop - first for first, stop in images)
    return f"model {model['name']} {model['sha256'][:8]}, {count} images"


SET = FolderKind("vector set", NAME, _stored, VectorError, _facts)
"""How the folder of a set is known again."""


def log_other_set(folder: Path, plan: Plan) -> None:
    """Log that the set in `folder` gives way, where it is another than that of `plan`."""
    document = _parse(read_plain(folder / NAME))
    expected = plan.described()
    stated = {key: document.get(key) for key in expected}
    same = canonical_json(stated) == canonical_json(expected)
    if not same or document["model"] != {"name": plan.model.name, "sha256": plan.model.sha256}:
        log_replacement(folder, SET, b"")


def _check(
    document: dict[str, Any], model: Model, stated: StatedDigests
) -> tuple[Plan, list[ManifestFile]]:
    """Return plan and files when the document says what the model demands, and nothing else."""
    _check_maker(document["tool"], document["spec"])
    plan = _plan(document, model)
    texts = documents(plan)
    files = listed(plan, stated, texts)
    packed = {file.path for file in packed_files(plan)}
    for path, (_, stored) in stated.items():
        if bool(stored) != (path in packed):
            raise ValueError(f"stored_sha256 of {path}: {shown(stored)}")

    maker = {key: document[key] for key in ("tool", "spec")}
    expected = _document(plan, maker, files)
    if canonical_json(document) != canonical_json(expected):
        raise ValueError(_difference(document, expected))
    wanted_bytes = {path: text.encode() for path, text in texts.items()}
    wanted_bytes |= {file.path: data for file, data in plan.parameter_files()}
    wanted_bytes |= {file.path: data for file, data in rom_contents(plan)}
    for path, data in wanted_bytes.items():
        if hashlib.sha256(data).hexdigest() != stated[path][0]:
            raise ValueError(f"{path} is not what {MODEL} demands")
    return plan, files


def _difference(document: dict[str, Any], expected: dict[str, Any]) -> str:
    """Say where a document differs from what is expected."""
    for given, file in zip(document["files"], expected["files"], strict=False):
        if canonical_json(given) != canonical_json(file):
            return f"file {given['path']} is described as {given}, not as {file}"
    keys = (k for k, v in expected.items() if canonical_json(document[k]) != canonical_json(v))
    return f"{next(keys)} is not what {MODEL} demands"


def _plan(document: dict[str, Any], model: Model) -> Plan:
    """Return the plan that a document tells, each value checked."""
    fed = _table(document, "stimulus", {"source", "seed", "sha256", "images"})
    source, seed = fed["source"], fed["seed"]
    if source not in SOURCES or (source != "builtin" and seed is not None):
        raise ValueError(f"stimulus {shown(fed)}")
    digest = fed["sha256"]
    if (source == "builtin") != (digest is None) or not re.fullmatch(
        "[0-9a-f]{64}|None", str(digest)
    ):
        raise ValueError(f"stimulus sha256 {shown(digest)}")
    check_range(1, seed if source == "builtin" else 0)
    ranges = _lists(fed["images"], "images")
    selection = _table(document, "selection", {"ops", "tensors"})
    shard = document["shard"]
    if shard is not None:
        ((number, of),) = _lists([shard], "shard")
        if not 0 <= number < of:
            raise ValueError(f"shard {shown(shard)}")
        shard = (number, of)
    partials, compression = document["partials"], document["compression"]
    if partials is not None and not isinstance(partials, str):
        raise ValueError(f"partials {shown(partials)}")
    return Plan(
        model, source, seed, merge_ranges(ranges, "images"),
        _names(document["formats"], "formats"), parse_layout("layout", document["layout"]),
        _names(selection["ops"], "ops"), _names(selection["tensors"], "tensors"),
        LoopOrder.parse(partials) if partials is not None else None,
        _names([compression], "compression")[0], shard, digest,
    )  # fmt: skip


def _table(document: dict[str, Any], name: str, keys: set[str]) -> dict[str, Any]:
    value = document[name]
    if not isinstance(value, dict) or set(value) != keys:
        raise ValueError(f"{name} {shown(value)}")
    return value


def _names(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{what} {shown(value)}")
    return tuple(value)


def _lists(value: Any, what: str) -> list[tuple[int, int]]:
    if not isinstance(value, list):
        raise ValueError(f"{what} {shown(value)}")
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or any(type(n) is not int for n in pair):
            raise ValueError(f"{what} {shown(pair)}")
    return [(first, second) for first, second in value]


def _check_maker(tool: Any, spec: Any) -> None:
    if not isinstance(tool, dict) or set(tool) != {"name", "version"}:
        raise ValueError(f"tool {shown(tool)}")
    if not all(isinstance(text, str) for text in (*tool.values(), spec)):
        raise ValueError(f"tool {shown(tool)} or spec {shown(spec)} is not text")
