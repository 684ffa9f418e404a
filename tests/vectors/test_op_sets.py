"""Vectors of one op: every case a set, lines beside them, nothing damaged passes."""

import shlex
import shutil
from random import Random

import numpy as np
import pytest

from intgold import IntgoldError, VectorError
from intgold.cli import main
from intgold.ops.fields import FLOAT_FORMS, FORMS, INTEGER_FORMS
from intgold.ops.table import OPS
from intgold.vectors.cases.op_corners import corner_cases
from intgold.vectors.op_vectors.lines import read_op_lines
from intgold.vectors.op_vectors.requantize import read_requantize_lines
from intgold.vectors.op_vectors.sets import read_op_vectors, requantize_blocks, write_op_sets
from intgold.vectors.sets.manifest import read_manifest
from intgold.verify.comparison import verify_op


def content(folder):
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


@pytest.mark.parametrize("op", OPS)
def test_every_case_is_a_set(op, tmp_path):
    """Its stimulus is the case's, its values the golden model's; the same bytes twice."""
    made = write_op_sets(op, tmp_path / "a", random=2, seed=5, formats=("npy", "lines"))
    cases = {case.name: case for case in corner_cases(op)}
    names = read_op_vectors(tmp_path / "a")
    assert set(names) == {*cases, "random_5", "random_6"} and made.tensors == len(names)
    readme = (tmp_path / "a" / "README.md").read_text()
    for name, case in cases.items():
        assert f"- `{name}`: {case.reason}\n" in readme
        plan, _ = read_manifest(tmp_path / "a" / name)
        assert plan.source == "given" and plan.model.sha256 == case.model.sha256
        for tensor, x in case.x.items():
            assert np.array_equal(np.load(tmp_path / "a" / name / f"stimulus/{tensor}.npy"), x)
        output = case.model.outputs[0]
        want = case.model.run(case.x, backend="golden").output
        assert np.array_equal(np.load(tmp_path / "a" / name / f"outputs/{output}.npy"), want)
    blocks = read_op_lines((tmp_path / "a" / f"{op}.lines").read_text())
    assert len(blocks) == len(names)
    assert all(report.equal for report in verify_op(tmp_path / "a", tmp_path / "a").values())
    if op in ("lut", "add"):
        write_op_sets(op, tmp_path / "b", random=2, seed=5, formats=("npy", "lines"))
        assert content(tmp_path / "a") == content(tmp_path / "b")


def test_requantize_in_every_form_and_width(tmp_path, capsys):
    """Integer forms by 31 widths, float32 and float64 in their own; a pipe has the same lines."""
    blocks = requantize_blocks(None, None)
    assert len(blocks) == len(INTEGER_FORMS) * 31 + len(FLOAT_FORMS) and {
        f for f, _ in blocks
    } == set(FORMS)
    write_op_sets("requantize", tmp_path / "r", random=7, form="double", bits=8)
    text = (tmp_path / "r" / "double_8.lines").read_text()
    assert len(read_requantize_lines(text)) > 1000
    arguments = ["op-vectors", "requantize", "--form", "double", "--multiplier-bits", "8"]
    assert main([*arguments, "--random", "7", "-o", "-"]) == 0
    assert capsys.readouterr().out == text
    with pytest.raises(VectorError, match="only lines"):
        verify_op(tmp_path / "r", tmp_path / "r")


def test_a_wrong_case_is_named(tmp_path, capsys):
    """Exit status 1 and the case; a dump without a case is bad input."""
    vectors, dut = tmp_path / "v", tmp_path / "d"
    assert main(["op-vectors", "lut", "--format", "npy", "-o", str(vectors)]) == 0
    for name in read_op_vectors(vectors):
        (dut / name).mkdir(parents=True)
        shutil.copytree(vectors / name / "outputs", dut / name / "outputs")
    assert main(["verify", str(vectors), "--dut", str(dut)]) == 0
    assert "5 cases, " in capsys.readouterr().out
    path = dut / "reversed" / "outputs" / "y.npy"
    array = np.load(path)
    array.flat[0] ^= 1
    np.save(path, array)
    assert main(["verify", str(vectors), "--dut", str(dut)]) == 1
    out = capsys.readouterr().out
    assert "case reversed\n" in out and "1 cases differ" in out
    shutil.rmtree(dut / "image")
    assert main(["verify", str(vectors), "--dut", str(dut)]) == 2
    assert "image: no such folder" in capsys.readouterr().err
    assert main(["verify", str(vectors), "--dut", str(dut), "--partial"]) == 1
    assert "1 of 5 cases are not in the dump\n4 cases, " in capsys.readouterr().out
    (dut / "imago").mkdir()
    assert main(["verify", str(vectors), "--dut", str(dut), "--partial"]) == 2
    assert "imago: the vectors have no such case" in capsys.readouterr().err


def test_no_damage_of_op_vectors_passes(tmp_path):
    """A flipped bit anywhere names its file; foreign folders are not replaced."""
    write_op_sets("lut", tmp_path / "v", formats=("hex", "lines"))
    files = sorted(p for p in (tmp_path / "v").rglob("*") if p.is_file())
    rng = Random(0)
    for path in files:
        data = bytearray(path.read_bytes())
        whole = bytes(data)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        with pytest.raises(VectorError, match=path.name):
            verify_op(tmp_path / "v", tmp_path / "v")
        path.write_bytes(whole)
    (tmp_path / "v" / "mine.txt").write_text("mine")
    with pytest.raises(VectorError, match="mine.txt"):
        write_op_sets("lut", tmp_path / "v")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(VectorError, match=r"holds mine\.txt"):
        write_op_sets("lut", tmp_path / "other")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("op-vectors conv9", "conv9"),
        ("op-vectors lut --random -1", "random: -1"),
        ("op-vectors lut --form single", "--form: has no effect with op lut"),
        ("op-vectors lut --multiplier-bits 8", "--multiplier-bits: has no effect with op lut"),
        ("op-vectors requantize --format mif", "a requantize has only the format lines"),
        ("op-vectors requantize --layout l.toml", "--layout: has no effect with op requantize"),
        ("op-vectors requantize --form half", "form: 'half'"),
        ("op-vectors requantize --form float32 --multiplier-bits 8", "bits 8"),
        ("op-vectors ''", "op: '' is none of"),
        ("vectors lut --ops ''", "op ''"),
        ("vectors lut --partials ''", "partials ''"),
        ("vectors lut --images \u0663", "not numbers"),
    ],
)
def test_wrong_arguments(arguments, message, tmp_path, capsys):
    assert main([*shlex.split(arguments), "-o", str(tmp_path / "x")]) == 2
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and not said.out
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IntgoldError):
        write_op_sets("none", tmp_path / "x")


@pytest.mark.parametrize(("arguments", "message"), [
    ("op-vectors lut --format hex -o -", "--format: has no effect with -o -"),
    ("op-vectors lut --layout l.toml -o -", "--layout: has no effect with -o -"),
    ("vectors lut -o -", "-o -: a folder is written; only op-vectors prints lines"),
    ("merge a b -o -", "-o -: a folder is written; only op-vectors prints lines"),
])  # fmt: skip
def test_lines_go_to_the_standard_output_only_of_one_op(arguments, message, capsys):
    assert main(shlex.split(arguments)) == 2
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and not said.out
