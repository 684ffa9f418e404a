"""Golden-vector sets (SPEC 10): stimulus, every op's output and accumulator, parameters, model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tqdm import tqdm

from .. import artefact
from ..digests import traced_chunks
from ..errors import VectorError
from ..fields import Array, Requantization
from ..files import replacing_folder
from ..model import SPEC_VERSION, Model
from .formats import FORMATS
from .manifest import NAME, File, manifest_bytes, sha256_of
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

    Raises
    ------
    VectorError
        When a format is unknown or the folder holds something else.
    """
    unknown = [f for f in formats if f not in FORMATS]
    if unknown or not formats or len(set(formats)) != len(formats):
        raise VectorError(f"formats {', '.join(formats)!r}: choose of {', '.join(FORMATS)}")
    target = Path(folder)
    if (
        target.exists()
        and not (target / NAME).is_file()
        and (not target.is_dir() or any(target.iterdir()))
    ):
        raise VectorError(f"{target} exists and is not a vector set; nothing was written")
    x = stimulus(model, source, count, seed)
    with replacing_folder(target) as temporary:
        files = [
            _write_model(model, temporary),
            *_write_arrays(temporary, _parameters(model), formats),
        ]
        files += _write_arrays(temporary, _stimulus(x), formats)
        files += _write_run(model, x, temporary, formats, backend, progress)
        document = _document(model, x, source, count, seed)
        (temporary / NAME).write_bytes(manifest_bytes(document, files))
        size = sum((temporary / file.path).stat().st_size for file in files)
    return Summary(len(files) + 1, size, count, len(model.ops))


def provenance() -> dict[str, Any]:
    """Return what a manifest says of its maker: tool with version, version of SPEC.md."""
    return {"tool": {"name": "intgold", "version": version("intgold")}, "spec": SPEC_VERSION}


def _document(
    model: Model, x: dict[str, np.ndarray], source: str | os.PathLike[str], count: int, seed: int
) -> dict[str, Any]:
    named = source if source in ("builtin", "mnist") else "file"
    return {
        **provenance(),
        "contract": model.contract,
        "model": {"name": model.name, "sha256": model.sha256},
        "stimulus": {"source": named, "count": count, "seed": seed if named == "builtin" else None},
        "ops": [
            {"name": o.name, "kind": o.kind, "inputs": list(o.inputs), "output": o.output}
            for o in model.ops
        ],
    }


@dataclass(frozen=True)
class _Target:
    """An array of the set, before it has files."""

    role: str
    folder: str
    owner: str
    name: str
    stem: str
    dtype: str
    shape: tuple[int, ...]


class _Writer:
    """The files of one array, one per format, written part by part."""

    def __init__(self, folder: Path, target: _Target, formats: Sequence[str]) -> None:
        self._target = target
        (folder / target.folder).mkdir(exist_ok=True)
        self._open: list[tuple[str, str, BinaryIO, Any]] = []
        for name in formats:
            path = f"{target.folder}/{target.stem}.{name}"
            self._open.append((name, path, open(folder / path, "xb"), hashlib.sha256()))  # noqa: SIM115 (close() does)
        self._write(lambda form: form.header(target.dtype, target.shape))

    def _write(self, made: Any) -> None:
        for name, _, stream, digest in self._open:
            data = made(FORMATS[name])
            stream.write(data)
            digest.update(data)

    def add(self, part: np.ndarray) -> None:
        """Write some images."""
        self._write(lambda form: form.encode(part))

    def close(self) -> list[File]:
        """Return the files for the manifest."""
        files, t = [], self._target
        for name, path, stream, digest in self._open:
            stream.close()
            files.append(
                File(path, t.role, t.owner, t.name, t.dtype, t.shape, "C", name, digest.hexdigest())
            )
        return files


def _write_model(model: Model, folder: Path) -> File:
    artefact.save(model, folder / "model.npz")
    digest = sha256_of(folder / "model.npz")
    return File("model.npz", "model", model.name, model.name, "", (), "", "npz", digest)


def _parameters(model: Model) -> Iterator[tuple[_Target, np.ndarray]]:
    """Yield every array field of every op; requantize parts by their own names."""
    for op in model.ops:
        for name, kind in op.spec.fields.items():
            arrays: dict[str, np.ndarray] = {}
            if isinstance(kind, Array):
                arrays[name] = op[name]
            elif isinstance(kind, Requantization) and op[name] is not None:
                parts = ("multiplier", "right_shift", "multiplier_low")
                arrays = {f"{name}.{part}": getattr(op[name], part) for part in parts}
            for field, array in arrays.items():
                stem = f"{op.name}.{field}"
                dtype, shape = array.dtype.name, array.shape
                yield _Target("parameter", "parameters", op.name, field, stem, dtype, shape), array


def _stimulus(x: dict[str, np.ndarray]) -> Iterator[tuple[_Target, np.ndarray]]:
    for name, array in x.items():
        yield (
            _Target("stimulus", "stimulus", name, name, name, array.dtype.name, array.shape),
            array,
        )


def _write_arrays(
    folder: Path, arrays: Iterator[tuple[_Target, np.ndarray]], formats: Sequence[str]
) -> list[File]:
    files = []
    for target, array in arrays:
        writer = _Writer(folder, target, formats)
        writer.add(array)
        files += writer.close()
    return files


def _write_run(
    model: Model, x: dict[str, np.ndarray], folder: Path, formats: Sequence[str],
    backend: str, progress: bool,
) -> list[File]:  # fmt: skip
    """Run the model chunk by chunk and write every op's output and accumulator."""
    count = len(next(iter(x.values())))
    writers: dict[tuple[str, str], _Writer] = {}
    for op in model.ops:
        shape = (count, *model.tensor(op.output).shape)
        kinds = [("output", "outputs", model.tensor(op.output).dtype)]
        kinds += [("accumulator", "accumulators", "int32")] if op.spec.accumulator else []
        for role, place, dtype in kinds:
            target = _Target(role, place, op.name, op.output, op.output, dtype, shape)
            writers[role, op.output] = _Writer(folder, target, formats)
    with tqdm(total=count, unit="image", desc="vectors", disable=not progress) as bar:
        for part in traced_chunks(model, x, backend, chunk=CHUNK):
            for (role, name), writer in writers.items():
                writer.add((part.tensors if role == "output" else part.accumulators)[name])
            bar.update(len(part.output))
    return [file for writer in writers.values() for file in writer.close()]
