"""Artefacts: byte-stable, content-hashed, strict; nothing foreign or damaged loads."""

import json
import zipfile

import numpy as np
import pytest

import intgold
from intgold import ArtefactError, IntgoldError
from intgold.ops.table import OPS
from intgold.support.json_text import canonical_sha256
from intgold.support.safe_files import canonical_json, npy_bytes, write_zip
from intgold.vectors.cases.random_models import random_inputs, random_model


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, members, change=None):
    """Write members with `change` applied to the document and its digest made right again."""
    document = json.loads(members["model.json"])
    if change:
        change(document)
    document.pop("sha256", None)
    document["sha256"] = canonical_sha256(document)
    write_zip(path, {**members, "model.json": canonical_json(document)})


@pytest.fixture
def saved(tmp_path):
    model = random_model(0, tuple(kind for kind in OPS if OPS[kind].since == "1.0"))
    path = tmp_path / "model.npz"
    model.save(path)
    return path


def test_a_model_comes_back_as_it_was(tmp_path):
    """Every op and form: the same content hash, the same bytes, the same results."""
    for seed in range(150):
        model = random_model(seed)
        path, again = tmp_path / "a.npz", tmp_path / "b.npz"
        model.save(path)
        loaded = intgold.load(path)
        loaded.save(again)
        assert path.read_bytes() == again.read_bytes()
        assert loaded.sha256 == model.sha256
        x = random_inputs(model, 2, seed)
        assert np.array_equal(model.run(x).output, loaded.run(x).output)


def test_the_hash_is_over_content(tmp_path):
    """Different zip bytes (order of members) keep the hash; one changed weight changes it."""
    model = random_model(0)
    path = tmp_path / "a.npz"
    model.save(path)
    members = members_of(path)
    write_zip(tmp_path / "b.npz", dict(reversed(members.items())))
    assert (tmp_path / "b.npz").read_bytes() != path.read_bytes()
    assert intgold.load(tmp_path / "b.npz").sha256 == model.sha256
    assert len({random_model(seed).sha256 for seed in range(50)}) == 50


