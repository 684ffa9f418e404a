"""Writes the frozen golden/ directory: digests, requantize cases, op cases, a small set.

    python -m intgold.vectors.freeze golden

Everything is made by the golden model from the shipped artefacts; a test makes it again and
compares byte for byte.  MNIST is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import intgold

from ..errors import DataError, IntgoldError
from ..images.mnist import find_mnist
from ..ops.fields import FORMS
from ..ops.table import OPS
from ..run.digests import tensor_digests
from ..support.folder_records import FolderKind, check_own
from ..support.folder_replacement import put_folder
from ..support.json_text import strict_json
from ..support.progress import Progress
from ..support.safe_files import canonical_json, replacing
from ..support.workers import Workers
from ..vectors.cases.op_cases import directed_models
from ..vectors.cases.random_models import random_model
from ..vectors.cases.requantize import case_lines, requantize_groups, tie_operands
from ..vectors.cases.stimulus import stimulus
from ..vectors.sets import generate
from ..vectors.sets.manifest import provenance
from ..vectors.sets.options import SetOptions

COMMAND = "python -m intgold.vectors.freeze golden"
COUNT, PREFIX, SEED = 10_000, 200, 0
SOURCES = ("builtin", "mnist")
FOLDERS = ("digests", "requantize", "ties", "ops", "sets")
RANDOM_CASES, CASE_IMAGES, SET_IMAGES = 2, 11, 4
"""Eleven built-in images are of every class, all -128 and all 127 among them."""


def model_digests(
    name: str, source: str, backend: str = "golden", threads: int = 1
) -> dict[str, Any]:
    """Return what ``digests/<source>.json`` says of one shipped model.

    Parameters
    ----------
    name : str
        Out of `intgold.SHIPPED`.
    source : {"builtin", "mnist"}
    backend, threads
        Cannot change a digest.
    """
    model = intgold.load(name)
    x = stimulus(model, source, COUNT, SEED)
    images = {
        str(count): tensor_digests(model, {n: a[:count] for n, a in x.items()}, backend, threads)
        for count in (PREFIX, COUNT)
    }
    return {"artefact": model.sha256, "images": images}


def digests(*, progress: bool = False) -> dict[str, bytes]:
    """Return the digest files by path, by the golden model, on all cores."""
    jobs = [(name, source) for source in SOURCES for name in intgold.SHIPPED]
    with Workers(os.cpu_count() or 1) as pool:
        found = pool.map(model_digests, *zip(*jobs, strict=True))
        bar = Progress(found, total=len(jobs), unit="model", label="digests", show=progress)
        made = dict(zip(jobs, bar, strict=True))
    return {
        f"digests/{source}.json": canonical_json(
            {
                "stimulus": source,
                "seed": SEED if source == "builtin" else None,
                "models": {name: made[name, source] for name in intgold.SHIPPED},
            }
        )
        for source in SOURCES
    }


def case_files() -> dict[str, bytes]:
    """Return the requantize files by path."""
    files = {}
    for form in FORMS:
        files[f"requantize/{form}.hex"] = case_lines(form, requantize_groups(form))
        if form not in ("float32", "float64"):
            ties = iter([("exact ties of narrow multipliers", tie_operands())])
            files[f"ties/{form}.hex"] = case_lines(form, ties)
    return files


def write_sets(folder: Path) -> None:
    """Write the op cases, directed and random, and the small complete set below `folder`."""
    for model in directed_models():
        kind = model.ops[-1].kind
        path = folder / "ops" / kind / model.name.removeprefix(f"{kind}_")
        generate.write_set(model, path, SetOptions(count=CASE_IMAGES, seed=SEED, formats=("hex",)))
    for kind in OPS:
        for case in range(RANDOM_CASES):
            model = random_model(case, (kind,), max_ops=1)
            path = folder / "ops" / kind / f"random_{case}"
            generate.write_set(
                model, path, SetOptions(count=CASE_IMAGES, seed=case, formats=("hex",))
            )
    shown = SetOptions(count=SET_IMAGES, seed=SEED)
    generate.write_set(intgold.load(), folder / "sets" / "mnist_lut", shown)


def freeze(folder: str | os.PathLike[str], *, progress: bool = True) -> None:
    """Write everything but the README in `folder`; what was frozen before is replaced.

    Raises
    ------
    DataError
        When MNIST is not there.
    IntgoldError
        When a file in one of `FOLDERS` is not as it was frozen.
    """
    if find_mnist() is None:
        raise DataError("MNIST is needed to freeze its digests; see: intgold data")
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder")
    for part in FOLDERS:
        check_own(Path(folder) / part, _part(part))
    with TemporaryDirectory(dir=folder) as made:  # beside its place: a rename suffices
        for path, data in {**digests(progress=progress), **case_files()}.items():
            (Path(made) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(made) / path).write_bytes(data)
        write_sets(Path(made))
        for part in FOLDERS:
            target = Path(folder) / part
            put_folder(Path(made) / part, target, check_own(target, _part(part)))
    document = manifest(Path(folder))
    with replacing(Path(folder) / "manifest.json", None) as file:
        file.write(document)


def _part(part: str) -> FolderKind:
    """Return how a part of what was frozen is known again: by the manifest beside it."""

    def stated(data: bytes) -> dict[str, str]:
        document = strict_json(data)
        if not isinstance(document, dict) or document.get("command") != COMMAND:
            raise ValueError("not the manifest of frozen vectors")
        start = f"{part}/"
        return {p[len(start) :]: d for p, d in document["sha256"].items() if p.startswith(start)}

    return FolderKind(f"{part} that was frozen", "../manifest.json", stated)


def manifest(folder: Path) -> bytes:
    """Return the manifest of what lies in `folder`: how it was made, and the SHA-256 of all."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    own = {folder / "manifest.json", folder / "README.md"}
    document = {
        "command": COMMAND,
        **provenance(),
        "seed": SEED,
        "sha256": {
            p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in paths
            if p not in own
        },
    }
    return canonical_json(document)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the frozen golden/ directory anew.")
    parser.add_argument("folder")
    try:
        freeze(parser.parse_args().folder)
    except IntgoldError as error:
        sys.exit(f"freeze: {error}")
