"""Golden-vector sets (SPEC 10): stimulus, every op's output and accumulator, parameters, model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from tqdm import tqdm

from .. import artefact
from ..digests import traced_chunks
from ..errors import VectorError
from ..files import replacing_folder
from ..model import Model
from . import contents
from .formats import FORMATS
from .manifest import MODEL, NAME, check_replaceable, expected_files, manifest_bytes, sha256_of
from .stimulus import stimulus

CHUNK = 200
"""Images that are held at a time."""


@dataclass(frozen=True)
class Summary:
    """What was written."""

    files: int
    bytes: int
    images: int
    tensors: int


def write_set(
    model: Model,
    folder: str | os.PathLike[str],
    source: str | os.PathLike[str] = "builtin",
    count: int = 16,
    seed: int = 0,
    formats: Sequence[str] = tuple(FORMATS),
    backend: str = "golden",
    progress: bool = False,
    isa: str = "auto",
) -> Summary:
    """Write a vector set; the same arguments give the same bytes.

    Parameters
    ----------
    model : Model
    folder : path
        Is made; a vector set that is there already is replaced, anything else is refused.
    source, count, seed
        See `intgold.vectors.stimulus.stimulus`.
    formats : sequence of str
        Names out of `FORMATS`.
    backend : {"golden", "c"}
        Cannot change a byte.
    progress : bool
        Show a bar.
    isa : str
        The variant of the C kernels; cannot change a byte.

    Raises
    ------
    VectorError
        When a format is unknown or the folder holds something else.
    """
    unknown = [f for f in formats if f not in FORMATS]
    if unknown or not formats or len(set(formats)) != len(formats):
        raise VectorError(f"formats {', '.join(formats)!r}: choose of {', '.join(FORMATS)}")
    formats = [f for f in FORMATS if f in formats]
    target = Path(folder)  # "" is the current folder
    if os.path.lexists(target) and not _is_empty(target):
        check_replaceable(target)
    x = stimulus(model, source, count, seed)
    named = source if source in ("builtin", "mnist") else "file"
    described = {"source": named, "count": count, "seed": seed if named == "builtin" else None}
    with replacing_folder(folder) as temporary:
        artefact.save(model, temporary / MODEL)
        digests = {MODEL: sha256_of(temporary / MODEL)}
        for entry, array in contents.parameters(model):
            digests |= _write(temporary, entry, array, formats)
        for entry in contents.stimuli(model, count):
            digests |= _write(temporary, entry, x[entry.name], formats)
        digests |= _write_run(model, x, temporary, formats, backend, progress, isa)
        files = expected_files(model, count, formats, digests)
        (temporary / NAME).write_bytes(manifest_bytes(model, described, files))
        size = sum((temporary / file.path).stat().st_size for file in files)
    return Summary(len(files) + 1, size, count, len(model.ops))


def _is_empty(folder: Path) -> bool:
    try:
        return folder.is_dir() and not any(folder.iterdir())
    except OSError as error:
        raise VectorError(f"{folder}: cannot be read: {error.strerror}") from error


class _Writer:
    """The files of one array, one per format, written part by part."""

    def __init__(self, folder: Path, entry: contents.Entry, formats: Sequence[str]) -> None:
        self._folder = folder
        self._digests = {f"{entry.path}.{name}": hashlib.sha256() for name in formats}
        (folder / entry.path).parent.mkdir(exist_ok=True)
        self._put(lambda form: form.header(entry.dtype, entry.shape), "xb")

    def _put(self, made: Callable[[ModuleType], bytes], mode: str = "ab") -> None:
        # Not kept open: a model may have more tensors than a process may have files.
        for path, digest in self._digests.items():
            data = made(FORMATS[path.rpartition(".")[2]])
            with open(self._folder / path, mode) as stream:
                stream.write(data)
            digest.update(data)

    def add(self, part: np.ndarray) -> None:
        """Write some images."""
        self._put(lambda form: form.encode(part))

    def digests(self) -> dict[str, str]:
        """Return the digest of each file by path."""
        return {path: digest.hexdigest() for path, digest in self._digests.items()}


def _write(
    folder: Path, entry: contents.Entry, array: np.ndarray, formats: Sequence[str]
) -> dict[str, str]:
    writer = _Writer(folder, entry, formats)
    writer.add(array)
    return writer.digests()


def _write_run(
    model: Model, x: dict[str, np.ndarray], folder: Path, formats: Sequence[str],
    backend: str, progress: bool, isa: str,
) -> dict[str, str]:  # fmt: skip
    """Run the model chunk by chunk and write every op's output and accumulator."""
    count = len(next(iter(x.values())))
    writers = [(entry, _Writer(folder, entry, formats)) for entry in contents.results(model, count)]
    with tqdm(total=count, unit="image", desc="vectors", disable=not progress) as bar:
        for part in traced_chunks(model, x, backend, chunk=CHUNK, isa=isa):
            for entry, writer in writers:
                made = part.tensors if entry.role == "output" else part.accumulators
                writer.add(made[entry.name])
            bar.update(len(part.output))
    digests: dict[str, str] = {}
    for _, writer in writers:
        digests |= writer.digests()
    return digests