def test_truncated_and_flipped_files_are_refused(saved):
    """Cut at any place, or with a byte changed: an ArtefactError, or not a bit of difference."""
    whole, sha256 = saved.read_bytes(), intgold.load(saved).sha256
    refused = 0
    for length in range(0, len(whole), max(1, len(whole) // 97)):
        saved.write_bytes(whole[:length])
        with pytest.raises(ArtefactError, match=str(saved)):
            intgold.load(saved)
    for at in range(0, len(whole), max(1, len(whole) // 499)):
        changed = bytearray(whole)
        changed[at] ^= 0x5A
        saved.write_bytes(changed)
        try:
            assert intgold.load(saved).sha256 == sha256  # a byte that says nothing (a zip date)
        except ArtefactError:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"not a model", b"{}"])
def test_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match="foreign.npz"):
        intgold.load(path)


def test_missing_files_and_foreign_archives_are_refused(tmp_path):
    with pytest.raises(ArtefactError, match="absent.npz"):
        intgold.load(tmp_path / "absent.npz")
    np.savez(tmp_path / "numpy.npz", a=np.arange(3))
    with pytest.raises(ArtefactError, match=r"no model\.json"):
        intgold.load(tmp_path / "numpy.npz")
    np.savez_compressed(tmp_path / "small.npz", a=np.arange(3))
    with pytest.raises(ArtefactError, match="compressed"):
        intgold.load(tmp_path / "small.npz")


def _unknown_op(document):
    document["ops"][0]["kind"] = "attention"


def _unknown_form(document):
    for op in document["ops"]:
        if op["fields"].get("requantize"):
            op["fields"]["requantize"]["form"] = "triple"


def _forms_as_a_list(document):
    for op in document["ops"]:
        by = op["fields"].get("requantize")
        if by and isinstance(by["form"], str):
            by["form"] = [by["form"]] * by["multiplier"]["shape"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(surplus=1), "unknown field surplus"),
        (lambda d: d.pop("contract"), "missing or unknown field contract"),
        (lambda d: d.update(version=2), "artefact version 2"),
        (lambda d: d.update(spec="1.99"), "made for SPEC '1.99'"),
        (lambda d: d.update(spec="2.0"), "made for SPEC '2.0'"),
        (lambda d: d.update(format="other"), "not the description"),
        (lambda d: d["ops"][0].update(colour="red"), "unknown field colour"),
        (lambda d: d["ops"][0]["fields"].update(colour="red"), "unknown field colour"),
        (lambda d: d["ops"][0].update(inputs=["nowhere"]), "nowhere is not made before it"),
        (lambda d: d["tensors"][0].update(zero_point=500), "500 is outside"),
        (lambda d: d["tensors"][0].update(shape=[0]), "0 is outside"),
        (lambda d: d["tensors"][0].update(shape=[2**24, 2**24]), "outside"),
        (lambda d: d["tensors"][0].update(dtype="float32"), "float32"),
        (lambda d: d["tensors"][0].update(dtype=[]), r"dtype \[\] is neither"),
        (lambda d: d["tensors"][0].update(name={}), r"\{\} is not a name"),
        (lambda d: d["ops"][0].update(kind=[]), r"kind \[\] is not known"),
        (lambda d: d["ops"][-1].update(output=[]), r"\[\] is not a name"),
        (lambda d: d["tensors"][0].update(scale="0.1"), "written as"),
        (lambda d: d.update(metadata={"a": 1}), "metadata 'a'"),
        (lambda d: d.update(inputs=[]), "no input"),
        (_unknown_op, "'attention' is not known to SPEC"),
        (_unknown_form, "unknown form 'triple'"),
        (lambda d: d.update(spec="1.1"), "not written as in SPEC 9.3"),
        (_forms_as_a_list, "not written as in SPEC 9.3"),
    ],
)
def test_documents_that_break_a_rule_are_refused(tmp_path, change, message):
    """With a right digest: the rule itself refuses, naming field and value."""
    model = next(
        m for m in map(random_model, range(99))
        if m.ops[0].kind == "conv2d" and m.ops[0]["requantize"] is not None
    )  # fmt: skip
    path = tmp_path / "model.npz"
    model.save(path)
    members = members_of(path)
    rewrite(path, members)
    assert intgold.load(path).sha256 == model.sha256
    rewrite(path, members, change)
    with pytest.raises(ArtefactError, match=message) as caught:
        intgold.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text + b" ", "canonical form"),
        (lambda text: text.replace(b'"version": 1', b'"version": 1.0'), "canonical form|sha256"),
        (lambda text: text.replace(b"\n ", b"\n  ", 1), "canonical form"),
        (lambda text: b"[" * 500 + b"]" * 500, "nested too deeply"),
        (lambda text: b'{"format": ' + b"[" * 900 + b"]" * 900 + b"}", "model.json"),
        (lambda text: b"[" * 100_000, "model.json"),
        (lambda text: b'{"format": NaN}', "NaN is not a number"),
        (lambda text: text.replace(b'"version": 1', b'"version": 1' + b"0" * 5000), "model.json"),
        (lambda text: b'{"format": "intgold-model", "format": 1}', "a key appears twice"),
        (lambda text: b"\xff", "model.json"),
    ],
)
def test_a_description_written_otherwise_is_refused(saved, change, message):
    members = members_of(saved)
    write_zip(saved, {**members, "model.json": change(members["model.json"])})
    with pytest.raises(ArtefactError, match=message) as caught:
        intgold.load(saved)
    assert "\n" not in str(caught.value)


def test_a_wrong_digest_is_refused(saved):
    members = members_of(saved)
    document = json.loads(members["model.json"])
    document["name"] = "renamed"
    write_zip(saved, {**members, "model.json": canonical_json(document)})
    with pytest.raises(ArtefactError, match="does not match its sha256"):
        intgold.load(saved)


def test_arrays_must_be_those_of_the_document(saved):
    """A missing, surplus, changed or retyped member is refused by name."""
    members = members_of(saved)
    name = next(n for n in members if n.endswith("weights.npy"))
    for changed, message in (
        ({n: d for n, d in members.items() if n != name}, "is missing"),
        ({**members, "extra.npy": npy_bytes(np.arange(3))}, "unknown member extra.npy"),
        (
            {**members, name: npy_bytes(np.zeros((1, 1, 1, 1), np.int8))},
            "does not match its sha256",
        ),
        ({**members, name: b"\x93NUMPY\x01\x00"}, "does not match its sha256"),
    ):
        write_zip(saved, changed)
        with pytest.raises(ArtefactError, match=message):
            intgold.load(saved)


def test_a_failed_save_leaves_the_old_file(saved, tmp_path):
    """An unwritable target: one error of ours, no temporary file is left."""
    before = saved.read_bytes()
    with pytest.raises(IntgoldError, match="nowhere"):
        random_model(1).save(tmp_path / "nowhere" / "model.npz")
    assert saved.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["model.npz"]


def test_an_artefact_asks_for_no_newer_spec_than_it_needs(tmp_path):
    """The version written is that of the newest op in the graph."""
    for kinds, spec in ((("conv2d",), "1.0"), (("mul",), "1.1"), (("mul", "concat"), "1.2")):
        random_model(1, kinds, max_ops=3).save(tmp_path / "model.npz")
        document = json.loads(members_of(tmp_path / "model.npz")["model.json"])
        assert document["spec"] == spec
