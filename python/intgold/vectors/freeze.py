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
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

import intgold

from ..data import find_mnist
from ..digests import tensor_digests
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
SOURCES = ("builtin", "mnist")
OP_CASES = 2


def model_digests(name: str, source: str, backend: str = "golden", threads: int = 1) -> dict:
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


def digests(progress: bool = False) -> dict[str, bytes]:
    """Return the digest files by path, by the golden model, on all cores."""
    jobs = [(name, source) for source in SOURCES for name in intgold.SHIPPED]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        found = pool.map(model_digests, *zip(*jobs, strict=True))
        bar = tqdm(found, total=len(jobs), unit="model", desc="digests", disable=not progress)
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
    files = {**digests(progress), **case_files()}
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
