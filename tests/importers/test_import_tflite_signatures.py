"""Files of several subgraphs and signatures: which of them is imported, and what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.cli import main
from intgold.contracts import contract_named
from intgold.errors import EngineError, ImportFileError
from intgold.importers import import_tflite
from intgold.importers.tflite.file.reader import parse
from intgold.study.engines import engine_check

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer

BOTH = (("serve", 0), ("train", 1))


def file(signatures, relus=("RELU", "RELU6")):
    """A subgraph for each op, all of one scale."""
    w = Writer()
    parts = []
    for i, kind in enumerate(relus):
        x, y = (w.tensor((1, 7), "int8", 0.1, 0, name=f"{name}_{i}") for name in ("x", "y"))
        w.op(kind, [x], y)
        parts.append((i, [x], [y]))
    (_, *main_ends), *others = parts
    return w.finish(*main_ends, others, signatures)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "m.tflite").write_bytes(file(BOTH))
    return tmp_path / "m.tflite"


def test_a_signature_chooses_its_subgraph(path):
    """RELU in the first, which is the default; RELU6, which ends at 60, in the second."""
    x = np.arange(-128, 128, 40, dtype=np.int16).astype(np.int8)[None]
    for signature, top in ((None, 127), ("serve", 127), ("train", 60)):
        model = import_tflite(path, signature=signature)
        assert np.array_equal(model.run(x).output, np.clip(x, 0, top))
        assert model.inputs == ("x_1" if signature == "train" else "x_0",)
        second = "; subgraph 1" * (signature == "train")
        assert (
            model.metadata["signature"] == f"'{signature or 'serve'}', of 'serve', 'train'{second}"
        )


def test_the_only_signature_is_the_default():
    """Also where it names another subgraph than the first; none at all: the first."""
    assert parse(file([("a", 1)])).subgraph == 1
    assert parse(file([])).subgraph == 0 and parse(file([("a", 1), ("b", 1)])).subgraph == 0
    assert parse(file([("a", 0)])).signatures == ("a",)


@pytest.mark.parametrize(
    ("signatures", "asked", "why"),
    [
        (BOTH, "sreve", "no signature 'sreve'; there are 'serve', 'train'"),
        ((), "serve", "no signature 'serve'; the file has none"),
        ([("a", 0), ("a", 1)], None, "signature 'a' is listed twice"),
    ],
)
def test_refused(signatures, asked, why):
    with pytest.raises(ImportFileError, match=f"^{why}$"):
        parse(file(signatures), asked)


def test_names_are_compared_whole(tmp_path):
    """Long ones that begin alike, one with a control character, an empty one; shown short."""
    long = ["x" * 150 + end for end in "ab"]
    names = [(long[0], 0), (long[1], 1), ("", 1), ("a\n", 1), ("a?", 1)]
    for name, number in names:
        assert parse(file(names), name).subgraph == number
    (tmp_path / "m.tflite").write_bytes(file([("", 0), *names[1:2]]))
    said = import_tflite(tmp_path / "m.tflite").metadata["signature"]
    assert said.startswith("'', of '', 'xxxx") and said.endswith("xxxxb'") and len(said) < 120


def test_names_that_overlap():
    """Bytes that are the name of many signatures: no more than the file has."""
    data = bytearray(file([(f"{'x' * 3000}{i}", 0) for i in range(3)]))
    import tflite

    model = tflite.Model.GetRootAs(data, 0)
    places = [t.Pos + t.Offset(8) for t in (model.SignatureDefs(i)._tab for i in range(3))]
    keys = [at + int.from_bytes(data[at : at + 4], "little") for at in places]
    key = min(keys)
    data[key : key + 4] = (len(data) - key - 5).to_bytes(4, "little")  # over all that follow
    with pytest.raises(ImportFileError, match="^signature [12]: names longer than the file$"):
        parse(bytes(data))


def test_the_only_signature_of_another_subgraph(tmp_path, capsys):
    """It is printed and kept, since it is not the main one."""
    path, out = tmp_path / "m.tflite", tmp_path / "m.npz"
    path.write_bytes(file([("train", 1)]))
    assert main(["import", str(path), "--contract", "tflm", "-o", str(out)]) == 0
    assert "signature: 'train'; subgraph 1\n" in capsys.readouterr().out
    path.write_bytes(file([("serve", 0)]))
    assert main(["import", str(path), "--contract", "tflm", "-o", str(out)]) == 0
    assert "signature:" not in capsys.readouterr().out


def test_a_subgraph_that_is_not_there():
    """The number of a signature that points behind the last one."""
    data = bytearray(file([("a", 1)]))
    import tflite

    table = tflite.Model.GetRootAs(data, 0).SignatureDefs(0)._tab
    at = table.Pos + table.Offset(12)  # subgraph_index
    assert data[at] == 1
    data[at] = 2
    with pytest.raises(ImportFileError, match="^signature 'a': subgraph 2 of 2$"):
        parse(bytes(data))


def test_the_command(path, capsys):
    """The signature is printed, beside the others of the file; a wrong one: one line, status 2."""
    out = path.with_name("m.npz")
    line = ["import", str(path), "--contract", "tflm", "-o", str(out), "--signature"]
    assert main([*line, "train"]) == 0
    assert "signature: 'train', of 'serve', 'train'; subgraph 1\n" in capsys.readouterr().out
    out.unlink()
    assert main([*line, "other"]) == 2
    said = capsys.readouterr().err
    assert "no signature 'other'; there are 'serve', 'train'" in said and said.count("\n") == 1
    assert not out.exists()


def test_a_check_is_of_the_main_subgraph(path, monkeypatch):
    """Engines run no other."""
    monkeypatch.setattr(engine_check, "installed_engine", lambda contract: "an engine")
    with pytest.raises(EngineError, match="signature 'train' names subgraph 1; engines are run on"):
        engine_check.check_file(path, contract_named("tflm"), 1, signature="train")
