"""golden/ is what the code gives: made again, byte for byte; nothing there is foreign."""

import json
from pathlib import Path

import pytest

import intgold
import tools
from intgold.files import canonical_json
from intgold.vectors import freeze
from intgold.vectors.manifest import read_manifest

GOLDEN = Path(__file__).parents[1] / "golden"
HINT = f"golden/ is not what this code makes; if that is meant: {freeze.COMMAND}"


def test_the_manifest_covers_every_file():
    """Command, versions, seed and the SHA-256 of everything, and nothing else is there."""
    assert freeze.manifest(GOLDEN) == (GOLDEN / "manifest.json").read_bytes(), HINT
    document = json.loads((GOLDEN / "manifest.json").read_bytes())
    assert len(document["sha256"]) > 200 and document["spec"] == intgold.SPEC_VERSION
    assert document["command"] == freeze.COMMAND


def test_requantize_cases_are_made_again():
    files = freeze.case_files()
    assert len(files) >= 15
    there = {p.relative_to(GOLDEN).as_posix() for d in ("requantize", "ties") for p in
             (GOLDEN / d).iterdir()}  # fmt: skip
    assert there == set(files), HINT
    for path, data in files.items():
        assert (GOLDEN / path).read_bytes() == data, f"{path}: {HINT}"


def test_vector_sets_are_made_again(tmp_path):
    """Op cases and the small set; each is a valid set of its own."""
    freeze.write_sets(tmp_path)
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    frozen = {
        p.relative_to(GOLDEN): p.read_bytes()
        for folder in ("ops", "sets")
        for p in (GOLDEN / folder).rglob("*")
        if p.is_file()
    }
    assert len(made) > 200 and set(made) == set(frozen), HINT
    for path, data in made.items():
        assert frozen[path] == data, f"{path}: {HINT}"
    for manifest in GOLDEN.rglob("*/manifest.json"):
        read_manifest(manifest.parent)


@pytest.mark.parametrize("source", freeze.SOURCES)
@pytest.mark.parametrize("name", intgold.SHIPPED)
@pytest.mark.parametrize(("backend", "threads"), [("golden", 1), ("c", 1), ("c", 2)])
def test_digests_of_ten_thousand_images(source, name, backend, threads):
    """Every tensor and accumulator over 10,000 images: golden, C with one thread and with two."""
    if source == "mnist":
        tools.need("MNIST")
    document = json.loads((GOLDEN / f"digests/{source}.json").read_bytes())
    frozen = document["models"][name]
    assert set(frozen["images"]) == {str(freeze.COUNT), str(freeze.PREFIX)}
    assert frozen["images"][str(freeze.COUNT)] != frozen["images"][str(freeze.PREFIX)]
    assert freeze.model_digests(name, source, backend, threads) == frozen, HINT


def test_digest_files_are_canonical():
    for source in freeze.SOURCES:
        data = (GOLDEN / f"digests/{source}.json").read_bytes()
        document = json.loads(data)
        assert canonical_json(document) == data and document["stimulus"] == source
        assert set(document["models"]) == set(intgold.SHIPPED)
