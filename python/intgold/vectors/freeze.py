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
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tqdm import tqdm

import intgold

from ..data import find_mnist
from ..digests import Digests, tensor_digests
from ..errors import DataError, IntgoldError
from ..fields import FORMS
from ..files import canonical_json
from ..model import SPEC_VERSION
from ..ops import OPS
from .cases import case_lines, requantize_groups, tie_operands
from .generate import write_set
from .random_models import random_model
from .stimulus import stimulus

COMMAND = "python -m intgold.vectors.freeze golden"
COUNT, PREFIX, SEED = 10_000, 200, 0
OP_CASES = 2


def digests(source: str, backend: str = "golden", threads: int = 1, progress: bool = False) -> dict:
    """Return the document of ``digests/<source>.json``.

    Parameters
    ----------
    source : {"builtin", "mnist"}
    backend, threads
        Cannot change a digest.
    """
    models: dict[str, Any] = {}
    total = len(intgold.SHIPPED) * (COUNT + PREFIX)
    with tqdm(total=total, unit="image", desc=source, disable=not progress) as bar:
        for name in intgold.SHIPPED:
            model = intgold.load(name)
            x = stimulus(model, source, COUNT, SEED)
            few = {n: a[:PREFIX] for n, a in x.items()}
            sets: dict[str, Digests] = {
                str(len(next(iter(part.values())))): tensor_digests(
                    model, part, backend, threads, bar
                )
                for part in (few, x)
            }
            models[name] = {"artefact": model.sha256, "images": sets}
    return {"stimulus": source, "seed": SEED if source == "builtin" else None, "models": models}


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
    """Write the op cases and the small complete set below `folder`."""
    for kind in OPS:
        for case in range(OP_CASES):
            model = random_model(case, (kind,), max_ops=1)
            path = folder / "ops" / kind / str(case)
            write_set(model, path, "builtin", 3, case, formats=("hex",))
    write_set(intgold.load(), folder / "sets" / "mnist_lut", "builtin", 2, SEED)


def freeze(folder: str | os.PathLike[str], progress: bool = True) -> None:
    """Write everything but the README below `folder`.

    Raises
    ------
    DataError
        When MNIST is not there.
    """
    if find_mnist() is None:
        raise DataError("MNIST is needed to freeze its digests; see: intgold data")
    target = Path(folder)
    files = {
        f"digests/{source}.json": canonical_json(digests(source, progress=progress))
        for source in ("builtin", "mnist")
    }
    files.update(case_files())
    for path, data in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
    write_sets(target)
    (target / "manifest.json").write_bytes(manifest(target))


def manifest(folder: Path) -> bytes:
    """Return the manifest of what lies in `folder`: how it was made, and the SHA-256 of all."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    own = {folder / "manifest.json", folder / "README.md"}
    document = {
        "command": COMMAND,
        "tool": {"name": "intgold", "version": version("intgold")},
        "spec": SPEC_VERSION,
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
