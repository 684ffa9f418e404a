"""golden/ is what the code gives: made again, byte for byte; nothing there is foreign."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from intgold import native
from intgold.ops.table import OPS
from intgold.run.digests import little_endian, tensor_digests
from intgold.support.safe_files import canonical_json
from intgold.vectors import freeze
from intgold.vectors.cases.op_cases import directed_models
from intgold.vectors.cases.stimulus import stimulus
from intgold.vectors.sets import manifest
from intgold.vectors.sets.manifest import read_manifest

GOLDEN = Path(__file__).parents[2] / "golden"
HINT = f"golden/ is not what this code produces; if that is meant: {freeze.COMMAND}"


@pytest.fixture
def made_by(monkeypatch):
    """Manifests name the versions that froze golden/: a release by itself changes no byte there."""
    document = json.loads((GOLDEN / "manifest.json").read_bytes())
    maker = {key: document[key] for key in manifest.provenance()}
    for module in (manifest, freeze):
        monkeypatch.setattr(module, "provenance", lambda: maker)
    return document


def test_the_manifest_covers_every_file(made_by):
    """Command, versions, seed and the SHA-256 of everything, and nothing else is there."""
    assert freeze.manifest(GOLDEN) == (GOLDEN / "manifest.json").read_bytes(), HINT
    assert len(made_by["sha256"]) > 500 and made_by["command"] == freeze.COMMAND
    assert made_by["spec"].split(".")[0] == intgold.SPEC_VERSION.split(".")[0]
    here = {p.name for p in GOLDEN.iterdir()}
    assert here == {"README.md", "manifest.json", *freeze.FOLDERS}, HINT


def test_every_op_has_directed_cases():
    """Two or more per op, each with its reason, and each reaches several values."""
    kinds, constant = Counter(), []
    for model in directed_models():
        kinds[model.ops[-1].kind] += 1
        assert len(model.metadata["reason"]) > 10
        result = model.run(stimulus(model, "builtin", freeze.CASE_IMAGES), "golden", trace=True)
        parts = [*result.accumulators.values(), result.output]
        if all(len(np.unique(part)) == 1 for part in parts):
            constant.append(model.name)
    assert set(kinds) == set(OPS) and sum(kinds.values()) > 30
    assert sorted(constant) == [
        "argmax_one_value",
        "log_softmax_float32_one_value",
        "log_softmax_one_value",
        "softmax_float32_one_value",
        "softmax_one_value",
    ]


def test_requantize_cases_are_made_again():
    files = freeze.case_files()
    assert len(files) >= 15
    there = {p.relative_to(GOLDEN).as_posix() for d in ("requantize", "ties") for p in
             (GOLDEN / d).iterdir()}  # fmt: skip
    assert there == set(files), HINT
    for path, data in files.items():
        assert (GOLDEN / path).read_bytes() == data, f"{path}: {HINT}"


def test_vector_sets_are_made_again(tmp_path, made_by):
    """Op cases and the small set; each is a valid set of its own."""
    freeze.write_sets(tmp_path)
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    frozen = {
        p.relative_to(GOLDEN): p.read_bytes()
        for folder in ("ops", "sets")
        for p in (GOLDEN / folder).rglob("*")
        if p.is_file()
    }
    assert len(made) > 500 and set(made) == set(frozen), HINT
    for path, data in made.items():
        assert frozen[path] == data, f"{path}: {HINT}"
    for path in GOLDEN.rglob("*/manifest.json"):
        read_manifest(path.parent)


@pytest.mark.parametrize("source", freeze.SOURCES)
@pytest.mark.parametrize("name", intgold.SHIPPED)
@pytest.mark.parametrize(("backend", "threads"), [("golden", 1), ("c", 1), ("c", 2)])
def test_digests_of_ten_thousand_images(source, name, backend, threads, full):
    """Every tensor and accumulator over 10,000 images: golden, C with one thread and with two.

    The golden model runs all of MNIST, and of the built-in images the first ones.
    """
    if source == "mnist":
        tools.need("MNIST")
    document = json.loads((GOLDEN / f"digests/{source}.json").read_bytes())
    frozen = document["models"][name]
    assert set(frozen["images"]) == {str(freeze.COUNT), str(freeze.PREFIX)}
    assert frozen["images"][str(freeze.COUNT)] != frozen["images"][str(freeze.PREFIX)]
    if (backend, source) == ("golden", "builtin") and not full:
        model = intgold.load(name)
        x = stimulus(model, source, freeze.PREFIX, freeze.SEED)
        assert tensor_digests(model, x, backend) == frozen["images"][str(freeze.PREFIX)], HINT
    else:
        assert freeze.model_digests(name, source, backend, threads) == frozen, HINT


@pytest.mark.parametrize("source", freeze.SOURCES)
@pytest.mark.parametrize("name", intgold.SHIPPED)
@pytest.mark.parametrize("isa", native.variants())
def test_digests_of_every_variant(source, name, isa, full):
    """Every tensor and accumulator of a traced run, and the output of one that is not (fused)."""
    if source == "mnist":
        tools.need("MNIST")
    count = freeze.COUNT if full else freeze.PREFIX
    document = json.loads((GOLDEN / f"digests/{source}.json").read_bytes())
    frozen = document["models"][name]["images"][str(count)]
    model = intgold.load(name)
    x = stimulus(model, source, count, freeze.SEED)
    assert tensor_digests(model, x, isa=isa) == frozen
    fused = model.run(x, isa=isa).output
    digest = hashlib.sha256(little_endian(fused)).hexdigest()
    assert digest == frozen[model.outputs[0]]["output"]


def test_digest_files_are_canonical():
    for source in freeze.SOURCES:
        data = (GOLDEN / f"digests/{source}.json").read_bytes()
        document = json.loads(data)
        assert canonical_json(document) == data and document["stimulus"] == source
        assert set(document["models"]) == set(intgold.SHIPPED)
